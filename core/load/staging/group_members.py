"""Who a provider group is: its members, and the id of a group that has none.

A group is an array of objects, each with a tax ID and NPIs. The same object appears in many groups, so each is
read once and becomes a *part*: one tax ID and its NPIs. A group is a list of parts. Arrays are read many at a time.
"""

from array import array
from collections import Counter
from collections.abc import Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from core.fields.texts.text import fit_text
from core.load.batch.altered_texts import count_altered
from core.load.batch.rejects import published_text
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.staging.group_key_set import distinct
from core.load.staging.row_spool import NumberSpool, RowSpool
from core.store.schema import ids
from core.store.schema.columns import MAX_NAME
from core.tic import lenient_json, provider_objects
from core.tic.provider_objects import Tin

FETCHER = 1 << 16
"""The writer number of parts that are fetched from the web. Worker processes have lower numbers."""

WRITER_BITS = 40
"""A part's number has its writer's number in the bits from here on, and a counter in the low bits."""

_LOW_HALF = 0xFFFFFFFF
_LOW = np.uint64(_LOW_HALF)
_HALF = np.uint64(32)


class MemberLists(NamedTuple):
    """Lists of parts, one after the other: those of some provider_groups arrays."""

    parts: npt.NDArray[np.int64]
    """The numbers of the parts of all lists."""
    sizes: npt.NDArray[np.int64]
    """The number of parts of each list."""


class _Objects(dict[bytes, int]):
    """Texts of objects and their positions. A text that is looked up for the first time gets the next position, and is
    added to `fresh`."""

    def __init__(self) -> None:
        super().__init__()
        self.fresh: list[bytes] = []

    def __missing__(self, text: bytes) -> int:
        position = self[text] = len(self)
        self.fresh.append(text)
        return position


