"""Price rows to fact rows: one per price and provider group, each grain once.

Done share by share, a share being a range of billing codes (or, of a code with very many rows, a range of hashes):
all rows that can give the same fact are in one share, so shares can be made anywhere, in any order.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from core.load.providers.group_index import GroupIndex
from core.load.providers.group_key_set import distinct
from core.load.rate_filters import RateFilter, code_mask
from core.load.staging.price_runs import ItemFields, PriceFields, PriceRun
from core.store.changes.known_facts import read_known
from core.store.changes.segment import Segment, SortKey
from core.store.parquet.arrow_dictionaries import IntArray, compacted
from core.store.parquet.arrow_dictionaries import encoded as encoded_column
from core.store.parquet.writer import ROW_GROUP, new_writer
from core.store.schema import ids
from core.store.schema.tables import FACT_RATE

_KNOWN_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class RunSlice:
    """Rows `start` to before `end` of a run."""

    run: PriceRun
    start: int
    end: int


@dataclass(frozen=True)
class Partition:
    """Some of a file's price rows: all those that can give some facts."""

    number: int
    slices: tuple[RunSlice, ...]


@dataclass(frozen=True)
class FactScope:
    """What all facts of one file have in common, and where its groups stand."""

    columns: dict[str, str]
    """state, year_month and reporting_entity_name."""
    groups: Path
    directory: Path
    """Where the facts go."""
    filters: tuple[RateFilter, ...]
    known: Path | None = None
    """The file of fact_uids that are not to be added; see `known.write_known`."""

    @cached_property
    def hash(self) -> npt.NDArray[np.uint64]:
        """The hash of the fact's scope part, shape (1, 2)."""
        return ids.part_hash(pl.DataFrame([self.columns]), ids.SCOPE_PART)


@dataclass(frozen=True)
class BuiltFacts:
    """What became of a share. Rows: segment (None for none) + duplicates + filtered + known = all."""

    segment: Segment | None
    duplicates: int
    filtered: int
    known: int
    """Rows whose fact is in the store already, or was taken out of it."""
    used: npt.NDArray[np.int32] | None
    """Places of the groups that facts name; None where that is all groups that price rows name."""


def build_facts(state: dict[str, Any], scope: FactScope, share: Partition) -> BuiltFacts:
    """Makes the facts of a share, sorted, as a segment."""
    groups: GroupIndex = state.setdefault("groups", None) or GroupIndex(scope.groups)
    state["groups"] = groups
    return _Builder(scope, groups, share).build()


