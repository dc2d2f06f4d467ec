"""What a loader read, and how it gets into the store: a benchmark's release, month by month, in one step."""

import heapq
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from core.store.changes.upsert import upsert
from core.store.connection import connect_for_writing, parquet_list
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.schema.tables import DIM_BENCHMARK, Table

NATION = "US"
"""What stands for the state of a benchmark that is one release for all states."""

PACKAGED, INPATIENT, NOT_PRICED, ANESTHESIA = "packaged", "inpatient", "not priced", "anesthesia"
"""Why a code of a schedule has nothing to compare with: the values of the tables' `reason`."""

ReleasePiece = tuple[tuple[str, ...], pa.Table]
"""Rows that share the first columns of their table's order, and those."""


@dataclass(frozen=True)
class LoadedBenchmark:
    """One release as it was read: rows_read = rows_priced + the rows left out, by reason.

    `states` are those it has rows for; `state` is NATION, or the one state it is for where its kind has a release for
    each; `release` is the month it begins, YYYY-MM; `months` those it is now in force; `notes` are sentences on how the
    amounts were made.
    """

    kind: str
    release: str
    files: tuple[str, ...]
    rows_read: int
    rows_priced: int
    left_out: dict[str, int]
    states: tuple[str, ...]
    notes: tuple[str, ...] = ()
    state: str = NATION
    months: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.rows_read != self.rows_priced + sum(self.left_out.values()):
            raise AssertionError(f"{self.rows_read} rows read, {self.rows_priced} priced, left out: {self.left_out}")


def months_in_force(release: str, later: set[str]) -> tuple[str, ...]:
    """The months from the release's to December of its year, or to the month before the next of `later` releases."""
    year, first = release.split("-")
    months = [f"{year}-{month:02}" for month in range(int(first), 13)]
    end = min((other for other in later if other > release), default="9999-12")
    return tuple(month for month in months if month < end)


def put_release(
    store: Store,
    table: Table,
    rows_of: Callable[[str], pl.DataFrame],
    loaded: LoadedBenchmark,
    by_release: dict[Table, Iterator[pa.Table]] | None = None,
) -> LoadedBenchmark:
    """Puts a release into each month it is in force, in place of what the table has there.

    `rows_of` gives a state's rows: the table's columns but year_month. The months are the same whichever order the
    releases of a year are loaded in; loading a release again replaces it. `by_release` has the rows, in order, of
    tables that hold a release once; `loaded` is remembered in dim_benchmark. Gives `loaded` with its months. Raises
    StoreError; the store is then as it was.
    """
    with store.write() as transaction:
        connection = connect_for_writing(transaction.work)
        try:
            loaded = replace(loaded, months=months_in_force(loaded.release, _releases(connection, transaction, loaded)))
            months, here = set(loaded.months), loaded.state
            new = _by_month(table, sorted(loaded.states), rows_of, loaded.months)
            _put(transaction, table, new, lambda state, month: month in months and here in {NATION, state})
            key = (loaded.release,) if here == NATION else (loaded.release, here)
            for once, rows in (by_release or {}).items():
                keyed = ((key, block) for block in rows)
                _put(transaction, once, keyed, lambda rel, state: rel == loaded.release and here in {NATION, state})
            connection.register("remembered", _record(loaded))
            upsert(connection, transaction, DIM_BENCHMARK, "remembered", keep="new")
        finally:
            connection.close()
        transaction.commit()
    return loaded


def encode_texts(values: Sequence[str], times: int = 0) -> pa.DictionaryArray:
    """Texts as the store's writer takes them at least cost; with `times`, the one value so many times."""
    if times:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(times, np.int32)), pa.array(values, pa.string()))
    return pa.array(values, pa.string()).dictionary_encode()


def _releases(connection: duckdb.DuckDBPyConnection, transaction: Transaction, loaded: LoadedBenchmark) -> set[str]:
    """The releases of the kind and state that the store has."""
    old = transaction.paths(DIM_BENCHMARK.name)
    if not old:
        return set()
    rows = connection.execute(
        f"SELECT release FROM {parquet_list(old)} WHERE kind = ? AND state = ?", [loaded.kind, loaded.state]
    ).fetchall()
    return {row[0] for row in rows}


def _put(transaction: Transaction, table: Table, new: Iterator[ReleasePiece], replaced: Callable[..., bool]) -> None:
    """Writes the table with new pieces in their places, and without the old pieces whose keys are `replaced`.

    A year of a schedule is ten million rows, in order already: they are merged piece by piece, never sorted.
    """
    old = (piece for piece in _pieces(transaction.paths(table.name), table) if not replaced(*piece[0]))
    path = transaction.new_file(table.name)
    merged = heapq.merge(old, new, key=lambda piece: piece[0])
    transaction.put(table.name, path, write_table(path, table, (rows.select(table.names) for _, rows in merged)))


def _pieces(paths: list[str], table: Table) -> Iterator[ReleasePiece]:
    """A table's rows as they are, cut where its order's first columns change: state and month, or release and state."""
    keys = table.order[:2]
    for path in paths:
        with pq.ParquetFile(path, read_dictionary=_texts(table)) as file:
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number).unify_dictionaries().combine_chunks()
                columns = [rows[key].chunk(0) for key in keys] if len(rows) else []
                indices = [column.indices.to_numpy() for column in columns]
                changed = np.any([np.diff(index) != 0 for index in indices], axis=0) if indices else np.array([])
                cuts = [0, *(np.flatnonzero(changed) + 1).tolist(), len(rows)]
                for first, end in itertools.pairwise(cuts):
                    if end > first:
                        yield tuple(column[first].as_py() for column in columns), rows.slice(first, end - first)


def _by_month(
    table: Table, states: Sequence[str], rows_of: Callable[[str], pl.DataFrame], months: Sequence[str]
) -> Iterator[ReleasePiece]:
    for state in states:
        rows = _arrow(rows_of(state), table)
        for month in months:
            yield (state, month), rows.append_column("year_month", encode_texts([month], len(rows)))


def _arrow(rows: pl.DataFrame, table: Table) -> pa.Table:
    """A state's rows, all but year_month, sorted, texts dictionary-encoded as the Parquet reader gives them."""
    names = [name for name in table.names if name != "year_month"]
    return encode_text_columns(rows.sort("code_type", "code"), table, names)


def encode_text_columns(rows: pl.DataFrame, table: Table, names: Sequence[str] | None = None) -> pa.Table:
    """Rows as the store's writer takes them at least cost; `names` are the table's columns that are wanted, or all."""
    names = names or table.names
    plain = rows.select(names).to_arrow().cast(pa.schema([table.arrow.field(name) for name in names]))
    texts = _texts(table)
    return pa.table({name: plain[name].dictionary_encode() if name in texts else plain[name] for name in names})


def _texts(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.type == "text"]


def _record(loaded: LoadedBenchmark) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "kind": [loaded.kind],
            "state": [loaded.state],
            "release": [loaded.release],
            "states": [list(loaded.states)],
            "files": [list(loaded.files)],
            "rows_read": [loaded.rows_read],
            "rows_priced": [loaded.rows_priced],
            "left_out": [json.dumps(loaded.left_out)],
            "notes": [list(loaded.notes)],
            "loaded_at": [datetime.now(UTC)],
        }
    )