class MemberParts:
    """Reads provider_groups arrays into parts, whose rows go to spools.

    Each process that reads the file has its own `writer` number, which is part of the parts' numbers.
    """

    def __init__(self, directory: Path, writer: int = 0, sizes: LoadSizes = DEFAULT_SIZES) -> None:
        self._max_bytes = sizes.cached_member_bytes
        most = sizes.spool_rows
        tin = {"part": pl.UInt64, "tin_type": pl.String, "tin_value": pl.String}
        name = {"part": pl.UInt64, "business_name": pl.String}
        odd = {"part": pl.UInt64, "reason": pl.String, "value": pl.String}
        self.tins = RowSpool(directory, "part_tins", tin, writer, max_rows=most)
        self.npis = NumberSpool(directory, "part_npis", ("part", "npi"), writer, max_rows=most)
        self.names = RowSpool(directory, "part_names", name, writer, max_rows=most)
        self.odd = RowSpool(directory, "part_odd_values", odd, writer, max_rows=most)
        self.notes: Counter[str] = Counter()
        """What was done to business names, see core.load.batch.altered_texts."""
        self._next = writer << WRITER_BITS
        self._start_over()

    def close(self) -> None:
        """Write the rows that are still in memory."""
        for spool in (self.tins, self.npis, self.names, self.odd):
            spool.close()

    def read(self, arrays: Sequence[bytes]) -> MemberLists:
        """Return the parts of provider_groups arrays, given as JSON texts. Raise lenient_json.UndecodableError.

        `inline_ids` and `any_members` can be asked about these parts until the next arrays are read.
        """
        if self._bytes > self._max_bytes:
            self._start_over()
        found = list(map(provider_objects.split_objects, arrays))
        # This is the innermost loop of files that write out their groups: millions of objects, most of them met before.
        # Looking up a text in a dict that hands out positions for missing ones keeps the loop in C.
        positions = np.array(list(map(self._objects.__getitem__, map(bytes, chain.from_iterable(found)))), np.int64)
        if self._objects.fresh:
            try:
                self._read_objects(self._objects.fresh)
            except lenient_json.UndecodableError:
                # The new texts have positions by now, but no parts.
                self._start_over()
                raise
            self._objects.fresh = []
        sizes = np.array(list(map(len, found)), np.int64)
        starts = np.frombuffer(self._starts, np.int64)
        counts = starts[positions + 1] - starts[positions]
        if (counts != 1).any():
            # An element that is not an object has no part, and an object with several tax IDs has several. So each
            # object is expanded to the range of its parts, and the sizes of the lists change accordingly.
            ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), counts]))
            sizes = np.diff(ends[np.cumsum(np.concatenate([np.zeros(1, np.int64), sizes]))])
            parts = np.repeat(starts[positions] - ends[:-1], counts) + np.arange(ends[-1])
        else:
            parts = starts[positions]
        return MemberLists(parts + self._first, sizes)

    def any_members(self, lists: MemberLists) -> bool:
        """Return whether any of the parts that were just read has a tax ID or an NPI."""
        return any(map(self._texts.__getitem__, (lists.parts - self._first).tolist()))

    def inline_ids(self, lists: MemberLists) -> pl.Series:
        """Return the ids of groups that have none in the file. Equal members give equal ids, in whatever parts.

        The id is `inline:` and the MD5 sum of the members' texts, distinct, sorted, and joined by `;`. A member's text
        is `tin_type|tin_value|npi`, or `tin_type|tin_value|` alone for a tax ID without an NPI.
        """
        local = lists.parts - self._first
        texts = list(map(self._texts.__getitem__, local.tolist()))
        ends = np.cumsum(lists.sizes)
        repeated = self._lists_with_repeated_tins(local, lists.sizes)
        found = []
        for number, (start, end) in enumerate(pairwise([0, *ends.tolist()])):
            if number in repeated:
                each = sorted(set(chain.from_iterable(text.split(";") for text in texts[start:end] if text)))
            else:
                # The members of one part are sorted already, and the texts of two tax IDs do not start alike. So
                # sorting whole parts sorts the members, which is much faster than splitting them.
                each = sorted(filter(None, texts[start:end]))
            found.append(";".join(each))
        return "inline:" + ids.md5_all(pl.Series("raw", found, pl.String))

    def _start_over(self) -> None:
        self._objects = _Objects()
        self._starts = array("q", [0])
        """The first part of each object, and the end. Here parts are counted from `_first`."""
        self._first = self._next
        self._texts: list[str] = []
        """Each part's members as text, see `inline_ids`."""
        self._tin_of = array("I")
        """A hash of each part's tax ID."""
        self._bytes = 0

    def _read_objects(self, texts: list[bytes]) -> None:
        """Read objects that are not in the cache into new parts."""
        found = provider_objects.read_objects(texts)
        count, first = len(found.tins), self._next
        self._next += count
        ends = np.cumsum(np.array(found.counts, np.int64)) + self._starts[-1]
        self._starts.frombytes(ends.tobytes())
        part_of = np.repeat(np.arange(count), found.sizes)
        # Sorting pairs of a part and an NPI, packed into one 64-bit word, is how NPIs become distinct within a part.
        pairs = distinct((part_of.astype(np.uint64) << _HALF) | found.npis.astype(np.uint64))
        part_of, npis = (pairs >> _HALF).astype(np.int64), pairs & _LOW
        self.npis.add_columns(part_of + first, npis)
        numbers = range(first, first + count)
        with_tin = [(number, tin) for number, tin in zip(numbers, found.tins, strict=True) if tin]
        self.tins.extend(
            [number for number, _ in with_tin], [tin[0] for _, tin in with_tin], [tin[1] for _, tin in with_tin]
        )
        if any(found.business_names):
            for number, tin, name in zip(numbers, found.tins, found.business_names, strict=True):
                text, done = fit_text(name, MAX_NAME) if tin else (None, 0)
                self.notes.update(count_altered(done))
                if text:
                    self.names.add(number, text)
        for position, odd in found.odd:
            value = None if odd.value is None else published_text(odd.value)
            self.odd.add(first + position, odd.reason, value)
        bounds = np.searchsorted(part_of, np.arange(count + 1)).tolist()
        written = list(map(str, npis.tolist()))
        for tin, (start, end) in zip(found.tins, pairwise(bounds), strict=True):
            self._texts.append(_members_text(tin, written[start:end]))
        self._tin_of.extend([hash(tin) & _LOW_HALF for tin in found.tins])
        self._bytes += sum(map(len, texts)) + 350 * len(texts) + 27 * len(npis)

    def _lists_with_repeated_tins(self, local: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> set[int]:
        """Return the positions of lists in which a tax ID appears twice, or two have the same hash."""
        list_of = np.repeat(np.arange(len(sizes), dtype=np.uint64), sizes)
        pairs = (list_of << _HALF) | np.frombuffer(self._tin_of, np.uint32)[local]
        pairs.sort()
        return set((pairs[1:][pairs[1:] == pairs[:-1]] >> _HALF).tolist())


def _members_text(tin: Tin | None, npis: list[str]) -> str:
    if not npis:
        return "{}|{}|".format(*tin) if tin else ""
    head = "{}|{}|".format(*(tin or ("", "")))
    return head + f";{head}".join(npis)
