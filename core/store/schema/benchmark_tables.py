"""What rates are compared with."""

from dataclasses import replace

from core.store.schema.columns import CODE, CODE_TYPE, MAX_NAME, Column, Table, integer, number, text, texts

_BENCH_KEY = ("state", "year_month", "code_type", "code")
_BENCH_COLUMNS = (
    text("state", "Two letters."),
    text("year_month", "A month the amounts are in force, YYYY-MM."),
    CODE_TYPE,
    CODE,
)
_MEAN = "dollars, simple mean over the state's localities"

_REASON = text(
    "reason", "Why nothing can be compared with it: packaged, inpatient, anesthesia, not priced; null where it is paid."
)
_RELEASE = text("release", "The release the amounts come from: YYYY-MM, the first month it is in force.")
_PROF_AMOUNTS = (
    ("", "no modifier"),
    ("_26", "modifier 26 (the reading)"),
    ("_tc", "modifier TC (the scan)"),
    ("_53", "modifier 53 (discontinued)"),
)

BENCH_MEDICARE_PROF = Table(
    "bench_medicare_prof",
    "silver/bench_medicare_prof.parquet",
    _BENCH_KEY,
    "Medicare physician fee schedule by state: (work x GPCI + PE x GPCI + MP x GPCI) x conversion factor, rounded "
    "once to cents in each locality. Codes that the schedule does not price have a row too, with their status.",
    (
        *_BENCH_COLUMNS,
        number(
            "medicare_prof_rate",
            f"Non-facility amount, no modifier: {_MEAN}. Where CMS marks the code NA there (nonfacility_na), it is "
            "the facility amount, as in CMS's own payment file.",
        ),
        number("medicare_prof_rate_min", "Lowest non-facility amount of the state's localities."),
        number("medicare_prof_rate_max", "Highest non-facility amount of the state's localities."),
        number(
            "facility_rate",
            f"Facility amount, no modifier: {_MEAN}. Where CMS marks the code NA there (facility_na), it is the "
            "non-facility amount, as in CMS's own payment file.",
        ),
        number("facility_rate_min", "Lowest facility amount of the state's localities."),
        number("facility_rate_max", "Highest facility amount of the state's localities."),
        *(
            number(f"{setting}_rate{suffix}", f"{title} amount of {modifier}: {_MEAN}.")
            for suffix, modifier in _PROF_AMOUNTS[1:]
            for setting, title in (("nonfacility", "Non-facility"), ("facility", "Facility"))
        ),
        text("status", "CMS status code of the row without modifier: A, R and T are payable; J is anesthesia.", 20),
        Column("nonfacility_na", "flag", "Whether the schedule marks the code NA outside facilities."),
        Column("facility_na", "flag", "Whether the schedule marks the code NA in facilities."),
        _REASON,
        integer("localities", "How many localities the mean is over."),
        _RELEASE,
        number("conversion_factor", "Dollars per relative value unit."),
    ),
)

BENCH_MEDICARE_PROF_LOCALITY = Table(
    "bench_medicare_prof_locality",
    "silver/bench_medicare_prof_locality.parquet",
    ("release", "state", "contractor", "locality", "code_type", "code", "modifier"),
    "Medicare physician fee schedule by payment locality, once per release: what a state's means are made of. The "
    "national amounts, which are adjusted to no place, are the rows of the state US.",
    (
        _RELEASE,
        text("state", "Two letters; US for the national amounts."),
        text("contractor", "Medicare administrative contractor, five digits; 00000 for the national amounts.", 20),
        text("locality", "The contractor's locality, two digits; 00 for the national amounts.", 20),
        text("locality_name", "The locality's name as CMS has it; NATIONAL for the national amounts.", MAX_NAME),
        CODE_TYPE,
        CODE,
        text("modifier", "26, TC, 53, or empty text for none.", 20),
        number("nonfacility_rate", "Dollars outside facilities."),
        number("facility_rate", "Dollars in facilities."),
        Column("nonfacility_na", "flag", "Whether the row is marked NA outside facilities.", since=4),
        Column("facility_na", "flag", "Whether the row is marked NA in facilities.", since=4),
    ),
)


_LABOR = replace(
    number(
        "labor_amount",
        "The part of the national rate, in dollars, that an area's wage index multiplies; 0 where none is adjusted, "
        "null where nothing is paid, and for releases loaded before the store had this column.",
    ),
    since=4,
)


