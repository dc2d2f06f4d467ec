"""Load Medicare's payment limits of Part B drugs (ASP pricing file): dollars per dosage unit, for the whole country.

A limit is 106% of the average sales price already, so nothing is added to it. Sequestration is not taken off.
Hospitals are paid by Addendum B, which has rates of its own for the same codes.

Source: CMS, ASP Pricing Files, and the notes in them.
"""

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from core.fields.codes.billing_code import medicare_code_system
from core.reference import recognize
from core.reference.benchmark_release import NATION, NOT_PRICED, REPEATED, LoadedBenchmark, put_release
from core.reference.medicare.addenda import read_release as read_titles
from core.reference.medicare.items.fee_rows import FeeRow, drop_repeats, read_rows, require_titles
from core.reference.medicare.items.issues import choose_newest, refuse_older_issue
from core.reference.medicare.month_names import MONTH_NAME_PATTERN, release_month
from core.reference.spreadsheets import Sheet
from core.store.generations.store import Store
from core.store.schema.tables import BENCH_ASP

HELP = """\
  asp             Medicare's payment limits of Part B drugs, one amount per dosage unit for the whole country. Takes the
                  ASP pricing file of a quarter, csv or Excel. Of a file and its correction the correction is loaded.

    manage.py load_benchmark asp "section 508 version of Oct 2025 ASP Pricing File 091725.csv"
"""

_CODE, _LIMIT, _DOSAGE = "HCPCS CODE", "PAYMENT LIMIT", "HCPCS CODE DOSAGE"
_PERIOD = re.compile(rf"EFFECTIVE ({MONTH_NAME_PATTERN})[A-Z]* \d{{1,2}}, ?(20\d\d)", re.IGNORECASE)
_NO_LIMIT = "N/A"


@dataclass(frozen=True)
class DrugLimit:
    """A row: the payment limit of a dosage unit in dollars, None where CMS publishes none."""

    code: str
    dosage: str
    amount: Decimal | None
    coinsurance: Decimal | None
    notes: str


def load(store: Store, paths: list[Path], *, year_month: str | None = None) -> LoadedBenchmark:
    """Load one release. Raise ReferenceFileError or StoreError if that fails; the store is then unchanged."""
    found = recognize.gather_sheets(paths, (recognize.DRUG_LIMITS,))[recognize.DRUG_LIMITS]
    sheet, release, notes = choose_newest(found, lambda sheet: year_month or read_release(sheet))
    refuse_older_issue(store, "asp", release, [sheet.name])
    limits, repeated = read_drug_limits(sheet)
    left_out = Counter({REPEATED: repeated} if repeated else {})
    left_out.update(f"{NOT_PRICED}: no payment limit" for limit in limits if limit.amount is None)
    loaded = LoadedBenchmark(
        kind="asp",
        release=release,
        files=(sheet.name,),
        rows_read=len(limits) + repeated,
        rows_priced=sum(limit.amount is not None for limit in limits),
        left_out=dict(sorted(left_out.items())),
        notes=("dollars per dosage unit, 106% of the average sales price; the same amount in every state", *notes),
        states=(NATION,),
    )
    return put_release(store, BENCH_ASP, lambda _: _rows(limits, release), loaded)


def read_drug_limits(sheet: Sheet) -> tuple[list[DrugLimit], int]:
    """Return the rows of the file, and how many repeated ones were left out. Raise ReferenceFileError if it is bad."""
    require_titles(sheet, recognize.DRUG_LIMITS, _CODE, _LIMIT, _DOSAGE)
    rows = read_rows(sheet, recognize.DRUG_LIMITS, code=_CODE)
    return drop_repeats(((row, _limit(row)) for row in rows), lambda limit: limit.code)


def read_release(sheet: Sheet) -> str:
    """Return the month a release begins, from `Effective January 1, 2025 through …` above the header.

    Raise ReferenceFileError if neither that nor the file's name says it.
    """
    header = recognize.find_header(sheet.rows, recognize.DRUG_LIMITS) or 0
    for row in sheet.rows[:header]:
        period = _PERIOD.search(recognize.normalize_title(" ".join(row)))
        if period:
            return release_month(period[2], period[1])
    return read_titles(sheet, recognize.DRUG_LIMITS)


def _limit(row: FeeRow) -> DrugLimit:
    return DrugLimit(
        code=row.code,
        dosage=row.cell(_DOSAGE),
        amount=None if row.cell(_LIMIT).upper() == _NO_LIMIT else row.amount(_LIMIT),
        coinsurance=row.number("CO-INSURANCE PERCENTAGE"),
        notes=row.cell("NOTES"),
    )


def _rows(limits: list[DrugLimit], release: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "code_type": [medicare_code_system(limit.code) for limit in limits],
            "code": [limit.code for limit in limits],
            "amount": pl.Series([limit.amount and float(limit.amount) for limit in limits], dtype=pl.Float64),
            "reason": pl.Series([NOT_PRICED if limit.amount is None else None for limit in limits], dtype=pl.String),
            "dosage": [limit.dosage for limit in limits],
            "coinsurance_percent": pl.Series(
                [None if limit.coinsurance is None else float(limit.coinsurance) for limit in limits], dtype=pl.Float64
            ),
            "notes": pl.Series([limit.notes or None for limit in limits], dtype=pl.String),
        }
    ).with_columns(state=pl.lit(NATION), modifier=pl.lit(""), release=pl.lit(release))
