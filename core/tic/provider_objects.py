"""Read the objects of provider_groups arrays: from JSON text to normalized tax IDs and NPIs. Nothing is kept here.

A file lists millions of NPIs. So objects are read in batches, with one decoder call for all texts and one numpy call
for all NPIs, and one by one only if a batch contains something unusual.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Raw

from core.fields.providers.npi import FIRST_NPI, LAST_NPI, means_tin_only, parse_npi
from core.fields.providers.tin import looks_personal, parse_tin, tin_problem
from core.fields.texts.text import as_list, parse_text
from core.tic import lenient_json
from core.tic.key_spelling import respell

Tin = tuple[str, str]
"""A tin_type and a tin_value."""


_NAMES = ("npi", "tin")
_TIN_NAMES = ("type", "value", "business_name")
_TIN_ALIASES = {"tin_type": "type", "tin_value": "value", "tin": "value", "ein": "value"}


class OddValue(NamedTuple):
    """A value that is not kept, with the reason. The value of a person's tax number is None: it is not shown either."""

    reason: str
    """invalid_npi, invalid_tin, personal_tin, or no_object."""
    value: Any


class ProviderPart(NamedTuple):
    """One object of an array, or its part for one of its tax IDs if it has several.

    Without an NPI, the contract is with the tax ID alone. `npis` are in the order of the file and may repeat; `odd` are
    the values that are neither NPIs nor a tax ID.
    """

    tin: Tin | None
    business_name: str | None
    npis: Sequence[int]
    odd: Sequence[OddValue] = ()


class _Tin(msgspec.Struct, gc=False):
    type: str | None = None
    value: str | int | None = None
    business_name: str | None = None


class _Group(msgspec.Struct, gc=False):
    npi: list[int | str] = []
    tin: _Tin | None = None


# Objects whose fields have other types, or are missing (an `NPI` key in capitals), are read the lenient way.
_TYPED = msgspec.json.Decoder(_Group)
_ALL_TYPED = msgspec.json.Decoder(list[_Group])
_ARRAY = msgspec.json.Decoder(list[Raw])
_NOT_TYPED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def split_objects(provider_groups: bytes) -> list[Any]:
    """Return the JSON texts of an array's elements, for `bytes` to convert. Raises lenient_json.UndecodableError."""
    try:
        return _ARRAY.decode(provider_groups)
    except _NOT_TYPED:
        value = lenient_json.parse_json(provider_groups) if provider_groups else None
        return [lenient_json.encode_raw(each) for each in as_list(value)]


class ProviderParts(NamedTuple):
    """The parts of several objects in a row, by column."""

    counts: Sequence[int]
    """How many parts each object has: usually one."""
    tins: list[Tin | None]
    business_names: list[str | None]
    sizes: Sequence[int]
    """How many NPIs each part has."""
    npis: npt.NDArray[np.int64]
    """The NPIs of all parts, in a row."""
    odd: list[tuple[int, OddValue]]
    """The number of a part and a value in it that is not kept, for each such value."""


def read_objects(texts: Sequence[bytes]) -> ProviderParts:
    """Return the parts of objects, given as their JSON texts. Raises lenient_json.UndecodableError.

    Objects are read together if all of them are well-formed; otherwise each is read by itself, and only the malformed
    ones leniently.
    """
    groups: Sequence[_Group | None] = _all_typed(texts) or list(map(_typed, texts))
    plain = _plain_parts(groups) if None not in groups else None  # type: ignore[arg-type]
    if plain is not None:
        return plain
    each = [_parts_of_one(text, group) for text, group in zip(texts, groups, strict=True)]
    parts = list(chain.from_iterable(each))
    return ProviderParts(
        list(map(len, each)),
        [part.tin for part in parts],
        [part.business_name for part in parts],
        [len(part.npis) for part in parts],
        np.array([npi for part in parts for npi in part.npis], np.int64),
        [(place, value) for place, part in enumerate(parts) for value in part.odd],
    )


def _all_typed(texts: Sequence[bytes]) -> list[_Group] | None:
    try:
        return _ALL_TYPED.decode(b"[%b]" % b",".join(texts))
    except _NOT_TYPED:
        return None


