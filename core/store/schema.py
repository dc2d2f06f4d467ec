"""Every table of the store, declared once: columns, types, keys, order and meaning.

The Parquet files, the empty tables of a new store, the DuckDB views and the data dictionary in `docs/` are all
made from these declarations.
"""

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

Type = Literal["text", "number", "integer", "flag", "texts", "moment", "date"]

_ARROW: dict[Type, pa.DataType] = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "flag": pa.bool_(),
    "texts": pa.list_(pa.string()),
    "moment": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
}
_SQL: dict[Type, str] = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "flag": "BOOLEAN",
    "texts": "VARCHAR[]",
    "moment": "TIMESTAMPTZ",
    "date": "DATE",
}


@dataclass(frozen=True)
class Column:
    """One column: its name, its type, and what a reader should know of it."""

    name: str
    type: Type
    meaning: str

    @property
    def sql_type(self) -> str:
        """The DuckDB type."""
        return _SQL[self.type]


@dataclass(frozen=True)
class Table:
    """One table of the store.

    `path` is where its newest file can always be opened, relative to the data directory; `key` is unique in it;
    `order` is how its rows are sorted (the key, unless another order serves the questions better).
    """

    name: str
    path: str
    key: tuple[str, ...]
    meaning: str
    columns: tuple[Column, ...]
    order: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", self.order or self.key)

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def arrow(self) -> pa.Schema:
        """The Arrow schema that every file of this table has."""
        return pa.schema([(column.name, _ARROW[column.type]) for column in self.columns])


def _text(name: str, meaning: str) -> Column:
    return Column(name, "text", meaning)


def _integer(name: str, meaning: str) -> Column:
    return Column(name, "integer", meaning)


def _number(name: str, meaning: str) -> Column:
    return Column(name, "number", meaning)


_STATE = _text("state", "The state the file was loaded for: two letters, such as GA.")
_MONTH = _text("year_month", "Month of the payer's file, YYYY-MM, from its last_updated_on or --year-month.")
_PAYER = _text("reporting_entity_name", "The payer's name exactly as published.")
_SLUG = _text("payer_slug", "The payer's name as a key: lower case, runs of other than a-z and 0-9 as one _.")
_CODE_TYPE = _text("code_type", "Code system in capitals: CPT, HCPCS, REV (published as RC), MS-DRG and so on.")
_CODE = _text("code", "Billing code in capitals; REV padded to 4 digits, MS-DRG to 3.")
_PG_UID = _text("pg_uid", "The provider group within its file: md5(batch_id | provider_group_id_raw).")
_POS_SET = _text("pos_set_id", "The set of places of service: md5 of the sorted two-digit codes joined by commas.")
_RAW_GROUP = _text(
    "provider_group_id_raw",
    "The group's id in the payer's file as one canonical text (12, 690.6447), or inline: and a hash of its members.",
)
_NPI = _text("npi", "National Provider Identifier, ten digits.")
_TIN_TYPE = _text("tin_type", "ein (a tax number) or npi (the provider's own NPI stands in for one).")
_TIN_VALUE = _text("tin_value", "The tax number's digits, an EIN padded to 9.")
_BATCH = _text("batch_id", "One in-network file, by content: the first 32 hex digits of its JSON bytes' SHA-256.")
_ARRANGEMENT = _text("negotiation_arrangement", "ffs, bundle or capitation, in lower case.")

FACT_RATE = Table(
    "fact_rate",
    "gold/fact_rate.parquet",
    ("fact_uid",),
    "One row per negotiated rate: a price times a provider group. Never multiplied by the group's NPIs.",
    (
        _text("fact_uid", "Hash of the whole grain (all columns but this and additional_information)."),
        _STATE,
        _MONTH,
        _PAYER,
        _CODE_TYPE,
        _CODE,
        _PG_UID,
        _POS_SET,
        _text("negotiated_type", "negotiated, derived and fee schedule are dollars; percentage; per diem."),
        _ARRANGEMENT,
        _number("negotiated_rate", "Dollars, or whole percent (40.5 is 40.5 %) where negotiated_type is percentage."),
        _text("expiration_date", "YYYY-MM-DD; null for 9999-12-31, absent or unreadable."),
        _RAW_GROUP,
        _text("billing_class", "professional, institutional or both, in lower case; null where absent."),
        _text("setting", "inpatient, outpatient or both (schema 2), in lower case; null where absent."),
        _text("billing_code_modifier", "Modifiers in capitals, sorted, joined by commas; empty text for none."),
        _text("severity_of_illness", "Schema 2's severity of illness for APR-DRG; null where absent."),
        _text("additional_information", "The payer's remark. Carried, not part of the grain: the first met stays."),
    ),
    order=("state", "year_month", "code_type", "code", "reporting_entity_name"),
)

