"""Read the sheets of a state's workers' compensation fee schedule: codes, modifiers and amounts.

Every state has its own format. Georgia publishes a workbook of twelve sheets in which a spreadsheet turned codes into
numbers, North Carolina a csv with code and modifier in one cell, Arizona a workbook whose codes end in 00 where they
have no modifier. The headers of these three are known; the user names the columns of any other table.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple

from core.fields.codes.billing_code import CODE_WIDTHS, HCPCS_CODE_PATTERN, code_system_by_shape, restore_leading_zeros
from core.reference.recognize import normalize_title
from core.reference.spreadsheets import HEADER_WITHIN_ROWS, Rows, Sheet
from core.runtime.errors import ReferenceFileError

AMOUNTS = ("amount", "facility", "outpatient", "asc", "rural", "units")
"""The fields that contain numbers. `units` are anesthesia base units, all others dollars.

`amount` is the professional fee. If the schedule separates facilities or rural areas, it is the one outside facilities
or in urban areas. For an MS-DRG it is the hospital's fee.
"""

FIELDS = ("code", "ms_drg", "modifier", *AMOUNTS)
"""What the user can declare a column to be."""

_TITLES = {
    "code": ("CODE", "CODE MOD", "HCPC CODE", "HCPCS CODE", "CPT CODE"),
    "ms_drg": ("MS-DRG",),
    "modifier": ("MOD", "MODIFIER"),
    "amount": (
        "PROF MAR", "NONFACILITY MAR", "NC NON-FACILITY RATE", "FEE", "URBAN BASE RATE & MILEAGE", "NF RBRVS RATE",
        "NON-RURAL RATE",
    ),
    "facility": ("FACILITY MAR", "NC FACILITY RATE", "FAC RBRVS RATE"),
    "outpatient": ("OP MAR",),
    "asc": ("ASC MAR",),
    "rural": ("RURAL BASE RATE & MILEAGE", "RURAL RATE"),
    "units": ("BASE UNIT",),
}  # fmt: skip
"""The titles of Georgia's, North Carolina's and Arizona's columns (MAR is the maximum allowable reimbursement).

Arizona's "RBRVS Rate" of an anesthesia code is not among them: it is the base units times the state's factor, without
the time.
"""

_YEAR_OF_TITLE = re.compile(r"^(FY ?)?(20)?[0-9]{2} ")
"""The year before a title: Arizona's are "FY24 NF RBRVS Rate"."""

_CODE = re.compile(rf"({HCPCS_CODE_PATTERN})(?:[- ]([0-9A-Z]{{2}}))?")
_NUMBER = re.compile(r"\$? ?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)?(\.[0-9]+)?")
_BY_REPORT = re.compile(r"B\.?/?R\.?|BY REPORT|UCR\b.*|U&C|I\.?C\.?|INDIVIDUAL CONSIDERATION")
"""How states write that a service is paid by report, case by case (UCR: usual, customary and reasonable)."""
_NO_AMOUNT = frozenset(("", "NA", "N/A", "-", "–"))
_NO_MODIFIER = "00"
"""How Arizona writes that a code has no modifier."""

IN_UNITS = "in base units, not dollars"
"""Why a row has no amount in dollars that has base units instead."""

Remark = Literal["by report", "other text"]
"""What a cell may contain instead of an amount; other text refers to a page of the schedule."""


class ScheduleKey(NamedTuple):
    """What a schedule has one line for; `modifier` is empty if there is none."""

    code_type: str
    code: str
    modifier: str


@dataclass
class ScheduleLine:
    """What the schedule says about one key. Dollars are rounded to cents."""

    amounts: dict[str, Decimal] = field(default_factory=dict)
    by_report: bool = False
    """Whether it says `by report` in place of the professional amount."""
    stated: set[str] = field(default_factory=set)
    """The fields of AMOUNTS that have an amount or are by report."""

    def added_to(self, earlier: "ScheduleLine") -> "ScheduleLine":
        """Return the line that an earlier load made of the same key, with what this one states in its place.

        A blank states nothing: the amounts of a code may be in several sheets, and loading them one by one is to make
        the same schedule as loading them together.
        """
        kept = {part: amount for part, amount in earlier.amounts.items() if part not in self.stated}
        unchanged = earlier.by_report and not self.stated & _REPORTED
        return ScheduleLine({**kept, **self.amounts}, self.by_report or unchanged, self.stated | earlier.stated)


