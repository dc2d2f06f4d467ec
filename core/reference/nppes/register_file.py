"""Read the NPPES register of providers as CMS publishes it: a csv of 330 columns and 10 GB, or the zip file of it.

The file is streamed, and only the columns that identify a provider are kept. Copies that were saved by a spreadsheet
(numbers as 1.0 and 688482168.0, postal codes without their leading zeros) are read as well.

Source: NPPES Data Dissemination, CMS, "Read Me" and "Code Values" (the file's own documentation).
"""

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from core.fields.clean_text import ELLIPSIS, FORBIDDEN, INVISIBLE, LINE_BREAKS
from core.fields.npi import NPI_PATTERN
from core.fields.states import STATES
from core.runtime.errors import CUT_SHORT, ReferenceFileError, zip_problem
from core.runtime.progress import Progress
from core.store.schema.tables import NPPES

MAX_TAXONOMIES = 15
"""How many taxonomy codes the file has columns for."""

_COLUMNS = {
    "npi": "NPI",
    "entity": "Entity Type Code",
    "organization": "Provider Organization Name (Legal Business Name)",
    "last": "Provider Last Name (Legal Name)",
    "first": "Provider First Name",
    "credential": "Provider Credential Text",
    "address": "Provider First Line Business Practice Location Address",
    "city": "Provider Business Practice Location Address City Name",
    "state": "Provider Business Practice Location Address State Name",
    "postal_code": "Provider Business Practice Location Address Postal Code",
    "country": "Provider Business Practice Location Address Country Code (If outside U.S.)",
    "deactivated": "NPI Deactivation Date",
    "reactivated": "NPI Reactivation Date",
    **{f"taxonomy_{n}": f"Healthcare Provider Taxonomy Code_{n}" for n in range(1, MAX_TAXONOMIES + 1)},
    **{f"primary_{n}": f"Healthcare Provider Primary Taxonomy Switch_{n}" for n in range(1, MAX_TAXONOMIES + 1)},
}
"""The columns that are read: their names here, and their titles in the file."""

_UPDATED = "Last Update Date"
"""A column that copies of the file may lack. It tells which of two rows of an NPI is newer."""

_BLOCK_BYTES = 1 << 20
_ROWS_PER_FRAME = 16_384
"""Bytes parsed, and rows normalized, at a time. Larger blocks are not faster and take more memory."""

_BLANK: dict[str, None] = {"": None, "<UNAVAIL>": None}
"""What NPPES writes where a value is missing, or not published."""

_LENGTHS = {column.name: column.longest for column in NPPES.columns if column.max_length is not None}

_STATE_CODES = {name.upper(): code for code, name in STATES.items()}


@dataclass
class RegisterCounts:
    """What became of the rows: rows_read = kept + not_in_use + the sum of rejected."""

    rows_read: int = 0
    kept: int = 0
    not_in_use: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """Rows left out, by reason: columns (more or fewer than the header has), invalid_npi."""
    notes: Counter[str] = field(default_factory=Counter)
    """Rows that were kept with a value left blank (unreadable_date, no_primary_taxonomy), and rows read with a text
    that was altered: control_characters were removed, or it was shortened."""


def is_nppes(path: Path) -> bool:
    """Return whether a file is NPPES's csv or a zip file of it. Raise ReferenceFileError if it cannot be read."""
    with _plain_errors(path, path.name), path.open("rb") as file:
        if file.read(2) == b"PK":
            return _member(path) is not None
        file.seek(0)
        return _is_header(file.read(1 << 16))


def read_register(
    path: Path, in_use: npt.NDArray[np.int64] | None, counts: RegisterCounts, progress: Progress | None = None
) -> Iterator[pl.DataFrame]:
    """Yield the register's rows in the file's order, some 16,000 at a time.

    They have the columns of the table nppes, and `updated_on`, the day on which NPPES wrote the row.

    `in_use` are the NPIs that are wanted, sorted (None: all). `counts` is updated as rows are read. Raise
    ReferenceFileError if the file is not the register or ends within a row.
    """
    size = path.stat().st_size
    member = _member(path)
    name = f"{path.name}: {member}" if member else path.name
    with _plain_errors(path, name), path.open("rb") as file:
        with _open_csv(file, member) as stream:
            titles = _titles_by_key(stream.readline())
        wanted = {name: titles.get(title.casefold()) for name, title in _COLUMNS.items()}
        missing = [_COLUMNS[name] for name, title in wanted.items() if title is None]
        if missing:
            raise ReferenceFileError(f"{name}: not the NPPES file as CMS publishes it: it has no column {missing[0]!r}")
        if updated := titles.get(_UPDATED.casefold()):
            wanted["updated"] = updated
        file.seek(0)
        with _open_csv(file, member) as stream:
            for table in _read_tables(stream, [str(title) for title in wanted.values()], counts):
                if progress:
                    progress(min(file.tell(), size), size)
                rows = _fit_texts(_decode_texts(table.rename_columns(list(wanted))), counts)
                if not updated:
                    rows = rows.with_columns(updated=pl.lit(None, pl.String))
                found = _normalize(rows, in_use, counts)
                if len(found):
                    yield found
        if member is None and counts.rejected["columns"] and not _ends_with_line_break(file):
            raise ReferenceFileError(f"{name}: the file ends within a row; {CUT_SHORT}")


