"""Which group has which members, as numbers: a file's spools become arrays on disk, from which rows are written.

There may be tens of millions of pairs of a group and an NPI. As text they would take a hundred bytes each, so a group
is represented by the rank of its pg_uid among the file's, a tax ID and an NPI by their ranks, and a part by its
position. Each process that read the file has counted its own parts; a part's position is that count plus the parts of
the processes before. The arrays are mapped into memory, so all processes share them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from core.load.load_sizes import DEFAULT_SIZES
from core.load.providers.group_index import GroupIndex
from core.load.staging.group_members import WRITER_BITS
from core.runtime.files import delete_file

IndexArray = npt.NDArray[np.int64]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_COUNT = np.uint64((1 << WRITER_BITS) - 1)


class MemberIndex:
    """The arrays in `directory`.

    The lists of parts are sorted by their group's rank. A group that the file defines several times has several lists.
    """

    def __init__(self, directory: Path) -> None:
        self.ranks = _load(directory, "ranks")
        """For each list, the rank of its group."""
        self.starts = _load(directory, "starts")
        """For each list, where it begins in `parts`, which has the lists in another order."""
        self.sizes = _load(directory, "sizes")
        self.parts: npt.NDArray[np.int32] = _map(directory / "parts.int32", np.int32)
        """The positions of the parts of all lists."""
        self.npi_ends = _load(directory, "npi_ends")
        """Where each part's NPIs begin in `npi_ranks`, and the end."""
        self.npi_ranks = _load(directory, "npi_ranks")
        self.tin_ranks = _load(directory, "tin_ranks")
        """For each part, the rank of its tax ID, or -1."""

    def lists(self, first: int, end: int) -> tuple[IndexArray, IndexArray]:
        """Return the groups' ranks and the positions of their parts, pair by pair, for lists `first` up to `end`."""
        sizes = self.sizes[first:end].astype(np.int64)
        at = np.repeat(self.starts[first:end] - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
        return np.repeat(self.ranks[first:end], sizes).astype(np.int64), self.parts[at].astype(np.int64)


@dataclass(frozen=True)
class IndexedMembers:
    """The distinct NPIs (as numbers) and tax IDs of the groups in an index, sorted. Their positions are ranks."""

    npis: pl.Series
    tins: pl.DataFrame


def write_member_index(
    spools: Path,
    directory: Path,
    groups: GroupIndex,
    rank_of: npt.NDArray[np.int64],
    part_lookups: int = DEFAULT_SIZES.part_lookups,
) -> IndexedMembers:
    """Write the arrays of MemberIndex from a file's spools.

    `rank_of` has the rank of the group at each position, or -1 to leave a group out. `part_lookups` limits how many
    parts are in memory at a time.
    """
    directory.mkdir()
    ranks, sizes, writers = _write_lists(spools, directory, groups, rank_of)
    starts = np.cumsum(sizes) - sizes
    order = np.argsort(ranks, kind="stable")
    for name, values in (("ranks", ranks), ("starts", starts), ("sizes", sizes)):
        np.save(directory / f"{name}.npy", values[order])
    used = _write_positions(directory, writers, part_lookups)
    return IndexedMembers(
        npis=_write_npis(spools, directory, writers, used), tins=_write_tins(spools, directory, writers, used)
    )


class _Writers:
    """The positions of parts, given their numbers. The parts of a writer are adjacent, in the order of the writers."""

    def __init__(self) -> None:
        self._ends: dict[int, int] = {}
        """For each writer, one more than its highest part."""

    def note(self, parts: npt.NDArray[np.uint64]) -> None:
        """Note that parts with these numbers exist."""
        # An array nearly always has the parts of one writer, so there is one round of this loop for each writer in it
        # instead of one step for each part.
        writers = parts >> np.uint64(WRITER_BITS)
        while len(parts):
            writer = int(writers[0])
            here = writers == writer
            self._ends[writer] = max(self._ends.get(writer, 0), int((parts[here] & _COUNT).max()) + 1)
            parts, writers = parts[~here], writers[~here]

    @property
    def total(self) -> int:
        """Return the number of positions."""
        return sum(self._ends.values())

    def positions(self, parts: npt.NDArray[np.uint64]) -> tuple[IndexArray, npt.NDArray[np.bool_]]:
        """Return the positions of parts, and for each part whether it has one: a part beyond those noted has none."""
        positions, there = np.zeros(len(parts), np.int64), np.zeros(len(parts), np.bool_)
        writers, counts = parts >> np.uint64(WRITER_BITS), (parts & _COUNT).astype(np.int64)
        before = 0
        for writer, end in sorted(self._ends.items()):
            here = (writers == writer) & (counts < end)
            positions = np.where(here, counts + before, positions)
            there |= here
            before += end
        return positions, there


def _write_lists(
    spools: Path, directory: Path, groups: GroupIndex, rank_of: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], _Writers]:
    """Write the numbers of the lists' parts. Return each list's rank and size, and the writers of the parts."""
    writers, ranks, sizes = _Writers(), [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    with (directory / "parts.uint64").open("wb") as file:
        for path in sorted(spools.glob("group_parts-*.parquet")):
            spool = pl.read_parquet(path, columns=["key", "parts"])
            positions, there = groups.find(spool["key"].to_numpy())
            rank = np.where(there, rank_of[positions], -1)
            size = spool["parts"].list.len().to_numpy().astype(np.int64)
            parts = spool["parts"].explode(empty_as_null=False).to_numpy()[np.repeat(rank >= 0, size)]
            parts.tofile(file)
            writers.note(parts)
            ranks.append(rank[rank >= 0].astype(np.int32))
            sizes.append(size[rank >= 0].astype(np.int32))
    return np.concatenate(ranks), np.concatenate(sizes), writers


def _write_positions(directory: Path, writers: _Writers, part_lookups: int) -> npt.NDArray[np.bool_]:
    """Replace the file of part numbers by one of positions. Return for each position whether a list has it.

    This needs a second pass: where a writer's parts begin is known only when all lists have been seen.
    """
    used = np.zeros(writers.total, np.bool_)
    numbers = _map(directory / "parts.uint64", np.uint64)
    with (directory / "parts.int32").open("wb") as file:
        for start in range(0, len(numbers), part_lookups):
            positions = writers.positions(np.asarray(numbers[start : start + part_lookups]))[0].astype(np.int32)
            used[positions] = True
            positions.tofile(file)
    del numbers
    delete_file(directory / "parts.uint64")
    return used


def _write_npis(spools: Path, directory: Path, writers: _Writers, used: npt.NDArray[np.bool_]) -> pl.Series:
    """Write the ranks of the NPIs of each part that is used. Return the distinct NPIs, sorted."""
    spool = pl.read_parquet(str(spools / "part_npis-*.parquet"), columns=["part", "npi"])
    positions, there = writers.positions(spool["part"].to_numpy())
    there &= used.take(positions, mode="clip") if len(used) else False
    positions, npis = positions[there], spool["npi"].to_numpy()[there]
    if (np.diff(positions) < 0).any():
        # Spools are read in the order of their file names, which is that of the positions for up to ten writers.
        order = np.argsort(positions, kind="stable")
        positions, npis = positions[order], npis[order]
    # To rank tens of millions of NPIs: pack each (10 digits, 32 bits) with its position into one word, sort the words
    # in place, count the distinct NPIs along the sorted words, and put each count back at its position. That sorts
    # half the bytes that an argsort would, and needs no lookup afterwards.
    pairs = (npis << _HALF) | np.arange(len(npis), dtype=np.uint64)
    pairs.sort()
    ordered = pairs >> _HALF
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    ranks = np.empty(len(npis), np.int32)
    ranks[(pairs & _LOW).astype(np.int64)] = np.cumsum(first) - 1
    np.save(directory / "npi_ranks.npy", ranks)
    np.save(directory / "npi_ends.npy", np.searchsorted(positions, np.arange(len(used) + 1)))
    return pl.Series("npi", ordered[first])


def _write_tins(spools: Path, directory: Path, writers: _Writers, used: npt.NDArray[np.bool_]) -> pl.DataFrame:
    """Write the rank of the tax ID of each part that is used. Return the distinct tax IDs, sorted."""
    spool = pl.read_parquet(str(spools / "part_tins-*.parquet"), columns=["part", "tin_type", "tin_value"])
    positions, there = writers.positions(spool["part"].to_numpy())
    there &= used.take(positions, mode="clip") if len(used) else False
    positions = positions[there]
    # As for NPIs: sort, count the distinct values, and put each count back where its tax ID came from.
    tins = spool.filter(pl.Series(there)).drop("part").with_row_index("row").sort("tin_type", "tin_value")
    other = (pl.col(name) != pl.col(name).shift() for name in ("tin_type", "tin_value"))
    first = tins.select(pl.any_horizontal(*other).fill_null(value=True)).to_series()
    ranks = np.full(len(used), -1, np.int32)
    ranks[positions[tins["row"].to_numpy()]] = np.cumsum(first.to_numpy()) - 1
    np.save(directory / "tin_ranks.npy", ranks)
    return tins.filter(first).drop("row")


def write_texts(directory: Path, name: str, texts: pl.DataFrame) -> None:
    """Write texts in the order of their ranks, for `read_texts`."""
    table = texts.to_arrow()
    table = table.cast(pa.schema([(column, pa.string()) for column in table.column_names])).combine_chunks()
    with pa.ipc.new_file(str(directory / f"{name}.arrow"), table.schema) as writer:
        writer.write_table(table)


def read_texts(directory: Path, name: str) -> pa.Table:
    """Return texts in the order of their ranks, mapped into memory."""
    with pa.memory_map(str(directory / f"{name}.arrow")) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()


def _load(directory: Path, name: str) -> npt.NDArray[Any]:
    # An empty array cannot be mapped.
    path = directory / f"{name}.npy"
    found: npt.NDArray[Any] = np.load(path, mmap_mode="r" if path.stat().st_size > 256 else None)
    return found


def _map(path: Path, dtype: Any) -> npt.NDArray[Any]:
    return np.memmap(path, dtype, "r") if path.stat().st_size else np.zeros(0, dtype)