DIM_CODE = Table(
    "dim_code",
    "silver/dim_code/dim_code.parquet",
    ("code_type", "code"),
    "Words for the billing codes that facts use: an official free title where one is loaded (see dim_code_official), "
    "otherwise the payers' own, from their files.",
    (
        _CODE_TYPE,
        _CODE,
        _text("code_desc", "The official long title, or the first description that was not blank."),
        _text("name", "The official short title, or the first name that was not blank."),
    ),
)

DIM_CODE_OFFICIAL = Table(
    "dim_code_official",
    "silver/dim_code_official.parquet",
    ("code_type", "code"),
    "Official titles that are free to use (HCPCS level II, MS-DRG, revenue codes), from the user's files; never CPT or "
    "CDT. They go before a payer's words in dim_code, for codes that are loaded later as well.",
    (
        _CODE_TYPE,
        _CODE,
        _text("code_desc", "The long title."),
        _text("name", "The short title; the long one where there is but one."),
        _text("source", "Name of the file it came from; the file loaded last stays."),
    ),
)

DIM_POS_SET = Table(
    "dim_pos_set",
    "silver/dim_pos_set/dim_pos_set.parquet",
    ("pos_set_id",),
    "The sets of places of service that facts use, the empty set among them.",
    (_POS_SET, Column("service_codes", "texts", "The place-of-service codes, sorted. CSTM-00 means every place.")),
)

XREF_POS = Table(
    "xref_pos",
    "silver/xref_pos/xref_pos.parquet",
    ("pos_set_id", "pos"),
    "dim_pos_set, a row per place: to filter by one place of service.",
    (_POS_SET, _text("pos", "Place of service, two digits, or CSTM-00 for every place.")),
)

DIM_REPORTING_ENTITY = Table(
    "dim_reporting_entity",
    "silver/dim_reporting_entity/dim_reporting_entity.parquet",
    ("payer_slug",),
    "The payers. Where two names share a slug, the one loaded last.",
    (
        _SLUG,
        _PAYER,
        _text("reporting_entity_type", "As published: health insurance issuer, third-party administrator and so on."),
        _text("version", "The schema version the newest file claims (often wrong)."),
    ),
)

DIM_PAYER_BRIDGE = Table(
    "dim_payer_bridge",
    "silver/dim_payer_bridge.parquet",
    ("reporting_entity_name_raw",),
    "From a payer's published name to its slug.",
    (_text("reporting_entity_name_raw", "The payer's name exactly as published."), _SLUG),
)

_PROVIDER = (
    _text("entity_type", "individual or organization."),
    _text("name", "First and last name of the person, or the organization's legal name."),
    _text("credential", "Credential as registered, such as MD."),
    _text("taxonomy_code", "NUCC code of the primary taxonomy."),
)
_PRACTICE = (
    _text("address", "First line of the practice address."),
    _text("city", "City of the practice address."),
    _text("state", "State of the practice address: two letters in the US."),
    _text("postal_code", "Postal code of the practice address: five or nine digits in the US."),
    Column("deactivated_on", "date", "When the NPI was deactivated; null where it was not, or has been reactivated."),
)
_TAXONOMY = _text("taxonomy", "The taxonomy in words, as NUCC displays it; null until NUCC's file is loaded.")

DIM_NPI = Table(
    "dim_npi",
    "silver/dim_npi/dim_npi.parquet",
    ("npi",),
    "The NPIs that facts' groups name. All but the number is null until NPPES is loaded.",
    (_NPI, *_PROVIDER, _TAXONOMY, *_PRACTICE),
)

NPPES = Table(
    "nppes",
    "silver/nppes.parquet",
    ("npi",),
    "The whole NPPES register, from which later ingests name their NPIs. Empty unless load_nppes was told --all.",
    (_NPI, *_PROVIDER, *_PRACTICE),
)

