"""The header of an in-network file: what its root says about the whole file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.fields.month import parse_month
from core.fields.texts.clean_text import CLEANED, LINE_BREAKS, SHORTENED, cleaned, remove_forbidden, shorten
from core.fields.texts.text import as_list, fit_text, parse_text
from core.runtime.errors import PayerFileError
from core.store.schema.columns import PAYER, Table
from core.store.schema.tables import DIM_BATCH, DIM_REPORTING_ENTITY
from core.tic import lenient_json
from core.tic.key_spelling import respell
from core.tic.plans import Plan, parse_plan

_HOSPITAL = "a hospital's standard-charges file; this program loads payers' in-network files"
_OTHER_KINDS = {
    "reporting_structure": "a table of contents, which lists in-network files; load the files it names (--toc)",
    "out_of_network": "an allowed-amounts file; this program loads in-network files",
    "provider_groups": "a provider-reference file, which an in-network file points to; load that file",
    "drugs": "a payer's prescription-drug file; this program loads in-network files",
    "standard_charge_information": _HOSPITAL,
    "hospital_name": _HOSPITAL,
}
_KEYS = (
    "reporting_entity_name", "reporting_entity_type", "last_updated_on", "version", "reporting_plans", *Plan._fields,
)  # fmt: skip


@dataclass(frozen=True)
class Header:
    """Who published the file, and for which month."""

    reporting_entity_name: str
    reporting_entity_type: str | None
    last_updated_on: str | None
    version: str | None
    year_month: str
    plans: frozenset[Plan] = frozenset()
    """The plans that the file itself names."""
    notes: dict[str, int] = field(default_factory=dict)
    """Oddities, for the batch record."""


def is_empty_value(text: bytes | None) -> bool:
    """Return whether a value's JSON text says nothing: null, [], or {}. None, of a value too long to keep, does not."""
    return text is not None and b"".join(text.split()) in {b"null", b"[]", b"{}"}


def refuse_other_kinds(name: str, key: str) -> None:
    """Raise PayerFileError if a key of the root belongs to another kind of file."""
    if key in _OTHER_KINDS:
        raise PayerFileError(f"{name}: not an in-network file but {_OTHER_KINDS[key]}")


def read_header(
    name: str, root: Mapping[str, bytes | None], year_month: str | None, payer: str | None = None
) -> Header:
    """Return the header of the file `name`, whose root's values are given as JSON text.

    `year_month` overrides the month of the file, and `payer` names the payer if the file does not. Raises
    PayerFileError if the payer or the month is missing.
    """
    texts, respelled = respell(root, _KEYS)
    values: dict[str, Any] = {}
    for key in _KEYS:
        text = texts.get(key)
        try:
            values[key] = lenient_json.parse_json(text) if text else None
        except lenient_json.UndecodableError as error:
            raise PayerFileError(f"{name}: not JSON: {error.problem} in the value of {key}") from None
    published = _read_payer(name, values["reporting_entity_name"])
    named = published or payer
    updated = parse_text(values["last_updated_on"])
    month = year_month or parse_month(updated)
    problems, options = [], []
    if named is None:
        problems.append("has no reporting_entity_name")
        options.append("whose rates these are with --payer NAME")
    if month is None:
        problems.append(
            f"last_updated_on {shorten(updated, 40)!r} is not a date" if updated else "has no last_updated_on"
        )
        options.append("which month the rates are for with --year-month YYYY-MM")
    if named is None or month is None:
        raise PayerFileError(f"{name}: {' and '.join(problems)}; say {' and '.join(options)}")
    plans, altered = _read_plans(values)
    done = cleaned(values["reporting_entity_name"], values["reporting_entity_type"], values["version"])
    counts = {
        "texts_with_control_characters": int(done == CLEANED) + sum(bits & CLEANED > 0 for bits in altered),
        "shortened_texts": sum(bits & SHORTENED > 0 for bits in altered),
        "misspelt_keys": respelled,
        "payer_not_named_in_the_file": int(not published),
    }
    return Header(
        reporting_entity_name=named,
        reporting_entity_type=_fit(values["reporting_entity_type"], DIM_REPORTING_ENTITY, "reporting_entity_type"),
        last_updated_on=_fit(updated, DIM_BATCH, "last_updated_on"),
        version=_fit(values["version"], DIM_BATCH, "version"),
        year_month=month,
        plans=frozenset(plans),
        notes={note: count for note, count in counts.items() if count},
    )


def _read_payer(name: str, value: Any) -> str | None:
    """Return the payer's name as published, on one line, or None where there is none: a blank or N/A is not a name.

    Raise PayerFileError for a name that is too long: `name` is the file's.
    """
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not parse_text(value):
        return None
    payer = remove_forbidden(value.strip(LINE_BREAKS))
    if len(payer) > PAYER.longest:
        raise PayerFileError(
            f"{name}: its reporting_entity_name has {len(payer):,} characters; expected a name of at most "
            f"{PAYER.longest:,}"
        )
    return payer


def _fit(value: Any, table: Table, column: str) -> str | None:
    return fit_text(value, table.column(column).longest)[0]


def _read_plans(values: dict[str, Any]) -> tuple[list[Plan], list[int]]:
    """Return the plans that a file names, and what was done to the texts of each."""
    listed = [each for each in as_list(values["reporting_plans"]) if isinstance(each, dict)]
    found = [parse_plan(each) for each in (values, *listed)]
    return [plan for plan, _ in found if plan], [done for _, done in found]