class _Builder:
    """The price rows of a share, as columns in the order of their codes, and the fact rows they unfold to."""

    def __init__(self, scope: FactScope, groups: GroupIndex, share: Partition) -> None:
        self._scope = scope
        self._groups = groups
        self._share = share
        self._heads, heads = _stacked(share.slices, "head", "heads", ItemFields._fields)
        self._terms, terms = _stacked(share.slices, "terms", "terms", PriceFields._fields)
        codes = list(zip(self._heads["code_type"].to_pylist(), self._heads["code"].to_pylist(), strict=True))
        self._codes = sorted(set(codes))
        place = {code: n for n, code in enumerate(self._codes)}
        code_of = np.array([place[code] for code in codes], np.int32)[heads]
        order = np.argsort(code_of, kind="stable")
        self._code_of = code_of[order]
        self._head_of, self._terms_of = heads[order], terms[order]
        self._rate, self._piece = self._column("rate")[order], self._column("piece")[order]
        self._hash = np.stack([self._column("hash_0")[order], self._column("hash_1")[order]], axis=1)
        self._repeats = self._column("repeats")[order]
        keys, sizes = keys_of(share.slices, order)
        self._price_of = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        self._group_of = groups.places(keys)

    def build(self) -> BuiltFacts:
        """Makes the facts."""
        rows = len(self._price_of)
        known, kept, used = self._known(), self._wanted(), None
        if kept is not None:
            # What an earlier load has added is there, whatever the filters have come to want since.
            kept |= known
            known = known[kept]
            self._keep(kept)
            used = distinct(self._group_of)
        filtered = rows - len(self._price_of)
        again = self._repeated()
        if again.any():
            known = known[~again]
            self._keep(~again)
        if known.any():
            self._keep(~known)
        segment = self._write() if len(self._price_of) else None
        return BuiltFacts(segment, int(again.sum()), filtered, int(known.sum()), used)

    # --- which rows -------------------------------------------------------------------------------------------

    def _wanted(self) -> npt.NDArray[np.bool_] | None:
        """Which rows a filter wants; None for all."""
        if self._groups.masks is None:
            return None
        heads = self._heads.select(["code_type", "code"]).to_pylist()
        masks = np.array([code_mask(self._scope.filters, h["code_type"], h["code"]) for h in heads], np.uint64)
        wanted: npt.NDArray[np.bool_] = (masks[self._head_of][self._price_of] & self._groups.masks[self._group_of]) != 0
        return wanted

    def _repeated(self) -> npt.NDArray[np.bool_]:
        """Which rows' fact stands earlier in the file.

        Only prices of equal hash, and a price whose list names a group twice, can give a fact again.
        """
        again = np.zeros(len(self._price_of), np.bool_)
        order = np.argsort(self._hash[:, 0], kind="stable")
        same = np.diff(self._hash[order, 0]) == 0
        suspect = self._repeats.copy()
        suspect[order[1:][same]] = True
        suspect[order[:-1][same]] = True
        if suspect.any():
            rows = np.flatnonzero(suspect[self._price_of])
            rows = rows[np.argsort(self._piece[self._price_of[rows]], kind="stable")]
            words = self._words(rows)
            first = pl.DataFrame({"a": words[:, 0], "b": words[:, 1]}).select(pl.struct("a", "b").is_first_distinct())
            again[rows[~first.to_series().to_numpy()]] = True
        return again

    def _known(self) -> npt.NDArray[np.bool_]:
        """Which rows' fact is not to be added."""
        found = np.zeros(len(self._price_of), np.bool_)
        if self._scope.known is None:
            return found
        words = self._words(slice(None))
        ours = pl.DataFrame({"a": words[:, 0], "b": words[:, 1]}).with_row_index("row")
        start = 0
        while len(known := read_known(self._scope.known, start, _KNOWN_AT_ONCE)):
            theirs = pl.DataFrame({"a": known[:, 0], "b": known[:, 1]})
            found[ours.join(theirs, on=["a", "b"], how="semi")["row"].to_numpy()] = True
            start += len(known)
        return found

    def _words(self, rows: npt.NDArray[Any] | slice) -> ids.type_of_hash:
        """The fact_uids of rows, as words."""
        words = self._hash.take(self._price_of[rows], axis=0)
        words ^= self._groups.hashes.take(self._group_of[rows], axis=0)
        words ^= self._scope.hash
        return words

    def _keep(self, kept: npt.NDArray[np.bool_]) -> None:
        self._price_of, self._group_of = self._price_of[kept], self._group_of[kept]

    # --- writing them -----------------------------------------------------------------------------------------

    def _write(self) -> Segment:
        rows = len(self._price_of)
        path = self._scope.directory / f"facts-{self._share.number:06}.parquet"
        encoded = self._encoded()
        size = -(-rows // -(-rows // ROW_GROUP))  # row groups of even size
        writer = None
        try:
            for start in range(0, rows, size):
                block = self._block(encoded, start, min(start + size, rows))
                writer = writer or new_writer(path, FACT_RATE, block.schema)
                writer.write_table(block, row_group_size=size)
        finally:
            if writer:
                writer.close()
        scope = self._scope.columns
        counts = np.bincount(self._code_of[self._price_of], minlength=len(self._codes))
        there = np.flatnonzero(counts)
        keys: list[SortKey] = [
            (scope["state"], scope["year_month"], *self._codes[n], scope["reporting_entity_name"]) for n in there
        ]
        return Segment(path, rows, keys, np.cumsum(counts[there]))

    def _encoded(self) -> dict[str, tuple[IntArray | None, pa.Array]]:
        """For each dictionary-encoded column of the price rows: each row's place in the dictionary, and that.

        A column of nothing but nulls has no places.
        """
        encoded: dict[str, tuple[IntArray | None, pa.Array]] = {}
        for table, place_of in ((self._heads, self._head_of), (self._terms, self._terms_of)):
            for name in table.column_names:
                column = table.column(name).combine_chunks().dictionary_encode()
                places = np.asarray(column.indices.fill_null(-1), np.int32)[place_of]
                encoded[name] = (places if len(column.dictionary) else None, column.dictionary)
        return encoded

    def _block(self, encoded: dict[str, tuple[IntArray | None, pa.Array]], start: int, end: int) -> pa.Table:
        price_of, group_of = self._price_of[start:end], self._group_of[start:end]
        groups, place_of = compacted(group_of, len(self._groups))
        strings = self._groups.strings.take(pa.array(groups))
        columns: dict[str, Any] = {
            "fact_uid": ids.fact_uid_text(self._words(slice(start, end))),
            "negotiated_rate": pa.array(self._rate.take(price_of)),
        }
        for name in ids.PROVIDER_PART:
            dictionary = strings.column(name).combine_chunks()
            columns[name] = pa.DictionaryArray.from_arrays(pa.array(place_of), dictionary)
        nothing = pa.array(np.zeros(end - start, np.int32))
        for name, value in self._scope.columns.items():
            columns[name] = pa.DictionaryArray.from_arrays(nothing, pa.array([value], pa.string()))
        for name, (places, dictionary) in encoded.items():
            if places is None:
                columns[name] = pa.DictionaryArray.from_arrays(pa.nulls(end - start, pa.int32()), dictionary)
            else:
                columns[name] = encoded_column(places.take(price_of), dictionary)
        return pa.table({name: columns[name] for name in FACT_RATE.names})

    def _column(self, name: str) -> npt.NDArray[Any]:
        return np.concatenate([part.run.column(name, part.start, part.end) for part in self._share.slices])


def _stacked(
    slices: tuple[RunSlice, ...], column: str, table: str, fields: tuple[str, ...]
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """What rows of all slices say of one of the small tables: that table, and each row's place in it."""
    tables: list[pa.Table] = []
    places: list[npt.NDArray[np.int64]] = []
    for part in slices:
        used, place = np.unique(part.run.column(column, part.start, part.end), return_inverse=True)
        places.append(place + sum(table.num_rows for table in tables))
        tables.append(part.run.table(table).take(pa.array(used)))
    return pa.concat_tables(tables).select(list(fields)), np.concatenate(places)


def keys_of(
    slices: tuple[RunSlice, ...], order: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """The group keys of all slices' rows, the rows taken in an order of their own, and how many each row has."""
    keys, sizes = [], []
    for part in slices:
        ends = part.run.column("key_ends", part.start, part.end)
        keys.append(part.run.keys(int(ends[0]), int(ends[-1])))
        sizes.append(np.diff(ends))
    if len(slices) == 1:
        return keys[0], sizes[0]
    every, size = np.concatenate(keys), np.concatenate(sizes)
    starts = (np.cumsum(size) - size)[order]
    size = size[order]
    return every[np.repeat(starts - (np.cumsum(size) - size), size) + np.arange(len(every))], size
