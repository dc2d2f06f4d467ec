"""Read JSON that is not strict, or that loses something in an ordinary reader: exact decimals, lists given twice."""

import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec import Raw

from core.fields.texts.text import as_list

REPEATED = "repeated_keys"
"""The note of objects that have a key for a list twice."""

Notes = Counter[str]
"""How often something odd was met, by its name."""

_LISTS = frozenset((
    "negotiated_rates", "negotiated_prices", "provider_references", "provider_groups", "bundled_codes",
    "covered_services", "service_code", "billing_code_modifier", "network_name", "npi",
))  # fmt: skip
"""Keys whose values are lists: given twice, both lists count."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class UndecodableError(Exception):
    """Text that is not JSON, even leniently. `offset` counts bytes from the beginning of the text."""

    def __init__(self, offset: int, problem: str) -> None:
        super().__init__(problem)
        self.offset = offset
        self.problem = problem


def parse_json(text: bytes, notes: Notes | None = None) -> Any:
    """Return the JSON value of a text, read leniently. Raises UndecodableError.

    Fractions become Decimal (or stay text if the exponent is out of range), so that 690.64470 keeps its digits; NaN
    becomes text, and bytes that are not UTF-8 become U+FFFD. Of a key given twice the last value counts. But with
    `notes`, which count such objects, the lists that such a key has are joined.
    """
    decoded = text.decode("utf-8", "replace")
    hook = None if notes is None else _PairJoiner(notes).join
    try:
        value = json.loads(
            decoded,
            parse_float=_fraction,
            parse_int=_whole,
            parse_constant=str,
            strict=False,
            object_pairs_hook=hook,
        )
    except json.JSONDecodeError as error:
        raise UndecodableError(len(decoded[: error.pos].encode()), error.msg) from None
    except RecursionError:
        raise UndecodableError(0, "values nested deeper than this program follows (about 1,000 levels)") from None
    return _without_surrogates(value) if "\\u" in decoded or "\\U" in decoded else value


def encode_raw(value: Any) -> Raw:
    """Return a value that `parse_json` returned as JSON text for a Raw field."""
    return Raw(_ENCODER.encode(value))


def parse_raw(raw: Raw) -> Any:
    """Return the value of a Raw field, or None if it is absent. Raises UndecodableError."""
    text = bytes(raw)
    return parse_json(text) if text else None


def _whole(digits: str) -> int | Decimal:
    # Python refuses to read a whole number of more than 4,300 digits.
    return int(digits) if len(digits) < 4000 else Decimal(digits)


def _fraction(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits, for example
        return text


def _without_surrogates(value: Any) -> Any:
    """Return a value with halves of surrogate pairs, which UTF-8 cannot express, replaced by U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if not value.isascii() else value
    if isinstance(value, list):
        return [_without_surrogates(element) for element in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(element) for key, element in value.items()}
    return value


def has_repeated_keys(raw: bytes) -> bool:
    """Return whether an object within a JSON text has a key for a list twice. Raises UndecodableError."""
    notes: Notes = Counter()
    parse_json(raw, notes)
    return REPEATED in notes


@dataclass(frozen=True)
class _PairJoiner:
    """Makes objects of their keys and values; `notes` count those that have one of _LISTS twice."""

    notes: Notes

    def join(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        for key in _LISTS & found.keys():
            values = [value for name, value in pairs if name == key]
            if len(values) > 1:
                self.notes[REPEATED] += 1
                found[key] = [element for value in values for element in as_list(value)]
        return found