DIM_TAXONOMY = Table(
    "dim_taxonomy",
    "silver/dim_taxonomy.parquet",
    ("taxonomy_code",),
    "NUCC's provider taxonomy, from the user's file. Empty until it is loaded.",
    (
        _text("taxonomy_code", "NUCC's code, ten characters."),
        _TAXONOMY,
        _text("grouping", "NUCC's grouping, such as Allopathic & Osteopathic Physicians."),
        _text("classification", "NUCC's classification within the grouping."),
        _text("specialization", "NUCC's specialization within the classification; null for none."),
    ),
)

DIM_TIN = Table(
    "dim_tin",
    "silver/dim_tin/dim_tin.parquet",
    ("tin_type", "tin_value"),
    "The tax numbers that facts' groups name.",
    (_TIN_TYPE, _TIN_VALUE, _text("business_name", "Schema 2's business name: the first that was not blank.")),
)

XREF_GROUP_NPI = Table(
    "xref_group_npi",
    "silver/xref_group_npi/xref_group_npi.parquet",
    ("year_month", "payer_slug", "pg_uid", "npi"),
    "Which NPIs a provider group has.",
    (_MONTH, _SLUG, _PG_UID, _NPI),
)

XREF_GROUP_TIN = Table(
    "xref_group_tin",
    "silver/xref_group_tin/xref_group_tin.parquet",
    ("year_month", "payer_slug", "pg_uid", "tin_type", "tin_value"),
    "Which tax numbers a provider group has.",
    (_MONTH, _SLUG, _PG_UID, _TIN_TYPE, _TIN_VALUE),
)

XREF_TIN_NPI = Table(
    "xref_tin_npi",
    "silver/xref_tin_npi/xref_tin_npi.parquet",
    ("year_month", "payer_slug", "tin_type", "tin_value", "npi"),
    "Which NPIs bill under which tax number: the pairing the two group xrefs lose.",
    (_MONTH, _SLUG, _TIN_TYPE, _TIN_VALUE, _NPI),
)

DIM_PROVIDER_GROUP = Table(
    "dim_provider_group",
    "silver/dim_provider_group/dim_provider_group.parquet",
    ("pg_uid",),
    "The provider groups that facts use.",
    (
        _PG_UID,
        _BATCH,
        _SLUG,
        _MONTH,
        _RAW_GROUP,
        Column("network_names", "texts", "Schema 2's network names of the group, sorted."),
        Column("resolved", "flag", "Whether any member (NPI or TIN) of the group is known."),
    ),
)

DIM_BATCH = Table(
    "dim_batch",
    "silver/dim_batch/dim_batch.parquet",
    ("batch_id", "state"),
    "One row per file and state: what was read, what became of it. rows_read = rows_added + duplicates + "
    "rows_rejected + rows_filtered.",
    (
        _BATCH,
        _STATE,
        _text("source", "File name or URL, query string and credentials removed."),
        _PAYER,
        _SLUG,
        _MONTH,
        _text("last_updated_on", "As published."),
        _text("version", "The schema version the file claims (often wrong)."),
        _integer("bytes", "Bytes of JSON."),
        _integer("in_network_items", "Elements of in_network."),
        _integer("rows_read", "Prices times the provider groups they name (once where they name none)."),
        _integer("rows_added", "Rows that became facts."),
        _integer("duplicates", "Rows whose fact was there already, in this file or in the store."),
        _integer("rows_rejected", "Rows left out for a reason that `rejects` counts."),
        _integer("rows_filtered", "Rows a filter of the ingest left out."),
        _text("rejects", "JSON object: reason to number of rows."),
        _text("notes", "JSON object: oddities that are no rows (invalid_npi members, groups no rate uses) to counts."),
        Column("started_at", "moment", "When the ingest began, UTC."),
        Column("finished_at", "moment", "When the rows were ready, UTC."),
        _text("filters", "JSON object: the filters used; {} for none."),
    ),
)

