"""Read official code sets that are free to use, as published: HCPCS level II, MS-DRG titles and revenue codes.

Titles of CPT (level I of HCPCS) and CDT (its D codes) are copyrighted. A file that contains them, CMS's own included,
has those rows counted and left out.

Sources: CMS, HCPCS Quarterly Update (…_ANWEB.xlsx and .txt with its record layout); CMS, IPPS Final Rule, Table 5.
"""

import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.fields.codes.billing_code import CODE_WIDTHS, code_system_by_shape
from core.fields.texts.text import fit_text
from core.reference.spreadsheets import Rows, read_sheets
from core.runtime.errors import ReferenceFileError
from core.store.schema.tables import DIM_CODE_OFFICIAL

_FIXED_LINE = re.compile(r"[ A-Z0-9]{5}[0-9]{5}[3478].{80}")
"""A line of HCPCS's txt: code 1-5, sequence 6-10, record type 11, long description 12-91, short one 92-119."""

_TITLE_RECORD, _CONTINUATION_RECORD, _MODIFIER_RECORDS = "3", "4", frozenset("78")
"""HCPCS's record types. Titles are wrapped at 80 characters, and each further line is a record of its own."""

_HEADER_WITHIN_ROWS = 40
"""How many rows from the top a header is looked for. HCPCS's workbook begins with notes on coverage."""

_LONGEST = DIM_CODE_OFFICIAL.column("code_desc").longest

_CODE_COLUMNS = {
    "MS-DRG": {"msdrg", "msdrgcode", "drg", "drgcode"},
    "REV": {"revenuecentercode", "revenuecode", "revcode"},
    "POS": {"placeofservicecode", "poscode"},
}
_TITLE_COLUMNS = ("description", "title", "name", "msdrgtitle", "msdrgdescription", "placeofservicename")


@dataclass(frozen=True)
class OfficialTitle:
    """One code with its official descriptions."""

    code_type: str
    code: str
    long: str
    short: str


@dataclass
class CodeSet:
    """The contents of one file: rows_read = titles + the rows left out, by reason.

    The reasons: CPT and CDT (copyrighted), modifier, continuation (a further line of a long title), no_code, no_title,
    repeated (the code is further up in the file).
    """

    name: str
    kind: str
    """HCPCS, MS-DRG, REV, or POS, whose names are built in."""
    titles: list[OfficialTitle] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    altered: int = 0
    """Titles that were shortened. Control characters have been removed by the reader of the file, which counts none."""

    def add(self, code_type: str, code: str, long: str, short: str) -> None:
        """Add a title, clean and no longer than its column."""
        fitted = [fit_text(title, _LONGEST) for title in (long, short)]
        self.altered += any(done for _, done in fitted)
        self.titles.append(OfficialTitle(code_type, code, *(text or "" for text, _ in fitted)))

    @property
    def rows_read(self) -> int:
        """The rows below the header that are not blank."""
        return len(self.titles) + self.left_out.total()


@dataclass(frozen=True)
class _HcpcsRecord:
    code: str
    record_type: str
    long: str
    short: str


def read_code_set(path: Path) -> CodeSet:
    """Return the code set in a file. Raise ReferenceFileError if it cannot be read or contains none."""
    tables = (
        _read_hcpcs_table(one.name, one.rows) or _read_plain_table(one.name, one.rows) for one in read_sheets(path)
    )
    # A zip file has the set in several formats, and small tables beside it: the fullest one is what is meant.
    found = max((table for table in tables if table), key=lambda table: table.rows_read, default=None)
    found = found or _read_fixed_width(path)
    if found is None:
        raise ReferenceFileError(
            f"{path.name}: no code set that can be loaded; expected HCPCS level II (HCPC…_ANWEB.xlsx or .txt), MS-DRG "
            "titles or revenue codes with a header row; CPT and CDT are copyrighted and never loaded"
        )
    if not found.titles and found.kind != "POS":
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in found.left_out.items()) or "no rows"
        raise ReferenceFileError(f"{found.name}: {found.kind} with no title that can be loaded ({reasons})")
    return found


def _read_table(name: str, rows: Rows) -> CodeSet | None:
    return _read_hcpcs_table(name, rows) or _read_plain_table(name, rows)


# --- HCPCS level II -------------------------------------------------------------------------------------------


def _read_hcpcs_table(name: str, rows: Rows) -> CodeSet | None:
    for number, row in enumerate(rows[:_HEADER_WITHIN_ROWS]):
        columns = [_letters(cell) for cell in row]
        if {"longdescription", "shortdescription"} <= set(columns) and columns[0] in {"hcpc", "hcpcs", "hcpcscode"}:
            return _collect_hcpcs(name, _hcpcs_records(columns, rows[number + 1 :]))
    return None


