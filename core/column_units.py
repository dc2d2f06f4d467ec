"""What the numbers of a column are: dollars, fractions, counts, as the meaning of the column says."""

import dataclasses
import re
from typing import Any, get_type_hints

import pyarrow as pa

from core.store.schema.field_types import arrow_type_of

_FRACTION = re.compile(r"(?<![0-9.])[0-9.]+ is (up )?[0-9.]+%|from 0 to 1|[Tt]he share")
"""How the meaning of a column says that it is a fraction: `1 is 100%`."""

_PLAIN = re.compile(r"[Ss]tandard deviation|[Bb]ase units|^Services|^Latitude|^Longitude|[Mm]iles")

_AS_PUBLISHED = frozenset(
    (
        "negotiated_rate",
        "old",
        "new",
        "lowest",
        "highest",
        "old_lowest",
        "old_highest",
        "new_lowest",
        "new_highest",
        "plausible_lowest",
        "plausible_highest",
    )
)
"""Rates of payers: they are shown as they were published, even in fractions of a cent."""

_DIGITS = {"dollars": 2, "fraction": 4}


def column_meanings(row_type: type[Any]) -> dict[str, str]:
    """Return what each column is said to mean, or an empty text, by its name."""
    meanings = {}
    for name, hint in get_type_hints(row_type, include_extras=True).items():
        extras = getattr(hint, "__metadata__", ())
        meanings[name] = next((one.description or "" for one in extras if hasattr(one, "description")), "")
    return meanings


def unit_of(kind: pa.DataType, meaning: str) -> str:
    """Return `dollars`, `fraction`, `plain`, `count`, `date` or `moment`; nothing for text.

    The amounts of a row whose `kind` is percentage are percents instead of dollars.
    """
    if pa.types.is_floating(kind):
        return "fraction" if _FRACTION.search(meaning) else "plain" if _PLAIN.search(meaning) else "dollars"
    if pa.types.is_timestamp(kind):
        return "moment"
    if pa.types.is_date(kind):
        return "date"
    return "count" if pa.types.is_integer(kind) else ""


def find_digits(row_type: type[Any]) -> dict[str, int]:
    """Return how many digits after the point the computed columns of a table have: cents, hundredths of percents."""
    hints, meanings = get_type_hints(row_type), column_meanings(row_type)
    names = [field.name for field in dataclasses.fields(row_type)]
    units = {name: unit_of(arrow_type_of(hints[name]), meanings[name]) for name in names}
    computed = [name for name in names if name not in _AS_PUBLISHED or meanings[name].startswith("Median")]
    return {name: _DIGITS[units[name]] for name in computed if units[name] in _DIGITS}
