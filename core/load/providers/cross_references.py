"""The three cross-reference tables of one file: groups and NPIs, groups and tax IDs, tax IDs and NPIs.

Workers write the rows, each a range of them, and the ranges' files become one file without being read again. Until they
are written, a row is a pair of ranks packed into one 64-bit word; see `member_index`.
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

from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.providers.group_index import GroupIndex
from core.load.providers.member_index import MemberIndex, read_texts, write_member_index, write_texts
from core.load.staging.group_key_set import distinct
from core.runtime.files import delete_file
from core.runtime.worker_process import WorkerState
from core.runtime.workers import Workers
from core.store.parquet.row_group_copier import RowGroupCopier
from core.store.parquet.writer import ROW_GROUP_ROWS, write_table
from core.store.schema.tables import TABLES, XREF_GROUP_NPI, XREF_GROUP_TIN, XREF_TIN_NPI, Table

RankPairs = npt.NDArray[np.uint64]
"""Pairs of ranks, the first in the upper half of the word, the second in the lower half."""

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@dataclass(frozen=True)
class KeptMembers:
    """The members of the groups that are kept. A group's rank is its position when the groups are sorted by pg_uid."""

    directory: Path
    """Where the member index and the texts by rank are."""
    positions_by_rank: npt.NDArray[np.int32]
    """For each rank, the position of its group in the group index."""
    resolved: npt.NDArray[np.bool_]
    """For each rank, whether any member of the group is known."""
    npis: pa.Table
    """The distinct NPIs, sorted, as text."""
    tins: pa.Table
    """The distinct tax IDs: tin_type and tin_value, sorted."""


@dataclass(frozen=True)
class CrossReferenceFile:
    """The rows of one table, sorted, in a file."""

    path: Path
    rows: int


@dataclass(frozen=True)
class RowRange:
    """Some of a table's rows: those of the lists (for xref_tin_npi: of the tax IDs) `first` up to `end`."""

    directory: Path
    """Where the member index and the texts are."""
    table: str
    constants: dict[str, str]
    """The columns with the same value in all rows."""
    first: int
    end: int
    path: Path
    """Where the rows go."""
    rows_at_once: int


def index_members(
    spools: Path, groups: GroupIndex, used: npt.NDArray[np.int32] | None, sizes: LoadSizes = DEFAULT_SIZES
) -> KeptMembers:
    """Index the members of the groups at the positions `used` (None for all groups), from the file's spools."""
    directory = spools / "members"
    uids = pl.Series(groups.strings.column("pg_uid"), dtype=pl.String)
    positions = np.arange(len(groups), dtype=np.int32) if used is None else used
    kept = uids.gather(pl.Series(positions))
    order = kept.arg_sort().to_numpy()
    positions_by_rank: npt.NDArray[np.int32] = positions[order]
    rank_of = np.full(max(len(groups), 1), -1, np.int64)
    rank_of[positions_by_rank] = np.arange(len(positions))
    members = write_member_index(spools, directory, groups, rank_of, sizes.part_lookups)
    write_texts(directory, "pg_uid", kept.gather(pl.Series(order)).alias("pg_uid").to_frame())
    write_texts(directory, "npi", members.npis.cast(pl.String).to_frame())
    write_texts(directory, "tin", members.tins)
    return KeptMembers(
        directory=directory,
        positions_by_rank=positions_by_rank,
        resolved=_find_resolved(MemberIndex(directory), len(positions), sizes),
        npis=read_texts(directory, "npi"),
        tins=read_texts(directory, "tin"),
    )


def write_cross_references(
    members: KeptMembers,
    work: Path,
    workers: Workers,
    *,
    year_month: str,
    payer_slug: str,
    sizes: LoadSizes = DEFAULT_SIZES,
) -> dict[str, CrossReferenceFile]:
    """Write the rows of the three tables, sorted, below `work`. Return each table's file by its name."""
    index = MemberIndex(members.directory)
    list_ranges = _list_ranges(index, sizes)
    bounds = {
        XREF_GROUP_NPI.name: list_ranges,
        XREF_GROUP_TIN.name: list_ranges,
        XREF_TIN_NPI.name: _tin_ranges(index, members.tins.num_rows, sizes),
    }
    ranges = [
        RowRange(
            directory=members.directory,
            table=name,
            constants={"year_month": year_month, "payer_slug": payer_slug},
            first=first,
            end=end,
            path=work / f"{name}.{number:06}.parquet",
            rows_at_once=sizes.range_rows,
        )
        for name, each in bounds.items()
        for number, (first, end) in enumerate(each)
    ]
    counts = list(workers.map(write_range, ((each,) for each in ranges)))
    written = list(zip(ranges, counts, strict=True))
    return {
        name: _join_files(work / f"{name}.rows.parquet", [pair for pair in written if pair[0].table == name])
        for name in bounds
    }


