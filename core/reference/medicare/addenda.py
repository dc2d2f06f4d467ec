"""What Addendum B and the ASC addenda have in common: a code, an indicator, a weight and a national rate a row."""

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np
import polars as pl

from core.fields.billing_code import HCPCS_CODE_PATTERN, medicare_code_system, restore_leading_zeros
from core.reference import recognize
from core.reference.benchmark_release import NOT_PRICED
from core.reference.medicare.physician_files import MONTHS
from core.reference.medicare.wage_index import WageIndex, adjust_rates, read_wage_index
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError


@dataclass(frozen=True)
class NationalPrice:
    """One row. The rate is in thousandths of a dollar (drugs have three decimals); None where there is none."""

    code: str
    indicator: str
    apc: str | None
    weight: float | None
    rate: int | None

    @property
    def code_type(self) -> str:
        """CPT or HCPCS."""
        return medicare_code_system(self.code)


@dataclass(frozen=True)
class Indicator:
    """What an indicator means, why it has no amount (None where it is paid), and whether the wage index applies."""

    meaning: str
    reason: str | None = None
    adjusted: bool = True


def read_prices(sheet: Sheet, kind: str, indicator: str) -> list[NationalPrice]:
    """The rows of an addendum whose column of indicators has `indicator` in its title. Raises ReferenceFileError."""
    header = recognize.find_header(sheet.rows, kind) or 0
    titles = [recognize.normalize_title(cell) for cell in sheet.rows[header]]

    def column(*wanted: str) -> int | None:
        return next((n for n, title in enumerate(titles) if any(word in title for word in wanted)), None)

    code, weight, rate = column("HCPCS"), column("WEIGHT"), column("PAYMENT RATE")
    says = next((n for n, title in enumerate(titles) if title == indicator), column(f" {indicator}", indicator))
    apc = next((n for n, title in enumerate(titles) if title == "APC"), None)
    if code is None or weight is None or rate is None or says is None:
        raise ReferenceFileError(f"{sheet.name}: expected the columns HCPCS Code, {indicator}, Weight and Payment Rate")
    found: list[NationalPrice] = []
    for number, row in enumerate(sheet.rows[header + 1 :], header + 2):
        # Codes come with blanks of all kinds behind them; notes stand below the table.
        if len(row) <= max(code, weight, rate, says):
            continue
        match = re.match(HCPCS_CODE_PATTERN, restore_leading_zeros(row[code]))
        if not match or not row[says] or len(row[code]) > 7:
            continue
        try:
            figures = _number(row[weight]), _number(row[rate])
        except ValueError as error:
            raise ReferenceFileError(f"{sheet.name}: row {number}, code {match[0]}: {error}") from None
        thousandths = None if figures[1] is None else round(figures[1] * 1000)
        found.append(
            NationalPrice(
                match[0],
                row[says].upper(),
                (row[apc].zfill(4) if row[apc] else None) if apc is not None else None,
                None if figures[0] is None else float(figures[0]),
                thousandths or None,
            )
        )
    if not found:
        raise ReferenceFileError(f"{sheet.name}: no codes below the header")
    twice, times = Counter(price.code for price in found).most_common(1)[0]
    if times > 1:
        raise ReferenceFileError(f"{sheet.name}: code {twice} stands there {times} times; expected once")
    return found


def read_release(sheet: Sheet, kind: str) -> str:
    """The month a release begins: 'October 2025' in the header, titles or file name, else January of 'CY 2025'."""
    header = recognize.find_header(sheet.rows, kind) or 0
    said = [*(" ".join(row) for row in reversed(sheet.rows[: header + 1])), re.sub(r"[_.-]", " ", sheet.file)]
    names = "|".join(MONTHS)
    for text in said:
        month = re.search(rf"\b({names})[a-z]*\W+(20\d\d)\b|\b(20\d\d)\W+({names})[a-z]*\b", text, re.IGNORECASE)
        if month:
            return f"{month[2] or month[3]}-{MONTHS[(month[1] or month[4]).lower()]:02}"
    for text in said:
        year = re.search(r"\bCY ?(20\d\d)\b", text, re.IGNORECASE)
        if year:
            return f"{year[1]}-01"
    raise ReferenceFileError(
        f"{sheet.name}: neither titles nor file name say which quarter this is; name its first month with --year-month"
    )


