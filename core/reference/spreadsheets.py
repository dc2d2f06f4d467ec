"""Read tables as agencies publish them: csv, txt (tabs, tildes, fixed width), Excel, or a zip file of these.

A `Sheet` is one table: its rows as text, with cells trimmed, on one line, and without control characters. Agencies'
files begin with title rows, repeat header names and end in footnotes, so a sheet does not know its header: each
benchmark finds its own.
"""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path, PurePosixPath

from python_calamine import CalamineError, CalamineWorkbook

from core.fields.texts.clean_text import clean_text, has_invisible
from core.reference.fixed_width import read_fixed_width
from core.runtime.errors import ReferenceFileError, zip_problem

Rows = list[list[str]]

_ZIP, _OLD_EXCEL = b"PK", b"\xd0\xcf\x11\xe0"
_SUFFIXES = (".csv", ".xlsx", ".xls", ".txt", ".zip")
"""The members of a zip file that are read, in this order. Agencies pack one table in several formats, and csv is exact:
Excel stores amounts as binary fractions and drops leading zeros of codes."""

MAX_UNPACKED_BYTES = 1 << 30
"""The largest unpacked table that is read. Real ones have a few megabytes; the limit refuses a zip bomb."""

_ENCODING_SAMPLE = 1 << 16
_ENCODINGS = "cp1252", "cp437"
_BYTE_IN_A_WORD = re.compile(rb"(?<=[A-Za-z])[\x80-\x90\x95\x98-\x9f\xa1-\xac\xae-\xff](?=[A-Za-z])")

HEADER_WITHIN_ROWS = 30
"""How many rows from the top a header is looked for. The longest preamble seen, of an RVU file, has nine rows."""


@dataclass(frozen=True)
class Sheet:
    """One table: its file, its member in a zip file, its sheet in a workbook (empty texts if none), and its rows."""

    path: Path
    member: str
    sheet: str
    rows: Rows

    @property
    def name(self) -> str:
        """Where the table is, for people: `file.zip: member.xlsx, sheet Name`."""
        return (
            self.path.name
            + (f": {self.member}" if self.member else "")
            + (f", sheet {self.sheet}" if self.sheet else "")
        )

    @property
    def file(self) -> str:
        """The name of the file the table is in, whether or not that is inside a zip file."""
        return PurePosixPath(self.member).name if self.member else self.path.name


_CELLS: ContextVar[Counter[str]] = ContextVar("cells")
_ALTERED = "altered"


@contextmanager
def counting_altered_cells() -> Iterator[None]:
    """Count the cells with control characters of all tables that are read within, for note_altered_cells."""
    token = _CELLS.set(Counter())
    try:
        yield
    finally:
        _CELLS.reset(token)


def note_altered_cells() -> tuple[str, ...]:
    """Return a sentence on the cells with control characters that were counted; none if there are none."""
    count = _CELLS.get(Counter())[_ALTERED]
    return (f"{count:,} cell{'s' * (count > 1)} had control characters, which were removed",) if count else ()


def read_sheets(
    path: Path, *, max_bytes: int = MAX_UNPACKED_BYTES, is_twin: Callable[[str], bool] = lambda _: False
) -> Iterator[Sheet]:
    """Yield the tables of a file, each read when it is asked for; those of a zip file by format: csv first, zip last.

    A member of a zip file for which `is_twin` returns true is not read: it is another format of one that was.
    Raise ReferenceFileError if the file cannot be read, has no table, or unpacks to more than `max_bytes`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReferenceFileError(f"{path}: cannot be read: {error.strerror or error}") from None
    found = False
    for sheet in _read_sheets(path, "", content, max_bytes, is_twin):
        found = True
        yield sheet
    if not found:
        raise ReferenceFileError(f"{path.name}: no csv, txt or Excel file in this zip file")


def _read_sheets(
    path: Path, member: str, content: bytes, max_bytes: int, is_twin: Callable[[str], bool]
) -> Iterator[Sheet]:
    name = f"{path.name}: {member}" if member else path.name
    try:
        if content.startswith(_OLD_EXCEL):
            yield from _workbook(path, member, content)
        elif content.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if "[Content_Types].xml" in archive.namelist():
                    yield from _workbook(path, member, content)
                    return
                for inner, unpacked in _unpack(archive, name, member, max_bytes, is_twin):
                    yield from _read_sheets(path, inner, unpacked, max_bytes, is_twin)
        else:
            yield Sheet(path, member, "", _text_rows(content))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ReferenceFileError(zip_problem(name, error)) from None
    except CalamineError as error:
        raise ReferenceFileError(
            f"{name}: this Excel file cannot be read ({error}); download it again, or save it as csv"
        ) from None
    except csv.Error as error:
        raise ReferenceFileError(f"{name}: cannot be read as a table: {error}") from None


def _unpack(
    archive: zipfile.ZipFile, name: str, member: str, max_bytes: int, is_twin: Callable[[str], bool]
) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of each member that may be a table."""
    for info in sorted(archive.infolist(), key=_format_and_name):
        inner = f"{member}/{info.filename}" if member else info.filename
        if info.is_dir() or not info.filename.lower().endswith(_SUFFIXES) or is_twin(inner):
            continue
        if info.file_size > max_bytes:
            raise ReferenceFileError(
                f"{name}: {info.filename} unpacks to {info.file_size:,} bytes; expected at most {max_bytes:,} for a "
                "table"
            )
        yield inner, archive.read(info)


