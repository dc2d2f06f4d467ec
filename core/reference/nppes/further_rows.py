"""Read NPPES's files of other names and of practice locations, and keep the newest rows of each NPI."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.parquet as pq

from core.fields.places.states import STATES
from core.reference.nppes.nppes_csv import (
    LOCATIONS,
    OTHER_NAMES,
    NppesFile,
    RegisterCounts,
    keep_wanted,
    number,
    other_name_kind,
    postal_code,
    read_columns,
    text,
)
from core.runtime.files import delete_file
from core.runtime.progress import Progress
from core.store.changes.upsert import write_query
from core.store.generations.store import Transaction
from core.store.schema.tables import NPI_LOCATION, NPI_OTHER_NAME, Table
from core.store.sql import parquet_rows, stored_rows

_STATE_CODES = {name.upper(): code for code, name in STATES.items()}
_SECOND = "Provider Secondary Practice Location Address"


@dataclass(frozen=True)
class FurtherTable:
    """A kind of file and the table that its rows go into."""

    kind: str
    table: Table
    columns: dict[str, str]
    """The columns that are read: their names here, and their titles in the file."""
    normalize: Callable[[], list[pl.Expr]]
    """The columns of the table, except the NPI, the position, and as_of."""
    required: str
    """The column of the table without which a row says nothing."""

    def read(
        self,
        file: NppesFile,
        in_use: npt.NDArray[np.int64] | None,
        counts: RegisterCounts,
        progress: Progress | None = None,
    ) -> Iterator[pl.DataFrame]:
        """Yield the rows of the NPIs `in_use` (sorted; None: all), in the file's order. Update `counts`.

        Raise ReferenceFileError if the file lacks a column or ends within a row.
        """
        for frame in read_columns(file, self.columns, {}, self._max_length, counts, progress):
            rows = keep_wanted(frame, in_use, counts).select("npi", *self.normalize())
            named = rows.filter(pl.col(self.required).is_not_null())
            if len(named) < len(rows):
                counts.kept -= len(rows) - len(named)
                counts.rejected["blank"] += len(rows) - len(named)
            yield named

    def _max_length(self, name: str) -> int:
        lengths = {column.name: column.max_length for column in self.table.columns}
        return lengths.get(name) or 100


FURTHER_TABLES = (
    FurtherTable(
        OTHER_NAMES,
        NPI_OTHER_NAME,
        {
            "npi": "NPI",
            "other_name": "Provider Other Organization Name",
            "type": "Provider Other Organization Name Type Code",
        },
        lambda: [text("other_name"), other_name_kind(number("type")).alias("other_name_kind")],
        required="other_name",
    ),
    FurtherTable(
        LOCATIONS,
        NPI_LOCATION,
        {
            "npi": "NPI",
            "address": f"{_SECOND} - Address Line 1",
            "address_2": f"{_SECOND} - Address Line 2",
            "city": f"{_SECOND} - City Name",
            "state": f"{_SECOND} - State Name",
            "postal_code": f"{_SECOND} - Postal Code",
            "country": f"{_SECOND} - Country Code (If outside U.S.)",
            "phone": f"{_SECOND} - Telephone Number",
        },
        lambda: [
            text("address"),
            text("address_2"),
            text("city"),
            text("state").str.to_uppercase().replace(_STATE_CODES),
            postal_code(number("postal_code"), text("country")).alias("postal_code"),
            number("phone").alias("phone"),
        ],
        required="address",
    ),
)


def put_further_rows(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    further: FurtherTable,
    frames: Iterable[tuple[NppesFile, pl.DataFrame]],
) -> None:
    """Put rows into their table, in place of what it has of the same NPIs from older files.

    An NPI keeps the rows of the newest file that lists it, by the last day that the file covers. Of files of the same
    day, or without one, the last wins. Rows that a file repeats are kept once.
    """
    table, path = further.table, transaction.work / f"{further.table.name}-new.parquet"
    names = [name for name in table.names if name != "position"]
    writer: pq.ParquetWriter | None = None
    files: list[NppesFile] = []
    line = 0
    try:
        for file, rows in frames:
            if file not in files:
                files.append(file)
            found = rows.with_columns(
                as_of=pl.lit(file.as_of, pl.Date), file=pl.lit(len(files), pl.Int64), line=line + pl.int_range(pl.len())
            ).to_arrow()
            line += len(rows)
            writer = writer or pq.ParquetWriter(path, found.schema, compression="zstd")
            writer.write_table(found)
    finally:
        if writer:
            writer.close()
    if not writer:
        return
    content = ", ".join(name for name in names if name not in {"npi", "as_of"})
    query = f"""
        WITH every AS (
            SELECT {", ".join(names)}, file, line FROM {parquet_rows([str(path)])}
            UNION ALL SELECT {", ".join(names)}, 0, position FROM {stored_rows(transaction, table)}),
        newest AS (
            SELECT npi, arg_max(file, (coalesce(as_of, DATE '0001-01-01'), file)) AS file FROM every GROUP BY npi),
        once AS (
            SELECT npi, {content}, any_value(as_of) AS as_of, min(line) AS line
            FROM every SEMI JOIN newest USING (npi, file) GROUP BY npi, {content})
        SELECT npi, row_number() OVER (PARTITION BY npi ORDER BY line) AS position, {content}, as_of
        FROM once ORDER BY npi, position"""
    new = transaction.new_file(table.name)
    transaction.put(table.name, new, write_query(connection, new, table, query))
    delete_file(path)
