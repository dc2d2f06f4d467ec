"""What clinicians bill to Medicare, and what follows from it for specialties, codes, and provider groups."""

from dataclasses import replace

from core.store.schema.columns import MAX_NAME, MONTH, NPI, PG_UID, SLUG, Column, Table, integer, number, text

_SINCE = 5

_HCPCS = text("code", "HCPCS code, five characters; CPT is level I of HCPCS.", 5)
_PLACE = text("place", "facility or office, as the physician fee schedule tells them apart.", 20)
_SERVICES = number("services", "Services billed to Medicare in the year; units of a drug may be fractions.")
_BENEFICIARIES = integer("beneficiaries", "Distinct Medicare beneficiaries in the year; CMS publishes none under 11.")
_YEAR = integer("year", "Calendar year of the services.")
_SPECIALTY = text("specialty", "One of the specialties that the glossary lists.", 60)

UTILIZATION = Table(
    "utilization",
    "silver/utilization.parquet",
    ("code", "npi", "place"),
    "What each clinician or organization billed to Medicare, from CMS's file by provider and service. Of an NPI and "
    "code, the newest year that was loaded. Empty until load_utilization.",
    (_HCPCS, NPI, _PLACE, _SERVICES, _BENEFICIARIES, _YEAR),
    since=_SINCE,
)

UTILIZATION_PROVIDER = Table(
    "utilization_provider",
    "silver/utilization_provider.parquet",
    ("npi",),
    "The clinicians and organizations of `utilization`, with the specialty that their claims state.",
    (
        NPI,
        text("provider_type", "CMS's words for the specialty, from the newest year of the NPI.", MAX_NAME),
        replace(_SPECIALTY, meaning=_SPECIALTY.meaning + " Null for words that are not known."),
        text("entity_type", "individual or organization."),
        _YEAR,
    ),
    since=_SINCE,
)

UTILIZATION_AREA = Table(
    "utilization_area",
    "silver/utilization_area.parquet",
    ("code", "state", "place"),
    "What was billed to Medicare in each state and in the country, from CMS's file by geography and service, in the "
    "newest year of the code that was loaded.",
    (
        _HCPCS,
        text("state", "Two letters; US for the country.", 2),
        _PLACE,
        integer("clinicians", "Clinicians and organizations that billed the code."),
        _SERVICES,
        _BENEFICIARIES,
        _YEAR,
    ),
    since=_SINCE,
)

CODE_USE = Table(
    "code_use",
    "silver/code_use.parquet",
    ("code",),
    "How much of Medicare each code is, derived from `utilization` and `utilization_area`.",
    (
        _HCPCS,
        integer("clinicians", "Clinicians and organizations that bill the code: the larger number of both files."),
        replace(_SERVICES, meaning="Services billed to Medicare: the larger number of both files."),
        integer("first_year", "The oldest year of these."),
        integer("last_year", "The newest year of these."),
    ),
    since=_SINCE,
)

SPECIALTY_USE = Table(
    "specialty_use",
    "silver/specialty_use.parquet",
    ("code", "specialty"),
    "How many of a specialty's clinicians bill each code to Medicare, derived from `utilization`.",
    (
        _HCPCS,
        _SPECIALTY,
        integer("clinicians", "Clinicians and organizations of the specialty that bill the code."),
        number("share", "That, divided by all of the specialty in the loaded files: 0.25 is a quarter."),
        _SERVICES,
    ),
    since=_SINCE,
)

SPECIALTY_SIZE = Table(
    "specialty_size",
    "silver/specialty_size.parquet",
    ("specialty",),
    "How many clinicians and organizations of each specialty bill anything to Medicare, derived from `utilization`.",
    (_SPECIALTY, integer("clinicians", "Clinicians and organizations of the specialty in the loaded files.")),
    since=_SINCE,
)

GROUP_SPECIALTY = Table(
    "group_specialty",
    "silver/group_specialty.parquet",
    ("year_month", "payer_slug", "pg_uid", "specialty"),
    "The specialties of each provider group's members, from the register's primary taxonomies and from "
    "`utilization_provider`.",
    (
        MONTH,
        SLUG,
        PG_UID,
        replace(_SPECIALTY, meaning=_SPECIALTY.meaning + " Empty for members whose specialty is not known."),
        integer("npis", "Members of the specialty; one who has two counts in both."),
    ),
    since=_SINCE,
)

UTILIZATION_FILE = Table(
    "utilization_file",
    "silver/utilization_file.parquet",
    ("kind", "year", "name"),
    "The files that load_utilization has read.",
    (
        text("kind", "by provider or by geography."),
        _YEAR,
        text("name", "The file's name.", MAX_NAME),
        integer("rows_read", "Rows below the header."),
        integer("rows_kept", "Of these, rows with a code and, by provider, an NPI."),
        integer("codes", "Distinct codes in the file. CMS's whole file by provider has about 6,500."),
        Column("loaded_at", "moment", "When the file was loaded."),
    ),
    since=_SINCE,
)

UTILIZATION_TABLES = (
    UTILIZATION,
    UTILIZATION_PROVIDER,
    UTILIZATION_AREA,
    CODE_USE,
    SPECIALTY_USE,
    SPECIALTY_SIZE,
    GROUP_SPECIALTY,
    UTILIZATION_FILE,
)
"""The tables, in the order of the data dictionary."""
