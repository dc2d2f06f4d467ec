"""Tables as agencies publish them: csv, tab-separated txt, Excel, or a zip file of these; told by content.

A `Sheet` is one table: its rows as text, cells trimmed. Agencies' files begin with title rows, repeat header names and
end in footnotes, so a sheet knows nothing of headers: each benchmark finds its own.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path, PurePosixPath

from python_calamine import CalamineError, CalamineWorkbook

from core.runtime.errors import ReferenceFileError

Rows = list[list[str]]

_ZIP, _OLD_EXCEL = b"PK", b"\xd0\xcf\x11\xe0"
_SUFFIXES = (".csv", ".xlsx", ".xls", ".txt", ".zip")
"""What is read of a zip file, and in which order: agencies pack one table in several formats; csv is the exactest."""

LARGEST = 1 << 30
"""Bytes of one unpacked table: far above the largest (a few megabytes), so that a bomb is refused."""


@dataclass(frozen=True)
class Sheet:
    """One table. `name` tells people where it stands: the file, its member in a zip file, its sheet in a workbook."""

    path: Path
    member: str
    sheet: str
    rows: Rows

    @property
    def name(self) -> str:
        """file.zip: member.xlsx, sheet Name."""
        return (
            self.path.name
            + (f": {self.member}" if self.member else "")
            + (f", sheet {self.sheet}" if self.sheet else "")
        )

    @property
    def file(self) -> str:
        """The name of the file the table stood in, in a zip file or not."""
        return PurePosixPath(self.member).name if self.member else self.path.name


def sheets(path: Path) -> Iterator[Sheet]:
    """The tables of a file, each read when it is asked for; those of a zip file by format: csv first, txt last.

    Raises ReferenceFileError where the file cannot be read or has no table.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReferenceFileError(f"{path}: cannot be read: {error.strerror or error}") from None
    found = False
    for sheet in _sheets(path, "", content):
        found = True
        yield sheet
    if not found:
        raise ReferenceFileError(f"{path.name}: no csv, txt or Excel file in this zip file")


def _sheets(path: Path, member: str, content: bytes) -> Iterator[Sheet]:
    name = f"{path.name}: {member}" if member else path.name
    try:
        if content.startswith(_OLD_EXCEL):
            yield from _workbook(path, member, content)
        elif content.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if "[Content_Types].xml" in archive.namelist():
                    yield from _workbook(path, member, content)
                    return
                for info in sorted(archive.infolist(), key=_format_and_name):
                    if info.is_dir() or not info.filename.lower().endswith(_SUFFIXES):
                        continue
                    if info.file_size > LARGEST:
                        raise ReferenceFileError(
                            f"{name}: {info.filename} unpacks to {info.file_size:,} bytes: no such table"
                        )
                    yield from _sheets(
                        path, f"{member}/{info.filename}" if member else info.filename, archive.read(info)
                    )
        else:
            yield Sheet(path, member, "", _text_rows(content))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ReferenceFileError(f"{name}: the zip file is damaged or cut short ({error}); get it again") from None
    except CalamineError as error:
        raise ReferenceFileError(
            f"{name}: this Excel file cannot be read ({error}); get it again, or save it as csv"
        ) from None
    except csv.Error as error:
        raise ReferenceFileError(f"{name}: cannot be read as a table: {error}") from None


def _format_and_name(info: zipfile.ZipInfo) -> tuple[int, str]:
    suffix = PurePosixPath(info.filename.lower()).suffix
    return _SUFFIXES.index(suffix) if suffix in _SUFFIXES else len(_SUFFIXES), info.filename


def _workbook(path: Path, member: str, content: bytes) -> Iterator[Sheet]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        yield Sheet(path, member, name, [[_cell(cell) for cell in row] for row in rows])


def _cell(cell: object) -> str:
    """A cell as its csv has it: a whole number without decimals, any other number as the shortest text that is it."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{Decimal(repr(cell)):f}"
    if isinstance(cell, date | datetime | time):
        return cell.isoformat()
    return str(cell)


def _text_rows(content: bytes) -> Rows:
    text = _decoded(content).replace("\x00", "")
    # Titles and descriptions have commas of their own, so what most of the first lines are separated by tells.
    tabs, commas = (sum(mark in line for line in text.splitlines()[:40]) for mark in "\t,")
    delimiter = "\t" if tabs > commas else ","
    return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
