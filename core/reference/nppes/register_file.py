"""The NPPES register of providers, from the file as CMS disseminates it: a csv of 330 columns and 10 GB, or its zip.

The file is streamed: of each row only the columns that say who a provider is are kept. Copies that a spreadsheet has
been through (numbers as 1.0 and 688482168.0, postal codes without their leading zeros) are read as well.

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

from core.fields.npi import NPI_PATTERN
from core.fields.states import STATES
from core.runtime.errors import ReferenceFileError
from core.runtime.progress import Progress

MAX_TAXONOMIES = 15
"""How many taxonomies a row has room for."""

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
"""Our word for each column that is read, and NPPES's."""

_BLOCK = 1 << 20
_ROWS = 16_384
"""Bytes parsed, and rows normalised, at a time. Larger blocks are no faster and take more memory."""

_BLANK: dict[str, None] = {"": None, "<UNAVAIL>": None}
_STATE_CODES = {name.upper(): code for code, name in STATES.items()}


@dataclass
class RegisterCounts:
    """What became of the rows: rows_read = kept + not_at_hand + rejected."""

    rows_read: int = 0
    kept: int = 0
    not_at_hand: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """Rows left out, by reason: columns (not as many as the header), invalid_npi."""
    notes: Counter[str] = field(default_factory=Counter)
    """Oddities of rows that were kept: unreadable_date, no_primary_taxonomy."""


def is_nppes(path: Path) -> bool:
    """Whether a file is NPPES's csv, or a zip file that has it. Raises ReferenceFileError where it cannot be read."""
    with _plain_errors(path, path.name), path.open("rb") as file:
        if file.read(2) == b"PK":
            return _member(path) is not None
        file.seek(0)
        return _is_header(file.read(1 << 16))


def read_register(
    path: Path, at_hand: npt.NDArray[np.int64] | None, counts: RegisterCounts, progress: Progress | None = None
) -> Iterator[pl.DataFrame]:
    """The register's rows in the file's order, with the columns of the table nppes, some 16,000 at a time.

    `at_hand` are the NPIs that are wanted, sorted (None: all); `counts` is added to as rows are read. Raises
    ReferenceFileError for a file that is not the register's or ends within a row.
    """
    size = path.stat().st_size
    member = _member(path)
    name = f"{path.name}: {member}" if member else path.name
    with _plain_errors(path, name), path.open("rb") as file:
        with _opened(file, member) as stream:
            titles = _titles(stream.readline())
        wanted = {ours: titles.get(theirs.casefold()) for ours, theirs in _COLUMNS.items()}
        missing = [_COLUMNS[ours] for ours, title in wanted.items() if title is None]
        if missing:
            raise ReferenceFileError(f"{name}: not the NPPES file as CMS publishes it: it has no column {missing[0]!r}")
        file.seek(0)
        with _opened(file, member) as stream:
            for table in _tables(stream, [str(title) for title in wanted.values()], counts):
                if progress:
                    progress(min(file.tell(), size), size)
                found = _normalised(_frame(table.rename_columns(list(wanted))), at_hand, counts)
                if len(found):
                    yield found
        if member is None and counts.rejected["columns"] and not _ends_whole(file):
            raise ReferenceFileError(f"{name}: the file ends within a row: it was cut short; get it again")


# --- the file -------------------------------------------------------------------------------------------------


def _is_header(head: bytes) -> bool:
    titles = _titles(head.split(b"\n", 1)[0])
    return {"npi", "entity type code"} <= set(titles)


def _titles(line: bytes) -> dict[str, str]:
    """The header's titles as written, by their casefolded text. No title has a comma or a quote of its own."""
    text = line.decode("utf-8-sig", "replace").strip()
    titles = [title.strip('"') for title in text.split(",")]
    return {title.strip().casefold(): title for title in titles}


def _member(path: Path) -> str | None:
    """The name of the register's csv in a zip file: the largest with its header (a smaller one has just the header)."""
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
def _opened(file: IO[bytes], member: str | None) -> Iterator[IO[bytes]]:
    if member is None:
        yield file
        return
    with zipfile.ZipFile(file) as archive, archive.open(member) as stream:
        yield io.BufferedReader(stream, _BLOCK)  # type: ignore[type-var]


