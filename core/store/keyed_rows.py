"""Find the rows of a few hundred keys in a table of a million, without reading the table for each question.

A page looks up the members of its provider groups, their tax IDs, networks, and areas. DuckDB hashes all rows of the
month for that, 10 to 40 ms a table. Here, the columns that pages ask for are in memory, in the order of a hash of the
key, once for each table and month of a generation: 2 MB for the 350,000 members of a month, read in 0.1 seconds when
they are first asked for. Nothing is stored, so nothing can be out of date. DuckDB answers instead where a month has
more than MAX_ROWS, and where it would push out what was used just now (docs/decisions/0062).
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from cachetools import LRUCache

MAX_ROWS = 2_000_000
"""The rows of a month that are kept. Reading them takes some 60 bytes a row, keeping them about 10."""

MAX_BYTES = 32 << 20
"""What all tables and months have together, those used last."""

IN_USE_SECONDS = 60
"""How long rows are in use after a question. Others do not push them out: months that pages ask for in turn would be
read for each page if they do not fit together."""

_FEW = 4
"""Values of which each stands in this many rows or more are kept once: a text then takes 2 to 4 bytes a row, not 20."""


@dataclass
class _SortedRows:
    """Columns in the order of a key's hash: those of the key number n are the rows starts[n] up to starts[n + 1].

    `used` is when they were asked for last.
    """

    hashes: np.ndarray
    starts: np.ndarray
    columns: pa.RecordBatch
    used: float

    @property
    def size(self) -> int:
        return int(self.hashes.nbytes + self.starts.nbytes + self.columns.nbytes) + 1_000


Part = Mapping[str, str]
"""Values of columns, such as a month."""

NO_PART: Part = {}

Ask = Callable[[str, Mapping[str, Any]], pa.Table]
"""Answers a question of a generation."""


class KeyedRows:
    """The tables and views of a generation, to be asked for the rows of given keys. Several threads may ask."""

    def __init__(self, ask: Ask, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: LRUCache[tuple[object, ...], _SortedRows] = LRUCache(max_bytes, getsizeof=lambda rows: rows.size)
        self._too_large: set[tuple[object, ...]] = set()
        self._sizes: dict[tuple[object, ...], int] = {}

    def find(
        self, table: str, key: str, wanted: pa.ChunkedArray, columns: Sequence[str], part: Part = NO_PART
    ) -> pa.Table | None:
        """Return the column `key` and these columns of the rows whose key is among those `wanted`, in any order.

        `wanted` are texts, each once. `part` has the values of columns by which the rows are chosen that are kept
        together. None if they are too many to be kept in memory, or if others are in use there.
        """
        rows = self._rows(table, key, tuple(columns), part)
        if rows is None:
            return None
        hashes = pl.DataFrame({"key": pl.Series(wanted, dtype=pl.String)}).hash_rows().to_numpy()
        places = np.minimum(np.searchsorted(rows.hashes, hashes), len(rows.hashes) - 1)
        # Two keys with one hash are not kept, and that one not in the table has the hash of one in it is less likely
        # than a fault of the memory it is read from.
        found = np.flatnonzero(rows.hashes[places] == hashes) if len(rows.hashes) else np.empty(0, np.int64)
        first, last = rows.starts[places[found]], rows.starts[places[found] + 1]
        counts = last - first
        ends = np.cumsum(counts)
        positions = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - (ends - counts), counts)
        keys = wanted.take(pa.array(np.repeat(found, counts)))
        taken = rows.columns.take(pa.array(positions))
        values = [
            column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in taken.columns
        ]
        return pa.table([keys, *values], names=[key, *columns])

    def _rows(self, table: str, key: str, columns: tuple[str, ...], part: Part) -> _SortedRows | None:
        name = (table, key, columns, *sorted(part.items()))
        # One thread reads, and the others wait: they will ask for the same.
        with self._lock:
            rows: _SortedRows | None = self._kept.get(name)
            if rows is None:
                if name in self._too_large or not self._has_room(self._sizes.get(name, 0)):
                    return None
                rows = self._read(table, key, columns, part)
                if rows is None or rows.size > self._kept.maxsize:
                    self._too_large.add(name)
                    return None
                self._sizes[name] = rows.size
                if self._has_room(rows.size):
                    self._kept[name] = rows
            rows.used = self._clock()
            return rows

    def _has_room(self, size: int) -> bool:
        """Return whether rows of this size could be kept without those that are in use."""
        in_use = self._clock() - IN_USE_SECONDS
        return size + sum(rows.size for rows in self._kept.values() if rows.used > in_use) <= self._kept.maxsize

    def _read(self, table: str, key: str, columns: tuple[str, ...], part: Part) -> _SortedRows | None:
        where = " AND ".join(f"{name} = ${name}" for name in part) or "true"
        sql = f"SELECT {', '.join((key, *columns))} FROM {table} WHERE {where} LIMIT {MAX_ROWS + 1:d}"
        found = pl.DataFrame(self._ask(sql, part))
        if len(found) > MAX_ROWS:
            return None
        found = found.with_columns(found.select(key).hash_rows().alias("hash")).sort("hash", maintain_order=True)
        hashes = found["hash"].to_numpy()
        changes = np.flatnonzero(hashes[1:] != hashes[:-1]) + 1
        starts = np.concatenate([[0], changes, [len(hashes)]]) if len(hashes) else np.zeros(1)
        if found[key].n_unique() != len(starts) - 1:
            return None
        kept: list[pa.Array] = []
        for name, column in zip(columns, found.select(columns).to_arrow(compat_level=_OLDEST).columns, strict=True):
            values = column.combine_chunks()
            is_repeated = not found[name].dtype.is_nested() and found[name].n_unique() * _FEW <= len(found)
            kept.append(_once_each(values) if is_repeated else values)
        first = starts[:-1].astype(np.int32)
        batch = pa.RecordBatch.from_arrays(kept, names=list(columns))
        return _SortedRows(hashes[first], starts.astype(np.int32), batch, self._clock())


_OLDEST = pl.CompatLevel.oldest()


def _once_each(column: pa.Array) -> pa.DictionaryArray:
    """Return a column whose values are kept once each, and their numbers in as few bytes as there are values."""
    found = column.dictionary_encode()
    number = pa.uint16() if len(found.dictionary) <= np.iinfo(np.uint16).max else pa.int32()
    return pa.DictionaryArray.from_arrays(found.indices.cast(number), found.dictionary)
