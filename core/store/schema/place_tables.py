"""Where providers practice, in the terms of Medicare's schedules: ZIP codes, and the areas of provider groups."""

from dataclasses import replace

from core.store.schema.columns import MAX_NAME, MONTH, PG_UID, SLUG, Column, Table, number, text

_CONTRACTOR = text("contractor", "Medicare administrative contractor, five digits.", 20)
_LOCALITY = text("locality", "The contractor's payment locality, two digits.", 20)
_WAGE_AREA = text(
    "wage_area",
    "Area of CMS's wage index: the metropolitan division or, where there is none, the metropolitan area (CBSA), five "
    "digits; outside of these the rest of a state, as its two letters.",
    5,
)

_POINTS_AND_TITLES = tuple(
    replace(column, since=5)
    for column in (
        text(
            "cbsa_title", "The name of the metropolitan or micropolitan area, such as Macon-Bibb County, GA.", MAX_NAME
        ),
        text("division_title", "The name of the metropolitan division.", MAX_NAME),
        number("latitude", "Latitude of the middle of the ZIP code's area, in degrees north."),
        number("longitude", "Longitude of the middle of the ZIP code's area, in degrees east: negative in the US."),
    )
)

DIM_ZIP = Table(
    "dim_zip",
    "silver/dim_zip.parquet",
    ("zip",),
    "Where each ZIP code is, also in the terms of Medicare's schedules: from files given to load_places.",
    (
        text("zip", "ZIP code, five digits.", 5),
        text("state", "Two letters.", 2),
        _CONTRACTOR,
        _LOCALITY,
        Column(
            "locality_by_plus_four",
            "flag",
            "Whether the locality depends on the last four digits of a nine-digit ZIP code: `locality` is then that of "
            "most of them, and no rate is compared with its amounts.",
        ),
        text("rural", "For ambulances: urban, rural, or super rural.", 20),
        Column(
            "dmepos_rural",
            "flag",
            "Whether equipment (DMEPOS) is paid the rural amount; null until CMS's list of rural ZIP codes is loaded.",
        ),
        text("county_fips", "The county's FIPS code, five digits; null where the ZIP code is in several counties.", 5),
        text(
            "county",
            "The county's name; null outside of metropolitan and micropolitan areas, unless a crosswalk names it.",
            MAX_NAME,
        ),
        text(
            "cbsa",
            "The county's metropolitan or micropolitan area (CBSA), five digits; null outside of these. Where the "
            "county is not known, the area with more than half of the ZIP code's addresses.",
            5,
        ),
        text("division", "The county's metropolitan division, five digits; null where the area has none.", 5),
        _WAGE_AREA,
        text("zip_quarter", "Year and quarter of CMS's ZIP code file, such as 2026Q1.", 20),
        *_POINTS_AND_TITLES,
    ),
    since=4,
)

DIM_GROUP_AREA = Table(
    "dim_group_area",
    "silver/dim_group_area.parquet",
    ("pg_uid",),
    "The areas by which Medicare would pay a provider group: those that the practice addresses of more than half of "
    "its NPIs share. A group of which nothing is known has no row.",
    (
        MONTH,
        SLUG,
        PG_UID,
        _CONTRACTOR,
        _LOCALITY,
        _WAGE_AREA,
        Column("dmepos_rural", "flag", "Whether equipment (DMEPOS) is paid the rural amount."),
        text(
            "area",
            "All of these as one text, by which rates are counted and compared: contractor, locality, wage area, and "
            "rural or urban, joined by slashes, each empty where it is not known.",
            60,
        ),
    ),
    order=("year_month", "payer_slug", "pg_uid"),
    since=4,
)

PLACE_TABLES = (DIM_ZIP, DIM_GROUP_AREA)
"""The places, in the order of the data dictionary."""
