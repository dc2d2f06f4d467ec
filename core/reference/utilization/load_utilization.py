"""Load what clinicians billed to Medicare into the store, and derive what specialties bill from it.

Memory does not grow with the files: rows go to disk as they are read, and come back one range of codes at a time.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from core.fields.providers.provider_type import specialty_of_type
from core.reference.nppes.load_register import ReadProgress
from core.reference.profiles.group_specialties import put_all_group_specialties
from core.reference.utilization.code_ranges import CodeRange, split_codes
from core.reference.utilization.newest_rows import newest_by, use_of_codes, use_of_specialties
from core.reference.utilization.utilization_csv import (
    BY_GEOGRAPHY,
    UtilizationCounts,
    UtilizationFile,
    find_utilization_files,
    read_rows,
)
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.read_arrow import read_arrow
from core.store.schema.columns import Table
from core.store.schema.tables import (
    CODE_USE,
    SPECIALTY_SIZE,
    SPECIALTY_USE,
    UTILIZATION,
    UTILIZATION_AREA,
    UTILIZATION_FILE,
    UTILIZATION_PROVIDER,
)
from core.store.sql import parquet_rows, stored_rows
from core.store.writer_connection import connect_for_writing

RANGE_ROWS = 400_000
"""Rows of a range of codes that are in memory at once, unless one code has more."""


@dataclass(frozen=True)
class ReadUtilization:
    """What became of one file's rows."""

    file: UtilizationFile
    counts: UtilizationCounts
    codes: int


@dataclass(frozen=True)
class LoadedUtilization:
    """What was read, and what the store now knows.

    Of the rows kept by provider: kept = added + replaced.
    """

    files: tuple[ReadUtilization, ...]
    added: int
    """Rows by provider that are now in the store."""
    replaced: int
    """Rows by provider of which a newer year, or a later issue of the same year, is in the store instead."""
    rows: int
    """Rows of utilization."""
    clinicians: int
    """Clinicians and organizations."""
    codes: int
    """Codes of which anything is known."""
    without_specialty: int
    """Clinicians and organizations whose provider type is not a known specialty."""
    first_year: int | None
    last_year: int | None


@dataclass
class _Spooled:
    """What reading the files has left: rows on disk, and the clinicians in memory."""

    path: Path
    files: list[ReadUtilization] = field(default_factory=list)
    rows: int = 0
    clinicians: list[pl.DataFrame] = field(default_factory=list)
    areas: list[pl.DataFrame] = field(default_factory=list)


def load_utilization(
    store: Store,
    paths: list[Path],
    year: int | None = None,
    *,
    reading: ReadProgress = lambda _name: nullcontext(_ignore_progress),
    range_rows: int = RANGE_ROWS,
) -> LoadedUtilization:
    """Load CMS's files by provider and service and by geography and service, recognized by content, in any order.

    Of an NPI and code, the rows of the newest year stay, and of two issues of one year the one that was loaded last;
    likewise of a code and state by geography. `year` is that of files whose names do not say it. Raise
    ReferenceFileError or StoreError if that fails; the store is then unchanged.
    """
    files = [file for path in paths for file in find_utilization_files(path, year)]
    with store.write() as transaction:
        spooled = _spool(transaction, files, reading)
        connection = connect_for_writing(transaction.work, "256MB")
        try:
            clinicians = _put_clinicians(transaction, spooled)
            areas = _put_areas(transaction, spooled)
            totals = _put_use(connection, transaction, spooled, clinicians, areas, range_rows)
            _put_files(transaction, spooled)
            put_all_group_specialties(connection, transaction)
        finally:
            connection.close()
        transaction.commit()
    return LoadedUtilization(
        files=tuple(spooled.files),
        added=totals.added,
        replaced=spooled.rows - totals.added,
        rows=totals.rows,
        clinicians=len(clinicians),
        codes=totals.codes,
        without_specialty=clinicians["specialty"].null_count(),
        first_year=totals.first_year,
        last_year=totals.last_year,
    )


def _ignore_progress(_done: int, _total: int) -> None:
    """Show nothing."""


