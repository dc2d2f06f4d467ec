"""Who bills under a tax ID: its organization and health system, and the lists that say so."""

from core.store.schema.columns import MAX_NAME, TIN_TYPE, TIN_VALUE, Table, text

_SINCE = 5

CONFIDENCES = {
    "high": "A list, the payer, or the register says so of this very number.",
    "medium": "Inferred, and nothing loaded speaks against it.",
    "low": "Inferred from the larger part of what is loaded.",
}
"""How sure a name or an edge of the roll-up is. What is not `high` is inferred."""

NAME_SOURCES = {
    "user file": "a list loaded for this site",
    "payer file": "the payer’s file",
    "nppes": "the provider register (NPPES): the tax ID is an NPI",
    "irs": "the IRS list of exempt organizations",
    "hospital list": "the only hospital that publishes its prices under this number",
    "members": "the organization among its NPIs",
}
"""Where the name of a tax ID is from, the most trusted first."""

ORGANIZATION_SOURCES = {
    "user file": "a list loaded for this site",
    "same name": "tax IDs of one legal name in one state",
    "own number": "the tax ID is taken for an organization of its own",
}
"""What makes a tax ID part of an organization."""

SYSTEM_SOURCES = {
    "user file": "a list loaded for this site",
    "hospital list": "the list of hospitals’ price files",
    "ahrq": "AHRQ’s list of health systems, by the hospital that publishes its prices under this number",
    "hospital name": "AHRQ’s list of health systems, by a hospital of this name in this ZIP code or town",
}
"""What makes an organization part of a health system, the most trusted first."""


def _one_of(values: dict[str, str]) -> str:
    return ", ".join(values)


_CITY = text("city", "City.", 100)
_STATE = text("state", "State, two letters.", 2)
_ZIP = text("zip", "ZIP code, five digits.", 5)
_SYSTEM_NAME = text("system_name", "The health system's name; null for none.", MAX_NAME)

LISTED_ORGANIZATION = Table(
    "listed_organization",
    "silver/listed_organization.parquet",
    ("tin_type", "tin_value", "source", "hospital"),
    "What lists given to load_organizations say of tax IDs, also of those that no rate has yet. Of rows with one key, "
    "the newest stays.",
    (
        TIN_TYPE,
        TIN_VALUE,
        text("source", "user file, irs, or hospital list."),
        text(
            "hospital",
            "In a list of hospitals, the CMS certification number (CCN) or, where there is none, the hospital's name "
            "as a key; empty text in other lists.",
            MAX_NAME,
        ),
        text("name", "Name of the tax ID.", MAX_NAME),
        text("organization_name", "The organization that the tax ID belongs to, in a user's file.", MAX_NAME),
        _SYSTEM_NAME,
        _CITY,
        _STATE,
        _ZIP,
        text("as_of", "YYYY-MM-DD: the date that the row states; null for none.", 10),
        text("file", "Name of the file.", MAX_NAME),
    ),
    since=_SINCE,
)

HOSPITAL = Table(
    "hospital",
    "silver/hospital.parquet",
    ("ccn",),
    "Hospitals, from CMS's and AHRQ's lists given to load_organizations.",
    (
        text("ccn", "CMS certification number: six characters, some with a letter.", 6),
        text("name", "The hospital's name.", MAX_NAME),
        text("address", "Street address.", MAX_NAME),
        _CITY,
        _STATE,
        _ZIP,
        text("system_id", "Key of its health system; null for none.", MAX_NAME),
        _SYSTEM_NAME,
        text("system_city", "City of the system's headquarters.", 100),
        text("system_state", "State of the system's headquarters.", 2),
        text("system_file", "Name of the file that names the system, which says its year.", MAX_NAME),
    ),
    since=_SINCE,
)

ORGANIZATION = Table(
    "organization",
    "silver/organization.parquet",
    ("tin_type", "tin_value"),
    "The roll-up of tax IDs: each has one name, one organization, and at most one health system, so that no rate is "
    "multiplied. Rebuilt by every command that changes what it is derived from.",
    (
        TIN_TYPE,
        TIN_VALUE,
        text("name", "The best name of the tax ID that is known; null for none.", MAX_NAME),
        text("name_source", f"Where the name is from: {_one_of(NAME_SOURCES)}; null for no name."),
        text("name_confidence", f"How sure the name is: {_one_of(CONFIDENCES)}. Not high: inferred."),
        text("city", "City of the organization, where its source or most of its NPIs say it.", 100),
        text("state", "State of the organization, likewise.", 40),
        text(
            "organization_id",
            "Key of the organization: its name and state as a key, or the tax ID's type and number.",
            MAX_NAME + 40,
        ),
        text("organization_name", "The organization's name: that of its tax ID with the most trusted name.", MAX_NAME),
        text("organization_source", f"What makes the tax ID part of it: {_one_of(ORGANIZATION_SOURCES)}."),
        text("organization_confidence", f"How sure that is: {_one_of(CONFIDENCES)}."),
        text("system_id", "Key of the organization's health system; null if none is known.", MAX_NAME + 40),
        _SYSTEM_NAME,
        text("system_source", f"What makes the organization part of it: {_one_of(SYSTEM_SOURCES)}."),
        text("system_confidence", f"How sure that is: {_one_of(CONFIDENCES)}."),
    ),
    since=_SINCE,
)

ORGANIZATION_TABLES = (LISTED_ORGANIZATION, HOSPITAL, ORGANIZATION)
"""The organizations, in the order of the data dictionary."""
