"""The data-quality checks. Each has a name, a severity, a threshold, and SQL that finds what is wrong.

`things` selects what is checked, and `found` selects what is wrong, one row for each thing that counts. Both read the
store's tables and the views `facts`, `batches`, `provider_groups`, `npis` and `tins` (see report_scope.py), which
contain what the report is about.
"""

from core.fields.month import MONTH_PATTERN
from core.fields.providers.tin import PLACEHOLDER_PATTERN
from core.quality.check import Check
from core.queries.comparison.compared_rates import (
    LEAST_PLAUSIBLE,
    MOST_PLAUSIBLE,
    PLAUSIBLE_SQL,
    SAME_TERMS,
    TERMS,
    compared_terms_sql,
)
from core.queries.rules.measured_class import places_sql
from core.queries.yardstick.odd_releases import ODD_RELEASES_SQL
from core.store.outside_state import GROUP_STATE, IS_OUTSIDE_STATE, group_states_sql

# Rates are compared by their terms. Comparing each of fifty million takes more than a GB of memory.
_COMPARE_TERMS = f"""CREATE OR REPLACE TEMP TABLE compared_terms AS
    {compared_terms_sql("facts")} SELECT {TERMS}, size, basis, medicare FROM compared WHERE medicare IS NOT NULL"""
