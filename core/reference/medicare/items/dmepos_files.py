"""Read CMS's files on equipment (DMEPOS), nutrition (PEN), and the former competitive bidding areas.

Source: CMS, DMEREAD File for 2025 (record layouts, in the file that CMS publishes each quarter). In the text files,
which have a row for each state, the rural amount is in the field of the base year, where the rural indicator is R.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from core.fields.codes.modifier import parse_modifiers
from core.fields.places.states import STATES
from core.reference import recognize
from core.reference.medicare.addenda import read_release as read_titles
from core.reference.medicare.items.fee_rows import FeeRow, drop_repeats, read_rows
from core.reference.medicare.month_names import MONTH_NAME_PATTERN, release_month
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError

Amounts = tuple[Decimal | None, Decimal | None]
"""The amount where rural ones do not apply, and the rural one; None where there is none."""

TEXT_TITLES = {
    recognize.EQUIPMENT_TEXT: (
        "YEAR", "HCPCS", "MOD", "MOD2", "JURIS", "CATG", "STATUS", "REGION", "STATE", "BASE FEE", "CEILING", "FLOOR",
        "FEE", "GAP", "CHANGE", "RURAL", "DESCRIPTION",
    ),
    recognize.NUTRITION_TEXT: ("YEAR", "HCPCS", "MOD", "MOD2", "BASE FEE", "STATE", "FEE", "RURAL", "DESCRIPTION"),
}  # fmt: skip
"""The fields of the text files, which have no header."""

_MAIL_ORDER_TITLE = "NATIONAL MAIL-ORDER"
_AREA = re.compile(r".+, [A-Z]{2}")
"""The title of an area's amounts: `Aiken County, SC`."""


@dataclass(frozen=True)
class ItemFees:
    """The amounts of a code with its modifiers, by state."""

    code: str
    modifier: str
    category: str = ""
    jurisdiction: str = ""
    by_state: dict[str, Amounts] = field(default_factory=dict)

    @property
    def priced(self) -> bool:
        """Return whether some state has an amount."""
        return any(amount is not None for amounts in self.by_state.values() for amount in amounts)


@dataclass(frozen=True)
class AreaFees:
    """The amounts of a code with its modifiers, by former competitive bidding area; areas without one are left out."""

    code: str
    modifier: str
    by_area: dict[str, Decimal]


def read_release(sheet: Sheet) -> str:
    """Return the month a release begins, from its titles, or a text file's name and year: DMEPEN_JAN.txt, 2025."""
    kind = recognize.kind_of_sheet(sheet) or ""
    if kind not in TEXT_TITLES:
        return read_titles(sheet, kind)
    month = re.search(rf"(?:[_ -]|\d)({MONTH_NAME_PATTERN})[a-z]*\b", sheet.file, re.IGNORECASE)
    if not month:
        raise ReferenceFileError(
            f"{sheet.name}: the file's name does not say which quarter this is, as DMEPEN_JAN.txt does; name its first "
            "month with --year-month"
        )
    return release_month(next(read_rows(sheet, kind, TEXT_TITLES[kind])).cell("YEAR"), month[1])


def read_items(sheet: Sheet) -> tuple[list[ItemFees], int]:
    """Return the items of a DMEPOS or PEN file, and the number of repeated rows. Raise ReferenceFileError if bad."""
    kind = recognize.kind_of_sheet(sheet) or ""
    return _read_text(sheet, kind) if kind in TEXT_TITLES else _read_grid(sheet, kind)


def read_mail_order(sheet: Sheet, states: list[str]) -> tuple[list[ItemFees], int]:
    """Return diabetic supplies by mail, for which there is one amount for all states, and the number of repeats."""
    rows = (
        (row, _item(row, dict.fromkeys(states, (row.amount(_MAIL_ORDER_TITLE), None))))
        for row in read_rows(sheet, recognize.MAIL_ORDER)
    )
    return drop_repeats(rows, lambda item: (item.code, item.modifier))


