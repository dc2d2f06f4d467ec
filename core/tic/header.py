"""The header of an in-network file: what its root says about the whole file."""

from dataclasses import dataclass
from typing import Any

from core.fields.month import parse_month
from core.fields.text import parse_text
from core.runtime.errors import PayerFileError
from core.tic import decode
from core.tic.plans import Plan, parse_plan

_OTHER_KINDS = {
    "reporting_structure": "a table of contents, which lists in-network files; load the files it names",
    "out_of_network": "an allowed-amounts file; this program loads in-network files",
    "provider_groups": "a provider-reference file, which an in-network file points to; load that file",
}


@dataclass(frozen=True)
class Header:
    """Who published the file, and for which month."""

    reporting_entity_name: str
    reporting_entity_type: str | None
    last_updated_on: str | None
    version: str | None
    year_month: str
    plan: Plan | None = None
    """The plan, if the file is that of a single plan."""


def refuse_other_kinds(name: str, key: str) -> None:
    """Raise PayerFileError if a key of the root belongs to another kind of Transparency in Coverage file."""
    if key in _OTHER_KINDS:
        raise PayerFileError(f"{name}: not an in-network file but {_OTHER_KINDS[key]}")


def read_header(name: str, root: dict[str, bytes | None], year_month: str | None) -> Header:
    """Return the header of the file `name`, whose root's values are given as JSON text.

    `year_month` overrides the month of the file. Raises PayerFileError if the payer or the month is missing.
    """
    values: dict[str, Any] = {}
    for key in ("reporting_entity_name", "reporting_entity_type", "last_updated_on", "version", *Plan._fields):
        text = root.get(key)
        try:
            values[key] = decode.parse_json(text) if text else None
        except decode.UndecodableError as error:
            raise PayerFileError(f"{name}: not JSON: {error.problem} in the value of {key}") from None
    payer = values["reporting_entity_name"]
    if not isinstance(payer, str) or not payer.strip():
        raise PayerFileError(f"{name}: has no reporting_entity_name; expected an in-network file that names its payer")
    updated = parse_text(values["last_updated_on"])
    month = year_month or parse_month(updated)
    if month is None:
        found = f"last_updated_on {updated!r} is not a date" if updated else "has no last_updated_on"
        raise PayerFileError(f"{name}: {found}; say which month the rates are for with --year-month YYYY-MM")
    kind, version = parse_text(values["reporting_entity_type"]), parse_text(values["version"])
    return Header(payer, kind, updated, version, month, parse_plan(values))
