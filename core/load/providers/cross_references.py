"""The three cross-reference tables of one file: groups and NPIs, groups and tax numbers, tax numbers and NPIs.

The rows are written by a workers, each member a range of them, and become one file without being read again. Until they
are written they are numbers, a pair of which is one 64-bit word; see `member_numbers`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from core.load.providers.group_index import GroupIndex
from core.load.providers.group_key_set import distinct
from core.load.providers.member_index import MemberIndex, read_texts, write_numbers, write_texts
from core.runtime.workers import Workers, WorkerState
from core.store.parquet.row_group_copier import RowGroupCopier
from core.store.parquet.writer import ROW_GROUP, write_table
from core.store.schema.tables import TABLES, XREF_GROUP_NPI, XREF_GROUP_TIN, XREF_TIN_NPI, Table

PAIRS_AT_ONCE = 400_000
"""A range of groups has so many pairs of a group and a part: some million rows."""

ROWS_AT_ONCE = 1_000_000
"""So many rows are gone through at a time."""

Pairs = npt.NDArray[np.uint64]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@dataclass(frozen=True)
class Range:
    """Some of a table's rows: those of the lists (for xref_tin_npi: of the tax numbers) `first` to before `end`."""

    directory: Path
    """Where the numbers and the texts are."""
    table: str
    constant: dict[str, str]
    first: int
    end: int
    path: Path
    """Where the rows go."""


@dataclass(frozen=True)
class Written:
    """A table's rows in a file."""

    path: Path
    rows: int


class CrossReferences:
    """The members of a file's groups. The spools stand in `directory`; `used` are the places of the groups to keep."""

    def __init__(self, directory: Path, groups: GroupIndex, used: npt.NDArray[np.int32] | None) -> None:
        self._directory = directory / "members"
        uids = pl.Series(groups.strings.column("pg_uid"), dtype=pl.String)
        places = np.arange(len(groups), dtype=np.int32) if used is None else used
        chosen = uids.gather(pl.Series(places))
        order = chosen.arg_sort().to_numpy()
        self.places_by_rank: npt.NDArray[np.int32] = places[order]
        """The place of the group of each rank."""
        rank_of = np.full(max(len(groups), 1), -1, np.int64)
        rank_of[self.places_by_rank] = np.arange(len(places))
        npis, tins = write_numbers(directory, self._directory, groups, rank_of)
        write_texts(self._directory, "pg_uid", chosen.gather(pl.Series(order)).alias("pg_uid").to_frame())
        write_texts(self._directory, "npi", npis.cast(pl.String).to_frame())
        write_texts(self._directory, "tin", tins)
        self._numbers = MemberIndex(self._directory)
        self.npis = read_texts(self._directory, "npi")
        """The distinct NPIs of the groups, sorted, as text."""
        self.tins = read_texts(self._directory, "tin")
        """tin_type and tin_value of the groups, distinct and sorted."""

    @property
    def resolved(self) -> npt.NDArray[np.bool_]:
        """Of each rank, whether any member of the group is known."""
        numbers = self._numbers
        known = (np.diff(numbers.npi_ends) > 0) | (numbers.tin_ranks >= 0)
        found = np.zeros(len(self.places_by_rank), np.bool_)
        for first, end in self._ranges():
            ranks, parts = numbers.lists(first, end)
            found[ranks[known[parts]]] = True
        return found

    def write(self, work: Path, year_month: str, payer_slug: str, workers: Workers) -> dict[str, Written]:
        """Writes the rows of the three tables, sorted, below `work`; gives the tables' files by name."""
        constant = {"year_month": year_month, "payer_slug": payer_slug}
        bounds = {
            XREF_GROUP_NPI.name: self._ranges(),
            XREF_GROUP_TIN.name: self._ranges(),
            XREF_TIN_NPI.name: self._tin_ranges(),
        }
        ranges = [
            Range(self._directory, name, constant, first, end, work / f"{name}.{number:06}.parquet")
            for name, each in bounds.items()
            for number, (first, end) in enumerate(each)
        ]
        rows = list(workers.map(write_range, ((each,) for each in ranges)))
        found = {}
        for name in bounds:
            path = work / f"{name}.rows.parquet"
            mine = [(count, each) for count, each in zip(rows, ranges, strict=True) if each.table == name]
            with RowGroupCopier(path) as stitcher:
                # A file without rows has a row group all the same, which belongs into no other file.
                for _, each in [(count, each) for count, each in mine if count] or mine[:1]:
                    stitcher.add(each.path)
                found[name] = Written(path, stitcher.finish())
            for _, each in mine:
                each.path.unlink()
        return found

    def _ranges(self) -> Sequence[tuple[int, int]]:
        """Ranges of lists of some PAIRS_AT_ONCE parts; all lists of a group are in one."""
        return _cuts(self._numbers.ranks, self._numbers.sizes, PAIRS_AT_ONCE) or [(0, 0)]

    def _tin_ranges(self) -> Sequence[tuple[int, int]]:
        """Ranges of tax numbers with some ROWS_AT_ONCE NPIs."""
        tins = self._numbers.tin_ranks
        npis = np.bincount(tins[tins >= 0], np.diff(self._numbers.npi_ends)[tins >= 0], len(self.tins))
        return _cuts(np.arange(len(self.tins)), npis, ROWS_AT_ONCE) or [(0, 0)]