_OF_MEDICARE = f"FROM facts f JOIN compared_terms c ON {SAME_TERMS}"
_FACTS = "FROM facts"
_BATCHES = "FROM batches"
_GROUP = ("year_month", "payer_slug")
_LOAD_AGAIN = (
    "The store itself is wrong: go back to an earlier generation, or take the file out (correct_rates --forget) "
    "and load it again (docs/operating.md), and report the bug."
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
        name="duplicate_fact_uid",
        title="Repeated rates",
        severity="error",
        threshold=0,
        meaning="Facts that are in the store more than once.",
        reader_meaning="Rates that are stored more than once. Counts may be too high.",
        remedy=_LOAD_AGAIN,
        things=_FACTS,
        found="SELECT fact_uid, count(*) AS times FROM facts GROUP BY fact_uid HAVING count(*) > 1",
        by=(),
        rates_by="fact_uid",
    ),
    Check(
        name="codes_without_words",
        title="Codes without a description",
        severity="error",
        threshold=0,
        meaning="Facts whose code is not in dim_code.",
        reader_meaning="Rates whose billing code is not described.",
        remedy=_LOAD_AGAIN,
        things=_FACTS,
        found=f"SELECT {_RATE} FROM facts ANTI JOIN dim_code USING (code_type, code)",
    ),
    Check(
        name="orphan_pos_sets",
        title="Unknown places of service",
        severity="error",
        threshold=0,
        meaning="Facts whose set of places of service is not in dim_pos_set.",
        reader_meaning="Rates whose places of service cannot be looked up.",
        remedy=_LOAD_AGAIN,
        things=_FACTS,
        found=f"SELECT {_RATE}, pos_set_id FROM facts ANTI JOIN dim_pos_set USING (pos_set_id)",
    ),
    Check(
        name="orphan_groups",
        title="Unknown provider groups",
        severity="error",
        threshold=0,
        meaning="Facts whose provider group is not in dim_provider_group.",
        reader_meaning="Rates whose provider group cannot be looked up.",
        remedy=_LOAD_AGAIN,
        things=_FACTS,
        found=f"SELECT {_RATE}, pg_uid FROM facts ANTI JOIN dim_provider_group USING (pg_uid)",
    ),
    Check(
        name="rates_without_npi",
        title="Rates without an NPI",
        severity="warning",
        threshold=0.5,
        meaning="Facts whose provider group has no NPI, so that no provider can be named. Each fact counts once.",
        reader_meaning=(
            "The provider group of these rates has no NPI, so they are not on any provider's page. Some payers "
            "contract with a tax ID only."
        ),
        remedy=(
            "The payer contracts with a tax ID alone, or publishes the members in another file: ingest_mrf --resolve "
            "fetches the files that could not be reached."
        ),
        things=_FACTS,
        found=f"""SELECT {_RATE} FROM facts f ANTI JOIN xref_group_npi x
            ON x.year_month = f.year_month AND x.payer_slug = payer_slug(f.reporting_entity_name)
            AND x.pg_uid = f.pg_uid""",
    ),
    Check(
        name="outside_state",
        title="Rates of providers in other states",
        severity="warning",
        threshold=0.25,
        meaning=(
            "Facts of provider groups whose providers are known to practice in other states only. Each counts in the "
            "medians of its state."
        ),
        reader_meaning=(
            "The providers of these rates practice in other states: the payer's file is not divided by state, and all "
            "of it was loaded."
        ),
        remedy=(
            "manage.py correct_rates --outside-state takes them out, with --state and --payer those of one; load "
            "further files with ingest_mrf --in-state."
        ),
        things=_FACTS,
        found=f"SELECT {_RATE} FROM facts f WHERE {IS_OUTSIDE_STATE}",
        prepare=f"CREATE OR REPLACE TEMP TABLE {GROUP_STATE} AS {group_states_sql('npis', 'dim_npi')}",
    ),
    Check(
        name="groups_without_tin",
        title="Provider groups without a tax ID",
        severity="warning",
        threshold=0.5,
        meaning="Provider groups without a tax ID.",
        reader_meaning="Their rates are missing from the comparison of organizations.",
        remedy="Their rates are missing from the organizations page. If their members are published in another file, "
        "ingest_mrf --resolve fetches it.",
        things="FROM provider_groups",
        found="""SELECT year_month, payer_slug, pg_uid, provider_group_id_raw, resolved
           FROM provider_groups ANTI JOIN xref_group_tin USING (pg_uid)""",
        by=_GROUP,
        rates_by="pg_uid",
    ),
    Check(
        name="zero_rates",
        title="Rates of zero",
        severity="warning",
        threshold=0.05,
        meaning="Rates of zero: a payer's way to say that it has no rate.",
        reader_meaning=(
            "Payers write zero when they have no rate. Do not read these as prices. They count in medians and "
            "percentiles, but are not drawn in the histogram and not compared with a fee schedule."
        ),
        remedy="Do not read them as prices. They are part of the percentiles; correct_rates --max-rate 0 removes them.",
        things=_FACTS,
        found=f"SELECT {_RATE} FROM facts WHERE negotiated_rate = 0",
        rates_sort="rate",
    ),
    Check(
        name="odd_percentages",
        title="Implausible percentages",
        severity="warning",
        threshold=0.05,
        meaning="Percentages over 100 or under 1: dollars, or fractions, in the wrong place.",
        reader_meaning=(
            "Percentages over 100 or under 1: probably dollars or fractions in the wrong place. They are never mixed "
            "with dollars."
        ),
        remedy=(
            "Look at the payer's file. Percentages are never part of a figure in dollars; correct_rates removes "
            "wrong ones."
        ),
        things="FROM facts WHERE negotiated_type = 'percentage'",
        found=f"""SELECT {_RATE} FROM facts
            WHERE negotiated_type = 'percentage' AND (negotiated_rate > 100 OR negotiated_rate < 1)""",
        rates_sort="-rate",
    ),
    Check(
        name="implausible_rates",
        title="Rates far from Medicare",
        severity="warning",
        threshold=0.05,
        meaning=(
            f"Rates in dollars below {LEAST_PLAUSIBLE} or above {MOST_PLAUSIBLE:g} times Medicare: of another class, "
            "unit or service than the file says. Only rates that a loaded benchmark prices are checked."
        ),
        reader_meaning=(
            f"Rates in dollars below {LEAST_PLAUSIBLE:.0%} or above {MOST_PLAUSIBLE:,.0%} of Medicare. The file may "
            "state the wrong billing class, modifier, or unit. Rely on the median rather than the mean."
        ),
        remedy=(
            "Rely on the median rather than the mean, and look at class and modifier; correct_rates removes wrong ones."
        ),
        prepare=_COMPARE_TERMS,
        things=f"SELECT f.state, f.year_month, f.reporting_entity_name {_OF_MEDICARE}",
        found=f"""SELECT {_RATE}, round(percent, 4) AS times_medicare, basis, medicare, billing_class,
                billing_code_modifier
            FROM (SELECT f.*, f.negotiated_rate / c.medicare AS percent, c.basis, c.medicare {_OF_MEDICARE})
            WHERE NOT {PLAUSIBLE_SQL}""",
    ),
    Check(
        name="class_labels",
        title="Billing classes that do not fit",
        severity="warning",
        threshold=0,
        meaning="Rates that fit the schedules of the other class far better than those of the class they state.",
        reader_meaning="Rates that fit the fee schedule of the other class far better, and are compared with that one.",
        remedy="The rates keep the class that the file states, and visitors can choose the schedule. Tell the payer.",
        things=_FACTS,
        found=f"""SELECT {_RATE}, f.billing_class, c.schedule, c.median, c.spread
            FROM facts f JOIN schedule_fit c USING (state, year_month, reporting_entity_name)
            WHERE c.chosen AND NOT c.of_label AND c.billing_class = f.billing_class
                AND c.places = {places_sql("f.pos_set_id")}""",
    ),
    Check(
        name="expired_rates",
        title="Expired rates",
        severity="warning",
        threshold=0.05,
        meaning="Rates that expired before their month began.",
        reader_meaning="Rates whose contract had ended before the month began. Compare with a newer month.",
        remedy="The payer publishes contracts that have ended. Compare with a newer month.",
        things=_FACTS,
        found=f"SELECT {_RATE}, expiration_date FROM facts WHERE expiration_date < year_month || '-01'",
        rates_sort="expires",
    ),
    Check(
        name="month_disagrees",
        title="Files with an unclear month",
        severity="warning",
        threshold=0,
        meaning=(
            "Files whose month differs from their last_updated_on or from the date in their name, or is later than "
            "the day they were loaded."
        ),
        reader_meaning=(
            "The month of the file differs from its own date or from the date in its name, or it is in the future."
        ),
        remedy=(
            "Find out which month the file is for. If it is wrong here, take the file out (correct_rates --forget) and "
            "load it again with --year-month."
        ),
        things=_BATCHES,
        found=r"""SELECT state, year_month, reporting_entity_name, source, last_updated_on,
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
        name="npi_check_digits",
        title="Invalid NPIs",
        severity="warning",
        threshold=0.01,
        meaning=(
            "NPIs whose check digit is wrong: no such provider exists. Each counts once for every payer and month "
            "that names it."
        ),
        reader_meaning="NPIs whose check digit is wrong: no such provider exists. Their rates are shown all the same.",
        remedy="The payer's mistake: such an NPI has no name in NPPES. Its rates are kept.",
        things="FROM npis",
        found="""SELECT DISTINCT npi, year_month, payer_slug FROM npis
           WHERE npi IN (SELECT npi FROM dim_npi WHERE npi_check_sum(npi) % 10 <> 0)""",
        by=_GROUP,
        counted="DISTINCT npi",
    ),
    Check(
        name="batch_sums",
        title="Files with missing rates",
        severity="error",
        threshold=0,
        meaning="Files whose record differs from the number of rows in the store plus those that corrections removed.",
        reader_meaning="The number of rates stored for these files is not the number that was loaded.",
        remedy=_LOAD_AGAIN,
        things=_BATCHES,
        found="""SELECT b.state, year_month, reporting_entity_name, source, rows_added, coalesce(n, 0) AS rows_there,
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
        name="corrections",
        title="Corrections that did not hold",
        severity="error",
        threshold=0,
        meaning=(
            "Facts that are in the store although a correction in force has removed them, and corrections that do "
            "not keep as many facts as they removed."
        ),
        reader_meaning="Rates that were removed by a correction but are present, or the reverse.",
        remedy=_LOAD_AGAIN,
        things="SELECT correction_id FROM removed_rate UNION ALL SELECT correction_id FROM corrections",
        found="""SELECT correction_id, fact_uid, NULL AS rows, NULL AS rows_kept
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
        name="batch_arithmetic",
        title="Files that do not add up",
        severity="error",
        threshold=0,
        meaning="Files whose record does not add up: rows read = added + duplicates + rejected + filtered.",
        reader_meaning="Rows read do not equal rows added, duplicate, rejected, and filtered.",
        remedy=_LOAD_AGAIN,
        things=_BATCHES,
        found="""SELECT state, year_month, reporting_entity_name, source, rows_read, rows_added, duplicates,
                  rows_rejected, rows_filtered, rejects
           FROM batches
           WHERE rows_read <> rows_added + duplicates + rows_rejected + rows_filtered
              OR rows_rejected <> coalesce(list_sum(json_extract(rejects, '$.*')::BIGINT[]), 0)""",
    ),
    Check(
        name="files_without_rates",
        title="Files without rates",
        severity="warning",
        threshold=0,
        meaning="Files that list items, but in which no rate could be read.",
        reader_meaning="Files that list services but contain no rate that could be read.",
        remedy="Look at the file's rejects (silver/rejects), and report it to the payer.",
        things=_BATCHES,
        found="""SELECT state, year_month, reporting_entity_name, source, in_network_items, rows_rejected
           FROM batches WHERE in_network_items > 0 AND rows_read = rows_rejected""",
    ),
    Check(
        name="content_without_rows",
        title="Files with parts that could not be used",
        severity="warning",
        threshold=0,
        meaning=(
            "Files with items without rates, rates without prices, elements that are not objects, or provider groups "
            "without an id. None of them has a row that the other counts contain."
        ),
        reader_meaning="Files with services without rates, or rates without prices. Rates may be missing.",
        remedy="Look at the file's rejects (silver/rejects) for where they are, and report them to the payer.",
        things=_BATCHES,
        found="""SELECT state, year_month, reporting_entity_name, source, notes FROM batches
           WHERE regexp_matches(notes, '"(items_without_rates|rates_without_prices|elements_that_are_not_objects'
                                       || '|provider_groups_without_an_id)"')""",
    ),
    Check(
        name="altered_texts",
        title="Texts not as published",
        severity="warning",
        threshold=0,
        meaning=(
            "Files with texts that were shortened or had control characters, and with rows rejected because a code or "
            "another text of the rate was too long."
        ),
        reader_meaning="Some texts of these files are too long, or contain characters that cannot be shown.",
        remedy="Look at the payer's file and its rejects (silver/rejects). docs/normalization.md has the rules.",
        things=_BATCHES,
        found="""SELECT state, year_month, reporting_entity_name, source, notes, rejects FROM batches
           WHERE regexp_matches(notes, '"(shortened_texts|texts_with_control_characters)"')
              OR regexp_matches(rejects, '"(code_too_long|text_too_long)"')""",
    ),
    Check(
        name="placeholder_tax_ids",
        title="Placeholders for tax IDs",
        severity="warning",
        threshold=0,
        meaning="Tax IDs made of zeros or nines, loaded by an older version: they make unrelated providers one.",
        reader_meaning="Tax IDs made of zeros or nines are not organizations: the rates listed for them are of others.",
        remedy="Take the file out (correct_rates --forget) and load it again.",
        things="FROM tins",
        found=f"""SELECT DISTINCT year_month, payer_slug, tin_type, tin_value FROM tins
           WHERE regexp_full_match(tin_value, '{PLACEHOLDER_PATTERN}')""",
        by=_GROUP,
        counted="DISTINCT tin_value",
    ),
    Check(
        name="benchmark_arithmetic",
        title="Fee schedules that do not add up",
        severity="error",
        threshold=0,
        meaning="Benchmark releases whose record does not add up: rows read = priced + left out.",
        reader_meaning="Rows read do not equal rows priced and left out.",
        remedy="Load the release again with load_benchmark, and report the bug.",
        things="FROM dim_benchmark",
        found="""SELECT kind, state, release, rows_read, rows_priced, left_out FROM dim_benchmark
           WHERE rows_read <> rows_priced + coalesce(list_sum(json_extract(left_out, '$.*')::BIGINT[]), 0)""",
        by=(),
    ),
    Check(
        name="odd_releases",
        title="Fee schedules that may be of another year",
        severity="warning",
        threshold=0,
        meaning=(
            "Benchmark releases with the very same amounts as a release of another year of that schedule (same_as), or "
            "with the conversion factor of another year (factor_of). A file may have been loaded for the wrong year."
        ),
        reader_meaning=(
            "A fee schedule has the amounts, or the conversion factor, of another year. Percents of it may be of the "
            "wrong year's amounts."
        ),
        remedy=(
            "Look at the files of the release in dim_benchmark, and load the right ones (load_benchmark). Where an "
            "agency has published the same amounts for two years, nothing is wrong."
        ),
        things="FROM dim_benchmark",
        found=ODD_RELEASES_SQL,
        by=(),
    ),
    Check(
        name="duplicate_keys",
        title="Repeated keys",
        severity="error",
        threshold=0,
        meaning="Keys that are more than once in a table that joins rely on: such a join would multiply rates.",
        reader_meaning="Codes, places, provider groups, or payers that are listed twice. Counts may be too high.",
        remedy=_LOAD_AGAIN,
        things="""SELECT 1 FROM dim_code UNION ALL SELECT 1 FROM dim_pos_set
           UNION ALL SELECT 1 FROM dim_provider_group UNION ALL SELECT 1 FROM dim_payer_bridge""",
        found="""SELECT 'dim_code' AS in_table, code_type || ' ' || code AS key, count(*) AS times
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

CHECKS_BY_NAME = {one.name: one for one in CHECKS}
