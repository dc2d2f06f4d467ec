"""Official code sets that are free to use, as published: HCPCS level II, MS-DRG titles, revenue codes; told by content.

Titles of CPT (level I of HCPCS) and CDT (its D codes) are copyrighted: a file that has them has those rows counted and
left out, whoever gives it.

Sources: CMS, HCPCS Quarterly Update (…_ANWEB.xlsx and .txt with its record layout); CMS, IPPS Final Rule, Table 5.
"""

import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.fields.billing_code import CODE_WIDTHS, code_system_by_shape
from core.reference.spreadsheets import Rows, read_sheets
from core.runtime.errors import ReferenceFileError

_FIXED_LINE = re.compile(r"[ A-Z0-9]{5}[0-9]{5}[3478].{80}")
"""A line of HCPCS's txt: code 1-5, sequence 6-10, kind of record 11, long description 12-91, short one 92-119."""

_CODE_TITLES = {
    "MS-DRG": {"msdrg", "msdrgcode", "drg", "drgcode"},
    "REV": {"revenuecentercode", "revenuecode", "revcode"},
    "POS": {"placeofservicecode", "poscode"},
}
_NAME_TITLES = ("description", "title", "name", "msdrgtitle", "msdrgdescription", "placeofservicename")


@dataclass(frozen=True)
class OfficialTitle:
    """One code with its official words."""

    code_type: str
    code: str
    long: str
    short: str


@dataclass
class CodeSet:
    """What one file holds: rows_read = titles + the rows left out, by reason.

    The reasons: CPT, CDT (copyrighted); modifier, continuation (a further line of a long title); no_code, no_title,
    repeated (an equal code further up in the file).
    """

    name: str
    kind: str
    """HCPCS, MS-DRG, REV, or POS, whose names are built in."""
    titles: list[OfficialTitle] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def rows_read(self) -> int:
        """Rows below the header that are not blank."""
        return len(self.titles) + self.left_out.total()


def read_code_set(path: Path) -> CodeSet:
    """The code set of a file. Raises ReferenceFileError for one that is none of those, ReferenceFileError as
    `sheets` does.
    """
    found = max((s for s in _tables(path) if s), key=lambda s: s.rows_read, default=None) or _fixed(path)
    if found is None:
        raise ReferenceFileError(
            f"{path.name}: no code set that can be loaded; expected HCPCS level II (HCPC…_ANWEB.xlsx or .txt), MS-DRG "
            "titles or revenue codes with a header row; CPT and CDT are copyrighted and never loaded"
        )
    if not found.titles and found.kind != "POS":
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in found.left_out.items()) or "no rows"
        raise ReferenceFileError(f"{found.name}: {found.kind} with no title that can be loaded ({reasons})")
    return found


def _tables(path: Path) -> Iterator[CodeSet | None]:
    for sheet in read_sheets(path):
        yield _hcpcs_table(sheet.name, sheet.rows) or _plain_table(sheet.name, sheet.rows)


# --- HCPCS level II -------------------------------------------------------------------------------------------


def _hcpcs_table(name: str, rows: Rows) -> CodeSet | None:
    for number, row in enumerate(rows[:40]):
        titles = [_plain(cell) for cell in row]
        if {"longdescription", "shortdescription"} <= set(titles) and titles[0] in {"hcpc", "hcpcs", "hcpcscode"}:
            long, short = titles.index("longdescription"), titles.index("shortdescription")
            kind = titles.index("recid") if "recid" in titles else None
            lines = (
                (cells[0], cells[kind] if kind is not None else "3", cells[long], cells[short])
                for cells in (line + [""] * (len(titles) - len(line)) for line in rows[number + 1 :])
                if any(cells)
            )
            return _hcpcs(name, lines)
    return None


def _fixed(path: Path) -> CodeSet | None:
    for name, text in _texts(path):
        lines = [line for line in text.splitlines() if line.strip()]
        if lines and all(_FIXED_LINE.match(line) for line in lines[:20]):
            return _hcpcs(name, ((line[:5], line[10], line[11:91], line[91:119]) for line in lines))
    return None


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            file.seek(0)
            yield path.name, file.read().decode("latin-1")
            return
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.filename.lower().endswith(".txt"):
                yield f"{path.name}: {info.filename}", archive.read(info).decode("latin-1")


def _hcpcs(name: str, lines: Iterable[tuple[str, str, str, str]]) -> CodeSet:
    """Lines of (code, kind of record, long, short). A long title goes on in records 4; 7 and 8 are modifiers."""
    found = CodeSet(name, "HCPCS")
    long: dict[str, list[str]] = {}
    short: dict[str, str] = {}
    for code, kind, words, brief in ((line[0].strip().upper(), line[1][:1], *line[2:]) for line in lines):
        of = code_system_by_shape(code)
        if kind in {"7", "8"} or len(code) == 2:
            found.left_out["modifier"] += 1
        elif of != "HCPCS":
            found.left_out[of or "no_code"] += 1
        elif kind == "4" and code in long:
            long[code].append(words.strip())
            found.left_out["continuation"] += 1
        elif code in long:
            found.left_out["repeated"] += 1
        elif not words.strip() and not brief.strip():
            found.left_out["no_title"] += 1
        else:
            long[code], short[code] = [words.strip()], brief.strip()
    for code, parts in long.items():
        title = " ".join(" ".join(parts).split())
        found.titles.append(OfficialTitle("HCPCS", code, title or short[code], short[code] or title))
    return found


# --- tables of a code and its title ---------------------------------------------------------------------------


def _plain_table(name: str, rows: Rows) -> CodeSet | None:
    for number, row in enumerate(rows[:40]):
        titles = [_plain(cell) for cell in row]
        words = next((titles.index(title) for title in _NAME_TITLES if title in titles), None)
        for kind, heads in _CODE_TITLES.items():
            code = next((n for n, title in enumerate(titles) if title in heads), None)
            if code is not None and words is not None:
                cells = (line + [""] * (len(titles) - len(line)) for line in rows[number + 1 :] if any(line))
                return _listed(name, kind, [(line[code], line[words]) for line in cells])
    return None


def _plain(cell: str) -> str:
    return re.sub(r"[^a-z0-9]", "", cell.lower())


def _listed(name: str, kind: str, lines: list[tuple[str, str]]) -> CodeSet:
    found = CodeSet(name, kind)
    if kind == "POS":
        found.left_out["built_in"] = len(lines)
        return found
    words: dict[str, str] = {}
    for cell, title in lines:
        code = cell.strip()
        if not re.fullmatch(rf"[0-9]{{1,{CODE_WIDTHS[kind]}}}", code):
            found.left_out["no_code"] += 1
            continue
        code = code.zfill(CODE_WIDTHS[kind])
        if code in words:
            found.left_out["repeated"] += 1
        elif not title.strip():
            found.left_out["no_title"] += 1
        else:
            words[code] = " ".join(title.split())
    for code, title in words.items():
        full = _within_category(code, title, words) if kind == "REV" else title
        found.titles.append(OfficialTitle(kind, code, full, full))
    return found


def _within_category(code: str, title: str, words: dict[str, str]) -> str:
    """A revenue code's title with its category's before it: 0119 is `Other` of 0110, a private room."""
    category = words.get(code[:3] + "0")
    return title if code.endswith("0") or not category else f"{category}: {title}"