def write_range(_state: WorkerState, each: Range) -> int:
    """Write some of a table's rows to a file of their own and return their number; a worker runs this."""
    table = TABLES[each.table]
    rows_of = {
        XREF_GROUP_NPI.name: _group_npis,
        XREF_GROUP_TIN.name: _group_tins,
        XREF_TIN_NPI.name: _tin_npis,
    }[each.table]
    pairs = rows_of(MemberIndex(each.directory), each.first, each.end)
    # Row groups of even size, as the ranges' files become one.
    group = -(-len(pairs) // max(-(-len(pairs) // ROW_GROUP), 1)) or None
    return write_table(each.path, table, [_block(table, each, pairs)], group)


def _group_npis(numbers: MemberIndex, first: int, end: int) -> Pairs:
    group_of, part_of = numbers.lists(first, end)
    starts, ranks = numbers.npi_ends, numbers.npi_ranks
    begin = starts[part_of]
    sizes = starts[part_of + 1] - begin
    found = [np.zeros(0, np.uint64)]
    for low, high in _cuts(group_of, sizes, ROWS_AT_ONCE):
        size = sizes[low:high]
        at = np.repeat(begin[low:high] - (np.cumsum(size) - size), size) + np.arange(size.sum())
        found.append(distinct(_paired(np.repeat(group_of[low:high], size), ranks[at])))
    return np.concatenate(found)


def _group_tins(numbers: MemberIndex, first: int, end: int) -> Pairs:
    group_of, part_of = numbers.lists(first, end)
    tins = numbers.tin_ranks[part_of]
    return distinct(_paired(group_of[tins >= 0], tins[tins >= 0]))


def _tin_npis(numbers: MemberIndex, first: int, end: int) -> Pairs:
    tins = np.repeat(numbers.tin_ranks, np.diff(numbers.npi_ends))
    here = (tins >= first) & (tins < end)
    return distinct(_paired(tins[here], numbers.npi_ranks[here]))


def _block(table: Table, each: Range, pairs: Pairs) -> pa.Table:
    names = ("tin", "npi") if table is XREF_TIN_NPI else ("pg_uid", "npi" if table is XREF_GROUP_NPI else "tin")
    columns = {**_texts(each, names[0], pairs >> _HALF), **_texts(each, names[1], pairs & _LOW)}
    nothing = pa.array(np.zeros(len(pairs), np.int32))
    for name, value in each.constant.items():
        columns[name] = pa.DictionaryArray.from_arrays(nothing, pa.array([value], pa.string()))
    return pa.table({name: columns[name] for name in table.names})


def _texts(each: Range, name: str, ranks: Pairs) -> dict[str, pa.Array]:
    """The columns of what goes by `ranks`: of each a dictionary, of which only the range that is used goes along."""
    low, high = (int(ranks.min()), int(ranks.max()) + 1) if len(ranks) else (0, 0)
    places = pa.array((ranks - np.uint64(low)).astype(np.int32))
    texts = read_texts(each.directory, name).slice(low, high - low).combine_chunks()
    return {
        column: pa.DictionaryArray.from_arrays(places, texts.column(column).chunk(0))
        if texts.num_rows
        else pa.DictionaryArray.from_arrays(places, pa.array([], pa.string()))
        for column in texts.column_names
    }


def _cuts(group_of: npt.NDArray[Any], sizes: npt.NDArray[Any], at_once: int) -> list[tuple[int, int]]:
    """Ranges of what belongs to groups, each group whole, that come to some `at_once` by `sizes`."""
    last = np.flatnonzero(np.diff(group_of, append=-1))  # the last of each group
    blocks = np.cumsum(sizes, dtype=np.int64)[last] // at_once
    ends = last[np.flatnonzero(np.diff(blocks, append=-1))] + 1
    return list(pairwise([0, *ends.tolist()]))


def _paired(high: npt.NDArray[Any], low: npt.NDArray[Any]) -> Pairs:
    return (high.astype(np.uint64) << _HALF) | low.astype(np.uint64)