_REPORTED = {"amount", "facility", "units"}
"""The fields that say whether a service is paid by report."""


@dataclass
class SheetOutcome:
    """What became of one sheet: rows = priced + the rows left out, by reason. `skipped` says why it was not read."""

    name: str
    priced: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    skipped: str = ""
    file: str = ""

    @property
    def rows(self) -> int:
        """The rows below the header that are not blank."""
        return self.priced + self.left_out.total()

    def to_json(self) -> str:
        """Return the outcome as JSON text, for the record of the release."""
        return json.dumps(
            {"file": self.file, "sheet": self.name, "rows_priced": self.priced, "left_out": self.left_out}
        )

    @classmethod
    def from_json(cls, text: str) -> "SheetOutcome":
        """Return the outcome that `to_json` wrote."""
        found = json.loads(text)
        return cls(found["sheet"], found["rows_priced"], Counter(found["left_out"]), file=found["file"])

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
        """Record a sheet that is not read."""
        self.sheets.append(SheetOutcome(sheet.sheet or sheet.file, skipped=why, file=sheet.file))

    def add(self, sheet: Sheet, columns: dict[str, str] | None = None) -> None:
        """Read a sheet whose columns have the titles of `columns` (field to title), or else known titles.

        Skip it if it has no such header. Raise ReferenceFileError if a key has two amounts.
        """
        titles = _TITLES
        if columns is not None:
            titles = {name: (normalize_title(title),) for name, title in columns.items()}
        header = _find_columns(sheet.rows, titles, all_required=columns is not None)
        if header is None:
            wanted = ", ".join(columns.values()) if columns else "a code and an amount"
            self.skip(sheet, f"no header row with {wanted}")
            return
        outcome = SheetOutcome(sheet.sheet or sheet.file, file=sheet.file)
        self.sheets.append(outcome)
        for row in sheet.rows[header.row + 1 :]:
            if any(row):
                cells = {name: _first_cell(row, numbers) for name, numbers in header.columns.items()}
                reason = self._add_row(sheet.name, cells)
                if reason:
                    outcome.left_out[reason] += 1
                else:
                    outcome.priced += 1

    def _add_row(self, name: str, cells: dict[str, str]) -> str:
        """Add one row; return why it has no amount, or the empty text if it has one."""
        key = _parse_key(cells)
        if key is None:
            return "without a code"
        parsed = {part: _parse_cell(cells[part], part) for part in AMOUNTS if part in cells}
        amounts = {part: value for part, value in parsed.items() if isinstance(value, Decimal)}
        repeated = key in self.lines
        line = self.lines.setdefault(key, ScheduleLine())
        line.stated |= {part for part, value in parsed.items() if value not in {None, "other text"}}
        # A code may be in several sheets or rows, each with other amounts: they are combined, never replaced.
        for part, amount in amounts.items():
            if line.amounts.setdefault(part, amount) != amount:
                raise ReferenceFileError(
                    f"{name}: {' '.join(key).strip()} has two amounts ({part}: {line.amounts[part]} and {amount}); "
                    "expected one for each code and modifier: name the sheet or the columns with --sheet, --columns"
                )
        line.by_report |= "by report" in (parsed.get("amount"), parsed.get("facility"), parsed.get("units"))
        if set(amounts) - {"units"}:
            return ""
        if amounts:
            return IN_UNITS
        if "by report" in parsed.values():
            return "by report"
        if repeated:
            return "of a code that is further up"
        return "refers to the schedule's text" if "other text" in parsed.values() else "without an amount"


