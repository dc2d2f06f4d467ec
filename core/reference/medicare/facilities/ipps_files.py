"""Read the tables of the inpatient rule: Table 5 (weights of MS-DRGs) and Tables 1A to 1E (standardized amounts)."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from core.fields.codes.billing_code import CODE_WIDTHS
from core.reference import recognize
from core.reference.medicare.scaled_numbers import parse_money
from core.reference.spreadsheets import HEADER_WITHIN_ROWS, Sheet
from core.runtime.errors import ReferenceFileError

DRG_WIDTH = CODE_WIDTHS["MS-DRG"]

_FISCAL_YEAR = re.compile(r"\bFY ?(20\d\d)\b", re.IGNORECASE)
_TABLE = re.compile(r"\bTABLE 1([A-E])\b", re.IGNORECASE)
_MONEY = re.compile(r"\$ ?[\d,]+\.\d\d")


@dataclass(frozen=True)
class DrgWeight:
    """One MS-DRG: three digits, and its weight, None for those that Medicare does not pay (998 and 999)."""

    drg: str
    weight: Decimal | None


@dataclass(frozen=True)
class StandardizedAmounts:
    """What a case of weight 1 is paid, in cents: the part for labor and the rest of the operating amount, and capital.

    The labor share is larger where the wage index is above 1, so that the index never lowers a payment by more than
    62% of it (42 U.S.C. 1395ww(d)(3)(E)(ii)).
    """

    labor_above_one: int
    rest_above_one: int
    labor: int
    rest: int
    capital: int


def read_weights(sheet: Sheet) -> list[DrgWeight]:
    """Return the weights of Table 5: those with the 10% cap applied, which Medicare pays by.

    Raise ReferenceFileError if the file is not as CMS publishes it.
    """
    header = recognize.find_header(sheet.rows, recognize.DRG_WEIGHTS) or 0
    titles = recognize.header_titles(sheet.rows, recognize.DRG_WEIGHTS)
    weights = [n for n, title in enumerate(titles) if title.startswith("WEIGHT")]
    # Since 2023 there are two: before the cap, and with it.
    capped = [n for n in weights if "CAP APPLIED" in titles[n]] or (weights if len(weights) == 1 else [])
    if len(capped) != 1:
        raise ReferenceFileError(
            f"{sheet.name}: expected one column of weights, or one headed '10% Cap Applied'; its columns are "
            f"{', '.join(titles)}"
        )
    found: dict[str, DrgWeight] = {}
    for number, row in enumerate(sheet.rows[header + 1 :], header + 2):
        if len(row) <= capped[0] or not re.fullmatch(r"\d{1,3}", row[0]):
            continue  # notes
        drg = row[0].zfill(DRG_WIDTH)
        try:
            weight = DrgWeight(drg, _parse_weight(row[capped[0]]))
        except ValueError as error:
            raise ReferenceFileError(f"{sheet.name}: row {number}, MS-DRG {drg}: {error}") from None
        if found.setdefault(drg, weight) != weight:
            raise ReferenceFileError(f"{sheet.name}: row {number}: MS-DRG {drg} has two weights; expected one")
    if not found:
        raise ReferenceFileError(f"{sheet.name}: no MS-DRGs below the header")
    return list(found.values())


def _parse_weight(text: str) -> Decimal | None:
    if text in {"", "."}:
        return None
    try:
        weight = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a weight") from None
    if not weight.is_finite() or weight < 0:
        raise ValueError(f"{text!r} is not a weight; expected zero or more")
    return weight or None  # older tables have 0.0000 for MS-DRGs that are not paid


def read_standardized_amounts(sheet: Sheet) -> StandardizedAmounts:
    """Return the amounts of hospitals that submit quality data and use electronic records: the full update.

    Raise ReferenceFileError if the file is not as CMS publishes it.
    """
    amounts: dict[str, list[int]] = {}
    table = ""
    for row in sheet.rows:
        text = " ".join(cell for cell in row if cell)
        if found := _TABLE.search(text):
            table = found[1].upper()
            if table in "AB" and ("GREATER THAN 1" in text.upper()) != (table == "A"):
                raise ReferenceFileError(
                    f"{sheet.name}: expected Table 1A for wage indices greater than 1 and Table 1B for others; Table "
                    f"1{table} says: {text}"
                )
        elif money := [parse_money(cell) for cell in row if _MONEY.fullmatch(cell)]:
            amounts.setdefault(table, money)
    missing = [f"1{table}" for table, needed in (("A", 2), ("B", 2), ("D", 1)) if len(amounts.get(table, [])) < needed]
    if missing:
        raise ReferenceFileError(f"{sheet.name}: no amounts of Table {', '.join(missing)}; expected Tables 1A to 1E")
    (above, rest_above), (below, rest) = amounts["A"][:2], amounts["B"][:2]
    if abs(above + rest_above - below - rest) > 2:
        raise ReferenceFileError(
            f"{sheet.name}: Tables 1A and 1B divide different amounts, ${(above + rest_above) / 100:,.2f} and "
            f"${(below + rest) / 100:,.2f}; expected one amount"
        )
    return StandardizedAmounts(above, rest_above, below, rest, amounts["D"][0])


def read_fiscal_year(sheet: Sheet) -> str | None:
    """Return the fiscal year that the titles or the file's name say, or None."""
    titles = (" ".join(row) for row in sheet.rows[:HEADER_WITHIN_ROWS])
    return next((found[1] for text in (*titles, sheet.file) if (found := _FISCAL_YEAR.search(text))), None)
