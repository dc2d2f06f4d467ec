"""Who a provider group is: its members, its id, and the key it goes by while a file is read.

A group is an array of objects, each with a tax number and NPIs. The same object stands in many groups, so each is read
once and becomes a *part* (see `objects.Part`); a group is a list of parts. Arrays are read many at a time.
"""

import hashlib
from array import array
from collections.abc import Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from core.load.providers.group_key_set import distinct
from core.load.staging.row_spool import NumberSpool, RowSpool
from core.store.schema import ids
from core.tic import decode, provider_objects
from core.tic.provider_objects import Tin

NAMED_KEY = 1 << 63
"""Keys from here on belong to ids that are no whole numbers; see `group_key`."""

WHOLE_KEY_LIMIT = 1 << 62
"""Whole numbers below this are their own keys."""

REMEMBERED_BYTES = 48 << 20
"""Objects that were met are remembered, so that one that comes again is not read again, until they take so much."""

FETCHER = 1 << 16
"""The writer of parts that are fetched from the web; those of a workers have lesser numbers."""

WRITER_BITS = 40
"""A part's number is its writer's, so many bits up, and a count."""

_LOW_HALF = 0xFFFFFFFF
_LOW = np.uint64(_LOW_HALF)
_HALF = np.uint64(32)


class MemberLists(NamedTuple):
    """Lists of parts, one after the other: those of some arrays."""

    parts: npt.NDArray[np.int64]
    """The numbers of the parts of all lists."""
    sizes: npt.NDArray[np.int64]
    """How many each list has."""


class _Objects(dict[bytes, int]):
    """Texts of objects and their places; one that is asked for and is not there gets the next place, and is `fresh`."""

    def __init__(self) -> None:
        super().__init__()
        self.fresh: list[bytes] = []

    def __missing__(self, text: bytes) -> int:
        place = self[text] = len(self)
        self.fresh.append(text)
        return place


