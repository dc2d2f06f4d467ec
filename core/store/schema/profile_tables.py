"""Where providers practice, and their specialty: one row for each NPI, and a few for each provider group."""

from core.store.schema.columns import MONTH, NPI, PG_UID, SLUG, Table, integer, number, text
from core.store.schema.place_tables import DIM_ZIP

PROFILES_SINCE = 5

OF_ZIP = ("county_fips", "cbsa", "division", "latitude", "longitude")
"""Where a ZIP code is, repeated in each row of group_profile: filters then join nothing."""

_ZIP = text("zip", "ZIP code of the practice address, five digits.", 5)
_CITY = text("city", "City of the practice address and its state, in capitals, such as MACON, GA.", 110)
_ENTITY_TYPE = text("entity_type", "individual or organization.")
_SPECIALTY = text("specialty", "The specialty that the primary taxonomy code belongs to, by our own grouping.", 60)

PROVIDER_PROFILE = Table(
    "provider_profile",
    "silver/provider_profile.parquet",
    ("npi",),
    "Where each provider practices, and its specialty: from its practice address and primary taxonomy code in NPPES, "
    "and the files given to load_places. A provider of which nothing is known has no row.",
    (
        NPI,
        _ENTITY_TYPE,
        _SPECIALTY,
        _ZIP,
        _CITY,
        text("state", "State of the practice address, two letters; null outside of the US.", 2),
        *(
            DIM_ZIP.column(name)
            for name in (
                "county_fips", "county", "cbsa", "cbsa_title", "division", "division_title", "contractor", "locality",
            )
        ),
        number("latitude", "Latitude of the practice ZIP code, see dim_zip."),
        number("longitude", "Longitude of the practice ZIP code, see dim_zip."),
    ),
    since=PROFILES_SINCE,
)  # fmt: skip

GROUP_PROFILE = Table(
    "group_profile",
    "silver/group_profile.parquet",
    ("year_month", "payer_slug", "pg_uid", "zip", "city", "specialty", "entity_type"),
    "What the providers of each group are, each combination once: from provider_profile. Empty text stands for what "
    "is not known.",
    (
        MONTH,
        SLUG,
        PG_UID,
        _ZIP,
        _CITY,
        _SPECIALTY,
        _ENTITY_TYPE,
        integer("npis", "Number of the group's NPIs."),
        *(PROVIDER_PROFILE.column(name) for name in OF_ZIP),
    ),
    since=PROFILES_SINCE,
)

PROFILE_TABLES = (PROVIDER_PROFILE, GROUP_PROFILE)
"""The profiles, in the order of the data dictionary."""