def write_range(_state: WorkerState, rows: RowRange) -> int:
    """Write some of a table's rows to a file of their own and return their number. Workers run this."""
    table = TABLES[rows.table]
    pairs_of = {
        XREF_GROUP_NPI.name: _group_npis,
        XREF_GROUP_TIN.name: _group_tins,
        XREF_TIN_NPI.name: _tin_npis,
    }[rows.table]
    pairs = pairs_of(MemberIndex(rows.directory), rows)
    # Row groups of even size: those of all ranges end up in one file, where a tiny one would slow down every reader.
    row_group = -(-len(pairs) // max(-(-len(pairs) // ROW_GROUP_ROWS), 1)) or None
    return write_table(rows.path, table, [_table_of(table, rows, pairs)], row_group)


def _find_resolved(index: MemberIndex, groups: int, sizes: LoadSizes) -> npt.NDArray[np.bool_]:
    known = (np.diff(index.npi_ends) > 0) | (index.tin_ranks >= 0)
    resolved = np.zeros(groups, np.bool_)
    for first, end in _list_ranges(index, sizes):
        ranks, parts = index.lists(first, end)
        resolved[ranks[known[parts]]] = True
    return resolved


def _list_ranges(index: MemberIndex, sizes: LoadSizes) -> Sequence[tuple[int, int]]:
    """Return ranges of lists with about `range_pairs` parts each. All lists of a group are in one range."""
    return _cut(index.ranks, index.sizes, sizes.range_pairs) or [(0, 0)]


def _tin_ranges(index: MemberIndex, tins: int, sizes: LoadSizes) -> Sequence[tuple[int, int]]:
    """Return ranges of tax IDs with about `range_rows` NPIs each."""
    ranks = index.tin_ranks
    npis = np.bincount(ranks[ranks >= 0], np.diff(index.npi_ends)[ranks >= 0], tins)
    return _cut(np.arange(tins), npis, sizes.range_rows) or [(0, 0)]


def _join_files(path: Path, written: Sequence[tuple[RowRange, int]]) -> CrossReferenceFile:
    """Copy the row groups of the ranges' files into one file, and delete those files."""
    with RowGroupCopier(path) as copier:
        # A file without rows has a row group all the same. It must not become part of a file with rows.
        for rows, _ in [pair for pair in written if pair[1]] or written[:1]:
            copier.add(rows.path)
        count = copier.finish()
    for rows, _ in written:
        delete_file(rows.path)
    return CrossReferenceFile(path, count)


def _group_npis(index: MemberIndex, rows: RowRange) -> RankPairs:
    """Return the distinct pairs of a group and an NPI of the range, sorted.

    A group's NPIs are those of all its parts, and two parts may share an NPI. Instead of a set for each group, whole
    runs of groups are unfolded to pairs and sorted as 64-bit words: that makes them distinct and puts them in the
    table's order. Groups are taken a million rows at a time, each group whole, so the runs are in order and have no
    pair in common.
    """
    group_of, part_of = index.lists(rows.first, rows.end)
    begin = index.npi_ends[part_of]
    sizes = index.npi_ends[part_of + 1] - begin
    found = [np.zeros(0, np.uint64)]
    for low, high in _cut(group_of, sizes, rows.rows_at_once):
        size = sizes[low:high]
        # The positions begin, begin + 1, … begin + size - 1 of every part, one part after the other.
        at = np.repeat(begin[low:high] - (np.cumsum(size) - size), size) + np.arange(size.sum())
        found.append(distinct(_pack(np.repeat(group_of[low:high], size), index.npi_ranks[at])))
    return np.concatenate(found)


def _group_tins(index: MemberIndex, rows: RowRange) -> RankPairs:
    group_of, part_of = index.lists(rows.first, rows.end)
    tins = index.tin_ranks[part_of]
    return distinct(_pack(group_of[tins >= 0], tins[tins >= 0]))


def _tin_npis(index: MemberIndex, rows: RowRange) -> RankPairs:
    tins = np.repeat(index.tin_ranks, np.diff(index.npi_ends))
    here = (tins >= rows.first) & (tins < rows.end)
    return distinct(_pack(tins[here], index.npi_ranks[here]))


def _table_of(table: Table, rows: RowRange, pairs: RankPairs) -> pa.Table:
    first, second = ("tin", "npi") if table is XREF_TIN_NPI else ("pg_uid", "npi" if table is XREF_GROUP_NPI else "tin")
    columns = {**_texts_of(rows, first, pairs >> _HALF), **_texts_of(rows, second, pairs & _LOW)}
    zeros = pa.array(np.zeros(len(pairs), np.int32))
    for name, value in rows.constants.items():
        columns[name] = pa.DictionaryArray.from_arrays(zeros, pa.array([value], pa.string()))
    return pa.table({name: columns[name] for name in table.names})


def _texts_of(rows: RowRange, name: str, ranks: RankPairs) -> dict[str, pa.Array]:
    """Return the text columns that ranks stand for, dictionary-encoded with the slice of the texts that they use."""
    low, high = (int(ranks.min()), int(ranks.max()) + 1) if len(ranks) else (0, 0)
    positions = pa.array((ranks - np.uint64(low)).astype(np.int32))
    texts = read_texts(rows.directory, name).slice(low, high - low).combine_chunks()
    return {
        column: pa.DictionaryArray.from_arrays(positions, texts.column(column).chunk(0))
        if texts.num_rows
        else pa.DictionaryArray.from_arrays(positions, pa.array([], pa.string()))
        for column in texts.column_names
    }


def _cut(group_of: npt.NDArray[Any], sizes: npt.NDArray[Any], at_once: int) -> list[tuple[int, int]]:
    """Cut rows sorted by group into ranges whose `sizes` add up to about `at_once`, never within a group."""
    last = np.flatnonzero(np.diff(group_of, append=-1))  # the last row of each group
    blocks = np.cumsum(sizes, dtype=np.int64)[last] // at_once
    ends = last[np.flatnonzero(np.diff(blocks, append=-1))] + 1
    return list(pairwise([0, *ends.tolist()]))


def _pack(high: npt.NDArray[Any], low: npt.NDArray[Any]) -> RankPairs:
    return (high.astype(np.uint64) << _HALF) | low.astype(np.uint64)