def _plain_parts(groups: Sequence[_Group]) -> ProviderParts | None:
    """Return the parts of objects that all have a tax ID and well-formed NPIs, or None if one has not."""
    each, tins = [group.npi for group in groups], [group.tin for group in groups]
    if not all(each) or None in tins:
        return None
    npis = parse_plain_npis(list(chain.from_iterable(each)))
    if npis is None:
        return None
    found = [parse_tin(tin.type, tin.value) for tin in tins]  # type: ignore[union-attr]
    if None in found and any(tin.value is None for tin in tins):  # type: ignore[union-attr]
        return None  # the value may be there, in another spelling
    return ProviderParts(
        [1] * len(groups),
        found,
        [tin.business_name for tin in tins],  # type: ignore[union-attr]
        list(map(len, each)),
        npis,
        _odd_tins(found, tins) if None in found else [],  # type: ignore[arg-type]
    )


def _odd_tins(found: Sequence[Tin | None], tins: Sequence[_Tin]) -> list[tuple[int, OddValue]]:
    return [
        (position, odd)
        for position, (tin, stated) in enumerate(zip(found, tins, strict=True))
        if tin is None
        for odd in _odd_tin(stated.type, stated.value)
    ]


def _odd_tin(kind: Any, value: Any) -> list[OddValue]:
    """Return what to say of a value that is not a tax ID: nothing if it only says that none is known."""
    problem = tin_problem(kind, value)
    return [OddValue(problem, None if problem == "personal_tin" else value)] if problem else []


def _typed(text: bytes) -> _Group | None:
    try:
        return _TYPED.decode(text)
    except _NOT_TYPED:
        return None


def _parts_of_one(text: bytes, group: _Group | None) -> list[ProviderPart]:
    """Return the parts of one object: one for each of its tax IDs."""
    if group is not None and group.npi and group.tin is not None and group.tin.value is not None:
        return [_checked(group.tin.type, group.tin.value, group.tin.business_name, group.npi)]
    value = lenient_json.parse_json(text)
    if not isinstance(value, dict):
        return [ProviderPart(None, None, [], [OddValue("no_object", value)])]
    # Payers also write NPI and TIN in capitals, one tax ID as a bare text, and several as a list.
    fields, _ = respell(value, _NAMES)
    parts = []
    for each in as_list(fields.get("tin")) or [None]:
        named = each if isinstance(each, dict) else {"value": each}
        named, _ = respell({_TIN_ALIASES.get(key.lower(), key): one for key, one in named.items()}, _TIN_NAMES)
        name = parse_text(named.get("business_name"))
        parts.append(_checked(named.get("type"), named.get("value"), name, as_list(fields.get("npi"))))
    return parts


def _checked(kind: Any, number: Any, name: str | None, values: Sequence[Any]) -> ProviderPart:
    """Return a part, its tax ID and its NPIs checked one by one."""
    tin = parse_tin(kind, number)
    npis, odd = [], [] if tin else _odd_tin(kind, number)
    for value in values:
        npi = parse_npi(value)
        if npi:
            npis.append(int(npi))
        elif not means_tin_only(value):
            personal = isinstance(value, str) and looks_personal(value)
            odd.append(OddValue("personal_tin", None) if personal else OddValue("invalid_npi", value))
    return ProviderPart(tin, name, npis, odd)


def parse_plain_npis(values: list[Any]) -> npt.NDArray[np.int64] | None:
    """Return NPIs as numbers if all are well-formed and of one type; None if each needs a closer look.

    Text is read in one step: joined, seen as a table of ten digits per row, and multiplied by powers of ten. A call
    per NPI would take most of the time of files that list them.
    """
    kinds = set(map(type, values))
    if kinds == {str}:
        joined = "".join(values)
        if not (joined.isascii() and joined.isdecimal()) or set(map(len, values)) != {10}:
            return None
        digits = np.frombuffer(joined.encode(), np.uint8).reshape(-1, 10) - ord("0")
        numbers = digits @ (10 ** np.arange(9, -1, -1))
    elif kinds == {int}:
        if min(values) < FIRST_NPI or max(values) > LAST_NPI:
            return None
        numbers = np.array(values)
    else:
        return None
    return numbers if numbers.min() >= FIRST_NPI and numbers.max() <= LAST_NPI else None