def _bench(name: str, meaning: str, *columns: Column) -> Table:
    return Table(name, f"silver/{name}.parquet", _BENCH_KEY, meaning, (*_BENCH_COLUMNS, *columns, _RELEASE))


BENCH_OPPS = _bench(
    "bench_opps",
    "Medicare hospital outpatient prospective payment (Addendum B) by state",
    number("opps_weight", "Relative payment weight."),
    text("opps_si", "Status indicator: how the code is paid, packaged or not.", 20),
    _REASON,
    text("opps_apc", "Ambulatory payment classification.", 20),
    number("opps_rate", "National unadjusted payment rate, dollars."),
    number("opps_mar_stateavg", "Dollars, 60 % of the rate adjusted by the state's wage index."),
    number("wage_index", "The state's wage index: simple mean over its areas; null where none is known."),
    _LABOR,
)

BENCH_ASC = _bench(
    "bench_asc",
    "Medicare ambulatory surgical center payment (Addenda AA and BB) by state",
    text("asc_pi", "Payment indicator: how the code is paid, packaged or not.", 20),
    _REASON,
    number("asc_weight", "Relative payment weight."),
    number("asc_rate", "National unadjusted payment rate, dollars."),
    number("asc_mar_stateavg", "Dollars, 50 % of the rate adjusted by the state's wage index."),
    number("wage_index", "The state's wage index: simple mean over its areas; null where none is known."),
    _LABOR,
)

BENCH_WAGE_INDEX = Table(
    "bench_wage_index",
    "silver/bench_wage_index.parquet",
    ("release", "kind", "wage_area"),
    "The wage index of each area, once per release: what a state's mean index is made of.",
    (
        _RELEASE,
        text("kind", "The schedule the index adjusts: opps, asc or ipps."),
        text(
            "wage_area",
            "The metropolitan area or division, five digits as in the file; for the rest of a state its two letters.",
            5,
        ),
        text("name", "The area's name as CMS has it.", MAX_NAME),
        texts("states", "The states the area is in: two letters each."),
        number("wage_index", "The index; null where the file has none, or several different ones."),
    ),
    since=4,
)

_WCFS_AMOUNTS = (
    number(
        "wcfs_amount",
        "Dollars, the professional amount, no modifier: outside facilities or urban, where facility or rural amounts "
        "stand apart; of an MS-DRG the hospital's fee. Null where the status is not priced.",
    ),
    number("facility_amount", "Dollars, professional in facilities; null where the schedule has none apart."),
    number("outpatient_amount", "Dollars, the hospital's outpatient amount."),
    number("asc_amount", "Dollars, the ambulatory surgical center's amount."),
    number("rural_amount", "Dollars, professional in rural areas; null where the schedule has none apart."),
    number("base_units", "Anesthesia base units, to be multiplied by the state's own factor."),
    text(
        "wcfs_status",
        "Of wcfs_amount: priced; by report (BR, UCR); base units; modifiers only (see bench_wcfs_modifier); no amount.",
    ),
)

BENCH_WCFS = _bench("bench_wcfs", "A state's workers' compensation fee schedule, a row per code", *_WCFS_AMOUNTS)

BENCH_WCFS_MODIFIER = Table(
    "bench_wcfs_modifier",
    "silver/bench_wcfs_modifier.parquet",
    ("release", "state", "code_type", "code", "modifier"),
    "The amounts that a state's workers' compensation fee schedule has for a code with a modifier, once per release.",
    (
        _RELEASE,
        text("state", "Two letters."),
        CODE_TYPE,
        CODE,
        text("modifier", "The modifier, such as 26, TC, NU or RR.", 20),
        *(
            number(column.name, column.meaning.replace("no modifier", "with the modifier"))
            if column.type == "number"
            else column
            for column in _WCFS_AMOUNTS
        ),
    ),
)

_MODIFIER = text("modifier", "Modifiers as in fact_rate: sorted, joined by commas; empty text for none.", 100)
_UNPRICED = text("reason", "Why nothing can be compared with it: not priced; null where it is paid.")


def _bench_items(name: str, meaning: str, *columns: Column) -> Table:
    """Return a table of items: each code has an amount per modifier. A national schedule's state is US."""
    states = replace(_BENCH_COLUMNS[0], meaning="Two letters; US for a schedule with one amount for the whole country.")
    columns = (states, *_BENCH_COLUMNS[1:], _MODIFIER, *columns, _RELEASE)
    return Table(name, f"silver/{name}.parquet", (*_BENCH_KEY, "modifier"), meaning, columns, since=4)


