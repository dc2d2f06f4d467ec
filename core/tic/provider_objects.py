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

from core.fields.npi import FIRST_NPI, LAST_NPI, means_tin_only, parse_npi
from core.fields.text import as_list, parse_text
from core.fields.tin import parse_tin
from core.tic import decode

Tin = tuple[str, str]
"""A tin_type and a tin_value."""


class ProviderPart(NamedTuple):
    """One object of an array, or its part for one of its tax IDs if it has several.

    Without an NPI, the contract is with the tax ID alone. `npis` are in the order of the file and may repeat;
    `invalid` are the values that are not NPIs.
    """

    tin: Tin | None
    business_name: str | None
    npis: Sequence[int]
    invalid: Sequence[Any] = ()


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
    """Return the JSON texts of an array's elements, for `bytes` to convert. Raises decode.UndecodableError."""
    try:
        return _ARRAY.decode(provider_groups)
    except _NOT_TYPED:
        value = decode.parse_json(provider_groups) if provider_groups else None
        return [decode.encode_raw(each) for each in as_list(value)]


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
    invalid: list[tuple[int, Any]]
    """The number of a part and a value in it that is not an NPI, for each such value."""


def read_objects(texts: Sequence[bytes]) -> ProviderParts:
    """Return the parts of objects, given as their JSON texts. Raises decode.UndecodableError.

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
        [(place, value) for place, part in enumerate(parts) for value in part.invalid],
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
    return ProviderParts(
        [1] * len(groups),
        [parse_tin(tin.type, tin.value) for tin in tins],  # type: ignore[union-attr]
        [tin.business_name for tin in tins],  # type: ignore[union-attr]
        list(map(len, each)),
        npis,
        [],
    )


def _typed(text: bytes) -> _Group | None:
    try:
        return _TYPED.decode(text)
    except _NOT_TYPED:
        return None


def _parts_of_one(text: bytes, group: _Group | None) -> list[ProviderPart]:
    """Return the parts of one object: one for each of its tax IDs."""
    if group is not None and group.npi and group.tin is not None:
        tin = parse_tin(group.tin.type, group.tin.value)
        npis = parse_plain_npis(group.npi)
        if npis is not None:
            return [ProviderPart(tin, group.tin.business_name, npis.tolist())]
        return [_checked(tin, group.tin.business_name, group.npi)]
    value = decode.parse_json(text)
    if not isinstance(value, dict):
        return []
    # Payers also write NPI and TIN in capitals, one tax ID as a bare text, and several as a list.
    fields = {str(key).lower(): field for key, field in value.items()}
    parts = []
    for each in as_list(fields.get("tin")) or [None]:
        named = {str(key).lower(): v for key, v in each.items()} if isinstance(each, dict) else {"value": each}
        tin = parse_tin(named.get("type"), named.get("value"))
        name = parse_text(named.get("business_name"))
        parts.append(_checked(tin, name, as_list(fields.get("npi"))))
    return parts


def _checked(tin: Tin | None, name: str | None, values: Sequence[Any]) -> ProviderPart:
    """Return a part, its NPIs checked one by one."""
    npis, invalid = [], []
    for value in values:
        npi = parse_npi(value)
        if npi:
            npis.append(int(npi))
        elif not means_tin_only(value):
            invalid.append(value)
    return ProviderPart(tin, name, npis, invalid)


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