def _hcpcs_records(columns: list[str], rows: Rows) -> Iterator[_HcpcsRecord]:
    long, short = columns.index("longdescription"), columns.index("shortdescription")
    record_type = columns.index("recid") if "recid" in columns else None
    for row in rows:
        cells = row + [""] * (len(columns) - len(row))
        if any(cells):
            kind = cells[record_type] if record_type is not None else _TITLE_RECORD
            yield _HcpcsRecord(cells[0], kind, cells[long], cells[short])


def _read_fixed_width(path: Path) -> CodeSet | None:
    for name, text in _texts_of(path):
        lines = [line for line in text.splitlines() if line.strip()]
        if lines and all(_FIXED_LINE.match(line) for line in lines[:20]):
            records = (_HcpcsRecord(line[:5], line[10], line[11:91], line[91:119]) for line in lines)
            return _collect_hcpcs(name, records)
    return None


def _texts_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the text files of a path, a zip file or not, with their names."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            file.seek(0)
            yield path.name, file.read().decode("latin-1")
            return
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.filename.lower().endswith(".txt"):
                yield f"{path.name}: {info.filename}", archive.read(info).decode("latin-1")


def _collect_hcpcs(name: str, records: Iterable[_HcpcsRecord]) -> CodeSet:
    """Join titles that continue in further records, and leave out modifiers and copyrighted codes."""
    found = CodeSet(name, "HCPCS")
    long: dict[str, list[str]] = {}
    short: dict[str, str] = {}
    for record in records:
        code, record_type = record.code.strip().upper(), record.record_type[:1]
        system = code_system_by_shape(code)
        if record_type in _MODIFIER_RECORDS or len(code) == 2:
            found.left_out["modifier"] += 1
        elif system != "HCPCS":
            # This is where copyrighted titles are left out: CMS's file lists the D codes among its own.
            found.left_out[system or "no_code"] += 1
        elif record_type == _CONTINUATION_RECORD and code in long:
            long[code].append(record.long.strip())
            found.left_out["continuation"] += 1
        elif code in long:
            found.left_out["repeated"] += 1
        elif not record.long.strip() and not record.short.strip():
            found.left_out["no_title"] += 1
        else:
            long[code], short[code] = [record.long.strip()], record.short.strip()
    for code, parts in long.items():
        title = " ".join(" ".join(parts).split())
        found.add("HCPCS", code, title or short[code], short[code] or title)
    return found


# --- tables of a code and its title ---------------------------------------------------------------------------


def _read_plain_table(name: str, rows: Rows) -> CodeSet | None:
    for number, row in enumerate(rows[:_HEADER_WITHIN_ROWS]):
        columns = [_letters(cell) for cell in row]
        title = next((columns.index(column) for column in _TITLE_COLUMNS if column in columns), None)
        for kind, names in _CODE_COLUMNS.items():
            code = next((n for n, column in enumerate(columns) if column in names), None)
            if code is not None and title is not None:
                lines = (line + [""] * (len(columns) - len(line)) for line in rows[number + 1 :] if any(line))
                return _collect_titles(name, kind, [(line[code], line[title]) for line in lines])
    return None


def _letters(cell: str) -> str:
    """Return a header's cell in lower case with letters and digits only: spaces, dashes and line breaks vary."""
    return re.sub(r"[^a-z0-9]", "", cell.lower())


def _collect_titles(name: str, kind: str, lines: list[tuple[str, str]]) -> CodeSet:
    found = CodeSet(name, kind)
    if kind == "POS":
        found.left_out["built_in"] = len(lines)
        return found
    titles: dict[str, str] = {}
    for cell, title in lines:
        code = cell.strip()
        if not re.fullmatch(rf"[0-9]{{1,{CODE_WIDTHS[kind]}}}", code):
            found.left_out["no_code"] += 1
            continue
        code = code.zfill(CODE_WIDTHS[kind])
        if code in titles:
            found.left_out["repeated"] += 1
        elif not title.strip():
            found.left_out["no_title"] += 1
        else:
            titles[code] = " ".join(title.split())
    for code, title in titles.items():
        full = _with_category(code, title, titles) if kind == "REV" else title
        found.add(kind, code, full, full)
    return found


def _with_category(code: str, title: str, titles: dict[str, str]) -> str:
    """Return a revenue code's title after its category's: 0119 is only `Other`, of 0110, a private room."""
    category = titles.get(code[:3] + "0")
    return title if code.endswith("0") or not category else f"{category}: {title}"
