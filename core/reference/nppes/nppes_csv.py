"""Read the csv files of NPPES as CMS publishes them, alone or in a zip file, recognized by their headers.

A file is streamed, and only the columns that are wanted are kept. Copies that were saved by a spreadsheet (numbers as
1.0 and 688482168.0, postal codes without their leading zeros) are read as well.

Source: NPPES Data Dissemination, CMS, "Read Me" and "Code Values" (the file's own documentation).
"""

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from core.fields.providers.npi import NPI_PATTERN
from core.fields.texts.clean_text import ELLIPSIS, FORBIDDEN, INVISIBLE, LINE_BREAKS
from core.reference.streamed_csv import BLOCK_BYTES, ends_with_line_break, open_csv, plain_errors
from core.runtime.errors import CUT_SHORT, ReferenceFileError
from core.runtime.progress import Progress

REGISTER, OTHER_NAMES, LOCATIONS = "register", "other names", "practice locations"
"""The kinds of file: npidata_pfile_….csv, othername_pfile_….csv, and pl_pfile_….csv."""

_HEADERS = {
    REGISTER: {"npi", "entity type code"},
    OTHER_NAMES: {"npi", "provider other organization name", "provider other organization name type code"},
    LOCATIONS: {"npi", "provider secondary practice location address - city name"},
}
"""Titles by which a kind of file is recognized. The register has those of the other names as well, so it is first."""

_ROWS_PER_FRAME = 16_384
"""Bytes parsed, and rows normalized, at a time. Larger blocks are not faster and take more memory."""

_UNAVAILABLE = "<UNAVAIL>"
"""What NPPES writes where it does not publish a value."""


@dataclass
class RegisterCounts:
    """What became of the rows: rows_read = kept + not_in_use + the sum of rejected."""

    rows_read: int = 0
    kept: int = 0
    not_in_use: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """Rows left out, by reason: columns (more or fewer than the header has), invalid_npi, blank."""
    notes: Counter[str] = field(default_factory=Counter)
    """Rows that were kept with a value left blank (unreadable_date, no_primary_taxonomy), and rows read with a text
    that was altered: control_characters were removed, or it was shortened."""


@dataclass(frozen=True)
class NppesFile:
    """One csv of NPPES: its file, its member in a zip file (None for a plain csv), and its kind."""

    path: Path
    member: str | None
    kind: str

    @property
    def name(self) -> str:
        """Return where the csv is, for people."""
        return f"{self.path.name}: {self.member}" if self.member else self.path.name

    @property
    def as_of(self) -> date | None:
        """Return the last day that the file covers: the second of npidata_pfile_20050523-20251109.csv; else None."""
        match = re.search(r"-(\d{8})(?!\d)", PurePosixPath(self.member or self.path.name).name)
        try:
            return datetime.strptime(match[1], "%Y%m%d").date() if match else None  # noqa: DTZ007 - a day has no zone
        except ValueError:
            return None


def find_nppes_files(path: Path) -> list[NppesFile]:
    """Return the csv files of NPPES that a file is or, if it is a zip file, contains: none if it has none.

    Of several members of one kind the largest is taken: CMS packs others that have only the header. Raise
    ReferenceFileError if the file cannot be read.
    """
    found: dict[str, str | None] = {}
    with plain_errors(path, path.name), path.open("rb") as file:
        if file.read(2) != b"PK":
            file.seek(0)
            kind = _kind_of(file.read(1 << 16))
            return [NppesFile(path, None, kind)] if kind else []
        with zipfile.ZipFile(path) as archive:
            for info in sorted(archive.infolist(), key=lambda info: -info.file_size):
                if info.filename.lower().endswith(".csv") and not info.filename.startswith("__MACOSX/"):
                    with archive.open(info) as stream:
                        kind = _kind_of(stream.read(1 << 16))
                    if kind:
                        found.setdefault(kind, info.filename)
    return [NppesFile(path, found[kind], kind) for kind in _HEADERS if kind in found]


def _kind_of(head: bytes) -> str | None:
    titles = set(_titles_by_key(head.split(b"\n", 1)[0]))
    return next((kind for kind, header in _HEADERS.items() if header <= titles), None)