def _format_and_name(info: zipfile.ZipInfo) -> tuple[int, str]:
    suffix = PurePosixPath(info.filename.lower()).suffix
    return _SUFFIXES.index(suffix) if suffix in _SUFFIXES else len(_SUFFIXES), info.filename


def _workbook(path: Path, member: str, content: bytes) -> Iterator[Sheet]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        yield Sheet(path, member, name, [[_cell(cell) for cell in row] for row in rows])


def _cell(cell: object) -> str:
    """Return a cell as a csv of the sheet has it: a whole number without decimals, any other in its shortest form."""
    if isinstance(cell, str):
        return _clean_cell(cell)
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        # Decimal writes the shortest text of a float without an exponent: 5e-05 must become 0.00005.
        return str(int(cell)) if cell.is_integer() else f"{Decimal(repr(cell)):f}"
    if isinstance(cell, date | datetime | time):
        return cell.isoformat()
    return str(cell)


def _clean_cell(text: str) -> str:
    # Line breaks, which wrap the titles of columns, become blanks and are not counted.
    if has_invisible(text):
        _count_altered(1)
    return clean_text(text)


def _count_altered(cells: int) -> None:
    if (counted := _CELLS.get(None)) is not None:
        counted[_ALTERED] += cells


def _text_rows(content: bytes) -> Rows:
    decoded = decode_text(content)
    text = decoded.replace("\x00", "")  # which the csv module refuses
    if len(text) < len(decoded):
        _count_altered(len(re.findall("\x00+", decoded)))
    rows = read_fixed_width(text) or _delimited_rows(text)
    return [[_clean_cell(cell) for cell in row] for row in rows]


def _delimited_rows(text: str) -> Iterable[list[str]]:
    # Titles and descriptions contain commas, so whichever mark more of the first lines contain is the delimiter. Where
    # every description has a comma, it is the mark that is in them more often.
    first = text.splitlines()[:40]
    delimiter = max(
        ",\t~", key=lambda mark: (sum(mark in line for line in first), sum(line.count(mark) for line in first))
    )
    # CMS's text files with tildes are of fixed width: a quotation mark in a description is only that.
    return csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_NONE if delimiter == "~" else csv.QUOTE_MINIMAL,
    )


def decode_text(content: bytes) -> str:
    """Return the text of a file in any encoding that agencies use: UTF-8, UTF-16, Windows-1252, or CP437 (MS-DOS)."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    # Without a mark, UTF-16 shows by its zeros: every second byte of English text.
    zeros = content[:_ENCODING_SAMPLE].count(0)
    if 3 * zeros > len(content[:_ENCODING_SAMPLE]):
        return content.decode("utf-16-le" if content[1:2] == b"\x00" else "utf-16-be", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # The encoding that makes a letter of more of the bytes inside words is the file's: b"Bayam\xa2n" is Bayamón in
    # CP437, and Bayam¢n in Windows-1252. Bytes that are a space, quotation mark or dash in Windows-1252 say nothing.
    inside_words = _BYTE_IN_A_WORD.findall(content)
    windows, dos = (
        sum(byte.decode(encoding, errors="ignore").isalpha() for byte in inside_words) for encoding in _ENCODINGS
    )
    return content.decode("cp437" if dos > windows else "cp1252", errors="ignore")
