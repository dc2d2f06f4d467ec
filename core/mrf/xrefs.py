"""Which group has which members: a file's spools to sorted rows of the three cross-reference tables.

There may be tens of millions of pairs, so they are numbers until they are written: a group goes by its rank among the
file's pg_uids, a tax number by its rank among the file's, an NPI by itself, and a pair is one 64-bit word.
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from core.mrf.groups import Groups
from core.mrf.keys import distinct
from core.store.parquet import write_table
from core.store.schema import XREF_GROUP_NPI, XREF_GROUP_TIN, XREF_TIN_NPI, Table

PAIRS_AT_ONCE = 2_000_000

Ranks = npt.NDArray[np.int64]
Pairs = npt.NDArray[np.uint64]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


class Xrefs:
    """The members of a file's groups. The spools stand in `directory`; `used` are the places of the groups to keep.

    The pairs of groups and parts are gone through range by range of the groups, so that memory holds a range of them
    and what is known of each part.
    """

    def __init__(self, directory: Path, groups: Groups, used: npt.NDArray[np.int32] | None) -> None:
        self._directory = directory
        self._groups = groups
        uids = pl.Series(groups.strings.column("pg_uid"), dtype=pl.String)
        places = np.arange(len(groups), dtype=np.int32) if used is None else used
        chosen = uids.gather(pl.Series(places))
        order = chosen.arg_sort().to_numpy()
        self._uids = chosen.gather(pl.Series(order))
        self.places_by_rank: npt.NDArray[np.int32] = places[order]
        """The place of the group of each rank."""
        self._rank_of = np.full(max(len(groups), 1), -1, np.int64)
        self._rank_of[self.places_by_rank] = np.arange(len(places))
        self._parts, count = self._put_aside()
        """The parts of the groups, distinct and sorted."""
        self._ranges = -(-count // PAIRS_AT_ONCE)

    def _put_aside(self) -> tuple[Pairs, int]:
        """Writes the pairs to a file of their own, as numbers of four bytes; gives the distinct parts, and the count.

        They are gone through several times, and to find a group by its key takes longest.
        """
        aside, found, count = self._directory / "pairs.parts", [np.zeros(0, np.uint64)], 0
        with (self._directory / "pairs.ranks").open("wb") as ranks_file, aside.open("wb") as parts_file:
            for path in sorted(self._directory.glob("group_parts-*.parquet")):
                spool = pl.read_parquet(path, columns=["key", "part"])
                places, there = self._groups.find(spool["key"].to_numpy())
                ranks = np.where(there, self._rank_of[places], -1)
                parts = spool["part"].to_numpy()[ranks >= 0]
                ranks[ranks >= 0].astype(np.int32).tofile(ranks_file)
                parts.tofile(parts_file)
                found.append(distinct(parts))
                count += len(parts)
        every = distinct(np.concatenate(found))
        with (self._directory / "pairs.places").open("wb") as file:
            for start in range(0, count, PAIRS_AT_ONCE):
                parts = np.fromfile(aside, np.uint64, PAIRS_AT_ONCE, offset=8 * start)
                np.searchsorted(every, parts).astype(np.int32).tofile(file)
        aside.unlink()
        return every, count

    def _spooled(self) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]:
        """The groups' ranks and the places of their parts, as they were spooled, in blocks."""
        start = 0
        while len(ranks := np.fromfile(self._directory / "pairs.ranks", np.int32, PAIRS_AT_ONCE, offset=4 * start)):
            yield ranks, np.fromfile(self._directory / "pairs.places", np.int32, PAIRS_AT_ONCE, offset=4 * start)
            start += len(ranks)

    def _pairs(self) -> Iterator[tuple[Ranks, Ranks]]:
        """The ranks of groups and the places of their parts, sorted and distinct, range by range of the groups."""
        bounds = [len(self._uids) * number // max(self._ranges, 1) for number in range(self._ranges + 1)]
        for low, high in pairwise(bounds):
            found = [np.zeros(0, np.uint64)]
            for ranks, parts in self._spooled():
                here = (ranks >= low) & (ranks < high)
                found.append(_paired(ranks[here], parts[here]))
            pairs = distinct(np.concatenate(found))
            yield (pairs >> _HALF).astype(np.int64), (pairs & _LOW).astype(np.int64)

    # --- what parts have --------------------------------------------------------------------------------------

    @cached_property
    def _npis(self) -> tuple[Ranks, npt.NDArray[np.uint64]]:
        """Where each part's NPIs begin (and the end), and the NPIs of all parts."""
        spool = self._read("part_npis", ["part", "npi"])
        part, there = self._found(spool["part"].to_numpy())
        part, npi = part[there], spool["npi"].to_numpy()[there]
        order = np.argsort(part, kind="stable")
        counts = np.bincount(part, minlength=len(self._parts))
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]), npi[order]

    @cached_property
    def _tins(self) -> tuple[pl.DataFrame, Ranks]:
        """The distinct tax numbers, sorted, and the rank of each part's (-1 for none)."""
        spool = self._read("part_tins", ["part", "tin_type", "tin_value"])
        part, there = self._found(spool["part"].to_numpy())
        tins = spool.filter(pl.Series(there)).drop("part")
        distinct = tins.unique().sort("tin_type", "tin_value").with_row_index("rank")
        ranked = tins.join(distinct, on=["tin_type", "tin_value"], how="left", maintain_order="left")
        ranks = np.full(len(self._parts), -1, np.int64)
        ranks[part[there]] = ranked["rank"].to_numpy()
        return distinct.drop("rank"), ranks

    @property
    def npis(self) -> pl.Series:
        """The distinct NPIs of the groups, sorted, as text."""
        return pl.Series("npi", distinct(self._npis[1])).cast(pl.String)

    @property
    def tins(self) -> pl.DataFrame:
        """tin_type and tin_value of the groups, distinct and sorted."""
        return self._tins[0]

    def part_tins(self) -> pl.DataFrame:
        """part, tin_type and tin_value of the groups' parts that have a tax number."""
        distinct, ranks = self._tins
        having = np.flatnonzero(ranks >= 0)
        return distinct[ranks[having]].with_columns(part=pl.Series(self._parts[having]))

    @property
    def resolved(self) -> npt.NDArray[np.bool_]:
        """Of each rank, whether any member of the group is known."""
        starts, _ = self._npis
        known = (np.diff(starts) > 0) | (self._tins[1] >= 0)
        found = np.zeros(len(self._uids), np.bool_)
        for ranks, parts in self._spooled():
            found[ranks[known[parts]]] = True
        return found

    # --- the tables -------------------------------------------------------------------------------------------

    def write(self, table: Table, path: Path, year_month: str, payer_slug: str) -> int:
        """Writes the rows of one of the three tables, sorted; gives their number."""
        blocks = {
            XREF_GROUP_NPI.name: self._group_npis,
            XREF_GROUP_TIN.name: self._group_tins,
            XREF_TIN_NPI.name: self._tin_npis,
        }[table.name]
        constant = {"year_month": year_month, "payer_slug": payer_slug}
        return write_table(path, table, (_block(table, constant, block) for block in blocks()))

    def _group_npis(self) -> Iterator[dict[str, pa.Array]]:
        starts, npis = self._npis
        for group_of, part_of in self._pairs():
            sizes = np.diff(starts)[part_of]
            for start, end in _cuts(group_of, sizes):
                size = sizes[start:end]
                at = np.repeat(starts[part_of[start:end]] - (np.cumsum(size) - size), size) + np.arange(size.sum())
                pairs = distinct(_paired(np.repeat(group_of[start:end], size), npis[at]))
                yield {"pg_uid": self._uid(pairs), "npi": _npi(pairs)}

    def _group_tins(self) -> Iterator[dict[str, pa.Array]]:
        tins, ranks = self._tins
        for group_of, part_of in self._pairs():
            tin = ranks[part_of]
            pairs = distinct(_paired(group_of[tin >= 0], tin[tin >= 0]))
            yield {"pg_uid": self._uid(pairs), **_columns(tins, pairs & _LOW)}

    def _tin_npis(self) -> Iterator[dict[str, pa.Array]]:
        tins, ranks = self._tins
        starts, npis = self._npis
        tin = np.repeat(ranks, np.diff(starts))
        pairs = distinct(_paired(tin[tin >= 0], npis[tin >= 0]))
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            block = pairs[start : start + PAIRS_AT_ONCE]
            yield {**_columns(tins, block >> _HALF), "npi": _npi(block)}

    def _uid(self, pairs: Pairs) -> pa.Array:
        return _encoded(self._uids, pairs >> _HALF)

    def _found(self, parts: Pairs) -> tuple[Ranks, npt.NDArray[np.bool_]]:
        """The places of parts among those of the groups, and whether they are there."""
        places = np.searchsorted(self._parts, parts)
        if not len(self._parts):
            return places, np.zeros(len(parts), np.bool_)
        return places, self._parts.take(places, mode="clip") == parts

    def _read(self, name: str, columns: list[str]) -> pl.DataFrame:
        return pl.read_parquet(str(self._directory / f"{name}-*.parquet"), columns=columns)