def parse_columns(text: str) -> dict[str, str]:
    """Return the columns of `code=Procedure,amount=Max Fee`, field to title. Raise ReferenceFileError if malformed.

    A title may contain a comma, so a comma separates only before the name of a field and an equals sign.
    """
    found: dict[str, str] = {}
    for part in re.split(rf",(?=\s*(?:{'|'.join(FIELDS)})\s*=)", text):
        name, equals, title = (piece.strip() for piece in part.partition("="))
        if name not in FIELDS or not equals or not title or name in found:
            raise ReferenceFileError(
                f"--columns: {part.strip()!r} is not a column; expected FIELD=TITLE, separated by commas, each field "
                f"once; the fields are {', '.join(FIELDS)}"
            )
        found[name] = title
    if len({"code", "ms_drg"} & set(found)) != 1 or not set(AMOUNTS) & set(found):
        raise ReferenceFileError("--columns: expected either code or ms_drg, and at least one amount")
    return found


class _Header(NamedTuple):
    row: int
    columns: dict[str, list[int]]
    """The indexes of each field's columns: the first that is not blank in a row has its value."""


def _find_columns(rows: Rows, titles: dict[str, tuple[str, ...]], *, all_required: bool) -> _Header | None:
    """Return the first row with a code and an amount among its titles; with `all_required`, with every title."""
    for number, row in enumerate(rows[:HEADER_WITHIN_ROWS]):
        cells = [normalize_title(cell) for cell in row]
        if not all_required:
            cells = [_YEAR_OF_TITLE.sub("", cell) for cell in cells]
        found = {name: [n for n, cell in enumerate(cells) if cell in known] for name, known in titles.items()}
        columns = {name: numbers for name, numbers in found.items() if numbers}
        complete = not all_required or len(columns) == len(titles)
        if complete and {"code", "ms_drg"} & set(columns) and set(AMOUNTS) & set(columns):
            return _Header(number, columns)
    return None


def _first_cell(row: list[str], numbers: list[int]) -> str:
    """Return the first cell that is not blank: Arizona has a column for its own fees and one for those of equipment."""
    return next((row[n] for n in numbers if n < len(row) and row[n]), "")


def _parse_key(cells: dict[str, str]) -> ScheduleKey | None:
    """Return the key of a row, with the leading zeros that a spreadsheet took off, or None if it has no code."""
    if "ms_drg" in cells:
        number = cells["ms_drg"]
        if not re.fullmatch("[0-9]{1,3}", number):
            return None
        return ScheduleKey("MS-DRG", number.zfill(CODE_WIDTHS["MS-DRG"]), "")
    text = cells["code"].upper()
    if re.fullmatch("[0-9]{3,4}", text):
        text = restore_leading_zeros(text)
    match = _CODE.fullmatch(text)
    if not match:
        return None
    modifier = (match[2] or cells.get("modifier", "")).upper()
    if modifier.isdecimal():
        modifier = modifier.zfill(2)
    if modifier == _NO_MODIFIER:
        modifier = ""
    return ScheduleKey(code_system_by_shape(match[1]) or "LOCAL", match[1], modifier)


def _parse_cell(cell: str, part: str) -> Decimal | Remark | None:
    """Return the amount in a cell, or what it says instead, or None if there is none. Zero is not an amount."""
    match = _NUMBER.fullmatch(cell)
    if match and (match[1] or match[3]):
        amount = Decimal((match[1] or "0").replace(",", "") + (match[3] or ""))
        if part != "units":
            # A workbook's cell may have more decimals than it shows.
            amount = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
        return amount or None
    if _BY_REPORT.fullmatch(cell.upper()):
        return "by report"
    return None if cell.upper() in _NO_AMOUNT else "other text"


def add_up(sheets: Iterable[SheetOutcome]) -> SheetOutcome:
    """Return the sum of the sheets' outcomes."""
    whole = SheetOutcome("")
    for sheet in sheets:
        whole.priced += sheet.priced
        whole.left_out += sheet.left_out
    return whole