# --- the file -------------------------------------------------------------------------------------------------


def _is_header(head: bytes) -> bool:
    return {"npi", "entity type code"} <= set(_titles_by_key(head.split(b"\n", 1)[0]))


def _titles_by_key(line: bytes) -> dict[str, str]:
    """Return the header's titles as written, by their case-folded text. No title contains a comma or a quote."""
    text = line.decode("utf-8-sig", "replace").strip()
    titles = [title.strip('"') for title in text.split(",")]
    return {title.strip().casefold(): title for title in titles}


def _member(path: Path) -> str | None:
    """Return the name of the register's csv in a zip file, or None if the file is not a zip file or has none.

    It is the largest csv with the header: CMS packs another that has only the header.
    """
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return None
    with zipfile.ZipFile(path) as archive:
        for info in sorted(archive.infolist(), key=lambda info: -info.file_size):
            if info.filename.lower().endswith(".csv") and not info.filename.startswith("__MACOSX/"):
                with archive.open(info) as stream:
                    if _is_header(stream.read(1 << 16)):
                        return info.filename
    return None


@contextmanager
def _open_csv(file: IO[bytes], member: str | None) -> Iterator[IO[bytes]]:
    if member is None:
        yield file
        return
    with zipfile.ZipFile(file) as archive, archive.open(member) as stream:
        yield io.BufferedReader(stream, _BLOCK_BYTES)  # type: ignore[type-var]


def _ends_with_line_break(file: IO[bytes]) -> bool:
    file.seek(-1, io.SEEK_END)
    return file.read(1) == b"\n"


@contextmanager
def _plain_errors(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ReferenceFileError(zip_problem(name, error)) from None
    except pa.ArrowInvalid as error:
        raise ReferenceFileError(f"{name}: cannot be read as csv: {error}; download it again") from None
    except OSError as error:
        raise ReferenceFileError(f"{path}: cannot be read: {error.strerror or error}") from None


def _read_tables(stream: IO[bytes], titles: list[str], counts: RegisterCounts) -> Iterator[pa.Table]:
    """Yield the wanted columns as bytes, some 16,000 rows at a time; count and skip rows of another width."""

    def skip_row(_row: Any) -> str:
        counts.rows_read += 1
        counts.rejected["columns"] += 1
        return "skip"

    reader = arrow_csv.open_csv(
        stream,
        read_options=arrow_csv.ReadOptions(block_size=_BLOCK_BYTES),
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


def _fit_texts(frame: pl.DataFrame, counts: RegisterCounts) -> pl.DataFrame:
    """Return the texts without control characters and shortened to their columns' lengths; count the rows altered.

    Nearly every block has only printable ASCII, which is seen from its bytes at once; only other columns are searched.
    """
    odd = [name for name in frame.columns if not _is_plain(frame[name], _max_length(name))]
    for note, is_odd, fitted in (
        ("control_characters", _has_forbidden, _without_forbidden), ("shortened", _is_too_long, _shortened),
    ):  # fmt: skip
        rows = (
            frame.select(pl.any_horizontal([is_odd(name) for name in odd] or [pl.lit(value=False)])).to_series().sum()
        )
        if rows:
            counts.notes[note] += int(rows)
            frame = frame.with_columns([fitted(name) for name in odd])
    return frame


def _is_plain(texts: pl.Series, max_length: int) -> bool:
    """Return whether a column has only printable ASCII, in texts that are not too long."""
    array = texts.to_arrow().cast(pa.large_string())
    offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
    data = array.buffers()[2]
    characters = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]] if data and len(offsets) else np.zeros(0)
    longest = int(np.diff(offsets).max(initial=0))
    return longest <= max_length and bool(((characters >= 0x20) & (characters < 0x7F)).all())