def read_columns(
    file: NppesFile,
    wanted: Mapping[str, str],
    optional: Mapping[str, str],
    max_length: Callable[[str], int],
    counts: RegisterCounts,
    progress: Progress | None = None,
) -> Iterator[pl.DataFrame]:
    """Yield columns as text, named by the keys of `wanted` and `optional`, some 16,000 rows at a time.

    A column of `optional` that the file lacks is null. Texts have no control characters and are no longer than
    `max_length(name)`. `counts` gets the rows of another width than the header, and those with an altered text. Raise
    ReferenceFileError if a wanted column is missing or the file ends within a row.
    """
    size = file.path.stat().st_size
    with plain_errors(file.path, file.name), file.path.open("rb") as content:
        with open_csv(content, file.member) as stream:
            titles = _titles_by_key(stream.readline())
        found = {name: titles.get(_title_key(title)) for name, title in {**wanted, **optional}.items()}
        missing = [title for name, title in wanted.items() if found[name] is None]
        if missing:
            raise ReferenceFileError(
                f"{file.name}: not the NPPES file as CMS publishes it: it has no column {missing[0]!r}"
            )
        given = {name: title for name, title in found.items() if title is not None}
        absent = [pl.lit(None, pl.String).alias(name) for name in found if name not in given]
        content.seek(0)
        with open_csv(content, file.member) as stream:
            for table in _read_tables(stream, list(given.values()), counts):
                if progress:
                    progress(min(content.tell(), size), size)
                yield _fit_texts(_decode_texts(table.rename_columns(list(given))), max_length, counts).with_columns(
                    absent
                )
        if file.member is None and counts.rejected["columns"] and not ends_with_line_break(content):
            raise ReferenceFileError(f"{file.name}: the file ends within a row; {CUT_SHORT}")


# --- the file -------------------------------------------------------------------------------------------------


def _titles_by_key(line: bytes) -> dict[str, str]:
    """Return the header's titles as written, by their keys. No title contains a comma or a quote."""
    text = line.decode("utf-8-sig", "replace").strip()
    titles = [title.strip('"') for title in text.split(",")]
    return {_title_key(title): title for title in titles}


def _title_key(title: str) -> str:
    """Return a title in lower case and single-spaced: CMS writes "Address-  Address Line 2" and "Address - City"."""
    return re.sub(r"\s*-\s*", " - ", " ".join(title.split())).casefold()


def _read_tables(stream: IO[bytes], titles: list[str], counts: RegisterCounts) -> Iterator[pa.Table]:
    """Yield the wanted columns as bytes, some 16,000 rows at a time; count and skip rows of another width."""

    def skip_row(_row: Any) -> str:
        counts.rows_read += 1
        counts.rejected["columns"] += 1
        return "skip"

    reader = arrow_csv.open_csv(
        stream,
        read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip_row),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=titles, column_types=dict.fromkeys(titles, pa.binary()), strings_can_be_null=False
        ),
    )
    held: list[pa.RecordBatch] = []
    for batch in reader:
        held.append(batch)
        if sum(map(len, held)) >= _ROWS_PER_FRAME:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


# --- the texts ------------------------------------------------------------------------------------------------


def _decode_texts(table: pa.Table) -> pl.DataFrame:
    """Return the columns as text. Bytes that are not UTF-8 are read as Windows-1252, which spreadsheets save."""
    columns = []
    for column in table.columns:
        try:
            columns.append(column.cast(pa.string()))
        except pa.ArrowInvalid:
            columns.append(pa.array([_decode_text(value) for value in column.to_pylist()], pa.string()))
    return pl.DataFrame(pa.table(columns, names=table.column_names))


def _decode_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def _fit_texts(frame: pl.DataFrame, max_length: Callable[[str], int], counts: RegisterCounts) -> pl.DataFrame:
    """Return the texts without control characters and shortened to their columns' lengths; count the rows altered.

    Nearly every block has only printable ASCII, which is seen from its bytes at once; only other columns are searched.
    """
    odd = [name for name in frame.columns if not _is_plain(frame[name], max_length(name))]
    for note, is_odd, fitted in (
        ("control_characters", _has_forbidden, _without_forbidden), ("shortened", _is_too_long, _shortened),
    ):  # fmt: skip
        lengths = {name: max_length(name) for name in odd}
        rows = (
            frame.select(pl.any_horizontal([is_odd(name, n) for name, n in lengths.items()] or [pl.lit(value=False)]))
            .to_series()
            .sum()
        )
        if rows:
            counts.notes[note] += int(rows)
            frame = frame.with_columns([fitted(name, n) for name, n in lengths.items()])
    return frame


