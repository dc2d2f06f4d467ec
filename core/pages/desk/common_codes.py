"""What payers pay for codes that everybody knows, beside a state's workers' compensation schedule."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from core.fields.codes.basket_list import read_basket
from core.fields.places.care_setting import FACILITY_OR_UNSTATED
from core.pages.formats import write_own_date
from core.pages.shared.downloads import ROW_CAP
from core.queries.baskets.basket_answer import choose_codes
from core.queries.baskets.basket_codes import BasketCode
from core.queries.comparison.usual_side import OUTSIDE, list_usual_sides
from core.queries.market.file_dates import old_months
from core.queries.yardstick.compensation import CompensationAmount, CompensationRelease, list_compensation_amounts
from core.queries.yardstick.schedule_medians import (
    PROFESSIONAL,
    ScheduleMedian,
    amounts_of,
    list_schedule_medians,
)
from core.store.connection import Snapshot
from core.vocabulary.services import FAMILIAR_CODES


@dataclass(frozen=True)
class CommonCode:
    """A code that everybody knows: what the schedule pays a professional where it is usual, and what payers pay."""

    code: str
    title: str | None
    amount: float
    in_facilities: bool
    """Whether the amounts are those in facilities."""
    medians: Sequence[ScheduleMedian]


@dataclass(frozen=True)
class PayerRange:
    """What a payer pays for listed codes: the lowest and the highest of its median percents of the schedule."""

    reporting_entity_name: str
    payer_slug: str
    date: str
    codes: int
    middle: float
    """The percent of the schedule in the middle of them."""
    lowest: ScheduleMedian
    highest: ScheduleMedian


@dataclass(frozen=True)
class CommonCodes:
    """The codes, and what each payer pays for them in a sentence."""

    codes: Sequence[CommonCode]
    ranges: Sequence[PayerRange]
    earlier: str = ""
    """The release that all rates are compared with, if that is another one than the release that is looked at."""

    @property
    def only(self) -> PayerRange | None:
        """The payer, if there is only one: the table needs no column for it."""
        return self.ranges[0] if len(self.ranges) == 1 else None

    @property
    def heading(self) -> str:
        """What the column of the payers' medians is called: it says of when they are if all are of the same time."""
        dates = {one.date for one in self.ranges}
        return f"#Paid ({dates.pop()})" if len(dates) == 1 else "#Paid"


def list_common_codes(db: Snapshot, release: CompensationRelease) -> CommonCodes:
    """Return FAMILIAR_CODES as far as the schedule has an amount for professionals, each on its usual side."""
    codes = choose_codes(db, None, read_basket(",".join(FAMILIAR_CODES)))
    _, rows = list_compensation_amounts(db, release, "", "", ROW_CAP, 0, codes)
    medians = [one for one in list_usual_medians(db, release, rows, codes) if one.basis == PROFESSIONAL]
    found = []
    for one in codes:
        amount = amounts_of([row for row in rows if row.code == one.code]).get(PROFESSIONAL)
        of_code = [row for row in medians if row.code == one.code]
        if amount:
            first = of_code[0] if of_code else None
            inside = bool(first and first.care_setting == FACILITY_OR_UNSTATED)
            found.append(CommonCode(one.code, one.title, first.amount if first else amount, inside, of_code))
    return CommonCodes(found, summarize_by_payer(db, medians), find_earlier(release, medians))


def find_earlier(release: CompensationRelease, beside: Sequence[ScheduleMedian]) -> str:
    """Return the one release that all rates are compared with, if it is another one than the one that is looked at."""
    compared = {one.release for one in beside} - {""}
    return compared.pop() if len(compared) == 1 and release.release not in compared else ""


def list_usual_medians(
    db: Snapshot, release: CompensationRelease, rows: Sequence[CompensationAmount], codes: Sequence[BasketCode]
) -> list[ScheduleMedian]:
    """Return the medians of list_schedule_medians, those of professionals only where the code is usually performed."""
    usual = list_usual_sides(db)
    return [
        one
        for one in list_schedule_medians(db, release, rows, codes, by_month=True)
        if one.care_setting in {None, usual.get(one.code, OUTSIDE).side_of(None)}
    ]


def summarize_by_payer(db: Snapshot, beside: Sequence[ScheduleMedian]) -> list[PayerRange]:
    """Return what each payer pays for listed codes, the payer with most codes first."""
    by_payer: dict[str, list[ScheduleMedian]] = {}
    for one in beside:
        by_payer.setdefault(one.payer_slug, []).append(one)
    dates = old_months(db)
    found = [
        PayerRange(
            reporting_entity_name=rows[0].reporting_entity_name,
            payer_slug=slug,
            date=write_own_date(rows[0].year_month, dates.get((rows[0].state, rows[0].year_month, slug))),
            codes=len({one.code for one in rows}),
            middle=statistics.median(one.percent for one in rows),
            lowest=min(rows, key=lambda one: one.percent),
            highest=max(rows, key=lambda one: one.percent),
        )
        for slug, rows in by_payer.items()
    ]
    return sorted(found, key=lambda one: (-one.codes, one.reporting_entity_name.lower()))