BENCH_CLFS = _bench_items(
    "bench_clfs",
    "Medicare clinical laboratory fee schedule (CLFS): one amount for the whole country",
    number("amount", "Dollars per test; null where the contractor sets it."),
    _UNPRICED,
    text("indicator", "N: the national amount; L: set by the contractor, published as 0.00.", 20),
    text("effective_date", "Since when the row is in force, YYYY-MM-DD.", 20),
)

BENCH_ASP = _bench_items(
    "bench_asp",
    "Medicare Part B drug payment limits (ASP pricing file): one amount for the whole country",
    number("amount", "Dollars per unit of `dosage`. It is 106 % of the average sales price already."),
    _UNPRICED,
    text("dosage", "What one billing unit is, as CMS writes it: 10 MG, 1 ML.", MAX_NAME),
    number("coinsurance_percent", "The patient's share in percent: 20; less where prices outran inflation."),
    text("notes", "CMS's note on the drug.", 1000),
)

BENCH_DMEPOS = _bench_items(
    "bench_dmepos",
    "Medicare fee schedule of equipment, prosthetics, orthotics and supplies (DMEPOS), and of enteral and parenteral "
    "nutrition (PEN), by state. The amount without modifier, new (NU), rented for a month (RR), and used (UE) are "
    "rows apart",
    number("amount", "Dollars where rural amounts do not apply; null where CMS has 0.00, which is not a price."),
    number("rural_amount", "Dollars where rural amounts apply: the rural one, else `amount`."),
    _UNPRICED,
    text("list", "Which of CMS's lists it is from: DMEPOS, PEN, or mail order.", 20),
    text("category", "CMS's payment category, such as CR for capped rental; null in PEN.", 20),
    text("jurisdiction", "Who pays: D the equipment contractor, L the local one, J both; null in PEN.", 20),
)

BENCH_DMEPOS_AREA = Table(
    "bench_dmepos_area",
    "silver/bench_dmepos_area.parquet",
    ("release", "bidding_area", "code_type", "code", "modifier"),
    "Medicare fee schedule of equipment in the former competitive bidding areas, once per release. There it takes the "
    "place of the state's amount.",
    (
        _RELEASE,
        text("bidding_area", "The area's short name as CMS has it, such as Atlanta, GA.", MAX_NAME),
        CODE_TYPE,
        CODE,
        _MODIFIER,
        number("amount", "Dollars."),
    ),
    since=4,
)

BENCH_DMEPOS_ZIP = Table(
    "bench_dmepos_zip",
    "silver/bench_dmepos_zip.parquet",
    ("release", "zip"),
    "The ZIP codes of the former competitive bidding areas, once per release.",
    (
        _RELEASE,
        text("zip", "Five digits."),
        text("state", "Two letters."),
        text("bidding_area", "The former competitive bidding area, see bench_dmepos_area.", MAX_NAME),
    ),
    since=4,
)

BENCH_ANESTHESIA = Table(
    "bench_anesthesia",
    "silver/bench_anesthesia.parquet",
    (*_BENCH_KEY, "modifier"),
    "Medicare anesthesia: base units of each code, and dollars per unit by state. A case is paid (base units + "
    "units of 15 minutes) x dollars per unit.",
    (
        *_BENCH_COLUMNS,
        text("modifier", "Always the empty text: none.", 20),
        integer("base_units", "CMS's base units; null for 01999, whose cases are priced by report."),
        number("amount", f"Conversion factor, dollars per unit: {_MEAN.removeprefix('dollars, ')}."),
        text("reason", "not priced where the base units alone are loaded; otherwise null."),
        _RELEASE,
    ),
    since=4,
)

BENCH_ANESTHESIA_LOCALITY = Table(
    "bench_anesthesia_locality",
    "silver/bench_anesthesia_locality.parquet",
    ("release", "state", "contractor", "locality"),
    "Medicare anesthesia conversion factors by payment locality, once per release: what a state's means are made of.",
    (
        _RELEASE,
        text("state", "Two letters."),
        text("contractor", "Medicare administrative contractor, five digits.", 20),
        text("locality", "The contractor's locality, two digits.", 20),
        text("locality_name", "The locality's name as CMS has it.", MAX_NAME),
        number("factor", "Dollars per unit of anesthesia."),
    ),
    since=4,
)