XREF_BUNDLED_CODE = Table(
    "xref_bundled_code",
    "silver/xref_bundled_code/xref_bundled_code.parquet",
    ("code_type", "code", "member_code_type", "member_code"),
    "The members of bundles and of capitation's covered services.",
    (
        _CODE_TYPE,
        _CODE,
        _text("member_code_type", "The member's code system."),
        _text("member_code", "The member's billing code."),
        _ARRANGEMENT,
        _text("member_description", "The member's description: the first that was not blank."),
    ),
)

_BENCH_KEY = ("state", "year_month", "code_type", "code")
_BENCH_COLUMNS = (
    _text("state", "Two letters."),
    _text("year_month", "A month the amounts are in force, YYYY-MM."),
    _CODE_TYPE,
    _CODE,
)
_MEAN = "dollars, simple mean over the state's localities"

_REASON = _text(
    "reason", "Why nothing can be compared with it: packaged, inpatient, anesthesia, not priced; null where it is paid."
)
_RELEASE = _text("release", "The release the amounts come from: YYYY-MM, the first month it is in force.")
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
        _number("medicare_prof_rate", f"Non-facility amount, no modifier: {_MEAN}. Null where not payable there."),
        _number("medicare_prof_rate_min", "Lowest non-facility amount of the state's localities."),
        _number("medicare_prof_rate_max", "Highest non-facility amount of the state's localities."),
        _number("facility_rate", f"Facility amount, no modifier: {_MEAN}. Null where not payable there."),
        _number("facility_rate_min", "Lowest facility amount of the state's localities."),
        _number("facility_rate_max", "Highest facility amount of the state's localities."),
        *(
            _number(f"{setting}_rate{suffix}", f"{title} amount of {modifier}: {_MEAN}.")
            for suffix, modifier in _PROF_AMOUNTS[1:]
            for setting, title in (("nonfacility", "Non-facility"), ("facility", "Facility"))
        ),
        _text("status", "CMS status code of the row without modifier: A, R and T are payable; J is anesthesia."),
        Column("nonfacility_na", "flag", "Whether the schedule marks the code NA outside facilities."),
        Column("facility_na", "flag", "Whether the schedule marks the code NA in facilities."),
        _REASON,
        _integer("localities", "How many localities the mean is over."),
        _RELEASE,
        _number("conversion_factor", "Dollars per relative value unit."),
    ),
)

BENCH_MEDICARE_PROF_LOCALITY = Table(
    "bench_medicare_prof_locality",
    "silver/bench_medicare_prof_locality.parquet",
    ("release", "state", "contractor", "locality", "code_type", "code", "modifier"),
    "Medicare physician fee schedule by payment locality, once per release: what a state's means are made of.",
    (
        _RELEASE,
        _text("state", "Two letters."),
        _text("contractor", "Medicare administrative contractor, five digits."),
        _text("locality", "The contractor's locality, two digits."),
        _text("locality_name", "The locality's name as CMS has it."),
        _CODE_TYPE,
        _CODE,
        _text("modifier", "26, TC, 53, or empty text for none."),
        _number("nonfacility_rate", "Dollars outside facilities; null where not payable there."),
        _number("facility_rate", "Dollars in facilities; null where not payable there."),
    ),
)


def _bench(name: str, meaning: str, *columns: Column) -> Table:
    return Table(name, f"silver/{name}.parquet", _BENCH_KEY, meaning, (*_BENCH_COLUMNS, *columns, _RELEASE))


BENCH_OPPS = _bench(
    "bench_opps",
    "Medicare hospital outpatient prospective payment (Addendum B) by state",
    _number("opps_weight", "Relative payment weight."),
    _text("opps_si", "Status indicator: how the code is paid, packaged or not."),
    _REASON,
    _text("opps_apc", "Ambulatory payment classification."),
    _number("opps_rate", "National unadjusted payment rate, dollars."),
    _number("opps_mar_stateavg", "Dollars, 60 % of the rate adjusted by the state's wage index."),
    _number("wage_index", "The state's wage index: simple mean over its areas; null where none is known."),
)

BENCH_ASC = _bench(
    "bench_asc",
    "Medicare ambulatory surgical centre payment (Addenda AA and BB) by state",
    _text("asc_pi", "Payment indicator: how the code is paid, packaged or not."),
    _REASON,
    _number("asc_weight", "Relative payment weight."),
    _number("asc_rate", "National unadjusted payment rate, dollars."),
    _number("asc_mar_stateavg", "Dollars, 50 % of the rate adjusted by the state's wage index."),
    _number("wage_index", "The state's wage index: simple mean over its areas; null where none is known."),
)