def read_area_fees(sheet: Sheet) -> tuple[list[AreaFees], int]:
    """Return the amounts in the former competitive bidding areas, and the number of repeated rows."""
    header = sheet.rows[recognize.find_header(sheet.rows, recognize.AREA_FEES) or 0]
    areas = {recognize.normalize_title(cell): cell for cell in header if _AREA.fullmatch(cell)}
    rows = (
        (row, AreaFees(row.code, _modifiers(row), dict(_area_amounts(row, areas))))
        for row in read_rows(sheet, recognize.AREA_FEES)
    )
    return drop_repeats(rows, lambda item: (item.code, item.modifier))


def read_area_zips(sheet: Sheet) -> dict[str, tuple[str, str]]:
    """Return the state and the short name of the area of each ZIP code. Raise ReferenceFileError if one is in two."""
    header = recognize.find_header(sheet.rows, recognize.AREA_ZIPS) or 0
    titles = [recognize.normalize_title(cell) for cell in sheet.rows[header]]
    at_zip, at_area = titles.index("CBA ZIP CODE"), titles.index("CBA NAME SHORT")
    at_state = titles.index("CBA STATE") if "CBA STATE" in titles else None
    found: dict[str, tuple[str, str]] = {}
    for number, row in enumerate(sheet.rows[header + 1 :], header + 2):
        if len(row) <= max(at_zip, at_area) or not re.fullmatch(r"\d{3,5}", row[at_zip]):
            continue
        here = (row[at_state] if at_state is not None else "", row[at_area])
        if found.setdefault(row[at_zip].zfill(5), here) != here:
            raise ReferenceFileError(
                f"{sheet.name}: row {number}: ZIP code {row[at_zip]} is in two areas; expected one"
            )
    return found


def _read_grid(sheet: Sheet, kind: str) -> tuple[list[ItemFees], int]:
    """Read a table with two columns for each state: non-rural (NR) and rural (R)."""
    header = sheet.rows[recognize.find_header(sheet.rows, kind) or 0]
    columns: dict[str, dict[str, str]] = {}
    for cell in header:
        title = recognize.normalize_title(cell)
        state = re.fullmatch(recognize.STATE_AMOUNT_TITLE, title)
        if state and state[1] not in STATES:
            raise ReferenceFileError(f"{sheet.name}: column {title}: {state[1]} is not a state; expected as in AL (NR)")
        if state:
            columns.setdefault(state[1], {})[state[2]] = title

    def amounts(row: FeeRow) -> dict[str, Amounts]:
        return {
            state: (row.amount(titles.get("NR", "")), row.amount(titles.get("R", "")))
            for state, titles in columns.items()
        }

    rows = ((row, _item(row, amounts(row))) for row in read_rows(sheet, kind))
    return drop_repeats(rows, lambda item: (item.code, item.modifier))


def _read_text(sheet: Sheet, kind: str) -> tuple[list[ItemFees], int]:
    """Read a table with a row for each state."""
    rows = ((row, _item(row, {_state(row): _text_amounts(row)})) for row in read_rows(sheet, kind, TEXT_TITLES[kind]))
    lines, repeated = drop_repeats(rows, lambda item: (item.code, item.modifier, *item.by_state))
    items: dict[tuple[str, str], ItemFees] = {}
    for line in lines:
        items.setdefault((line.code, line.modifier), line).by_state.update(line.by_state)
    return list(items.values()), repeated


def _state(row: FeeRow) -> str:
    state = row.cell("STATE").upper()
    if state not in STATES:
        raise ReferenceFileError(f"{row.where}: {state!r} is not a state; expected two letters")
    return state


def _text_amounts(row: FeeRow) -> Amounts:
    # Without the indicator, the first field is the fee of the base year, which is not used for pricing.
    return row.amount("FEE"), row.amount("BASE FEE") if row.cell("RURAL").upper() == "R" else None


def _item(row: FeeRow, by_state: dict[str, Amounts]) -> ItemFees:
    category, jurisdiction = row.cell("CATG").upper(), row.cell("JURIS").upper()
    return ItemFees(row.code, _modifiers(row), category, jurisdiction, by_state)


def _modifiers(row: FeeRow) -> str:
    return parse_modifiers([row.cell(title) for title in ("MOD", "MOD2", "MOD3")])


def _area_amounts(row: FeeRow, areas: dict[str, str]) -> Iterator[tuple[str, Decimal]]:
    for title, area in areas.items():
        amount = row.amount(title)
        if amount is not None:
            yield area, amount