def _spool(transaction: Transaction, files: list[UtilizationFile], reading: ReadProgress) -> _Spooled:
    """Read the files. Rows by provider go to disk; each knows its file's place in the order of loading (`issue`)."""
    spooled = _Spooled(transaction.work / "utilization-new.parquet")
    writer: pq.ParquetWriter | None = None
    try:
        for issue, file in enumerate(files, start=1):
            counts, codes = UtilizationCounts(), set[str]()
            with reading(file.name) as progress:
                for rows in read_rows(file, counts, progress):
                    codes.update(rows["code"].unique())
                    marked = rows.with_columns(year=pl.lit(file.year, pl.Int64), issue=pl.lit(issue, pl.Int64))
                    if file.kind == BY_GEOGRAPHY:
                        spooled.areas.append(marked)
                        continue
                    who = ["npi", "provider_type", "entity_type", "year", "issue"]
                    spooled.clinicians.append(
                        marked.select(who)
                        .unique("npi", keep="last")
                        .with_columns(pl.col("provider_type", "entity_type").cast(pl.Categorical))
                    )
                    table = marked.drop("provider_type", "entity_type").to_arrow()
                    writer = writer or pq.ParquetWriter(spooled.path, table.schema, compression="zstd")
                    writer.write_table(table)
                    spooled.rows += len(rows)
            spooled.files.append(ReadUtilization(file, counts, len(codes)))
    finally:
        if writer:
            writer.close()
    pa.default_memory_pool().release_unused()  # what reading the csv held on to
    return spooled


def _put_clinicians(transaction: Transaction, spooled: _Spooled) -> pl.DataFrame:
    """Put utilization_provider; return npi (a whole number) and specialty of all that it has now."""
    frames = [frame.cast({"provider_type": pl.String, "entity_type": pl.String}) for frame in spooled.clinicians]
    spooled.clinicians.clear()
    for path in transaction.paths(UTILIZATION_PROVIDER.name):
        stored = pl.read_parquet(path, glob=False).drop("specialty")
        frames.append(stored.with_columns(pl.col("npi").cast(pl.Int64), issue=pl.lit(0, pl.Int64)))
    empty = pl.DataFrame(
        schema={
            "npi": pl.Int64, "provider_type": pl.String, "entity_type": pl.String, "year": pl.Int64, "issue": pl.Int64,
        }
    )  # fmt: skip
    every = pl.concat([empty, *(frame.select(empty.columns) for frame in frames)])
    del frames
    newest = every.sort("npi", "year", "issue", maintain_order=True).unique("npi", keep="last", maintain_order=True)
    types = {words: specialty_of_type(words) for words in newest["provider_type"].drop_nulls().unique()}
    newest = newest.with_columns(
        specialty=pl.col("provider_type").replace_strict(types, default=None, return_dtype=pl.String)
    )
    _put_frame(transaction, UTILIZATION_PROVIDER, newest.with_columns(pl.col("npi").cast(pl.String)))
    sizes = newest.drop_nulls("specialty").group_by("specialty").agg(clinicians=pl.len()).sort("specialty")
    _put_frame(transaction, SPECIALTY_SIZE, sizes)
    return newest.select("npi", "specialty")


def _put_areas(transaction: Transaction, spooled: _Spooled) -> pl.DataFrame:
    """Put utilization_area; return all of its rows."""
    stored = [pl.read_parquet(path, glob=False) for path in transaction.paths(UTILIZATION_AREA.name)]
    frames = [frame.with_columns(issue=pl.lit(0, pl.Int64)) for frame in stored] + spooled.areas
    names = [*UTILIZATION_AREA.names, "issue"]
    empty = pl.DataFrame(UTILIZATION_AREA.arrow.empty_table()).with_columns(issue=pl.lit(0, pl.Int64))
    every = pl.concat([empty, *(frame.select(names) for frame in frames)])
    rows = newest_by(every, ["code", "state"], ["place"]).sort(UTILIZATION_AREA.order)
    if spooled.areas:
        _put_frame(transaction, UTILIZATION_AREA, rows)
    return rows


@dataclass
class _UseTotals:
    """What the store knows after a load."""

    added: int = 0
    rows: int = 0
    codes: int = 0
    first_year: int | None = None
    last_year: int | None = None


