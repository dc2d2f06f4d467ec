"""Negotiated rates compared with Medicare."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import SafeString

from core.fields.codes.code_list import WantedCode
from core.pages.charts import spread_chart
from core.pages.code_pages.no_rates import find_instead
from core.pages.code_pages.same_columns import find_mean_error, find_same_amounts
from core.pages.forms.basket_forms import MedicareListForm
from core.pages.shared import urls
from core.pages.shared.downloads import ROW_CAP, download_seconds
from core.pages.shared.lanes.weights import is_too_broad
from core.pages.shared.page import MarketQuery, ask_for_code, market_page
from core.pages.shared.paging import PAGE_ROWS, Paging, span
from core.pages.yardstick_words import describe_allowed, describe_odd_release
from core.queries import coverage
from core.queries.baskets.payer_levels import list_market_levels
from core.queries.comparison.left_out import counts_everything
from core.queries.comparison.overruled_labels import list_overruled_labels
from core.queries.comparison.reasons import REASONS
from core.queries.comparison.schedules import SCHEDULES
from core.queries.comparison.state_schedule import COMPENSATION_REASONS
from core.queries.find import codes
from core.queries.likely_rates import find_evidence_switch
from core.queries.market.market_filters import FILTERS
from core.queries.market.market_rates import uses_own_areas
from core.queries.releases import Release, list_releases
from core.queries.side_by_side.payer_comparison import compare_payers
from core.queries.side_by_side.payer_spread import PricedSpread
from core.queries.yardstick import medicare
from core.queries.yardstick.compensation import (
    CompensationAmount,
    CompensationRelease,
    list_compensation_amounts,
)
from core.queries.yardstick.odd_releases import list_odd_releases
from core.store.connection import Snapshot


@dataclass(frozen=True)
class UncomparedReason:
    """Why some rates have no percent of Medicare, and what would be needed to compare them."""

    reason: str
    rates: int
    meaning: str
    needed: str


@dataclass(frozen=True)
class UncompensatedReason:
    """Why some rates have no percent of the state's workers' compensation schedule."""

    reason: str
    rates: int
    meaning: str


@market_page(MedicareListForm, "medicare")
def show_medicare(query: MarketQuery[MedicareListForm]) -> HttpResponseBase:
    """Show `/medicare/`"""
    if query.values["codes"]:
        # Every payer and code with its percent of Medicare is what the page of baskets shows.
        return redirect(urls.changed(reverse("baskets"), {**query.form.parameters(), "sort": None, "table": None}))
    if query.wants_file:
        return ask_for_code(query, "medicare") if is_too_broad(query.db, query.market) else _download(query)
    if _asks_for_all_rates(query):
        levels, labels = list_market_levels(query.db, query.market), list_overruled_labels(query.db, query.market)
        return ask_for_code(query, "medicare", levels=levels, labels=labels)
    db, market = query.db, query.market
    limit, offset = span(query.values["page"])
    spreads = medicare.summarize_percents(query.compared, market)
    outcomes = medicare.count_outcomes(query.compared, market)
    compensation = _compare_with_compensation(query, query.compensation_release) if query.compensation_release else None
    of_organizations = _find_middle_organizations(query)
    releases = list_releases(db)
    listed = outcomes.total + (0 if counts_everything(market) else query.not_meant)
    rows = medicare.list_comparisons(query.compared, market, query.values["sort"], limit, offset)
    return query.render(
        "pages/medicare.html",
        evidence=find_evidence_switch(query.cached_by_area, market),
        code=codes.describe_code(db, market.code_type, market.code),
        spreads=spreads,
        of_organizations=of_organizations,
        told=[(row, of_organizations.get(row.payer_slug)) for row in spreads[:MAX_TOLD]],
        chart=spread_chart.draw_spreads(_bars(spreads)),
        implausible=sum(row.implausible for row in spreads),
        outcomes=outcomes,
        listed=listed,
        instead=None if listed else find_instead(query, "medicare"),
        reasons=_reasons(outcomes),
        has_releases=bool(releases),
        releases=_with_oddities(db, _releases_in_use(query, releases, outcomes.bases)),
        aged=find_aged_schedules(releases, outcomes.bases, datetime.now(UTC).date()),
        rows=rows,
        same=find_same_amounts(rows),
        mean_error=find_mean_error(rows),
        own_areas=uses_own_areas(db, market),
        areas_known=uses_own_areas(db, replace(market, area=None)),
        compensation=compensation,
        paging=Paging(query.values["page"], listed),
        sort=query.values["sort"],
        answer_rows=listed,
    )


def _find_middle_organizations(query: MarketQuery[MedicareListForm]) -> dict[str | None, PricedSpread]:
    """Return what each payer's middle organization is paid, as the tab Payers has it; none for several classes.

    Payers' middle rates may be in another order: a contract of one clinic counts as much in them as one of 400.
    """
    market = query.market
    if not market.code or market.classes:
        return {}
    spreads, _ = compare_payers(query.db, market, [WantedCode(market.code_type, market.code)], None)
    if len({row.line for row in spreads}) > 1:
        return {}
    return {row.payer_slug: row for row in spreads if row.by_organizations and row.percent is not None}


MAX_TOLD = 3
"""The payers that the first sentence names. The table has all."""

MAX_COMPARED = 50_000
"""How many rates the page compares that names no code. More take seconds, and nobody reads them: files have them."""


def _asks_for_all_rates(query: MarketQuery[MedicareListForm]) -> bool:
    """Return whether nothing narrows the question down, or what narrows it down may leave too many rates."""
    market = query.market
    if market.code:
        return False
    narrows = any(getattr(market, name) for name in FILTERS) or market.basis
    return not narrows or coverage.count_market_rates(query.db, market) > MAX_COMPARED


def _releases_in_use(
    query: MarketQuery[MedicareListForm], releases: Sequence[Release], bases: Sequence[medicare.Basis]
) -> list[Release]:
    """Return the releases that rates of the page are compared with: the notes on the others are not about it."""
    in_use = {(one.kind, of.release) for of in bases for one in SCHEDULES if of.basis.startswith(one.title)}
    if state := query.compensation_release:
        in_use.add(("wcfs", state.release))
    return [one for one in releases if (one.kind, one.release) in in_use and one.state in {"US", query.market.state}]


def _with_oddities(db: Snapshot, releases: Sequence[Release]) -> list[tuple[Release, str]]:
    """Return the releases, each with the words on why it may be of another year, if it may."""
    odd = {(one.kind, one.state, one.release): describe_odd_release(one) for one in list_odd_releases(db)}
    return [(one, odd.get((one.kind, one.state, one.release), "")) for one in releases]


LEAST_AGE = 6
"""From so many months on, the newest release of a schedule is said to be old: there is one each quarter or year."""


@dataclass(frozen=True)
class AgedSchedule:
    """A schedule that rates are compared with, of which no newer release is loaded."""

    kinds: Sequence[str]
    release: str
    months: int


def find_aged_schedules(
    releases: Sequence[Release], bases: Sequence[medicare.Basis], today: date
) -> list[AgedSchedule]:
    """Return the schedules in use whose newest release is old, those of one month together, oldest first."""
    found: dict[str, list[str]] = {}
    for schedule in SCHEDULES:
        loaded = [one.release for one in releases if one.kind == schedule.kind]
        if loaded and any(of.basis.startswith(schedule.title) for of in bases):
            found.setdefault(max(loaded), []).append(schedule.kind)
    aged = []
    for release, kinds in sorted(found.items()):
        year, month = map(int, release.split("-"))
        months = 12 * (today.year - year) + today.month - month
        if months >= LEAST_AGE:
            aged.append(AgedSchedule(kinds, release, months))
    return aged


@dataclass(frozen=True)
class ComparedWithCompensation:
    """The rates of a market compared with the state's workers' compensation schedule."""

    outcomes: medicare.Outcomes
    reasons: Sequence[UncompensatedReason]
    spreads: Sequence[medicare.PercentSpread]
    chart: SafeString
    scheduled: Sequence[CompensationAmount]
    """What the schedule says about the code of the market, if it has one: also where no rate is loaded."""
    allowed: Sequence[tuple[str, float]]
    """Its amounts, and whom they are for in words."""


def _compare_with_compensation(
    query: MarketQuery[MedicareListForm], release: CompensationRelease
) -> ComparedWithCompensation:
    db, market = query.compared, query.market
    outcomes = medicare.count_outcomes(db, market, medicare.COMPENSATION)
    spreads = medicare.summarize_percents(db, market, medicare.COMPENSATION)
    scheduled: Sequence[CompensationAmount] = ()
    if market.code:
        system = market.code_type or "CPT"
        scheduled = list_compensation_amounts(query.db, release, system, market.code, PAGE_ROWS, 0)[1]
    chart = spread_chart.draw_spreads(_bars(spreads), title="Percent of the workers’ compensation schedule", key=2)
    allowed = describe_allowed(scheduled)
    return ComparedWithCompensation(outcomes, _uncompensated(outcomes), spreads, chart, scheduled, allowed)


def _bars(spreads: Sequence[medicare.PercentSpread]) -> list[spread_chart.Bar]:
    return [
        spread_chart.Bar(row.reporting_entity_name, (row.p10, row.p25, row.p50, row.p75, row.p90)) for row in spreads
    ]


def _download(query: MarketQuery[MedicareListForm]) -> HttpResponseBase:
    table, market = query.values["table"], query.market
    if table == "rates":
        every = medicare.stream_comparisons(query.db, market, query.values["sort"], ROW_CAP, download_seconds())
        return query.download(every, medicare.Comparison, "medicare")
    against_state = table.startswith("compensation_")
    download = query.download_of_schedule if against_state else query.download
    yardstick = medicare.COMPENSATION if against_state else medicare.MEDICARE
    name = table if against_state else f"medicare_{table}"
    if table.endswith("payers"):
        found = medicare.summarize_percents(query.compared, market, yardstick)
        return download(found, medicare.PercentSpread, name)
    outcomes = medicare.count_outcomes(query.compared, market, yardstick)
    if table.endswith("bases"):
        return download(outcomes.bases, medicare.Basis, name)
    if against_state:
        return download(_uncompensated(outcomes), UncompensatedReason, name)
    return download(_reasons(outcomes), UncomparedReason, name)


def _reasons(outcomes: medicare.Outcomes) -> Sequence[UncomparedReason]:
    return [
        UncomparedReason(reason, rates, REASONS[reason].meaning, REASONS[reason].needed)
        for reason, rates in outcomes.reasons.items()
    ]


def _uncompensated(outcomes: medicare.Outcomes) -> Sequence[UncompensatedReason]:
    return [
        UncompensatedReason(reason, rates, COMPENSATION_REASONS[reason]) for reason, rates in outcomes.reasons.items()
    ]
