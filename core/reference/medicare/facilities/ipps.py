"""Load Medicare's base payments for inpatient cases: MS-DRG weights, standardized amounts and wage index.

    operating = weight x (labor amount x wage index + other amount)
    capital   = weight x capital rate x wage index ** 0.6848
    amount    = operating + capital, rounded once to cents

The labor amount is that of Table 1A if the wage index is above 1, otherwise that of Table 1B. Source: the inpatient
rule for fiscal year 2026 (CMS-1833-F), Tables 1A to 1E and 5; 42 CFR 412.64 and 412.316. What a hospital is paid on top
(teaching, low-income patients, outliers, new technology, quality programs, cost of living in Alaska and Hawaii) depends
on the hospital and is not in it.
"""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import polars as pl

from core.reference import recognize
from core.reference.benchmark_release import NOT_PRICED, LoadedBenchmark, put_release
from core.reference.medicare.addenda import area_index_rows, choose_wage_index
from core.reference.medicare.facilities.ipps_files import (
    DrgWeight,
    StandardizedAmounts,
    read_fiscal_year,
    read_standardized_amounts,
    read_weights,
)
from core.reference.medicare.wage_index import WageIndex
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from core.store.schema.tables import BENCH_IPPS, BENCH_WAGE_INDEX

LAST_MONTH = 9
"""A fiscal year ends in September."""

GAF_EXPONENT = Decimal("0.6848")
"""The geographic adjustment factor of capital is the wage index to this power: 42 CFR 412.316(a)."""

_CENT = Decimal("0.01")

HELP = """\
  ipps            Medicare's base payments for inpatient cases (MS-DRG), for every state, by fiscal year (October to
                  September). Takes Table 5, Tables 1A to 1E of the same rule, and the wage index file.

    manage.py load_benchmark ipps "CMS-1833-F Table 5.txt" "CMS-1833-F Tables 1A - 1E.txt" --wage-index wage_index.csv
"""


def load(
    store: Store, paths: list[Path], *, year_month: str | None = None, wage_index: Path | None = None
) -> LoadedBenchmark:
    """Load one fiscal year. Raise ReferenceFileError or StoreError if that fails; the store is then unchanged."""
    sheets = recognize.gather_sheets(
        paths, (recognize.DRG_WEIGHTS, recognize.STANDARDIZED_AMOUNTS, recognize.WAGE_INDEX)
    )
    tables = [recognize.first_sheet(sheets, kind) for kind in (recognize.DRG_WEIGHTS, recognize.STANDARDIZED_AMOUNTS)]
    year = _fiscal_year([*sheets[recognize.DRG_WEIGHTS], *sheets[recognize.STANDARDIZED_AMOUNTS]], year_month)
    weights, amounts = read_weights(tables[0]), read_standardized_amounts(tables[1])
    index_sheet, index, notes = choose_wage_index(sheets[recognize.WAGE_INDEX], wage_index, year)
    priced = sum(weight.weight is not None for weight in weights)
    loaded = LoadedBenchmark(
        kind="ipps",
        release=year_month or f"{int(year) - 1}-10",
        files=(*(sheet.name for sheet in tables), index_sheet.name),
        rows_read=len(weights),
        rows_priced=priced,
        left_out={"no weight: Medicare does not pay by it": len(weights) - priced} if priced < len(weights) else {},
        notes=(
            f"fiscal year {year}; base payment before hospital add-ons: operating and capital, full update, 10% cap",
            *notes,
        ),
        states=tuple(index.of_state),
        last_month=LAST_MONTH,
    )
    payments = StatePayments(weights, amounts, index, loaded.release)
    by_area = {BENCH_WAGE_INDEX: area_index_rows(index, loaded.kind, loaded.release)}
    return put_release(store, BENCH_IPPS, payments, loaded, by_area)


def _fiscal_year(sheets: list[Sheet], year_month: str | None) -> str:
    """Return the fiscal year of all tables. Raise ReferenceFileError if they are of several, or say none."""
    if year_month:
        year, month = year_month.split("-")
        return str(int(year) + (int(month) > LAST_MONTH))
    years = {sheet.name: read_fiscal_year(sheet) for sheet in sheets}
    if len(set(years.values())) > 1:
        each = ", ".join(f"{name} is of {year or 'no year it names'}" for name, year in years.items())
        raise ReferenceFileError(f"tables of different fiscal years: {each}; give those of one rule")
    (year_named,) = set(years.values())
    if year_named is None:
        raise ReferenceFileError(
            f"{', '.join(years)}: neither titles nor file names say which fiscal year this is (expected 'FY 2026'); "
            "name its first month with --year-month, such as 2025-10"
        )
    return year_named


class StatePayments:
    """A function from a state to its rows of bench_ipps, without year_month."""

    def __init__(self, weights: list[DrgWeight], amounts: StandardizedAmounts, index: WageIndex, release: str) -> None:
        self._weights = [weight.weight for weight in weights]
        self._amounts = amounts
        self._index = index
        self._fixed_columns = pl.DataFrame(
            {
                "code": [weight.drg for weight in weights],
                "weight": [None if weight.weight is None else float(weight.weight) for weight in weights],
                "reason": pl.Series(
                    [NOT_PRICED if weight.weight is None else None for weight in weights], dtype=pl.String
                ),
            },
            schema_overrides={"weight": pl.Float64},
        ).with_columns(
            code_type=pl.lit("MS-DRG"),
            modifier=pl.lit(""),
            labor_above_one=pl.lit(amounts.labor_above_one / 100),
            rest_above_one=pl.lit(amounts.rest_above_one / 100),
            labor_amount=pl.lit(amounts.labor / 100),
            rest_amount=pl.lit(amounts.rest / 100),
            capital_rate=pl.lit(amounts.capital / 100),
            release=pl.lit(release),
        )

    def __call__(self, state: str) -> pl.DataFrame:
        """Return the state's rows; `amount` is in dollars, at the state's mean wage index."""
        index = self._index.of_state[state]
        payment = compute_payment(self._amounts, index)
        amounts = [
            None if weight is None else float((weight * payment).quantize(_CENT, ROUND_HALF_UP))
            for weight in self._weights
        ]
        return self._fixed_columns.with_columns(
            pl.Series("amount", amounts, dtype=pl.Float64),
            state=pl.lit(state),
            wage_index=pl.lit(float(index)),
        )


def compute_payment(amounts: StandardizedAmounts, index: Fraction) -> Decimal:
    """Return the base payment of a case of weight 1 at a wage index, in dollars, not rounded."""
    exact = Decimal(index.numerator) / Decimal(index.denominator)
    labor, rest = (amounts.labor_above_one, amounts.rest_above_one) if index > 1 else (amounts.labor, amounts.rest)
    return (labor * exact + rest + amounts.capital * exact**GAF_EXPONENT) / 100
