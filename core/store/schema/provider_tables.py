"""Who providers are, and which belong to which group."""

from dataclasses import replace

from core.store.schema.columns import (
    BATCH,
    MAX_NAME,
    MONTH,
    NPI,
    PG_UID,
    RAW_GROUP,
    SLUG,
    TIN_TYPE,
    TIN_VALUE,
    Column,
    Table,
    integer,
    text,
    texts,
)

MAX_TAXONOMY_CODE = 20
"""The characters that a taxonomy code may have. NUCC's have ten."""

_REGISTER_DETAILS_SINCE = 4

_PROVIDER = (
    text("entity_type", "individual or organization."),
    text("name", "First and last name of the person, or the organization's legal name.", MAX_NAME),
    text("credential", "Credential as registered, such as MD.", 100),
    text("taxonomy_code", "NUCC code of the primary taxonomy.", MAX_TAXONOMY_CODE),
)
_PRACTICE = (
    text("address", "First line of the practice address.", MAX_NAME),
    text("city", "City of the practice address.", 100),
    text("state", "State of the practice address: two letters in the US.", 100),
    text("postal_code", "Postal code of the practice address: five or nine digits in the US.", 40),
    Column("deactivated_on", "date", "When the NPI was deactivated; null where it was not, or has been reactivated."),
)
_OTHER_NAME = (
    text("other_name", "Another name the provider goes by, or went by.", MAX_NAME),
    text(
        "other_name_kind",
        "What the other name is: doing business as, former legal business name, former name, professional name or "
        "other name; null where NPPES does not say.",
    ),
)
_PRACTICE_LINE_2 = text("address_2", "Second line of the practice address, such as a suite.", MAX_NAME)
_UPDATED_ON = Column("updated_on", "date", "Last Update Date of the row that the name is from.")
_REGISTER_DETAILS = tuple(
    replace(column, since=_REGISTER_DETAILS_SINCE)
    for column in (
        text("first_name", "First name of a person.", MAX_NAME),
        text("middle_name", "Middle name or initial of a person.", 100),
        text("suffix", "Suffix of a person's name, such as JR.", 40),
        *_OTHER_NAME,
        _PRACTICE_LINE_2,
        _UPDATED_ON,
    )
)
"""What NPPES says about a provider besides what the first format of the store has."""

_TAXONOMY = text("taxonomy", "The taxonomy in words, as NUCC displays it; null until NUCC's file is loaded.", MAX_NAME)

DIM_NPI = Table(
    "dim_npi",
    "silver/dim_npi/dim_npi.parquet",
    ("npi",),
    "The NPIs that facts' groups name. All but the number is null until NPPES is loaded.",
    (NPI, *_PROVIDER, _TAXONOMY, *_PRACTICE, *_REGISTER_DETAILS),
)

NPPES = Table(
    "nppes",
    "silver/nppes.parquet",
    ("npi",),
    "The whole NPPES register, from which later ingests name their NPIs. Empty unless load_nppes was run with --all.",
    (NPI, *_PROVIDER, *_PRACTICE, *_REGISTER_DETAILS),
)

_AS_OF = Column("as_of", "date", "The last day that the file it is from covers, as its name says; null if it does not.")

NPI_OTHER_NAME = Table(
    "npi_other_name",
    "silver/npi_other_name.parquet",
    ("npi", "position"),
    "Further names of organizations, from NPPES's file of other names, of the NPIs that the store keeps.",
    (NPI, integer("position", "1, 2, 3 and so on among the names of the NPI."), *_OTHER_NAME, _AS_OF),
    since=_REGISTER_DETAILS_SINCE,
)

NPI_LOCATION = Table(
    "npi_location",
    "silver/npi_location.parquet",
    ("npi", "position"),
    "Further practice addresses, from NPPES's file of practice locations, of the NPIs that the store keeps.",
    (
        NPI,
        integer("position", "1, 2, 3 and so on among the addresses of the NPI."),
        text("address", "First line of the address.", MAX_NAME),
        _PRACTICE_LINE_2,
        text("city", "City.", 100),
        text("state", "State: two letters in the US.", 100),
        text("postal_code", "Postal code: five or nine digits in the US.", 40),
        text("phone", "Telephone number.", 40),
        _AS_OF,
    ),
    since=_REGISTER_DETAILS_SINCE,
)

DIM_TAXONOMY = Table(
    "dim_taxonomy",
    "silver/dim_taxonomy.parquet",
    ("taxonomy_code",),
    "NUCC's provider taxonomy, from the user's file. Empty until it is loaded.",
    (
        text("taxonomy_code", "NUCC's code, ten characters.", MAX_TAXONOMY_CODE),
        _TAXONOMY,
        text("grouping", "NUCC's grouping, such as Allopathic & Osteopathic Physicians.", MAX_NAME),
        text("classification", "NUCC's classification within the grouping.", MAX_NAME),
        text("specialization", "NUCC's specialization within the classification; null for none.", MAX_NAME),
    ),
)

DIM_TIN = Table(
    "dim_tin",
    "silver/dim_tin/dim_tin.parquet",
    ("tin_type", "tin_value"),
    "The tax IDs that facts' groups name.",
    (TIN_TYPE, TIN_VALUE, text("business_name", "Schema 2's business name: the first that was not blank.", MAX_NAME)),
)

XREF_GROUP_NPI = Table(
    "xref_group_npi",
    "silver/xref_group_npi/xref_group_npi.parquet",
    ("year_month", "payer_slug", "pg_uid", "npi"),
    "Which NPIs a provider group has.",
    (MONTH, SLUG, PG_UID, NPI),
)

XREF_GROUP_TIN = Table(
    "xref_group_tin",
    "silver/xref_group_tin/xref_group_tin.parquet",
    ("year_month", "payer_slug", "pg_uid", "tin_type", "tin_value"),
    "Which tax IDs a provider group has.",
    (MONTH, SLUG, PG_UID, TIN_TYPE, TIN_VALUE),
)

XREF_TIN_NPI = Table(
    "xref_tin_npi",
    "silver/xref_tin_npi/xref_tin_npi.parquet",
    ("year_month", "payer_slug", "tin_type", "tin_value", "npi"),
    "Which NPIs bill under which tax ID: the pairing the two group xrefs lose.",
    (MONTH, SLUG, TIN_TYPE, TIN_VALUE, NPI),
)

DIM_PROVIDER_GROUP = Table(
    "dim_provider_group",
    "silver/dim_provider_group/dim_provider_group.parquet",
    ("pg_uid",),
    "The provider groups that facts use.",
    (
        PG_UID,
        BATCH,
        SLUG,
        MONTH,
        RAW_GROUP,
        texts("network_names", "Schema 2's network names of the group, sorted.", MAX_NAME, max_items=500),
        Column("resolved", "flag", "Whether any member (NPI or TIN) of the group is known."),
    ),
    # As the pairs: a page of one month reads no other month's groups, and a new file's do not stand among the old.
    order=("year_month", "payer_slug", "pg_uid"),
)

PROVIDER_TABLES = (
    DIM_NPI,
    NPI_OTHER_NAME,
    NPI_LOCATION,
    NPPES,
    DIM_TAXONOMY,
    DIM_TIN,
    XREF_GROUP_NPI,
    XREF_GROUP_TIN,
    XREF_TIN_NPI,
    DIM_PROVIDER_GROUP,
)
"""The providers, in the order of the data dictionary."""