class MemberParts:
    """Reads provider_groups arrays into parts, whose rows go to spools.

    `writer` tells apart the processes that read one file: it is part of the parts' numbers.
    """

    def __init__(self, directory: Path, writer: int = 0) -> None:
        self.tins = RowSpool(
            directory, "part_tins", {"part": pl.UInt64, "tin_type": pl.String, "tin_value": pl.String}, writer
        )
        self.npis = NumberSpool(directory, "part_npis", ("part", "npi"), writer)
        self.names = RowSpool(directory, "part_names", {"part": pl.UInt64, "business_name": pl.String}, writer)
        self.invalid = RowSpool(directory, "part_invalid", {"part": pl.UInt64, "value": pl.String}, writer)
        self._next = writer << WRITER_BITS
        self._forget()

    def close(self) -> None:
        """Writes what is still in memory."""
        for spool in (self.tins, self.npis, self.names, self.invalid):
            spool.close()

    def of(self, arrays: Sequence[bytes]) -> MemberLists:
        """The parts of provider_groups arrays, given as their JSON texts. Raises decode.UndecodableError.

        What `inline_ids` tells of them it can tell until the next arrays are read.
        """
        if self._bytes > REMEMBERED_BYTES:
            self._forget()
        found = list(map(provider_objects.texts_of, arrays))
        # An object's place is found or made for all arrays in one go: this is the innermost loop.
        places = np.array(list(map(self._objects.__getitem__, map(bytes, chain.from_iterable(found)))), np.int64)
        if self._objects.fresh:
            try:
                self._meet(self._objects.fresh)
            except decode.UndecodableError:
                self._forget()
                raise
            self._objects.fresh = []
        sizes = np.array(list(map(len, found)), np.int64)
        starts = np.frombuffer(self._starts, np.int64)
        counts = starts[places + 1] - starts[places]
        if (counts != 1).any():
            # Objects of no part, or of several.
            ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), counts]))
            sizes = np.diff(ends[np.cumsum(np.concatenate([np.zeros(1, np.int64), sizes]))])
            parts = np.repeat(starts[places] - ends[:-1], counts) + np.arange(ends[-1])
        else:
            parts = starts[places]
        return MemberLists(parts + self._first, sizes)

    def _forget(self) -> None:
        self._objects = _Objects()
        self._starts = array("q", [0])
        """The part that each object begins with, and the end; parts go by their numbers less the first's here."""
        self._first = self._next
        self._texts: list[str] = []
        """Each part's members as `inline_ids` has them."""
        self._tin_of = array("I")
        """A hash of each part's tax number."""
        self._bytes = 0

    def _meet(self, texts: list[bytes]) -> None:
        """Reads objects that were not met before, or not of late."""
        found = provider_objects.parts_of(texts)
        count, first = len(found.tins), self._next
        self._next += count
        ends = np.cumsum(np.array(found.counts, np.int64)) + self._starts[-1]
        self._starts.frombytes(ends.tobytes())
        part_of = np.repeat(np.arange(count), found.sizes)
        pairs = distinct((part_of.astype(np.uint64) << _HALF) | found.npis.astype(np.uint64))
        part_of, npis = (pairs >> _HALF).astype(np.int64), pairs & _LOW
        self.npis.add_columns(part_of + first, npis)
        numbers = range(first, first + count)
        having = [(number, tin) for number, tin in zip(numbers, found.tins, strict=True) if tin]
        self.tins.extend([number for number, _ in having], [tin[0] for _, tin in having], [tin[1] for _, tin in having])
        if any(found.business_names):
            for number, tin, name in zip(numbers, found.tins, found.business_names, strict=True):
                if tin and name and name.strip():
                    self.names.add(number, name.strip())
        for place, value in found.invalid:
            self.invalid.add(first + place, published(value))
        bounds = np.searchsorted(part_of, np.arange(count + 1)).tolist()
        written = list(map(str, npis.tolist()))
        for tin, (start, end) in zip(found.tins, pairwise(bounds), strict=True):
            self._texts.append(_members_text(tin, written[start:end]))
        self._tin_of.extend([hash(tin) & _LOW_HALF for tin in found.tins])
        self._bytes += sum(map(len, texts)) + 350 * len(texts) + 27 * len(npis)

    def any_members(self, lists: MemberLists) -> bool:
        """Whether any of the parts that were just read has a tax number or an NPI."""
        return any(map(self._texts.__getitem__, (lists.parts - self._first).tolist()))

    def inline_ids(self, lists: MemberLists) -> pl.Series:
        """The raw ids of groups that have none: equal members, equal id, in whatever parts they come.

        It is `inline:` and the MD5 of the members' texts, distinct, sorted and joined by `;`. A member's text is
        `tin_type|tin_value|npi`, and `tin_type|tin_value|` alone for a tax number without an NPI.
        """
        local = lists.parts - self._first
        texts = list(map(self._texts.__getitem__, local.tolist()))
        ends = np.cumsum(lists.sizes)
        again = self._tins_again(local, lists.sizes)
        found = []
        for number, (start, end) in enumerate(pairwise([0, *ends.tolist()])):
            if number in again:
                each = sorted(set(chain.from_iterable(text.split(";") for text in texts[start:end] if text)))
            else:
                # Members of one part are sorted, and no two tax numbers' texts begin alike: the texts stay whole.
                each = sorted(filter(None, texts[start:end]))
            found.append(";".join(each))
        return "inline:" + ids.md5_all(pl.Series("raw", found, pl.String))

    def _tins_again(self, local: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> set[int]:
        """The places of the lists in which a tax number stands twice, or two stand that have the same hash."""
        list_of = np.repeat(np.arange(len(sizes), dtype=np.uint64), sizes)
        pairs = (list_of << _HALF) | np.frombuffer(self._tin_of, np.uint32)[local]
        pairs.sort()
        return set((pairs[1:][pairs[1:] == pairs[:-1]] >> _HALF).tolist())


def _members_text(tin: Tin | None, npis: list[str]) -> str:
    if not npis:
        return "{}|{}|".format(*tin) if tin else ""
    head = "{}|{}|".format(*(tin or ("", "")))
    return head + f";{head}".join(npis)


def published(value: Any) -> str:
    """A value as the file has it, for the list of rejects: at most 200 characters."""
    text = value if isinstance(value, str) else bytes(decode.dumps(value)).decode()
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


def named_keys_of(group_ids: pl.Series) -> npt.NDArray[np.uint64]:
    """`group_key` of ids none of which is a whole number."""
    words = ids.hash_words(ids.md5_all(group_ids))
    return np.uint64(NAMED_KEY) | (words[:, 0].byteswap() >> np.uint64(1))
