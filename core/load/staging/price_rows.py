"""Price rows in memory: one price with the list of the provider groups it holds for.

Where groups are named by reference, these are a tenth of the fact rows that come of them. Lists of groups, and all that
a price says besides its rate, are kept once and referred to by number.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.load.providers.group_key_set import distinct
from core.load.staging.price_runs import (
    ItemFields,
    PriceFields,
    PriceRun,
    PriceRunWriter,
    codes_of,
    dictionary,
    sort_key,
)
from core.store.schema import ids

RUN_PRICES = 250_000
RUN_KEYS = 3_000_000
"""A run is written when it has so many prices, or so many group keys."""

REMEMBERED_BYTES = 32 << 20
"""Lists, and heads and terms, are forgotten when they take so much memory."""

BLOCK_KEYS = 1 << 20
"""So many group keys are unfolded at a time."""


@dataclass
class RateGroupLists:
    """The lists of provider groups met in a file. They outlive the runs that refer to them."""

    ids: dict[bytes, int] = field(default_factory=dict)
    """Texts of lists of references, and the lists they are."""
    written_out: dict[bytes, int] = field(default_factory=dict)
    """Texts of provider_groups, and the lists of one group that they are."""
    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    repeats: "array[int]" = field(default_factory=lambda: array("B"))
    """Whether a list names a group more than once."""
    keys: "array[int]" = field(default_factory=lambda: array("Q"))
    text_bytes: int = 0

    def add(self, keys: "list[int] | array[int]", text: bytes | None = None) -> int:
        """Takes in a list of group keys, to be found again by its text where one is given."""
        number = len(self.sizes)
        self.keys.extend(keys)
        self.sizes.append(len(keys))
        self.repeats.append(len(keys) > 1 and len(set(keys)) < len(keys))
        if text is not None:
            self.ids[text] = number
            self.text_bytes += len(text)
        return number

    def add_written_out(self, texts: Sequence[bytes], keys: npt.NDArray[np.uint64]) -> None:
        """Takes in a list of one group for each of some texts."""
        number, count = len(self.sizes), len(texts)
        self.written_out.update(zip(texts, range(number, number + count), strict=True))
        self.text_bytes += sum(map(len, texts))
        self.keys.frombytes(keys.tobytes())
        self.sizes.extend([1] * count)
        self.repeats.frombytes(bytes(count))

    @property
    def full(self) -> bool:
        """Whether it is time to begin anew."""
        return self.text_bytes + 8 * len(self.keys) + 120 * len(self.sizes) > REMEMBERED_BYTES

    def keys_of(self, number: int) -> "array[int]":
        """The keys of one list."""
        start = sum(self.sizes[:number])
        return self.keys[start : start + self.sizes[number]]

    def in_order(self, lists: npt.NDArray[np.uint32]) -> Iterator[npt.NDArray[np.uint64]]:
        """The keys of the given lists, one list after the other, in blocks."""
        sizes = np.frombuffer(self.sizes, np.uint32)
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
        nested = pa.LargeListArray.from_arrays(pa.array(ends), pa.array(np.frombuffer(self.keys, np.uint64)))
        blocks = np.cumsum(sizes[lists], dtype=np.int64) // BLOCK_KEYS
        for block in np.split(lists, np.flatnonzero(np.diff(blocks)) + 1):
            yield nested.take(pa.array(block)).flatten().to_numpy()


@dataclass
class PriceFieldCache:
    """The heads and terms met in a file. They outlive the runs that refer to them."""

    heads: dict[ItemFields, int] = field(default_factory=dict)
    heads_in_order: list[ItemFields] = field(default_factory=list)
    head_ids: dict[tuple[Any, ...], dict[str, int]] = field(default_factory=dict)
    """By what else items say: their codes, as they stand there, and the heads they are."""
    described: bytearray = field(default_factory=bytearray)
    """Of each head, which words for its code are known: 1 for a description, 2 for a name."""
    terms: dict[PriceFields, int] = field(default_factory=dict)
    ids: dict[bytes, int] = field(default_factory=dict)
    """Texts of prices, but for the rate, and the terms they are."""
    odd_dates: set[int] = field(default_factory=set)
    """Terms whose expiration date could not be read."""
    text_bytes: int = 0

    def number_of_head(self, head: ItemFields) -> int:
        """The number of a head, a new one where it was not met before."""
        number = self.heads.setdefault(head, len(self.heads))
        if number == len(self.heads_in_order):
            self.heads_in_order.append(head)
            self.described.append(0)
        return number

    @property
    def full(self) -> bool:
        """Whether it is time to begin anew."""
        return self.text_bytes + 300 * (len(self.heads) + len(self.terms)) > REMEMBERED_BYTES


@dataclass
class PriceRows:
    """The price rows of a run that is being gathered, as columns."""

    head: "array[int]" = field(default_factory=lambda: array("I"))
    piece: "array[int]" = field(default_factory=lambda: array("I"))
    piece_start: "array[int]" = field(default_factory=lambda: array("I"))
    """The pieces of the file the rows come from, and the row at which each begins."""
    terms: "array[int]" = field(default_factory=lambda: array("I"))
    rate: "array[float]" = field(default_factory=lambda: array("d"))
    groups: "array[int]" = field(default_factory=lambda: array("I"))
    """The list of groups of each row."""
    keys: int = 0
    """How many fact rows the price rows unfold to."""

    def write(self, path: Path, words: PriceFieldCache, lists: RateGroupLists) -> PriceRun:
        """Sorts the rows and writes them as a run."""
        heads, terms = dictionary(words.heads, ItemFields._fields), dictionary(words.terms, PriceFields._fields)
        head_of = np.frombuffer(self.head, np.uint32)
        terms_of = np.frombuffer(self.terms, np.uint32)
        rate = np.frombuffer(self.rate, np.float64)
        hashes = ids.rate_hash(heads, head_of, terms, terms_of, rate)
        codes, code_of_head = codes_of(heads)
        order = np.argsort(sort_key(code_of_head[head_of], hashes[:, 0]), kind="stable")
        groups = np.frombuffer(self.groups, np.uint32)[order]
        sizes = np.frombuffer(lists.sizes, np.uint32)[groups]
        piece_rows = np.diff(np.asarray(self.piece_start), append=len(rate))
        columns = {
            "head": head_of[order],
            "terms": terms_of[order],
            "rate": rate[order],
            "hash_0": hashes[order, 0],
            "hash_1": hashes[order, 1],
            "piece": np.repeat(np.asarray(self.piece), piece_rows)[order],
            "repeats": np.frombuffer(lists.repeats, np.bool_)[groups],
        }
        with PriceRunWriter(path, len(rate)) as writer:
            writer.add(columns, sizes, lists.in_order(groups))
            writer.add_tables(heads, terms)
        return writer.finish(codes, np.searchsorted(code_of_head[columns["head"]], np.arange(codes.num_rows + 1)))

    def used_keys(self, lists: RateGroupLists) -> npt.NDArray[np.uint64]:
        """The keys of the groups that rows name, distinct."""
        used = distinct(np.frombuffer(self.groups, np.uint32))
        return np.concatenate([np.zeros(0, np.uint64), *(pc.unique(pa.array(b)) for b in lists.in_order(used))])

    def rows_of_odd_dates(self, words: PriceFieldCache, lists: RateGroupLists) -> int:
        """How many fact rows have an expiration date that could not be read."""
        if not words.odd_dates:
            return 0
        odd = np.isin(np.frombuffer(self.terms, np.uint32), list(words.odd_dates))
        sizes = np.frombuffer(lists.sizes, np.uint32)[np.frombuffer(self.groups, np.uint32)]
        return int(sizes[odd].sum())
