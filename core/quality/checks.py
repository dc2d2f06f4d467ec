"""The data-quality checks: each a name, how bad, how much is tolerated, and the SQL that finds what is wrong.

`found` selects what is wrong, one row for each thing that counts; `total` counts the things there are. Both are asked
of the views `facts`, `batches`, `provider_groups` and `npis`, which hold what the report is about, and of the store's
tables.
"""

from dataclasses import dataclass
from typing import Literal

from core.queries.comparison import LEAST_PLAUSIBLE, MOST_PLAUSIBLE, compared

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Check:
    """One check. It fails when more than `threshold` of the total (a share, 0 to 1) is found wrong."""

    name: str
    severity: Severity
    threshold: float
    meaning: str
    total: str
    found: str


_COMPARED = compared("true", "facts")
_FACTS = "SELECT count(*) FROM facts"
_BATCHES = "SELECT count(*) FROM batches"
_GROUPS = "SELECT count(*) FROM provider_groups"
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
        "Facts that stand in the store more than once.",
        _FACTS,
        """SELECT fact_uid, count(*) AS times FROM facts GROUP BY fact_uid HAVING count(*) > 1""",
    ),
    Check(
        "codes_without_words",
        "error",
        0,
        "Facts whose code is not in dim_code (seed 8.1).",
        _FACTS,
        f"SELECT {_RATE} FROM facts ANTI JOIN dim_code USING (code_type, code)",
    ),
    Check(
        "orphan_pos_sets",
        "error",
        0,
        "Facts whose set of places of service is not in dim_pos_set (seed 8.2).",
        _FACTS,
        f"SELECT pos_set_id, {_RATE} FROM facts ANTI JOIN dim_pos_set USING (pos_set_id)",
    ),
    Check(
        "orphan_groups",
        "error",
        0,
        "Facts whose provider group is not in dim_provider_group.",
        _FACTS,
        f"SELECT pg_uid, {_RATE} FROM facts ANTI JOIN dim_provider_group USING (pg_uid)",
    ),
    Check(
        "rates_without_npi",
        "warning",
        0.5,
        "Facts whose provider group has no NPI: no provider can be named (seed 8.3, each fact counted once).",
        _FACTS,
        f"""SELECT {_RATE} FROM facts f ANTI JOIN xref_group_npi x
            ON x.year_month = f.year_month AND x.payer_slug = payer_slug(f.reporting_entity_name)
            AND x.pg_uid = f.pg_uid""",
    ),
    Check(
        "groups_without_tin",
        "warning",
        0.5,
        "Provider groups without a tax number.",
        _GROUPS,
        """SELECT pg_uid, provider_group_id_raw, payer_slug, year_month, resolved
           FROM provider_groups ANTI JOIN xref_group_tin USING (pg_uid)""",
    ),
    Check(
        "zero_rates",
        "warning",
        0.05,
        "Rates of zero: a payer's way to say that it has no rate.",
        _FACTS,
        f"SELECT {_RATE} FROM facts WHERE negotiated_rate = 0",
    ),
    Check(
        "odd_percentages",
        "warning",
        0.05,
        "Percentages over 100 or under 1: dollars, or fractions, in the wrong place.",
        "SELECT count(*) FROM facts WHERE negotiated_type = 'percentage'",
        f"""SELECT {_RATE} FROM facts
            WHERE negotiated_type = 'percentage' AND (negotiated_rate > 100 OR negotiated_rate < 1)""",
    ),
    Check(
        "implausible_rates",
        "warning",
        0.05,
        f"Rates in dollars below {LEAST_PLAUSIBLE} or above {MOST_PLAUSIBLE:g} times Medicare: of another class, unit "
        "or service than the file says. Counted among the rates that a loaded benchmark prices.",
        f"{_COMPARED} SELECT count(percent) FROM compared",
        f"""{_COMPARED}
            SELECT round(percent, 4) AS times_medicare, basis, medicare, billing_class, billing_code_modifier, {_RATE}
            FROM compared WHERE NOT plausible""",
    ),
    Check(
        "expired_rates",
        "warning",
        0.05,
        "Rates that had expired before their month began.",
        _FACTS,
        f"SELECT expiration_date, {_RATE} FROM facts WHERE expiration_date < year_month || '-01'",
    ),
    Check(
        "month_disagrees",
        "warning",
        0,
        "Files whose month is not that of their last_updated_on, or of the date in their name, or lies ahead of the "
        "day they were loaded.",
        _BATCHES,
        r"""SELECT source, state, year_month, last_updated_on,
                   strftime(coalesce(
                       try_strptime(regexp_extract(last_updated_on, '^\d{4}-\d{1,2}-\d{1,2}'), '%Y-%m-%d'),
                       try_strptime(regexp_extract(last_updated_on, '^\d{1,2}/\d{1,2}/\d{4}'), '%m/%d/%Y'),
                       try_strptime(regexp_extract(last_updated_on, '^\d{8}'), '%Y%m%d')), '%Y-%m') AS updated,
                   nullif(regexp_extract(source, '(20\d\d-(0[1-9]|1[0-2]))-\d\d', 1), '') AS named
            FROM batches
            WHERE updated <> year_month OR named <> year_month OR year_month > strftime(finished_at, '%Y-%m')""",
    ),
    Check(
        "npi_check_digits",
        "warning",
        0.01,
        "NPIs whose check digit is wrong: no such provider exists.",
        "SELECT count(*) FROM npis",
        "SELECT npi FROM npis WHERE npi_check_sum(npi) % 10 <> 0",
    ),
    Check(
        "batch_sums",
        "error",
        0,
        "Files whose record says another number of rows than the store has.",
        _BATCHES,
        """SELECT source, b.state, rows_added, coalesce(n, 0) AS rows_there
           FROM batches b LEFT JOIN (
               SELECT batch_id, f.state, count(*) AS n
               FROM facts f JOIN dim_provider_group USING (pg_uid) GROUP BY ALL) t
               ON t.batch_id = b.batch_id AND t.state = b.state
           WHERE rows_added <> coalesce(n, 0)""",
    ),
    Check(
        "batch_arithmetic",
        "error",
        0,
        "Files whose record does not add up: rows read = added + duplicates + rejected + filtered.",
        _BATCHES,
        """SELECT source, state, rows_read, rows_added, duplicates, rows_rejected, rows_filtered, rejects FROM batches
           WHERE rows_read <> rows_added + duplicates + rows_rejected + rows_filtered
              OR rows_rejected <> coalesce(list_sum(json_extract(rejects, '$.*')::BIGINT[]), 0)""",
    ),
    Check(
        "benchmark_arithmetic",
        "error",
        0,
        "Benchmark releases whose record does not add up: rows read = priced + left out.",
        "SELECT count(*) FROM dim_benchmark",
        """SELECT kind, state, release, rows_read, rows_priced, left_out FROM dim_benchmark
           WHERE rows_read <> rows_priced + coalesce(list_sum(json_extract(left_out, '$.*')::BIGINT[]), 0)""",
    ),
    Check(
        "duplicate_keys",
        "error",
        0,
        "Keys that stand more than once in a table that joins rely on: such a join would multiply rates.",
        """SELECT (SELECT count(*) FROM dim_code) + (SELECT count(*) FROM dim_pos_set)
                + (SELECT count(*) FROM dim_provider_group) + (SELECT count(*) FROM dim_payer_bridge)""",
        """SELECT 'dim_code' AS in_table, code_type || ' ' || code AS key, count(*) AS times
           FROM dim_code GROUP BY ALL HAVING count(*) > 1
           UNION ALL
           SELECT 'dim_pos_set', pos_set_id, count(*) FROM dim_pos_set GROUP BY ALL HAVING count(*) > 1
           UNION ALL
           SELECT 'dim_provider_group', pg_uid, count(*) FROM dim_provider_group GROUP BY ALL HAVING count(*) > 1
           UNION ALL
           SELECT 'dim_payer_bridge', reporting_entity_name_raw, count(*)
           FROM dim_payer_bridge GROUP BY ALL HAVING count(*) > 1""",
    ),
)