def choose_wage_index(found: list[Sheet], given: Path | None, release: str) -> tuple[Sheet, WageIndex, list[str]]:
    """The wage index that is among the files or named by --wage-index, and sentences on it."""
    sheets = recognize.gather_sheets([given], (recognize.WAGE_INDEX,))[recognize.WAGE_INDEX] if given else found
    if not sheets:
        raise ReferenceFileError(
            "no wage index file among the files: the rates are national, and a state's need its index; give the CMS "
            "wage index file with --wage-index"
        )
    index = read_wage_index(sheets[0])
    notes = [f"a state's wage index is the simple mean over its urban areas and its rural one, from {sheets[0].name}"]
    if index.year and index.year != release[:4]:
        notes.append(f"the wage index is of {index.year}, the rates of {release[:4]}: figures are near, not exact")
    if index.left_out:
        notes.append(f"{len(index.left_out)} areas without an index or a state left out of the means")
    return sheets[0], index, notes


class StatePrices:
    """The rows of a state, one per code, without year_month; columns begin with `prefix` (opps, asc)."""

    def __init__(
        self,
        prices: list[NationalPrice],
        indicators: dict[str, Indicator],
        index: WageIndex,
        labor_percent: int,
        release: str,
    ) -> None:
        self._index = index
        self._labor = labor_percent
        self._rates = np.array([price.rate or 0 for price in prices], np.int64)
        known = [indicators.get(price.indicator) for price in prices]
        # A rate of less than half a cent is none.
        self.paid = np.array(
            [(price.rate or 0) >= 5 and bool(i and not i.reason) for price, i in zip(prices, known, strict=True)]
        )
        reasons = [
            None if paid else (i and i.reason) or NOT_PRICED for paid, i in zip(self.paid.tolist(), known, strict=True)
        ]
        self._adjusted = np.array([bool(i and i.adjusted) for i in known])
        self._fixed = pl.DataFrame(
            {
                "code_type": [price.code_type for price in prices],
                "code": [price.code for price in prices],
                "indicator": [price.indicator for price in prices],
                "reason": pl.Series(reasons, dtype=pl.String),
                "apc": pl.Series([price.apc for price in prices], dtype=pl.String),
                "weight": pl.Series([price.weight for price in prices], dtype=pl.Float64),
                "rate": pl.Series([price.rate and price.rate / 1000 for price in prices], dtype=pl.Float64),
            }
        ).with_columns(release=pl.lit(release))

    @property
    def states(self) -> list[str]:
        """The states that have an index."""
        return list(self._index.of_state)

    def __call__(self, state: str) -> pl.DataFrame:
        """The state's rows; `amount` is in dollars."""
        index = self._index.of_state[state]
        cents = np.where(self._adjusted, adjust_rates(self._rates, index, self._labor), (self._rates + 5) // 10)
        amount = pl.Series("amount", np.where(self.paid, cents, 0) / 100).replace(0.0, None)
        return self._fixed.with_columns(amount, state=pl.lit(state), wage_index=pl.lit(float(index)))


def count_left_out(prices: list[NationalPrice], paid: np.ndarray, indicators: dict[str, Indicator]) -> dict[str, int]:
    """Why the other rows have no amount, to the number of rows."""
    reasons: Counter[str] = Counter()
    for price, has_amount in zip(prices, paid.tolist(), strict=True):
        if not has_amount:
            known = indicators.get(price.indicator, Indicator("of no known meaning", NOT_PRICED))
            reasons[f"{known.reason or 'no rate'}: {price.indicator}, {known.meaning}"] += 1
    return dict(sorted(reasons.items()))


def _number(text: str) -> Decimal | None:
    """A weight or rate: '$3,307.24', '.' or blank for none."""
    plain = text.replace("$", "").replace(",", "").strip()
    if plain in {"", "."}:
        return None
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None
    if not value.is_finite() or value < 0:
        raise ValueError(f"{text!r} is no amount")
    return value