def _cuts(group_of: Ranks, sizes: Ranks) -> Iterator[tuple[int, int]]:
    """Ranges of group-part pairs that come to some PAIRS_AT_ONCE rows, each group whole."""
    last = np.flatnonzero(np.diff(group_of, append=-1))  # the last pair of each group
    blocks = np.cumsum(sizes)[last] // PAIRS_AT_ONCE
    ends = last[np.flatnonzero(np.diff(blocks, append=-1))] + 1
    return pairwise([0, *ends.tolist()])


def _paired(high: npt.NDArray[Any], low: npt.NDArray[Any]) -> Pairs:
    return (high.astype(np.uint64) << _HALF) | low.astype(np.uint64)


def _npi(pairs: Pairs) -> pa.Array:
    distinct, places = np.unique(pairs & _LOW, return_inverse=True)
    return _encoded(pl.Series(distinct).cast(pl.String), places)


def _columns(tins: pl.DataFrame, ranks: npt.NDArray[np.uint64]) -> dict[str, pa.Array]:
    return {name: _encoded(tins[name], ranks) for name in tins.columns}


def _encoded(values: pl.Series, places: npt.NDArray[Any]) -> pa.Array:
    """A column from places in a dictionary, of which only the range that is used goes along."""
    low, high = (int(places.min()), int(places.max()) + 1) if len(places) else (0, 0)
    dictionary = values.slice(low, high - low).to_arrow().cast(pa.string())
    return pa.DictionaryArray.from_arrays(
        pa.array((places - np.asarray(low, places.dtype)).astype(np.int32)), dictionary
    )


def _block(table: Table, constant: dict[str, str], columns: dict[str, pa.Array]) -> pa.Table:
    rows = len(next(iter(columns.values())))
    nothing = pa.array(np.zeros(rows, np.int32))
    for name, value in constant.items():
        columns[name] = pa.DictionaryArray.from_arrays(nothing, pa.array([value], pa.string()))
    return pa.table({name: columns[name] for name in table.names})
