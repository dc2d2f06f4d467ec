"""Who a provider group is: its members, its id, and the key it goes by while a file is read.

A group is an array of objects, each with a tax number and NPIs. The same object stands in many groups, so each is read
once and becomes a *part*; a group is a list of parts.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
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

REMEMBERED_BYTES = 16 << 20
"""Texts of objects that are remembered, so that an object that comes again is not read again."""

Tin = tuple[str, str]
"""A tin_type and a tin_value."""


class Part:
    """One object of a provider_groups array, normalised: a tax number (None: not known) and its NPIs.

    No NPI at all is a contract with the TIN alone. `npis` are distinct and sorted.
    """

    __slots__ = ("_text", "npis", "number", "tin")

    def __init__(self, number: int, tin: Tin | None, npis: list[int]) -> None:
        self.number = number
        self.tin = tin
        self.npis = npis
        self._text = ""

    @property
    def text(self) -> str:
        """The part's members as text, sorted; empty where there is none."""
        if not self._text:
            self._text = _members_text(self.tin, self.npis)
        return self._text


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
        self._next = writer << 40
        self._known: dict[bytes, tuple[Part, ...]] = {}
        self._known_bytes = 0

    def close(self) -> None:
        """Writes what is still in memory."""
        for spool in (self.tins, self.npis, self.names, self.invalid):
            spool.close()

    def of(self, provider_groups: Raw) -> list[Part]:
        """The parts of an array of provider_groups, given as its JSON text. Raises shapes.Unreadable."""
        try:
            objects: Iterable[bytes] = map(bytes, _ARRAY.decode(provider_groups))
        except (msgspec.DecodeError, UnicodeDecodeError):
            objects = [bytes(shapes.dumps(each)) for each in normalize.as_list(shapes.scalar(provider_groups))]
        known = self._known.get
        texts = list(objects)
        found = [known(text) for text in texts]
        for place, parts in enumerate(found):
            if parts is None:
                again = known(texts[place])  # it may stand in this very array twice
                found[place] = self._remember(texts[place]) if again is None else again
        return list(chain.from_iterable(found))  # type: ignore[arg-type]

    def _remember(self, text: bytes) -> tuple[Part, ...]:
        if self._known_bytes > REMEMBERED_BYTES:
            self._known.clear()
            self._known_bytes = 0
        parts = self._known[text] = tuple(self._read(text))
        self._known_bytes += len(text) + 300
        self.npis.check()
        return parts

    def _read(self, text: bytes) -> Iterator[Part]:
        """The parts of one object: one for each tax number it has, as a rule one."""
        try:
            group = _TYPED.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            group = None
        if group is not None and group.npi and group.tin is not None:
            npis = _plain_npis(group.npi)
            tin = normalize.tin(group.tin.type, group.tin.value)
            yield from self._part(tin, group.tin.business_name, npis or group.npi, checked=npis is not None)
            return
        value = shapes.loads(text)
        if isinstance(value, dict):
            fields = {str(key).lower(): field for key, field in value.items()}
            for each in normalize.as_list(fields.get("tin")) or [None]:
                named = {str(key).lower(): v for key, v in each.items()} if isinstance(each, dict) else {"value": each}
                tin = normalize.tin(named.get("type"), named.get("value"))
                name = normalize.text(named.get("business_name"))
                yield from self._part(tin, name, normalize.as_list(fields.get("npi")))

    def _part(
        self, tin: Tin | None, name: str | None, values: Iterable[Any], *, checked: bool = False
    ) -> Iterator[Part]:
        number = self._next
        self._next += 1
        if checked:
            npis = values
        else:
            npis = []
            for value in values:
                npi = normalize.npi(value)
                if npi is False:
                    self.invalid.add(number, published(value))
                elif npi:
                    npis.append(int(npi))
        part = Part(number, tin, sorted(set(npis)))
        if tin:
            self.tins.add(number, *tin)
            if name and name.strip():
                self.names.add(number, name.strip())
        if part.npis:
            parts, numbers = self.npis.columns
            parts.extend(array("Q", [number]) * len(part.npis))
            numbers.extend(part.npis)
        yield part


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
        texts = [part.text for part in parts]
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
