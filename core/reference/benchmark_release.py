"""Put one release of a benchmark into the store, in every month it is in force, in one transaction."""

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

from core.fields.texts.clean_text import clean_name
from core.reference.spreadsheets import note_altered_cells
from core.runtime.errors import ReferenceFileError
from core.store.changes.upsert import upsert
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.schema.rate_tables import MAX_FILE_NAME
from core.store.schema.tables import DIM_BENCHMARK, Table
from core.store.sql import parquet_rows
from core.store.writer_connection import connect_for_writing

NATION = "US"
"""The state of a benchmark whose releases are for all states at once."""

PACKAGED, INPATIENT, NOT_PRICED, ANESTHESIA = "packaged", "inpatient", "not priced", "anesthesia"
"""Why a code of a schedule has no amount to compare with: the values of the tables' column `reason`."""

NOT_IN_LIST = "not in CMS's list"
"""What is said of a status or an indicator that CMS's documents did not have when this version was made."""

REPEATED = "the same row again"
"""Why a row that repeats another of its file is left out."""

ReleasePiece = tuple[tuple[str, ...], pa.Table]
"""The first two columns of a table's sort order, and the rows that share these values."""


@dataclass(frozen=True)
class LoadedBenchmark:
    """One release as it was read: rows_read = rows_priced + the rows left out, by reason.

    `release` is the month it begins, YYYY-MM, and `months` are those it is now in force. `state` is NATION, or the one
    state it is for if its kind has a release for each; `states` are those it has rows for. `notes` are sentences on how
    the amounts were computed. `parts` are the tables of a release that is loaded table by table, each as JSON text.
    """

    kind: str
    release: str
    files: tuple[str, ...]
    rows_read: int
    rows_priced: int
    left_out: dict[str, int]
    states: tuple[str, ...]
    notes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    state: str = NATION
    months: tuple[str, ...] = ()
    last_month: int = 12

    def __post_init__(self) -> None:
        if self.rows_read != self.rows_priced + sum(self.left_out.values()):
            raise AssertionError(f"{self.rows_read} rows read, {self.rows_priced} priced, left out: {self.left_out}")


def months_in_force(release: str, later: set[str], last_month: int = 12) -> tuple[str, ...]:
    """Return the months from the release's to the end of its year, or to the month before the next of `later`.

    A year ends with `last_month`: December, or September for a fiscal year.
    """
    year, first = map(int, release.split("-"))
    numbers = [year * 12 + first - 1 + n for n in range((last_month - first) % 12 + 1)]
    months = [f"{number // 12}-{number % 12 + 1:02}" for number in numbers]
    end = min((other for other in later if other > release), default="9999-12")
    return tuple(month for month in months if month < end)


def put_release(
    store: Store,
    table: Table,
    rows_of: Callable[[str], pl.DataFrame],
    loaded: LoadedBenchmark,
    by_release: dict[Table, Iterator[pa.Table]] | None = None,
    *,
    complete: Callable[[duckdb.DuckDBPyConnection, Transaction], LoadedBenchmark] | None = None,
) -> LoadedBenchmark:
    """Put a release into each month it is in force, in place of what the table has there; return it with its months.

    `rows_of` returns a state's rows: the table's columns except year_month. `by_release` has the sorted rows of tables
    that keep a release once instead of once per month. `complete`, if given, is called first in the transaction: it may
    add what is stored of the release to the rows, and returns the record of the whole release. The result does not
    depend on the order in which the releases of a year are loaded; loading a release again replaces it.

    Raise ReferenceFileError if no row has an amount, and StoreError if writing fails; the store is then unchanged.
    """
    if not loaded.rows_priced and complete is None:  # otherwise the rest of the release has them
        raise ReferenceFileError(
            f"{', '.join(loaded.files)}: none of {loaded.rows_read:,} rows has an amount; expected the table of "
            "amounts, as the agency publishes it"
        )
    loaded = _noted(loaded)
    with store.write() as transaction:
        connection = connect_for_writing(transaction.work)
        try:
            record = _noted(complete(connection, transaction)) if complete else loaded
            stored = _stored_releases(connection, transaction, loaded.kind, loaded.state)
            loaded = replace(loaded, months=months_in_force(loaded.release, stored, loaded.last_month))
            months, scope = set(loaded.months), loaded.state

            def replaces_month(state: str, month: str) -> bool:
                return month in months and scope in {NATION, state}

            pieces = _pieces_by_month(table, sorted(loaded.states), rows_of, loaded.months)
            _replace_pieces(transaction, table, pieces, replaces_month)
            for once, rows in (by_release or {}).items():
                _replace_once(transaction, once, rows, loaded)
            connection.register("loaded_release", _record(record))
            upsert(connection, transaction, DIM_BENCHMARK, "loaded_release", keep="new")
        finally:
            connection.close()
        transaction.commit()
    return loaded


def _noted(loaded: LoadedBenchmark) -> LoadedBenchmark:
    """Return the release with clean names of its files, and with the cells that were not stored as published."""
    files = tuple(clean_name(name, MAX_FILE_NAME) for name in loaded.files)
    return replace(loaded, files=files, notes=(*loaded.notes, *note_altered_cells()))


