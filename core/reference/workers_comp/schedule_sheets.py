"""A state's workers' compensation fee schedule as its table has it: codes, modifiers and amounts, sheet by sheet.

States publish what they like: Georgia a workbook of twelve sheets whose codes a spreadsheet made numbers, North
Carolina a csv with code and modifier in one cell. Known headers are read as they are; others are named by the user.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from core.fields.billing_code import CODE_WIDTHS, HCPCS_CODE_PATTERN, code_system_by_shape, restore_leading_zeros
from core.reference.recognize import normalize_title
from core.reference.spreadsheets import Rows, Sheet
from core.runtime.errors import ReferenceFileError

AMOUNTS = ("amount", "facility", "outpatient", "asc", "rural", "units")
"""The fields that hold figures: `amount` is the professional one (outside facilities, where the schedule has both
apart; urban, where it has rural apart; the hospital's fee for an MS-DRG); `units` are anesthesia base units, the
others dollars."""

COLUMNS = ("code", "ms_drg", "modifier", *AMOUNTS)
"""What a column can be told to be."""

_TITLES = {
    "code": ("CODE", "CODE MOD", "HCPC CODE", "HCPCS CODE", "CPT CODE"),
    "ms_drg": ("MS-DRG",),
    "modifier": ("MOD", "MODIFIER"),
    "amount": ("PROF MAR", "NONFACILITY MAR", "NC NON-FACILITY RATE", "FEE", "URBAN BASE RATE & MILEAGE"),
    "facility": ("FACILITY MAR", "NC FACILITY RATE"),
    "outpatient": ("OP MAR",),
    "asc": ("ASC MAR",),
    "rural": ("RURAL BASE RATE & MILEAGE",),
    "units": ("BASE UNIT",),
}
"""The headers of Georgia's and North Carolina's tables."""

_FIRST_ROWS = 30
_CODE = re.compile(rf"({HCPCS_CODE_PATTERN})(?:[- ]([0-9A-Z]{{2}}))?")
_NUMBER = re.compile(r"\$? ?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)?(\.[0-9]+)?")
_BY_REPORT = re.compile(r"B\.?/?R\.?|BY REPORT|UCR\b.*|U&C|I\.?C\.?|INDIVIDUAL CONSIDERATION")

ScheduleKey = tuple[str, str, str]
"""Code system, code, modifier (empty text for none)."""


@dataclass
class ScheduleLine:
    """What the schedule says of one key. Dollars are rounded to cents."""

    figures: dict[str, Decimal] = field(default_factory=dict)
    by_report: bool = False
    """Whether it says so in place of the amount."""


@dataclass
class SheetOutcome:
    """What became of one sheet: rows = priced + the rows left out, by reason. `skipped` says why it was not read."""

    name: str
    priced: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    skipped: str = ""

    @property
    def rows(self) -> int:
        """Rows below the header that are not blank."""
        return self.priced + self.left_out.total()

    def __str__(self) -> str:
        if self.skipped:
            return f"{self.name}: skipped: {self.skipped}"
        left_out = [f"{count:,} {reason}" for reason, count in self.left_out.items()]
        return f"{self.name}: {', '.join([f'{self.rows:,} rows: {self.priced:,} priced', *left_out])}"


class CompensationSchedule:
    """The lines of one or more sheets, each key once."""

    def __init__(self) -> None:
        self.lines: dict[ScheduleKey, ScheduleLine] = {}
        self.sheets: list[SheetOutcome] = []

    def skip(self, sheet: Sheet, why: str) -> None:
        """Names a sheet that is not read."""
        self.sheets.append(SheetOutcome(sheet.sheet or sheet.file, skipped=why))

    def add(self, sheet: Sheet, columns: dict[str, str] | None = None) -> None:
        """Reads a sheet, its columns told by their titles: `columns` (field to title), or the known ones.

        Raises ReferenceFileError where a key has two amounts.
        """
        found = _header(
            sheet.rows, {name: (normalize_title(title),) for name, title in columns.items()} if columns else _TITLES
        )
        if found is None:
            wanted = ", ".join(columns.values()) if columns else "a code and an amount"
            self.skip(sheet, f"no header row with {wanted}")
            return
        read = SheetOutcome(sheet.sheet or sheet.file)
        self.sheets.append(read)
        number, places = found
        for row in sheet.rows[number + 1 :]:
            if any(row):
                cells = {name: row[place] if place < len(row) else "" for name, place in places.items()}
                reason = self._add(sheet.name, cells)
                if reason:
                    read.left_out[reason] += 1
                else:
                    read.priced += 1

    def _add(self, name: str, cells: dict[str, str]) -> str:
        """Takes in one row; gives why it has no amount, or nothing where it has."""
        key = _key(cells)
        if key is None:
            return "without a code"
        said = {part: _figure(cells[part], part) for part in AMOUNTS if part in cells}
        figures = {part: figure for part, figure in said.items() if isinstance(figure, Decimal)}
        repeated = key in self.lines
        line = self.lines.setdefault(key, ScheduleLine())
        for part, figure in figures.items():
            if line.figures.setdefault(part, figure) != figure:
                raise ReferenceFileError(
                    f"{name}: {' '.join(key).strip()} has two amounts ({part}: {line.figures[part]} and {figure}); "
                    "expected one for each code and modifier: name the sheet or the columns with --sheet, --columns"
                )
        line.by_report |= "by report" in (said.get("amount"), said.get("facility"), said.get("units"))
        if set(figures) - {"units"}:
            return ""
        if figures:
            return "in base units, no dollars"
        if "by report" in said.values():
            return "by report"
        if repeated:
            return "of a code that stands further up"
        return "refers to the schedule's text" if "text" in said.values() else "without an amount"


def parse_columns(text: str) -> dict[str, str]:
    """The columns of `code=Procedure,amount=Max Fee`: field to title. Raises ReferenceFileError for what is not
    that.
    """
    found: dict[str, str] = {}
    for part in re.split(rf",(?=\s*(?:{'|'.join(COLUMNS)})\s*=)", text):
        name, equals, title = (piece.strip() for piece in part.partition("="))
        if name not in COLUMNS or not equals or not title or name in found:
            raise ReferenceFileError(
                f"--columns: {part.strip()!r} is no column; expected FIELD=TITLE, joined by commas, each once; "
                f"the fields are {', '.join(COLUMNS)}"
            )
        found[name] = title
    if len({"code", "ms_drg"} & set(found)) != 1 or not set(AMOUNTS) & set(found):
        raise ReferenceFileError("--columns: expected either code or ms_drg, and at least one amount")
    return found


def _header(rows: Rows, titles: dict[str, tuple[str, ...]]) -> tuple[int, dict[str, int]] | None:
    """The header row's number, and where each field stands. Optional fields may be missing where titles are known."""
    for number, row in enumerate(rows[:_FIRST_ROWS]):
        cells = [normalize_title(cell) for cell in row]
        places = {
            name: next(place for place, cell in enumerate(cells) if cell in known)
            for name, known in titles.items()
            if set(cells) & set(known)
        }
        complete = titles is _TITLES or len(places) == len(titles)
        if complete and {"code", "ms_drg"} & set(places) and set(AMOUNTS) & set(places):
            return number, places
    return None


def _key(cells: dict[str, str]) -> ScheduleKey | None:
    """The key of a row; leading zeros that a spreadsheet lost are put back."""
    if "ms_drg" in cells:
        number = cells["ms_drg"]
        return ("MS-DRG", number.zfill(CODE_WIDTHS["MS-DRG"]), "") if re.fullmatch("[0-9]{1,3}", number) else None
    text = cells["code"].upper()
    if re.fullmatch("[0-9]{3,4}", text):
        text = restore_leading_zeros(text)
    match = _CODE.fullmatch(text)
    if not match:
        return None
    modifier = (match[2] or cells.get("modifier", "")).upper()
    return code_system_by_shape(match[1]) or "LOCAL", match[1], modifier.zfill(2) if modifier.isdecimal() else modifier


def _figure(cell: str, part: str) -> Decimal | str:
    """A figure, `by report`, `text` (it refers to another place), or empty text where there is none; zero is none."""
    match = _NUMBER.fullmatch(cell)
    if match and (match[1] or match[3]):
        figure = Decimal((match[1] or "0").replace(",", "") + (match[3] or ""))
        if part != "units":
            figure = figure.quantize(Decimal("0.01"), ROUND_HALF_UP)
        return figure or ""
    if _BY_REPORT.fullmatch(cell.upper()):
        return "by report"
    return "" if cell.upper() in {"", "NA", "N/A", "-", "–"} else "text"


def add_up(sheets: Iterable[SheetOutcome]) -> SheetOutcome:
    """The sheets taken together."""
    whole = SheetOutcome("")
    for sheet in sheets:
        whole.priced += sheet.priced
        whole.left_out += sheet.left_out
    return whole
