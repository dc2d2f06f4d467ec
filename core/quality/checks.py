"""The data-quality checks. Each has a name, a severity, a threshold, and SQL that finds what is wrong.

`things` selects what is checked, and `found` selects what is wrong, one row for each thing that counts. Both read the
store's tables and the views `facts`, `batches`, `provider_groups` and `npis`, which contain what the report is about
(see report_scope.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from core.fields.month import MONTH_PATTERN
from core.queries.rules.comparison import LEAST_PLAUSIBLE, MOST_PLAUSIBLE, compared_sql

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Check:
    """One check. It fails if more than `threshold` (a share, 0 to 1) of the things are wrong.

    `by` are the columns that distinguish parts of both `things` and `found`: the state, the month, and the payer by its
    name or slug. `counted` is what count() counts. `rates_by` is the column that finds the rates of something wrong
    that has no code of its own, such as a provider group.
    """

    name: str
    severity: Severity
    threshold: float
    meaning: str
    remedy: str
    things: str
    found: str
    by: tuple[str, ...] = ("state", "year_month", "reporting_entity_name")
    counted: str = "*"
    rates_by: str = ""

    @property
    def parted(self) -> frozenset[str]:
        """Which of state, year_month and payer the check distinguishes."""
        return frozenset({"reporting_entity_name": "payer", "payer_slug": "payer"}.get(name, name) for name in self.by)

    def tells_apart(self, part: Iterable[str]) -> bool:
        """Return whether the check distinguishes all these columns of dq_finding (it always has a check_name)."""
        return {"payer" if name == "payer_slug" else name for name in part} - {"check_name"} <= self.parted


_COMPARED = compared_sql("true", "facts")
_FACTS = "FROM facts"
_BATCHES = "FROM batches"
_GROUP = ("year_month", "payer_slug")
_LOAD_AGAIN = (
    "The store itself is wrong: go back to an earlier generation or load the file again (docs/operating.md), and "
    "report the bug."
)
_RATE = "state, year_month, reporting_entity_name, code_type, code, negotiated_type, negotiated_rate, fact_uid"

MACROS = (
    # Luhn over 80840 and the ten digits: the prefix adds 24, every other digit is doubled from the first one on.
    """CREATE OR REPLACE TEMP MACRO npi_check_sum(npi) AS 24 + list_sum(list_transform(range(10), lambda i:
           CASE WHEN i % 2 = 0 THEN (2 * substr(npi, i + 1, 1)::INT) // 10 + (2 * substr(npi, i + 1, 1)::INT) % 10
                ELSE substr(npi, i + 1, 1)::INT END))""",
)

CHECKS = (
    Check(
        "duplicate_fact_uid",
        "error",
        0,
        "Facts that are in the store more than once.",
        _LOAD_AGAIN,
        _FACTS,
        "SELECT fact_uid, count(*) AS times FROM facts GROUP BY fact_uid HAVING count(*) > 1",
        by=(),
        rates_by="fact_uid",
    ),
    Check(
        "codes_without_words",
        "error",
        0,
        "Facts whose code is not in dim_code.",
        _LOAD_AGAIN,
        _FACTS,
        f"SELECT {_RATE} FROM facts ANTI JOIN dim_code USING (code_type, code)",
    ),
    Check(
        "orphan_pos_sets",
        "error",
        0,
        "Facts whose set of places of service is not in dim_pos_set.",
        _LOAD_AGAIN,
        _FACTS,
        f"SELECT {_RATE}, pos_set_id FROM facts ANTI JOIN dim_pos_set USING (pos_set_id)",
    ),
    Check(
        "orphan_groups",
        "error",
        0,
        "Facts whose provider group is not in dim_provider_group.",
        _LOAD_AGAIN,
        _FACTS,
        f"SELECT {_RATE}, pg_uid FROM facts ANTI JOIN dim_provider_group USING (pg_uid)",
    ),
    Check(
        "rates_without_npi",
        "warning",
        0.5,
        "Facts whose provider group has no NPI, so that no provider can be named. Each fact counts once.",
        "The payer contracts with a tax ID alone, or publishes the members in another file: ingest_mrf --resolve "
        "fetches the files that could not be reached.",
        _FACTS,
        f"""SELECT {_RATE} FROM facts f ANTI JOIN xref_group_npi x
            ON x.year_month = f.year_month AND x.payer_slug = payer_slug(f.reporting_entity_name)
            AND x.pg_uid = f.pg_uid""",
    ),
    Check(
        "groups_without_tin",
        "warning",
        0.5,
        "Provider groups without a tax ID.",
        "Their rates are missing from the organizations page. If their members are published in another file, "
        "ingest_mrf --resolve fetches it.",
        "FROM provider_groups",
        """SELECT year_month, payer_slug, pg_uid, provider_group_id_raw, resolved
           FROM provider_groups ANTI JOIN xref_group_tin USING (pg_uid)""",
        by=_GROUP,
        rates_by="pg_uid",
    ),
    Check(
        "zero_rates",
        "warning",
        0.05,
        "Rates of zero: a payer's way to say that it has no rate.",
        "Do not read them as prices. They are part of the percentiles; correct_rates --max-rate 0 removes them.",
        _FACTS,
        f"SELECT {_RATE} FROM facts WHERE negotiated_rate = 0",
    ),
    Check(
        "odd_percentages",
        "warning",
        0.05,
        "Percentages over 100 or under 1: dollars, or fractions, in the wrong place.",
        "Look at the payer's file. Percentages are never part of a figure in dollars; correct_rates removes wrong "
        "ones.",
        "FROM facts WHERE negotiated_type = 'percentage'",
        f"""SELECT {_RATE} FROM facts
            WHERE negotiated_type = 'percentage' AND (negotiated_rate > 100 OR negotiated_rate < 1)""",
    ),
    Check(
        "implausible_rates",
        "warning",
        0.05,
        f"Rates in dollars below {LEAST_PLAUSIBLE} or above {MOST_PLAUSIBLE:g} times Medicare: of another class, unit "
        "or service than the file says. Only rates that a loaded benchmark prices are checked.",
        "Rely on the median rather than the mean, and look at class and modifier; correct_rates removes wrong ones.",
        f"{_COMPARED} FROM compared WHERE percent IS NOT NULL",
        f"""{_COMPARED}
            SELECT {_RATE}, round(percent, 4) AS times_medicare, basis, medicare, billing_class, billing_code_modifier
            FROM compared WHERE NOT plausible""",
    ),
    Check(
        "expired_rates",
        "warning",
        0.05,
        "Rates that expired before their month began.",
        "The payer publishes contracts that have ended. Compare with a newer month.",
        _FACTS,
        f"SELECT {_RATE}, expiration_date FROM facts WHERE expiration_date < year_month || '-01'",
    ),
    Check(
        "month_disagrees",
        "warning",
        0,
        "Files whose month differs from their last_updated_on or from the date in their name, or is later than the day "
        "they were loaded.",
        "Find out which month the file is for. If it is wrong here, remove its rates (correct_rates --batch) and "
        "load the file with --year-month.",
        _BATCHES,
        r"""SELECT state, year_month, reporting_entity_name, source, last_updated_on,
                   strftime(coalesce(
                       try_strptime(regexp_extract(last_updated_on, '^\d{4}-\d{1,2}-\d{1,2}'), '%Y-%m-%d'),
                       try_strptime(regexp_extract(last_updated_on, '^\d{1,2}/\d{1,2}/\d{4}'), '%m/%d/%Y'),
                       try_strptime(regexp_extract(last_updated_on, '^\d{8}'), '%Y%m%d')), '%Y-%m') AS updated,
                   nullif(regexp_extract(source, '("""
        + MONTH_PATTERN
        + r""")-\d\d', 1), '') AS named
            FROM batches
            WHERE updated <> year_month OR named <> year_month OR year_month > strftime(finished_at, '%Y-%m')""",
    ),
    Check(
        "npi_check_digits",
        "warning",
        0.01,
        "NPIs whose check digit is wrong: no such provider exists. Each counts once for every payer and month that "
        "names it.",
        "The payer's mistake: such an NPI has no name in NPPES. Its rates are kept.",
        "FROM npis",
        """SELECT DISTINCT npi, year_month, payer_slug FROM npis
           WHERE npi IN (SELECT npi FROM dim_npi WHERE npi_check_sum(npi) % 10 <> 0)""",
        by=_GROUP,
        counted="DISTINCT npi",
    ),
    Check(
        "batch_sums",
        "error",
        0,
        "Files whose record differs from the number of rows in the store plus those that corrections removed.",
        _LOAD_AGAIN,
        _BATCHES,
        """SELECT b.state, year_month, reporting_entity_name, source, rows_added, coalesce(n, 0) AS rows_there,
                  coalesce(removed, 0) AS rows_removed
           FROM batches b LEFT JOIN (
               SELECT batch_id, f.state, count(*) AS n
               FROM facts f JOIN dim_provider_group USING (pg_uid) GROUP BY ALL) t
               ON t.batch_id = b.batch_id AND t.state = b.state
           LEFT JOIN (SELECT batch_id, state, count(*) AS removed FROM removed_rate GROUP BY ALL) r
               ON r.batch_id = b.batch_id AND r.state = b.state
           WHERE rows_added <> rows_there + rows_removed""",
    ),
    Check(
        "corrections",
        "error",
        0,
        "Facts that are in the store although a correction in force has removed them, and corrections that do not "
        "keep as many facts as they removed.",
        _LOAD_AGAIN,
        "SELECT correction_id FROM removed_rate UNION ALL SELECT correction_id FROM corrections",
        """SELECT correction_id, fact_uid, NULL AS rows, NULL AS rows_kept
           FROM removed_rate SEMI JOIN facts USING (fact_uid)
           UNION ALL
           SELECT correction_id, NULL, rows, coalesce(kept, 0)
           FROM corrections LEFT JOIN (
               SELECT correction_id, count(*) AS kept FROM removed_rate GROUP BY ALL) USING (correction_id)
           WHERE coalesce(kept, 0) <> CASE WHEN undone_at IS NULL THEN rows ELSE 0 END""",
        by=(),
        rates_by="fact_uid",
    ),
    Check(
        "batch_arithmetic",
        "error",
        0,
        "Files whose record does not add up: rows read = added + duplicates + rejected + filtered.",
        _LOAD_AGAIN,
        _BATCHES,
        """SELECT state, year_month, reporting_entity_name, source, rows_read, rows_added, duplicates, rows_rejected,
                  rows_filtered, rejects
           FROM batches
           WHERE rows_read <> rows_added + duplicates + rows_rejected + rows_filtered
              OR rows_rejected <> coalesce(list_sum(json_extract(rejects, '$.*')::BIGINT[]), 0)""",
    ),
    Check(
        "benchmark_arithmetic",
        "error",
        0,
        "Benchmark releases whose record does not add up: rows read = priced + left out.",
        "Load the release again with load_benchmark, and report the bug.",
        "FROM dim_benchmark",
        """SELECT kind, state, release, rows_read, rows_priced, left_out FROM dim_benchmark
           WHERE rows_read <> rows_priced + coalesce(list_sum(json_extract(left_out, '$.*')::BIGINT[]), 0)""",
        by=(),
    ),
    Check(
        "duplicate_keys",
        "error",
        0,
        "Keys that are more than once in a table that joins rely on: such a join would multiply rates.",
        _LOAD_AGAIN,
        """SELECT 1 FROM dim_code UNION ALL SELECT 1 FROM dim_pos_set
           UNION ALL SELECT 1 FROM dim_provider_group UNION ALL SELECT 1 FROM dim_payer_bridge""",
        """SELECT 'dim_code' AS in_table, code_type || ' ' || code AS key, count(*) AS times
           FROM dim_code GROUP BY ALL HAVING count(*) > 1
           UNION ALL
           SELECT 'dim_pos_set', pos_set_id, count(*) FROM dim_pos_set GROUP BY ALL HAVING count(*) > 1
           UNION ALL
           SELECT 'dim_provider_group', pg_uid, count(*) FROM dim_provider_group GROUP BY ALL HAVING count(*) > 1
           UNION ALL
           SELECT 'dim_payer_bridge', reporting_entity_name_raw, count(*)
           FROM dim_payer_bridge GROUP BY ALL HAVING count(*) > 1""",
        by=(),
    ),
)