def encode_texts(values: Sequence[str], times: int = 0) -> pa.DictionaryArray:
    """Return texts dictionary-encoded, as the store's writer takes them fastest; with `times`, one value repeated."""
    if times:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(times, np.int32)), pa.array(values, pa.string()))
    return pa.array(values, pa.string()).dictionary_encode()


def encode_text_columns(rows: pl.DataFrame, table: Table, names: Sequence[str] | None = None) -> pa.Table:
    """Return rows with texts dictionary-encoded; `names` are the table's columns that are wanted (default: all)."""
    names = names or table.names
    _refuse_long_texts(rows, table)
    plain = rows.select(names).to_arrow().cast(pa.schema([table.arrow.field(name) for name in names]))
    texts = _text_columns(table)
    return pa.table({name: plain[name].dictionary_encode() if name in texts else plain[name] for name in names})


def _refuse_long_texts(rows: pl.DataFrame, table: Table) -> None:
    """Raise ReferenceFileError if a text is longer than its column allows: no agency's file has such a text."""
    for column in table.columns:
        if column.max_length is None or column.name not in rows.columns:
            continue
        # Polars gives a column without any value a type of its own.
        longest = rows[column.name].cast(pl.String).str.len_chars().max()
        if isinstance(longest, int) and longest > column.max_length:
            raise ReferenceFileError(
                f"{table.name}: a {column.name} has {longest:,} characters; expected at most {column.max_length:,}, as "
                "in the agency's own file; download it again"
            )


def _stored_releases(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, kind: str, state: str
) -> set[str]:
    paths = transaction.paths(DIM_BENCHMARK.name)
    if not paths:
        return set()
    rows = connection.execute(
        f"SELECT release FROM {parquet_rows(paths)} WHERE kind = ? AND state = ?", [kind, state]
    ).fetchall()
    return {release for (release,) in rows}


def _replace_pieces(
    transaction: Transaction, table: Table, new: Iterator[ReleasePiece], is_replaced: Callable[[str, str], bool]
) -> None:
    """Write the table with the new pieces in their places, without the old pieces whose keys are replaced.

    A year of the physician schedule is ten million rows. Old and new pieces are sorted already, so they are merged
    piece by piece: nothing is sorted again, and memory holds a piece of each at a time.
    """
    old = (piece for piece in _stored_pieces(transaction.paths(table.name), table) if not is_replaced(*piece[0]))
    path = transaction.new_file(table.name)
    merged = heapq.merge(old, new, key=lambda piece: piece[0])
    transaction.put(table.name, path, write_table(path, table, (rows.select(table.names) for _, rows in merged)))


def _replace_once(transaction: Transaction, table: Table, rows: Iterator[pa.Table], loaded: LoadedBenchmark) -> None:
    """Put a release's sorted rows into a table that keeps it once, in place of what the table has of the release."""
    # The second column of the table's order is the kind of benchmark, or the state.
    of_kind = table.order[1] == "kind"
    owner = loaded.kind if of_kind else None if loaded.state == NATION else loaded.state
    key = (loaded.release,) if owner is None else (loaded.release, owner)

    def is_replaced(release: str, other: str) -> bool:
        return release == loaded.release and owner in {None, other}

    _replace_pieces(transaction, table, ((key, block) for block in rows), is_replaced)


def _stored_pieces(paths: list[str], table: Table) -> Iterator[ReleasePiece]:
    """Yield a table's rows, cut where its first sort columns change: state and month, or release and state.

    The columns are read as dictionaries, so a change of value is a change of a small integer and is found by numpy
    without looking at a text. A piece that continues in the next row group comes in two parts with one key, which the
    merge leaves next to each other.
    """
    keys = table.order[:2]
    for path in paths:
        with pq.ParquetFile(path, read_dictionary=_text_columns(table)) as file:
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number).unify_dictionaries().combine_chunks()
                columns = [rows[key].chunk(0) for key in keys] if len(rows) else []
                indices = [column.indices.to_numpy() for column in columns]
                changed = np.any([np.diff(index) != 0 for index in indices], axis=0) if indices else np.array([])
                cuts = [0, *(np.flatnonzero(changed) + 1).tolist(), len(rows)]
                for first, end in itertools.pairwise(cuts):
                    if end > first:
                        yield tuple(column[first].as_py() for column in columns), rows.slice(first, end - first)


def _pieces_by_month(
    table: Table, states: Sequence[str], rows_of: Callable[[str], pl.DataFrame], months: Sequence[str]
) -> Iterator[ReleasePiece]:
    names = [name for name in table.names if name != "year_month"]
    for state in states:
        rows = encode_text_columns(rows_of(state).sort(table.order[2:]), table, names)
        for month in months:
            yield (state, month), rows.append_column("year_month", encode_texts([month], len(rows)))


def _text_columns(table: Table) -> list[str]:
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
            "parts": [list(loaded.parts)],
            "loaded_at": [datetime.now(UTC)],
        }
    )
