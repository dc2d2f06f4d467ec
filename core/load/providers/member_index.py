"""Which group has which members, as numbers: a file's spools to arrays on disk, for whoever writes rows of them.

There may be tens of millions of pairs. A group goes by its rank among the file's pg_uids, a tax number and an NPI by
theirs among the file's, and a part by its place: parts are counted by each writer, so that is its count and those of
the writers before. Arrays are mapped into memory, so that they are there once for all processes.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from core.load.providers.group_index import GroupIndex
from core.load.providers.group_members import WRITER_BITS

IntArray = npt.NDArray[np.int64]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_COUNT = np.uint64((1 << WRITER_BITS) - 1)
AT_ONCE = 2_000_000
"""Parts whose places are looked up at a time."""


class MemberIndex:
    """The arrays in `directory`.

    The lists of parts are sorted by their group's rank; a group has several where it was defined several times.
    """

    def __init__(self, directory: Path) -> None:
        self.ranks = _load(directory, "ranks")
        """Of each list, the rank of its group."""
        self.starts = _load(directory, "starts")
        """Where in `parts` each list begins; they stand there in another order."""
        self.sizes = _load(directory, "sizes")
        self.parts: npt.NDArray[np.int32] = _mapped(directory / "parts.int32", np.int32)
        """The places of the lists' parts."""
        self.npi_ends = _load(directory, "npi_ends")
        """Where in `npi_ranks` each part's NPIs begin, and the end."""
        self.npi_ranks = _load(directory, "npi_ranks")
        self.tin_ranks = _load(directory, "tin_ranks")
        """Of each part, the rank of its tax number, or -1."""
        self.used = _load(directory, "used")
        """Of each part, whether a list has it."""

    def lists(self, first: int, end: int) -> tuple[IntArray, IntArray]:
        """The groups' ranks and the places of their parts, for lists `first` to before `end`."""
        sizes = self.sizes[first:end].astype(np.int64)
        at = np.repeat(self.starts[first:end] - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
        return np.repeat(self.ranks[first:end], sizes).astype(np.int64), self.parts[at].astype(np.int64)


def write_numbers(
    spools: Path, directory: Path, groups: GroupIndex, rank_of: npt.NDArray[np.int64]
) -> tuple[pl.Series, pl.DataFrame]:
    """Makes the arrays of Numbers out of a file's spools; gives the distinct NPIs (as numbers) and tax numbers, sorted.

    `rank_of` tells the ranks of the groups by their places; a group below 0 is left out.
    """
    directory.mkdir()
    ranks, sizes, writers = _write_lists(spools, directory, groups, rank_of)
    starts = np.cumsum(sizes) - sizes
    order = np.argsort(ranks, kind="stable")
    for name, values in (("ranks", ranks), ("starts", starts), ("sizes", sizes)):
        np.save(directory / f"{name}.npy", values[order])
    used = _write_places(directory, writers)
    np.save(directory / "used.npy", used)
    return _write_npis(spools, directory, writers, used), _write_tins(spools, directory, writers, used)


class _Writers:
    """The places of parts by their numbers: each writer's parts stand together."""

    def __init__(self) -> None:
        self._ends: dict[int, int] = {}

    def meet(self, parts: npt.NDArray[np.uint64]) -> None:
        """Takes note of the numbers of parts."""
        writers = parts >> np.uint64(WRITER_BITS)
        while len(parts):
            writer = int(writers[0])
            here = writers == writer
            self._ends[writer] = max(self._ends.get(writer, 0), int((parts[here] & _COUNT).max()) + 1)
            parts, writers = parts[~here], writers[~here]

    @property
    def total(self) -> int:
        """How many places there are."""
        return sum(self._ends.values())

    def places(self, parts: npt.NDArray[np.uint64]) -> tuple[IntArray, npt.NDArray[np.bool_]]:
        """The places of parts, and which parts there are that were met (or others of their writers before them)."""
        places, there = np.zeros(len(parts), np.int64), np.zeros(len(parts), np.bool_)
        writers, counts = parts >> np.uint64(WRITER_BITS), (parts & _COUNT).astype(np.int64)
        before = 0
        for writer, end in sorted(self._ends.items()):
            here = (writers == writer) & (counts < end)
            places = np.where(here, counts + before, places)
            there |= here
            before += end
        return places, there


def _write_lists(
    spools: Path, directory: Path, groups: GroupIndex, rank_of: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], _Writers]:
    """Writes the numbers of the lists' parts; gives the lists' ranks and sizes."""
    writers, ranks, sizes = _Writers(), [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    with (directory / "parts.uint64").open("wb") as file:
        for path in sorted(spools.glob("group_parts-*.parquet")):
            spool = pl.read_parquet(path, columns=["key", "parts"])
            places, there = groups.find(spool["key"].to_numpy())
            rank = np.where(there, rank_of[places], -1)
            size = spool["parts"].list.len().to_numpy().astype(np.int64)
            parts = spool["parts"].explode(empty_as_null=False).to_numpy()[np.repeat(rank >= 0, size)]
            parts.tofile(file)
            writers.meet(parts)
            ranks.append(rank[rank >= 0].astype(np.int32))
            sizes.append(size[rank >= 0].astype(np.int32))
    return np.concatenate(ranks), np.concatenate(sizes), writers


def _write_places(directory: Path, writers: _Writers) -> npt.NDArray[np.bool_]:
    """Writes the parts' places in place of their numbers; gives which places are used."""
    used = np.zeros(writers.total, np.bool_)
    numbers = _mapped(directory / "parts.uint64", np.uint64)
    with (directory / "parts.int32").open("wb") as file:
        for start in range(0, len(numbers), AT_ONCE):
            places = writers.places(np.asarray(numbers[start : start + AT_ONCE]))[0].astype(np.int32)
            used[places] = True
            places.tofile(file)
    (directory / "parts.uint64").unlink()
    return used


def _write_npis(spools: Path, directory: Path, writers: _Writers, used: npt.NDArray[np.bool_]) -> pl.Series:
    spool = pl.read_parquet(str(spools / "part_npis-*.parquet"), columns=["part", "npi"])
    places, there = writers.places(spool["part"].to_numpy())
    there &= used.take(places, mode="clip") if len(used) else False
    places, npis = places[there], spool["npi"].to_numpy()[there]
    if (np.diff(places) < 0).any():
        order = np.argsort(places, kind="stable")
        places, npis = places[order], npis[order]
    # The NPIs' ranks: sorted along with where they stand, then put back there.
    pairs = (npis << _HALF) | np.arange(len(npis), dtype=np.uint64)
    pairs.sort()
    ordered = pairs >> _HALF
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    ranks = np.empty(len(npis), np.int32)
    ranks[(pairs & _LOW).astype(np.int64)] = np.cumsum(first) - 1
    np.save(directory / "npi_ranks.npy", ranks)
    np.save(directory / "npi_ends.npy", np.searchsorted(places, np.arange(len(used) + 1)))
    return pl.Series("npi", ordered[first])


def _write_tins(spools: Path, directory: Path, writers: _Writers, used: npt.NDArray[np.bool_]) -> pl.DataFrame:
    spool = pl.read_parquet(str(spools / "part_tins-*.parquet"), columns=["part", "tin_type", "tin_value"])
    places, there = writers.places(spool["part"].to_numpy())
    there &= used.take(places, mode="clip") if len(used) else False
    places = places[there]
    # Their ranks: sorted along with where they stand, then put back there.
    tins = spool.filter(pl.Series(there)).drop("part").with_row_index("row").sort("tin_type", "tin_value")
    other = (pl.col(name) != pl.col(name).shift() for name in ("tin_type", "tin_value"))
    first = tins.select(pl.any_horizontal(*other).fill_null(value=True)).to_series()
    ranks = np.full(len(used), -1, np.int32)
    ranks[places[tins["row"].to_numpy()]] = np.cumsum(first.to_numpy()) - 1
    np.save(directory / "tin_ranks.npy", ranks)
    return tins.filter(first).drop("row")


def write_texts(directory: Path, name: str, texts: pl.DataFrame) -> None:
    """Writes texts by rank, for `read_texts`."""
    table = texts.to_arrow()
    table = table.cast(pa.schema([(column, pa.string()) for column in table.column_names])).combine_chunks()
    with pa.ipc.new_file(str(directory / f"{name}.arrow"), table.schema) as writer:
        writer.write_table(table)


def read_texts(directory: Path, name: str) -> pa.Table:
    """Texts by rank, mapped into memory."""
    with pa.memory_map(str(directory / f"{name}.arrow")) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()


def _load(directory: Path, name: str) -> npt.NDArray[Any]:
    # An empty array cannot be mapped.
    path = directory / f"{name}.npy"
    found: npt.NDArray[Any] = np.load(path, mmap_mode="r" if path.stat().st_size > 256 else None)
    return found


def _mapped(path: Path, dtype: Any) -> npt.NDArray[Any]:
    return np.memmap(path, dtype, "r") if path.stat().st_size else np.zeros(0, dtype)
