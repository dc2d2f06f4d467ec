"""Load Medicare's hospital outpatient prices: Addendum B, wage adjusted for every state.

Source of the indicators and of the 60% labor share: the OPPS final rule for 2025 (89 FR 93912), Addendum D1 and
section II.C; S1 came with 2026. Drugs, devices, skin substitutes and services not paid under OPPS
are not wage adjusted.
"""

from pathlib import Path

from core.reference import recognize
from core.reference.benchmark_release import INPATIENT, NOT_PRICED, PACKAGED, LoadedBenchmark, put_release
from core.reference.medicare.addenda import (
    Indicator,
    StatePrices,
    area_index_rows,
    choose_wage_index,
    count_left_out,
    note_unknown_indicators,
    read_prices,
    read_release,
    unite_repeats,
)
from core.store.generations.store import Store
from core.store.schema.tables import BENCH_OPPS, BENCH_WAGE_INDEX

LABOR_PERCENT = 60

_COLUMNS = {
    "indicator": "opps_si",
    "apc": "opps_apc",
    "weight": "opps_weight",
    "rate": "opps_rate",
    "amount": "opps_mar_stateavg",
    "labor": "labor_amount",
}
"""The columns of bench_opps by their names in StatePrices."""

INDICATORS = {
    "A": Indicator("paid under another schedule", NOT_PRICED),
    "B": Indicator("not recognized on outpatient hospital claims", NOT_PRICED),
    "C": Indicator("paid for inpatients only", INPATIENT),
    "D": Indicator("discontinued", NOT_PRICED),
    "E1": Indicator("not covered", NOT_PRICED),
    "E2": Indicator("no pricing information", NOT_PRICED),
    "F": Indicator("paid at reasonable cost", NOT_PRICED),
    "G": Indicator("pass-through drug", adjusted=False),
    "H": Indicator("pass-through device", adjusted=False),
    "H1": Indicator("non-opioid device", adjusted=False),
    "J1": Indicator("comprehensive service"),
    "J2": Indicator("comprehensive service under conditions"),
    "K": Indicator("drug", adjusted=False),
    "K1": Indicator("non-opioid drug", adjusted=False),
    "L": Indicator("vaccine, paid at reasonable cost", NOT_PRICED),
    "M": Indicator("not billable", NOT_PRICED),
    "N": Indicator("packaged into other services", PACKAGED),
    "P": Indicator("partial hospitalization"),
    "Q1": Indicator("packaged with any S, T or V service, else paid"),
    "Q2": Indicator("packaged with a T service, else paid"),
    "Q3": Indicator("packaged in a composite, else paid"),
    "Q4": Indicator("laboratory, packaged, else paid under its own schedule", PACKAGED),
    "R": Indicator("blood"),
    "S": Indicator("procedure, not discounted"),
    "S1": Indicator("skin substitute, at one price", adjusted=False),
    "T": Indicator("procedure, discounted when several"),
    "U": Indicator("brachytherapy source"),
    "V": Indicator("clinic or emergency visit"),
    "Y": Indicator("durable equipment, not for hospitals", NOT_PRICED),
}

HELP = """\
  opps            Medicare's hospital outpatient prices, for every state. Takes Addendum B and the wage index file.

    manage.py load_benchmark opps "2025 NFRM Addendum B.txt" --wage-index wage_index_2025.csv
"""


def load(
    store: Store, paths: list[Path], *, year_month: str | None = None, wage_index: Path | None = None
) -> LoadedBenchmark:
    """Load one release. Raise ReferenceFileError or StoreError if that fails; the store is then unchanged."""
    sheets = recognize.gather_sheets(paths, (recognize.ADDENDUM_B, recognize.WAGE_INDEX))
    addendum = recognize.first_sheet(sheets, recognize.ADDENDUM_B)
    rows_read = read_prices(addendum, recognize.ADDENDUM_B, "SI")
    prices = unite_repeats(rows_read, addendum.name)
    release = year_month or read_release(addendum, recognize.ADDENDUM_B)
    index_sheet, index, notes = choose_wage_index(sheets[recognize.WAGE_INDEX], wage_index, release)
    rows = StatePrices(prices, INDICATORS, index, LABOR_PERCENT, release)
    loaded = LoadedBenchmark(
        kind="opps",
        release=release,
        files=(addendum.name, index_sheet.name),
        rows_read=len(rows_read),
        rows_priced=int(rows.paid.sum()),
        left_out=count_left_out(prices, rows.paid, INDICATORS, len(rows_read) - len(prices)),
        notes=(
            f"{LABOR_PERCENT}% of each rate is wage adjusted; drugs and devices are not",
            *notes,
            *note_unknown_indicators(prices, INDICATORS),
        ),
        states=tuple(rows.states),
    )
    by_area = {BENCH_WAGE_INDEX: area_index_rows(index, loaded.kind, release)}
    return put_release(store, BENCH_OPPS, lambda state: rows(state).rename(_COLUMNS), loaded, by_area)