_WCFS_AMOUNTS = (
    _number(
        "wcfs_amount",
        "Dollars, the professional amount, no modifier: outside facilities or urban, where facility or rural amounts "
        "stand apart; of an MS-DRG the hospital's fee. Null where the status is not priced.",
    ),
    _number("facility_amount", "Dollars, professional in facilities; null where the schedule has none apart."),
    _number("outpatient_amount", "Dollars, the hospital's outpatient amount."),
    _number("asc_amount", "Dollars, the ambulatory surgical centre's amount."),
    _number("rural_amount", "Dollars, professional in rural areas; null where the schedule has none apart."),
    _number("base_units", "Anesthesia base units, to be multiplied by the state's own factor."),
    _text(
        "wcfs_status",
        "Of wcfs_amount: priced; by report (BR, UCR); base units; modifiers only (see bench_wcfs_modifier); no amount.",
    ),
)

BENCH_WCFS = _bench("bench_wcfs", "A state's workers' compensation fee schedule, a row per code.", *_WCFS_AMOUNTS)

BENCH_WCFS_MODIFIER = Table(
    "bench_wcfs_modifier",
    "silver/bench_wcfs_modifier.parquet",
    ("release", "state", "code_type", "code", "modifier"),
    "The amounts that a state's workers' compensation fee schedule has for a code with a modifier, once per release.",
    (
        _RELEASE,
        _text("state", "Two letters."),
        _CODE_TYPE,
        _CODE,
        _text("modifier", "The modifier, such as 26, TC, NU or RR."),
        *(
            _number(column.name, column.meaning.replace("no modifier", "with the modifier"))
            if column.type == "number"
            else column
            for column in _WCFS_AMOUNTS
        ),
    ),
)

DIM_BENCHMARK = Table(
    "dim_benchmark",
    "silver/dim_benchmark/dim_benchmark.parquet",
    ("kind", "state", "release"),
    "The benchmark releases that are loaded: what was read, what became of it. rows_read = rows_priced + the rows "
    "left out.",
    (
        _text("kind", "medicare_prof, opps, asc or wcfs."),
        _text("state", "US for a release for all states, else the one state's two letters."),
        _RELEASE,
        Column("states", "texts", "The states it has amounts for."),
        Column("files", "texts", "The files it was read from."),
        _integer("rows_read", "Rows of codes in the files."),
        _integer("rows_priced", "Rows that have an amount."),
        _text("left_out", "JSON object: why the other rows have none, to number of rows."),
        Column("notes", "texts", "How the amounts were made, in sentences."),
        Column("loaded_at", "moment", "When it was loaded, UTC."),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        FACT_RATE,
        DIM_CODE,
        DIM_CODE_OFFICIAL,
        DIM_POS_SET,
        XREF_POS,
        DIM_REPORTING_ENTITY,
        DIM_PAYER_BRIDGE,
        DIM_NPI,
        NPPES,
        DIM_TAXONOMY,
        DIM_TIN,
        XREF_GROUP_NPI,
        XREF_GROUP_TIN,
        XREF_TIN_NPI,
        DIM_PROVIDER_GROUP,
        DIM_BATCH,
        XREF_BUNDLED_CODE,
        DIM_BENCHMARK,
        BENCH_MEDICARE_PROF,
        BENCH_MEDICARE_PROF_LOCALITY,
        BENCH_OPPS,
        BENCH_ASC,
        BENCH_WCFS,
        BENCH_WCFS_MODIFIER,
    )
}
"""Every table that is one file, or in the fact's case one or more, by name."""

REJECTS = Table(
    "rejects",
    "silver/rejects/<batch_id>.parquet",
    (),
    "What was left out of one file: one file of rejects per batch.",
    (
        _text("reason", "no_provider, invalid_rate, no_code, invalid_npi (a member, not a rate) and so on."),
        _text("place", "Where in the file, as a path: in_network[3].negotiated_rates[0].negotiated_prices[1]."),
        _text("value", "The offending value, as published, cut after 200 characters."),
        _integer("rows", "How many fact rows were left out by it; 0 for a member of a group."),
    ),
)