def _has_forbidden(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars().str.contains(FORBIDDEN.pattern).fill_null(value=False)


def _without_forbidden(name: str) -> pl.Expr:
    return pl.col(name).str.replace_all(INVISIBLE, "").str.replace_all(f"[{LINE_BREAKS}]+", " ")


def _is_too_long(name: str) -> pl.Expr:
    return (pl.col(name).str.strip_chars().str.len_chars() > _max_length(name)).fill_null(value=False)


def _shortened(name: str) -> pl.Expr:
    text, longest = pl.col(name).str.strip_chars(), _max_length(name)
    cut = pl.concat_str(text.str.head(longest - 1), pl.lit(ELLIPSIS))
    return pl.when(text.str.len_chars() > longest).then(cut).otherwise(pl.col(name)).alias(name)


def _max_length(name: str) -> int:
    """Return the characters that a text may have. First and last name are joined, so that each has half of the name."""
    if name in {"first", "last"}:
        return NPPES.column("name").longest // 2 - 1
    column = "taxonomy_code" if name.startswith("taxonomy_") else name
    return _LENGTHS.get(column, NPPES.column("name").longest)


# --- the rows -------------------------------------------------------------------------------------------------


def _normalize(frame: pl.DataFrame, in_use: npt.NDArray[np.int64] | None, counts: RegisterCounts) -> pl.DataFrame:
    counts.rows_read += len(frame)
    frame = frame.with_columns(npi=_number("npi"))
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
    found = valid.select(
        "npi",
        _number("entity").replace_strict({"1": "individual", "2": "organization"}, default=None).alias("entity_type"),
        _name().alias("name"),
        _text("credential"),
        _taxonomy().alias("taxonomy_code"),
        _text("address"),
        _text("city"),
        _text("state").str.to_uppercase().replace(_STATE_CODES),
        _postal_code().alias("postal_code"),
        _deactivated_on().alias("deactivated_on"),
        _updated_on().alias("updated_on"),
        unreadable=_unreadable("deactivated") | _unreadable("reactivated"),
        listed=_text("taxonomy_1").is_not_null(),
    )
    for note, count in (
        ("unreadable_date", found["unreadable"].sum()),
        ("no_primary_taxonomy", found.filter(pl.col("listed") & pl.col("taxonomy_code").is_null()).height),
    ):
        if count:
            counts.notes[note] += int(count)
    return found.drop("unreadable", "listed")


def _text(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().replace(_BLANK)


def _number(column: str) -> pl.Expr:
    """Return a number's digits, without the `.0` that a spreadsheet added."""
    return _text(column).str.replace(r"^([0-9]+)\.0+$", "$1")


def _name() -> pl.Expr:
    """Return an organization's legal name, or a person's first and last name."""
    person = pl.concat_str(_text("first"), _text("last"), separator=" ", ignore_nulls=True).replace(_BLANK)
    return pl.when(_number("entity") == "1").then(person).otherwise(pl.coalesce(_text("organization"), person))


def _taxonomy() -> pl.Expr:
    """Return the taxonomy flagged as primary; if none is flagged, the one that is listed, if there is only one."""
    codes = [_text(f"taxonomy_{n}").str.to_uppercase() for n in range(1, MAX_TAXONOMIES + 1)]
    flagged = [pl.when(_text(f"primary_{n}").str.to_uppercase() == "Y").then(code) for n, code in enumerate(codes, 1)]
    alone = pl.all_horizontal([code.is_null() | (code == codes[0]) for code in codes[1:]])
    return pl.coalesce([*flagged, pl.when(alone).then(codes[0])])


def _postal_code() -> pl.Expr:
    """Return five or nine digits, with lost leading zeros restored; a foreign postal code is unchanged."""
    code = _number("postal_code")
    american = _text("country").is_null() | (_text("country").str.to_uppercase() == "US")
    padded = pl.when(code.str.len_chars() > 5).then(code.str.zfill(9)).otherwise(code.str.zfill(5))
    return pl.when(american & code.str.contains(r"^[0-9]{1,9}$")).then(padded).otherwise(code)


def _day(column: str) -> pl.Expr:
    text = _text(column)
    american = text.str.to_date("%m/%d/%Y", strict=False)
    return pl.coalesce(american, text.str.to_date("%Y-%m-%d", strict=False))


def _unreadable(column: str) -> pl.Expr:
    return _text(column).is_not_null() & _day(column).is_null()


def _updated_on() -> pl.Expr:
    """Return when the row was written: NPPES blanks the date, as all else, in the row of a deactivated NPI."""
    return pl.max_horizontal(_day("updated"), _day("deactivated"), _day("reactivated"))


def _deactivated_on() -> pl.Expr:
    """Return when the NPI was deactivated, or null if it has been reactivated since."""
    day, again = _day("deactivated"), _day("reactivated")
    return pl.when(again.is_null() | (again < day)).then(day)