BENCH_AMBULANCE = Table(
    "bench_ambulance",
    "silver/bench_ambulance.parquet",
    (*_BENCH_KEY, "modifier"),
    "Medicare ambulance fee schedule by state: means over the state's localities. The place of pickup decides "
    "which amount is paid.",
    (
        *_BENCH_COLUMNS,
        text("modifier", "Always the empty text: none.", 20),
        number("amount", "Dollars for a pickup in an urban area; of A0425 per mile."),
        number("rural_amount", "Dollars for a pickup in a rural area."),
        number("super_rural_amount", "Dollars for a pickup in the quarter of rural areas with the fewest people."),
        number("rural_first_miles", "Dollars per mile for the first 17 miles from a rural pickup."),
        text("reason", "Why nothing can be compared with it: not priced; null where it is paid."),
        integer("localities", "How many localities the mean is over."),
        _RELEASE,
    ),
    since=4,
)

BENCH_IPPS = Table(
    "bench_ipps",
    "silver/bench_ipps.parquet",
    (*_BENCH_KEY, "modifier"),
    "Medicare inpatient payment (IPPS) by MS-DRG and state: the base payment before hospital add-ons (teaching, "
    "low-income patients, outliers and others). At a wage index w it is weight x (labor_amount x w + rest_amount + "
    "capital_rate x w^0.6848), with labor_above_one and rest_above_one instead if w is above 1.",
    (
        *_BENCH_COLUMNS,
        text("modifier", "Always the empty text: none.", 20),
        number("weight", "Relative weight, with the 10% cap applied; null where Medicare does not pay by it."),
        number("amount", "Dollars at the state's wage index, operating and capital, before hospital add-ons."),
        text("reason", "Why nothing can be compared with it: not priced; null where it is paid."),
        number("wage_index", "The state's wage index: simple mean over its areas."),
        number("labor_amount", "The standardized amount's part for labor where the wage index is at most 1, dollars."),
        number("rest_amount", "The rest of the standardized amount where the wage index is at most 1, dollars."),
        number("labor_above_one", "The standardized amount's part for labor where the wage index is above 1, dollars."),
        number("rest_above_one", "The rest of the standardized amount where the wage index is above 1, dollars."),
        number("capital_rate", "The capital standard federal rate, dollars."),
        _RELEASE,
    ),
    since=4,
)

DIM_BENCHMARK = Table(
    "dim_benchmark",
    "silver/dim_benchmark/dim_benchmark.parquet",
    ("kind", "state", "release"),
    "The benchmark releases that are loaded: what was read, what became of it. rows_read = rows_priced + the rows "
    "left out.",
    (
        text("kind", "medicare_prof, opps, asc, wcfs, clfs, asp, dmepos, anesthesia, ipps or ambulance."),
        text("state", "US for a release for all states, else the one state's two letters."),
        _RELEASE,
        Column("states", "texts", "The states it has amounts for."),
        Column("files", "texts", "The files it was read from."),
        integer("rows_read", "Rows of codes in the files."),
        integer("rows_priced", "Rows that have an amount."),
        text("left_out", "JSON object: why the other rows have none, to number of rows."),
        Column("notes", "texts", "How the amounts were made, in sentences."),
        Column(
            "parts",
            "texts",
            "The tables that a workers' compensation schedule was loaded from, each a JSON object with its file, "
            "sheet, rows_priced and left_out. Empty for other kinds.",
            since=4,
        ),
        Column("loaded_at", "moment", "When it was loaded, UTC."),
    ),
)

BENCHMARK_TABLES = (
    DIM_BENCHMARK,
    BENCH_MEDICARE_PROF,
    BENCH_MEDICARE_PROF_LOCALITY,
    BENCH_OPPS,
    BENCH_ASC,
    BENCH_WAGE_INDEX,
    BENCH_WCFS,
    BENCH_WCFS_MODIFIER,
    BENCH_CLFS,
    BENCH_ASP,
    BENCH_DMEPOS,
    BENCH_DMEPOS_AREA,
    BENCH_DMEPOS_ZIP,
    BENCH_ANESTHESIA,
    BENCH_ANESTHESIA_LOCALITY,
    BENCH_AMBULANCE,
    BENCH_IPPS,
)
"""The benchmarks, in the order of the data dictionary."""
