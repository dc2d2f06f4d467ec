"""Load Medicare's clinical laboratory fee schedule (CLFS): one amount a test for the whole country since 2018.

Source: CMS, Clinical Laboratory Fee Schedule Files, and Protecting Access to Medicare Act, section 216.
"""

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from core.fields.codes.billing_code import medicare_code_system
from core.fields.codes.modifier import parse_modifiers
from core.fields.dates import parse_date
from core.fields.month import is_month
from core.reference import recognize
from core.reference.benchmark_release import NATION, NOT_IN_LIST, NOT_PRICED, REPEATED, LoadedBenchmark, put_release
from core.reference.medicare.items.fee_rows import FeeRow, drop_repeats, read_rows
from core.reference.medicare.items.issues import choose_newest, refuse_older_issue
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from core.store.schema.tables import BENCH_CLFS

INDICATORS = {"N": "national amount", "L": "set by the contractor"}

HELP = """\
  clfs            Medicare's clinical laboratory fee schedule, one amount for the whole country. Takes the file of a
                  quarter: csv, Excel, or text.

    manage.py load_benchmark clfs "CLFS 2025 Q1V1.csv"
"""

_TEXT_TITLES = ("YEAR", "HCPCS", "MOD", "EFF_DATE", "INDICATOR", "RATE", "SHORTDESC")
_QUARTER = re.compile(r"Q([1-4])(?!\d)", re.IGNORECASE)


@dataclass(frozen=True)
class LabFee:
    """A row: the amount of a test in dollars, None where the contractor sets it."""

    code: str
    modifier: str
    indicator: str
    effective: str
    amount: Decimal | None


def load(store: Store, paths: list[Path], *, year_month: str | None = None) -> LoadedBenchmark:
    """Load one release. Raise ReferenceFileError or StoreError if that fails; the store is then unchanged."""
    kinds = (recognize.LAB_FEES, recognize.LAB_FEES_TEXT)
    found = recognize.gather_sheets(paths, kinds)
    sheet, release, notes = choose_newest(
        [sheet for kind in kinds for sheet in found[kind]], lambda sheet: year_month or read_release(sheet)
    )
    refuse_older_issue(store, "clfs", release, [sheet.name])
    fees, repeated = read_lab_fees(sheet)
    left_out = Counter({REPEATED: repeated} if repeated else {})
    for fee in fees:
        if fee.amount is None:
            left_out[f"{NOT_PRICED}: {fee.indicator}, {INDICATORS.get(fee.indicator, NOT_IN_LIST)}"] += 1
    unknown = Counter(fee.indicator for fee in fees if fee.amount is not None and fee.indicator not in INDICATORS)
    notes += [f"indicator {name!r}, {NOT_IN_LIST}: {rows} rows priced" for name, rows in sorted(unknown.items())]
    loaded = LoadedBenchmark(
        kind="clfs",
        release=release,
        files=(sheet.name,),
        rows_read=len(fees) + repeated,
        rows_priced=sum(fee.amount is not None for fee in fees),
        left_out=dict(sorted(left_out.items())),
        notes=("the same amount in every state", *notes),
        states=(NATION,),
    )
    return put_release(store, BENCH_CLFS, lambda _: _rows(fees, release), loaded)


def read_lab_fees(sheet: Sheet) -> tuple[list[LabFee], int]:
    """Return the rows of the file, and how many repeated ones were left out. Raise ReferenceFileError if it is bad."""
    return drop_repeats(((row, _fee(row)) for row in _rows_of(sheet)), lambda fee: (fee.code, fee.modifier))


def read_release(sheet: Sheet) -> str:
    """Return the month a release begins: that of the year and of the quarter in the file's name (`CLFS 2025 Q1V1`).

    Where the name has none, it is the month of the latest date in the file: a quarter's new codes begin with it.
    """
    years, dates = set(), set()
    for row in _rows_of(sheet):
        years.add(row.cell("YEAR"))
        day = parse_date(row.cell("EFF_DATE"))
        dates.add(day.isoformat()[: len("YYYY-MM")] if day else "")
    quarter = _QUARTER.search(sheet.file)
    year = years.pop() if len(years) == 1 else ""
    release = f"{year}-{int(quarter[1]) * 3 - 2:02}" if quarter else max(dates)
    if not is_month(release):
        raise ReferenceFileError(
            f"{sheet.name}: neither the file's name nor its dates say which quarter this is; name its first month with "
            "--year-month"
        )
    return release


def _rows_of(sheet: Sheet) -> list[FeeRow]:
    if recognize.find_header(sheet.rows, recognize.LAB_FEES) is not None:
        return list(read_rows(sheet, recognize.LAB_FEES))
    return list(read_rows(sheet, recognize.LAB_FEES_TEXT, _TEXT_TITLES))


def _fee(row: FeeRow) -> LabFee:
    day = parse_date(row.cell("EFF_DATE"))
    return LabFee(
        code=row.code,
        modifier=parse_modifiers(row.cell("MOD")),
        indicator=row.cell("INDICATOR").upper(),
        effective=day.isoformat() if day else "",
        amount=row.amount("RATE"),
    )


def _rows(fees: list[LabFee], release: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "code_type": [medicare_code_system(fee.code) for fee in fees],
            "code": [fee.code for fee in fees],
            "modifier": [fee.modifier for fee in fees],
            "amount": pl.Series([fee.amount and float(fee.amount) for fee in fees], dtype=pl.Float64),
            "reason": pl.Series([NOT_PRICED if fee.amount is None else None for fee in fees], dtype=pl.String),
            "indicator": [fee.indicator for fee in fees],
            "effective_date": [fee.effective or None for fee in fees],
        }
    ).with_columns(state=pl.lit(NATION), release=pl.lit(release))