def _put_use(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    spooled: _Spooled,
    clinicians: pl.DataFrame,
    areas: pl.DataFrame,
    range_rows: int,
) -> _UseTotals:
    """Put utilization, code_use, and specialty_use, one range of codes after another."""
    stored = stored_rows(transaction, UTILIZATION)
    names = "code, npi, place, services, beneficiaries, year"
    every = f"(SELECT {names.replace('npi', 'npi::BIGINT AS npi')}, 0 AS issue FROM {stored}"
    if spooled.rows:
        every += f" UNION ALL SELECT {names}, issue FROM {parquet_rows([str(spooled.path)])}"
    every += ")"
    counted = connection.execute(f"SELECT code, count(*) FROM {every} GROUP BY code ORDER BY code").fetchall()
    specialties = clinicians.drop_nulls("specialty").with_columns(pl.col("specialty").cast(pl.Categorical))
    sizes = clinicians.drop_nulls("specialty").group_by("specialty").agg(of=pl.len())
    totals = _UseTotals()
    by_code: list[pl.DataFrame] = []
    by_specialty: list[pl.DataFrame] = []

    def frames() -> Iterator[pa.Table]:
        for codes in split_codes(counted, range_rows):
            rows = newest_by(_rows_of(connection, every, codes), ["npi", "code"], ["place"])
            by_specialty.append(use_of_specialties(rows, specialties, sizes))
            by_code.append(use_of_codes(rows))
            totals.added += rows.filter(pl.col("issue") > 0).height
            totals.rows += len(rows)
            ordered = rows.sort("code", "npi", "place").with_columns(pl.col("npi").cast(pl.String))
            yield ordered.select(UTILIZATION.names).to_arrow().cast(UTILIZATION.arrow)

    if counted:
        path = transaction.new_file(UTILIZATION.name)
        transaction.put(UTILIZATION.name, path, write_table(path, UTILIZATION, frames()))
        _put_frame(transaction, SPECIALTY_USE, pl.concat(by_specialty).sort(SPECIALTY_USE.order))
    known = _join_areas(pl.concat(by_code) if by_code else use_of_codes(_no_rows()), areas)
    _put_frame(transaction, CODE_USE, known)
    totals.codes = len(known)
    if len(known):
        totals.first_year = int(known["first_year"].cast(pl.Int64).min() or 0)  # type: ignore[arg-type]
        totals.last_year = int(known["last_year"].cast(pl.Int64).max() or 0)  # type: ignore[arg-type]
    return totals


def _rows_of(connection: duckdb.DuckDBPyConnection, every: str, codes: CodeRange) -> pl.DataFrame:
    some = f"FROM {every} WHERE code BETWEEN $first AND $last"
    return pl.DataFrame(read_arrow(connection, some, {"first": codes.first, "last": codes.last}))


def _no_rows() -> pl.DataFrame:
    return pl.DataFrame(UTILIZATION.arrow.empty_table()).with_columns(pl.col("npi").cast(pl.Int64))


def _join_areas(by_code: pl.DataFrame, areas: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of code_use: of both files, the larger numbers, because CMS withholds small ones in each."""
    country = areas.filter(pl.col("state") == "US")
    states = areas.filter(pl.col("state") != "US").join(country.select("code").unique(), on="code", how="anti")
    # One who bills in both places is in both numbers: the larger one counts nobody twice.
    of_area = (
        pl.concat([country, states])
        .group_by("code", "place")
        .agg(pl.col("clinicians", "services").sum(), first_year=pl.col("year").min(), last_year=pl.col("year").max())
        .group_by("code")
        .agg(
            pl.col("clinicians").max(), pl.col("services").sum(), pl.col("first_year").min(), pl.col("last_year").max()
        )
    )
    return (
        pl.concat([by_code.select(CODE_USE.names), of_area.select(CODE_USE.names)])
        .group_by("code")
        .agg(
            pl.col("clinicians").max(), pl.col("services").max(), pl.col("first_year").min(), pl.col("last_year").max()
        )
        .sort("code")
    )


def _put_files(transaction: Transaction, spooled: _Spooled) -> None:
    """Put utilization_file: a file of the same name, kind and year replaces its record."""
    stored = [pl.read_parquet(path, glob=False) for path in transaction.paths(UTILIZATION_FILE.name)]
    rows = [
        {
            "kind": read.file.kind,
            "year": read.file.year,
            "name": read.file.name[: UTILIZATION_FILE.column("name").longest],
            "rows_read": read.counts.rows_read,
            "rows_kept": read.counts.kept,
            "codes": read.codes,
            "loaded_at": datetime.now(UTC),
        }
        for read in spooled.files
    ]
    new = pl.DataFrame(rows, schema=pl.DataFrame(UTILIZATION_FILE.arrow.empty_table()).schema)
    every = pl.concat([*stored, new]).unique(UTILIZATION_FILE.key, keep="last", maintain_order=True)
    _put_frame(transaction, UTILIZATION_FILE, every.sort(UTILIZATION_FILE.order))


def _put_frame(transaction: Transaction, table: Table, rows: pl.DataFrame) -> None:
    path = transaction.new_file(table.name)
    content = rows.select(table.names).to_arrow().cast(table.arrow)
    transaction.put(table.name, path, write_table(path, table, [content]))