def _is_plain(texts: pl.Series, max_length: int) -> bool:
    """Return whether a column has only printable ASCII, in texts that are not too long."""
    array = texts.to_arrow().cast(pa.large_string())
    offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
    data = array.buffers()[2]
    characters = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]] if data and len(offsets) else np.zeros(0)
    longest = int(np.diff(offsets).max(initial=0))
    return longest <= max_length and bool(((characters >= 0x20) & (characters < 0x7F)).all())


def _has_forbidden(name: str, _max_length: int) -> pl.Expr:
    return pl.col(name).str.strip_chars().str.contains(FORBIDDEN.pattern).fill_null(value=False)


def _without_forbidden(name: str, _max_length: int) -> pl.Expr:
    return pl.col(name).str.replace_all(INVISIBLE, "").str.replace_all(f"[{LINE_BREAKS}]+", " ")


def _is_too_long(name: str, max_length: int) -> pl.Expr:
    return (pl.col(name).str.strip_chars().str.len_chars() > max_length).fill_null(value=False)


def _shortened(name: str, max_length: int) -> pl.Expr:
    text = pl.col(name).str.strip_chars()
    cut = pl.concat_str(text.str.head(max_length - 1), pl.lit(ELLIPSIS))
    return pl.when(text.str.len_chars() > max_length).then(cut).otherwise(pl.col(name)).alias(name)


# --- what the kinds of file have in common --------------------------------------------------------------------


def keep_wanted(frame: pl.DataFrame, in_use: npt.NDArray[np.int64] | None, counts: RegisterCounts) -> pl.DataFrame:
    """Return the rows with a valid NPI that is among `in_use` (sorted; None: all), and count what became of the others.

    The NPI is normalized to ten digits.
    """
    counts.rows_read += len(frame)
    frame = frame.with_columns(npi=number("npi"))
    valid = frame.filter(pl.col("npi").str.contains(f"^{NPI_PATTERN}$"))
    if len(valid) < len(frame):
        counts.rejected["invalid_npi"] += len(frame) - len(valid)
    if in_use is not None:
        # A binary search in the sorted array needs no hash table, which for millions of NPIs would be large.
        numbers = valid["npi"].cast(pl.Int64).to_numpy()
        found_at = np.searchsorted(in_use, numbers)
        wanted = in_use[np.minimum(found_at, len(in_use) - 1)] == numbers if len(in_use) else np.zeros(len(valid), bool)
        counts.not_in_use += int(len(valid) - wanted.sum())
        valid = valid.filter(wanted)
    counts.kept += len(valid)
    return valid


def text(column: str) -> pl.Expr:
    """Return a column's texts, trimmed; null where NPPES has none or does not publish it."""
    trimmed = pl.col(column).str.strip_chars()
    # Many times as fast as a replacement by a dictionary.
    return pl.when((trimmed != "") & (trimmed != _UNAVAILABLE)).then(trimmed).alias(column)


def number(column: str) -> pl.Expr:
    """Return a number's digits, without the `.0` that a spreadsheet added."""
    return text(column).str.replace(r"^([0-9]+)\.0+$", "$1")


def postal_code(code: pl.Expr, country: pl.Expr) -> pl.Expr:
    """Return five or nine digits, with lost leading zeros restored; a foreign postal code is unchanged."""
    american = country.is_null() | (country.str.to_uppercase() == "US")
    padded = pl.when(code.str.len_chars() > 5).then(code.str.zfill(9)).otherwise(code.str.zfill(5))
    return pl.when(american & code.str.contains(r"^[0-9]{1,9}$")).then(padded).otherwise(code)


_OTHER_NAME_KINDS = {
    "1": "former name",
    "2": "professional name",
    "3": "doing business as",
    "4": "former legal business name",
    "5": "other name",
}
"""NPPES's type codes of other names: 1 and 2 are persons', 3 and 4 organizations', 5 is either's."""


def other_name_kind(code: pl.Expr) -> pl.Expr:
    """Return what an other name is, in words, from its type code."""
    return code.replace_strict(_OTHER_NAME_KINDS, default=None, return_dtype=pl.String)
