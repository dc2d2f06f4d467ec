"""Read what Addendum B and the ASC addenda have in common: per row a code, an indicator, a weight, a national rate."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from core.fields.codes.billing_code import HCPCS_CODE_PATTERN, HCPCS_WIDTH, medicare_code_system, restore_leading_zeros
from core.reference import recognize
from core.reference.amount_cells import parse_amount
from core.reference.benchmark_release import NOT_IN_LIST, NOT_PRICED, REPEATED, encode_text_columns
from core.reference.medicare.month_names import MONTH_NAME_PATTERN, release_month
from core.reference.medicare.wage_index import WageIndex, adjust_rates, read_wage_index
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError
from core.store.schema.tables import BENCH_WAGE_INDEX

_HALF_A_CENT = 5
"""In thousandths of a dollar."""


@dataclass(frozen=True)
class NationalPrice:
    """One row. The rate is in thousandths of a dollar, as drugs have three decimals; None if there is no rate."""

    code: str
    indicator: str
    apc: str | None
    weight: float | None
    rate: int | None

    @property
    def code_type(self) -> str:
        """CPT or HCPCS."""
        return medicare_code_system(self.code)

    def describe(self) -> str:
        """Return its indicator and rate, for people."""
        return f"{self.indicator} {'without a rate' if self.rate is None else f'${self.rate / 1000:,.3f}'}"


@dataclass(frozen=True)
class Indicator:
    """What an indicator means, why its codes have no amount (None if they are paid), and whether wages adjust it."""

    meaning: str
    reason: str | None = None
    adjusted: bool = True


def read_prices(sheet: Sheet, kind: str, indicator: str) -> list[NationalPrice]:
    """Return the rows of an addendum whose indicator column has `indicator` in its title, with its repeated rows.

    Raise ReferenceFileError if the file is not as CMS publishes it.
    """
    header = recognize.find_header(sheet.rows, kind) or 0
    titles = [recognize.normalize_title(cell) for cell in sheet.rows[header]]

    def column(*wanted: str) -> int | None:
        return next((n for n, title in enumerate(titles) if any(word in title for word in wanted)), None)

    # The titles contain the quarter (`October 2025 Payment Rate`), so all but two are found by a part of them.
    code, weight, rate = column("HCPCS"), column("WEIGHT"), column("PAYMENT RATE")
    # A whole title is preferred: two letters such as SI may be part of another title.
    indicator_column = next(
        (n for n, title in enumerate(titles) if title == indicator), column(f" {indicator}", indicator)
    )
    apc = next((n for n, title in enumerate(titles) if title == "APC"), None)
    if code is None or weight is None or rate is None or indicator_column is None:
        raise ReferenceFileError(f"{sheet.name}: expected the columns HCPCS Code, {indicator}, Weight and Payment Rate")
    found: list[NationalPrice] = []
    for number, row in enumerate(sheet.rows[header + 1 :], header + 2):
        if len(row) <= max(code, weight, rate, indicator_column):
            continue
        # Some blanks behind codes survive trimming, such as zero-width ones. Longer texts are notes below the table.
        match = re.match(HCPCS_CODE_PATTERN, restore_leading_zeros(row[code]))
        if not match or not row[indicator_column] or len(row[code]) > HCPCS_WIDTH + 2:
            continue
        try:
            weight_value, rate_value = parse_amount(row[weight]), parse_amount(row[rate])
        except ValueError as error:
            raise ReferenceFileError(f"{sheet.name}: row {number}, code {match[0]}: {error}") from None
        thousandths = None if rate_value is None else round(rate_value * 1000)
        found.append(
            NationalPrice(
                code=match[0],
                indicator=row[indicator_column].upper(),
                apc=(row[apc].zfill(4) if row[apc] else None) if apc is not None else None,
                weight=None if weight_value is None else float(weight_value),
                rate=thousandths or None,
            )
        )
    if not found:
        raise ReferenceFileError(f"{sheet.name}: no codes below the header")
    return found


def unite_repeats(prices: list[NationalPrice], where: str) -> list[NationalPrice]:
    """Return the rows without those that repeat another: quarters of CMS's addenda list some codes twice.

    Raise ReferenceFileError if two rows of a code differ: neither may win in silence.
    """
    kept: dict[str, NationalPrice] = {}
    for price in prices:
        known = kept.setdefault(price.code, price)
        if known != price:
            raise ReferenceFileError(
                f"{where}: code {price.code} is in it {sum(one.code == price.code for one in prices)} times, with "
                f"different content ({known.describe()}; {price.describe()}); expected it once"
            )
    return list(kept.values())


def read_release(sheet: Sheet, kind: str) -> str:
    """Return the month a release begins: `October 2025` or `April CY 2020` in the header, a title, or the file's name.

    Where there is only `CY 2025`, it is January. Raise ReferenceFileError if there is neither.
    """
    header = recognize.find_header(sheet.rows, kind) or 0
    texts = [*(" ".join(row) for row in reversed(sheet.rows[: header + 1])), re.sub(r"[_.-]", " ", sheet.file)]
    name = rf"({MONTH_NAME_PATTERN})[a-z]*"
    for text in texts:
        found = re.search(rf"\b{name}\W+(?:CY\W*)?(20\d\d)\b|\b(20\d\d)\W+{name}\b", text, re.IGNORECASE)
        if found:
            return release_month(found[2] or found[3], found[1] or found[4])
    for text in texts:
        year = re.search(r"\bCY ?(20\d\d)\b", text, re.IGNORECASE)
        if year:
            return f"{year[1]}-01"
    raise ReferenceFileError(
        f"{sheet.name}: neither titles nor file name say which quarter this is; name its first month with --year-month"
    )


def choose_wage_index(found: list[Sheet], given: Path | None, release: str) -> tuple[Sheet, WageIndex, list[str]]:
    """Return the wage index file that is among the files or named by --wage-index, its content, and notes on it."""
    sheets = recognize.gather_sheets([given], (recognize.WAGE_INDEX,))[recognize.WAGE_INDEX] if given else found
    if not sheets:
        raise ReferenceFileError(
            "no wage index file among the files: the rates are national, and a state's amounts need its index; give "
            "the CMS wage index file with --wage-index"
        )
    index = read_wage_index(sheets[0])
    notes = [f"a state's wage index is the simple mean over its urban areas and its rural one, from {sheets[0].name}"]
    if index.year and index.year != release[:4]:
        notes.append(f"the wage index is of {index.year}, the rates of {release[:4]}: amounts are approximate")
    if index.left_out:
        notes.append(f"{len(index.left_out)} areas without an index or a state left out of the means")
    if index.several:
        notes.append(
            f"{len(index.several)} areas are listed with several indices, and count with their mean: "
            f"{'; '.join(index.several)}"
        )
    return sheets[0], index, notes


def area_index_rows(index: WageIndex, kind: str, release: str) -> Iterator[pa.Table]:
    """Yield the rows of bench_wage_index that a release of a kind of benchmark was adjusted by."""
    rows = index.areas.with_columns(kind=pl.lit(kind), release=pl.lit(release))
    yield encode_text_columns(rows, BENCH_WAGE_INDEX)


class StatePrices:
    """A function from a state to its rows, one per code, without year_month.

    What is the same in every state is computed once; a call adjusts the rates by the state's wage index.
    """

    def __init__(
        self,
        prices: list[NationalPrice],
        indicators: dict[str, Indicator],
        index: WageIndex,
        labor_percent: int,
        release: str,
        devices: Mapping[str, int] | None = None,
    ) -> None:
        """Take the national rates; `devices` is the part of a code's rate that pays for its device."""
        self._index = index
        self._labor_percent = labor_percent
        self._rates = np.array([price.rate or 0 for price in prices], np.int64)  # thousandths of a dollar
        # A device costs the same everywhere: only the rest of the rate is adjusted.
        self._devices = np.array([(devices or {}).get(price.code, 0) for price in prices], np.int64)
        known = [indicators.get(price.indicator) for price in prices]
        # Half a cent is the least rate that rounds to a cent; below that there is nothing to compare with.
        self.paid = np.array(
            [
                (price.rate or 0) >= _HALF_A_CENT and indicator is not None and indicator.reason is None
                for price, indicator in zip(prices, known, strict=True)
            ]
        )
        """Which rows have an amount."""
        reasons = [
            None if paid else (indicator and indicator.reason) or NOT_PRICED
            for paid, indicator in zip(self.paid.tolist(), known, strict=True)
        ]
        self._adjusted = np.array([indicator is not None and indicator.adjusted for indicator in known])
        self._fixed_columns = pl.DataFrame(
            {
                "code_type": [price.code_type for price in prices],
                "code": [price.code for price in prices],
                "indicator": [price.indicator for price in prices],
                "reason": pl.Series(reasons, dtype=pl.String),
                "apc": pl.Series([price.apc for price in prices], dtype=pl.String),
                "weight": pl.Series([price.weight for price in prices], dtype=pl.Float64),
                "rate": pl.Series([price.rate and price.rate / 1000 for price in prices], dtype=pl.Float64),
            }
        ).with_columns(self._labor_amounts(), release=pl.lit(release))

    def _labor_amounts(self) -> pl.Series:
        """Return the part of each rate that the index multiplies, in dollars; null for rows without an amount."""
        # Thousandths of a dollar times percent are whole numbers, so that the division is the only rounding.
        amounts = np.where(self._adjusted, (self._rates - self._devices) * self._labor_percent, 0) / 100_000
        return pl.Series("labor", np.where(self.paid, amounts, np.nan)).fill_nan(None)

    @property
    def states(self) -> list[str]:
        """The states that have an index."""
        return list(self._index.of_state)

    def __call__(self, state: str) -> pl.DataFrame:
        """Return the state's rows; `amount` is in dollars."""
        index = self._index.of_state[state]
        cents = np.where(
            self._adjusted,
            adjust_rates(self._rates, index, self._labor_percent, fixed=self._devices),
            (self._rates + _HALF_A_CENT) // 10,
        )
        amount = pl.Series("amount", np.where(self.paid, cents, 0) / 100).replace(0.0, None)
        return self._fixed_columns.with_columns(amount, state=pl.lit(state), wage_index=pl.lit(float(index)))


def count_left_out(
    prices: list[NationalPrice], paid: np.ndarray, indicators: dict[str, Indicator], repeated: int
) -> dict[str, int]:
    """Return the number of rows without an amount by reason; `repeated` rows are left out as well."""
    reasons: Counter[str] = Counter({REPEATED: repeated} if repeated else {})
    for price, has_amount in zip(prices, paid.tolist(), strict=True):
        if not has_amount:
            known = indicators.get(price.indicator, Indicator(NOT_IN_LIST, NOT_PRICED))
            reasons[f"{known.reason or 'no rate'}: {price.indicator}, {known.meaning}"] += 1
    return dict(sorted(reasons.items()))


def note_unknown_indicators(prices: list[NationalPrice], indicators: dict[str, Indicator]) -> list[str]:
    """Return a note on the indicators that are not in CMS's list, with their number of codes."""
    unknown = Counter(price.indicator for price in prices if price.indicator not in indicators)
    if not unknown:
        return []
    named = ", ".join(
        f"{indicator} ({codes:,} code{'s' * (codes > 1)})" for indicator, codes in sorted(unknown.items())
    )
    return [f"indicators {NOT_IN_LIST}, whose codes are not priced: {named}"]
