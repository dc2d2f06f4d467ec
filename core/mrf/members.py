"""Who a provider group is: its members, its id, and the key it goes by while a file is read.

A group is an array of objects, each with a tax number and NPIs. The same object stands in many groups, so each is read
once and becomes a *part*; a group is a list of parts.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from msgspec import Raw

from core.mrf import normalize, shapes
from core.mrf.spool import NumberSpool, Spool

NAMED_KEY = 1 << 63
"""Keys from here on belong to ids that are no whole numbers; see `group_key`."""

WHOLE_KEY_LIMIT = 1 << 62
"""Whole numbers below this are their own keys."""

REMEMBERED_BYTES = 24 << 20
"""Texts of objects met of late are remembered, so that an object that comes again is not read again: twice as much."""

FETCHER = 1 << 16
"""The writer of parts that are fetched from the web; those of a crew have lesser numbers."""

WRITER_BITS = 40
"""A part's number is its writer's, so many bits up, and a count."""

Tin = tuple[str, str]
"""A tin_type and a tin_value."""


class Part:
    """One object of a provider_groups array, normalised: a tax number (None: not known) and its NPIs.

    No NPI at all is a contract with the TIN alone. `npis` are distinct and sorted.
    """

    __slots__ = ("npis", "number", "text", "tin")

    def __init__(self, number: int, tin: Tin | None, npis: list[int]) -> None:
        self.number = number
        self.tin = tin
        self.npis = npis
        self.text = ""
        """Its members as `inline_id` has them, once they were asked for."""


class _Tin(msgspec.Struct, gc=False):
    type: str | None = None
    value: str | int | None = None
    business_name: str | None = None


class _Group(msgspec.Struct, gc=False):
    npi: list[int | str] = []
    tin: _Tin | None = None


# Fields that are not of these shapes, or not there at all (an `NPI` key in capitals), take the lenient way.
_TYPED = msgspec.json.Decoder(_Group)
_ARRAY = msgspec.json.Decoder(list[Raw])


class Parts:
    """Reads provider_groups arrays into parts, whose rows go to spools.

    `writer` tells apart the processes that read one file: it is part of the parts' numbers.
    """

    def __init__(self, directory: Path, writer: int = 0) -> None:
        self.tins = Spool(
            directory, "part_tins", {"part": pl.UInt64, "tin_type": pl.String, "tin_value": pl.String}, writer
        )
        self.npis = NumberSpool(directory, "part_npis", ("part", "npi"), writer)
        self.names = Spool(directory, "part_names", {"part": pl.UInt64, "business_name": pl.String}, writer)
        self.invalid = Spool(directory, "part_invalid", {"part": pl.UInt64, "value": pl.String}, writer)
        self._next = writer << WRITER_BITS
        self._known: dict[bytes, tuple[Part, ...]] = {}
        self._older: dict[bytes, tuple[Part, ...]] = {}
        self._known_bytes = 0

    def close(self) -> None:
        """Writes what is still in memory."""
        for spool in (self.tins, self.npis, self.names, self.invalid):
            spool.close()

    def of(self, provider_groups: Raw) -> list[Part]:
        """The parts of an array of provider_groups, given as its JSON text. Raises shapes.Unreadable."""
        try:
            texts = [bytes(each) for each in _ARRAY.decode(provider_groups)]
        except (msgspec.DecodeError, UnicodeDecodeError):
            texts = [bytes(shapes.dumps(each)) for each in normalize.as_list(shapes.scalar(provider_groups))]
        known = self._known.get
        found = [known(text) for text in texts]
        if None in found:
            for place, parts in enumerate(found):
                if parts is None:
                    found[place] = self._meet(texts[place])
        return list(chain.from_iterable(found))  # type: ignore[arg-type]

    def _meet(self, text: bytes) -> tuple[Part, ...]:
        """The parts of an object that is not among those met of late."""
        parts = self._known.get(text)  # it may stand in this very array twice
        if parts is None:
            parts = self._older.get(text)
            if parts is None:
                parts = tuple(self._read(text))
                self.npis.check()
            if self._known_bytes > REMEMBERED_BYTES:
                # Half of what is remembered goes: what was met since the last time stays.
                self._older, self._known, self._known_bytes = self._known, {}, 0
            self._known[text] = parts
            self._known_bytes += len(text) + 500
        return parts

    def _read(self, text: bytes) -> list[Part]:
        """The parts of one object: one for each tax number it has, as a rule one."""
        try:
            group = _TYPED.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            group = None
        if group is not None and group.npi and group.tin is not None:
            tin = normalize.tin(group.tin.type, group.tin.value)
            npis = _plain_npis(group.npi)
            if npis is not None:
                return [self._part(tin, group.tin.business_name, npis)]
            return [self._checked_part(tin, group.tin.business_name, group.npi)]
        value = shapes.loads(text)
        if not isinstance(value, dict):
            return []
        fields = {str(key).lower(): field for key, field in value.items()}
        parts = []
        for each in normalize.as_list(fields.get("tin")) or [None]:
            named = {str(key).lower(): v for key, v in each.items()} if isinstance(each, dict) else {"value": each}
            tin = normalize.tin(named.get("type"), named.get("value"))
            name = normalize.text(named.get("business_name"))
            parts.append(self._checked_part(tin, name, normalize.as_list(fields.get("npi"))))
        return parts

    def _checked_part(self, tin: Tin | None, name: str | None, values: Iterable[Any]) -> Part:
        """A part whose NPIs may be none."""
        npis = []
        for value in values:
            npi = normalize.npi(value)
            if npi is False:
                self.invalid.add(self._next, published(value))
            elif npi:
                npis.append(int(npi))
        return self._part(tin, name, npis)

    def _part(self, tin: Tin | None, name: str | None, npis: list[int]) -> Part:
        number = self._next
        self._next += 1
        if len(npis) > 1:
            npis = sorted(set(npis))
        if tin:
            self.tins.add(number, *tin)
            if name and name.strip():
                self.names.add(number, name.strip())
        if npis:
            parts, numbers = self.npis.columns
            if len(npis) == 1:
                parts.append(number)
                numbers.append(npis[0])
            else:
                parts.extend([number] * len(npis))
                numbers.extend(npis)
        return Part(number, tin, npis)


def _plain_npis(values: list[int | str]) -> list[int] | None:
    """NPIs that are all well-formed, all numbers or all text, as numbers. None where it takes a closer look."""
    kinds = set(map(type, values))
    if kinds == {str}:
        joined = "".join(values)  # type: ignore[arg-type]
        if not (joined.isdecimal() and joined.isascii()) or set(map(len, values)) != {10}:  # type: ignore[arg-type]
            return None
        numbers = list(map(int, values))
    elif kinds == {int}:
        numbers = values  # type: ignore[assignment]
    else:
        return None
    return numbers if min(numbers) >= 1_000_000_000 and max(numbers) < 3_000_000_000 else None


def inline_id(parts: Sequence[Part]) -> str:
    """The raw id of a group that has none: equal members, equal id, in whatever parts they come.

    It is `inline:` and the MD5 of a text for each tax number, the texts sorted and joined by `;`. A tax number's text
    is `tin_type|tin_value|npi` for each of its NPIs, sorted and joined by `;`, and begins with `tin_type|tin_value|`
    alone where the number also stands without an NPI.
    """
    if len({part.tin for part in parts}) == len(parts):
        texts = [part.text or _text_of(part) for part in parts]
    else:
        members: dict[Tin | None, set[int]] = {}
        alone = {part.tin for part in parts if not part.npis}
        for part in parts:
            members.setdefault(part.tin, set()).update(part.npis)
        texts = [
            _members_text(tin, sorted(npis), alone=tin in alone and tin is not None) for tin, npis in members.items()
        ]
    text = ";".join(sorted(filter(None, texts)))
    return "inline:" + hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _text_of(part: Part) -> str:
    part.text = _members_text(part.tin, part.npis)
    return part.text


def _members_text(tin: Tin | None, npis: list[int], *, alone: bool = False) -> str:
    if tin is None and not npis:
        return ""
    head = "{}|{}|".format(*(tin or ("", "")))
    return (f"{head};" if alone and npis else "") + head + f";{head}".join(map(str, npis))


def published(value: Any) -> str:
    """A value as the file has it, for the list of rejects: at most 200 characters."""
    text = value if isinstance(value, str) else bytes(shapes.dumps(value)).decode()
    return text[:200]


def group_key(group_id: str) -> int:
    """The 64-bit key by which rows name a group while a file is read.

    A whole number below 2**62 is its own key. Any other id has the upper bit set and 63 bits of its MD5 sum: that two
    ids of one file share a key is checked at the end of the file, and has a chance of 1 in 184,000 at 10 million ids.
    """
    if group_id.isdecimal() and group_id.isascii() and len(group_id) <= 19 and str(int(group_id)) == group_id:
        number = int(group_id)
        if number < WHOLE_KEY_LIMIT:
            return number
    digest = hashlib.md5(group_id.encode(), usedforsecurity=False).digest()
    return NAMED_KEY | (int.from_bytes(digest[:8], "big") >> 1)