def _ends_whole(file: IO[bytes]) -> bool:
    file.seek(-1, io.SEEK_END)
    return file.read(1) == b"\n"


@contextmanager
def _plain_errors(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ReferenceFileError(f"{name}: the zip file is damaged or cut short ({error}); get it again") from None
    except pa.ArrowInvalid as error:
        raise ReferenceFileError(f"{name}: cannot be read as csv: {error}; get it again") from None
    except OSError as error:
        raise ReferenceFileError(f"{path}: cannot be read: {error.strerror or error}") from None


def _tables(stream: IO[bytes], titles: list[str], counts: RegisterCounts) -> Iterator[pa.Table]:
    """The wanted columns as bytes, some 16,000 rows at a time; rows of another width are counted and left out."""

    def left_out(_row: Any) -> str:
        counts.rows_read += 1
        counts.rejected["columns"] += 1
        return "skip"

    reader = arrow_csv.open_csv(
        stream,
        read_options=arrow_csv.ReadOptions(block_size=_BLOCK),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=left_out),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=titles, column_types=dict.fromkeys(titles, pa.binary()), strings_can_be_null=False
        ),
    )
    held: list[pa.RecordBatch] = []
    for batch in reader:
        held.append(batch)
        if sum(map(len, held)) >= _ROWS:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _frame(table: pa.Table) -> pl.DataFrame:
    """The columns as text. What is not UTF-8 is taken for Windows' Latin-1."""
    columns = []
    for column in table.columns:
        try:
            columns.append(column.cast(pa.string()))
        except pa.ArrowInvalid:
            columns.append(pa.array([_decoded(value) for value in column.to_pylist()], pa.string()))
    return pl.DataFrame(pa.table(columns, names=table.column_names))


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


# --- the rows -------------------------------------------------------------------------------------------------


def _normalised(frame: pl.DataFrame, at_hand: npt.NDArray[np.int64] | None, counts: RegisterCounts) -> pl.DataFrame:
    counts.rows_read += len(frame)
    frame = frame.with_columns(npi=_number("npi"))
    valid = frame.filter(pl.col("npi").str.contains(f"^{NPI_PATTERN}$"))
    if len(valid) < len(frame):
        counts.rejected["invalid_npi"] += len(frame) - len(valid)
    if at_hand is not None:
        numbers = valid["npi"].cast(pl.Int64).to_numpy()
        places = np.searchsorted(at_hand, numbers)
        wanted = (
            at_hand[np.minimum(places, len(at_hand) - 1)] == numbers if len(at_hand) else np.zeros(len(valid), bool)
        )
        counts.not_at_hand += int(len(valid) - wanted.sum())
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
    """A number's digits; a spreadsheet's `.0` goes."""
    return _text(column).str.replace(r"^([0-9]+)\.0+$", "$1")


def _name() -> pl.Expr:
    """An organization's legal name; a person's first and last name."""
    person = pl.concat_str(_text("first"), _text("last"), separator=" ", ignore_nulls=True).replace(_BLANK)
    return pl.when(_number("entity") == "1").then(person).otherwise(pl.coalesce(_text("organization"), person))


def _taxonomy() -> pl.Expr:
    """The taxonomy flagged as primary; where none is flagged, the one that is listed, if it is the only one."""
    codes = [_text(f"taxonomy_{n}").str.to_uppercase() for n in range(1, MAX_TAXONOMIES + 1)]
    flagged = [pl.when(_text(f"primary_{n}").str.to_uppercase() == "Y").then(code) for n, code in enumerate(codes, 1)]
    alone = pl.all_horizontal([code.is_null() | (code == codes[0]) for code in codes[1:]])
    return pl.coalesce([*flagged, pl.when(alone).then(codes[0])])


def _postal_code() -> pl.Expr:
    """Five or nine digits, lost leading zeros put back; what is not American stays as it is."""
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


def _deactivated_on() -> pl.Expr:
    """When the NPI was deactivated; null where it was reactivated since."""
    day, again = _day("deactivated"), _day("reactivated")
    return pl.when(again.is_null() | (again < day)).then(day)
