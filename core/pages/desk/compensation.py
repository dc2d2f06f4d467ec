"""Workers' compensation fee schedules, looked up by code."""

from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.http import HttpResponseBase

from core.fields.places.states import STATES
from core.pages.formats import write_month
from core.pages.forms.compensation_form import CompensationForm
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.page import FAMILIAR_CODES, PageQuery, page
from core.pages.shared.paging import Paging, span
from core.queries import coverage
from core.queries.code_answer import answer_code, spread_by_terms
from core.queries.latest import with_latest
from core.queries.rules.market import Market, market_cache
from core.queries.rules.market_filters import NO_MODIFIER
from core.queries.yardstick.compensation import (
    AMOUNTS,
    STATUSES,
    CompensationAmount,
    CompensationRelease,
    choose_compensation_release,
    list_compensation_amounts,
    list_compensation_releases,
)
from core.store.connection import Snapshot


@page(CompensationForm)
def show_compensation(query: PageQuery[CompensationForm]) -> HttpResponseBase:
    """Show `/compensation/`"""
    releases = list_compensation_releases(query.db)
    state = query.values["state"] or next((one.state for one in releases), "")
    release = choose_compensation_release(releases, state, query.values["year_month"])
    total, rows = 0, list[CompensationAmount]()
    if release:
        number = query.values["page"]
        limit, offset = (ROW_CAP, 0) if query.wants_file else span(number)
        total, rows = list_compensation_amounts(
            query.db, release, query.values["code_type"], query.values["code"], limit, offset
        )
    if query.wants_file:
        return query.download(rows, CompensationAmount, f"compensation_{state}")
    _offer_choices(query.form, releases, state)
    newest = [one.newest for one in coverage.newest_of_each_payer(coverage.list_coverage(query.db))]
    of_state = [row for row in newest if row.state == state]
    with_schedule = [row for row in of_state if choose_compensation_release(releases, state, row.year_month)]
    return query.render(
        "pages/compensation.html",
        state=state,
        release=release,
        beside=_rates_beside(query.db, release, rows) if release and query.values["code"] else [],
        payers=with_schedule,
        too_old=[row for row in of_state if row not in with_schedule],
        familiar=FAMILIAR_CODES,
        others=[one for one in releases if one.state == state and one != release],
        states=sorted({one.state for one in releases}),
        rows=[(row, [(name, getattr(row, name)) for name in _columns(rows)]) for row in rows],
        named=any(row.name for row in rows),
        columns=[(name, AMOUNTS[name]) for name in _columns(rows)],
        statuses=[(status, meaning) for status, meaning in STATUSES.items() if any(r.status == status for r in rows)],
        paging=Paging(query.values["page"], total),
    )


@dataclass(frozen=True)
class RatesBesideSchedule:
    """A payer's rates to professionals for the whole service, beside the amount that the schedule has for it."""

    payer: str
    year_month: str
    rates: int
    median: float
    share: float
    """The median as a share of the amount, whether or not the schedule was in effect in the month of the rates."""


def _rates_beside(
    db: Snapshot, release: CompensationRelease, rows: Sequence[CompensationAmount]
) -> list[RatesBesideSchedule]:
    """Return the payers' rates for the one code of the rows. There are none for several codes."""
    if len({row.code for row in rows}) != 1:
        return []
    amount = next((row.amount for row in rows if not row.modifier), None)
    if not amount:
        return []
    of_code = Market(release.state, "", None, rows[0].code, billing_class="professional", modifier=NO_MODIFIER)
    market = with_latest(db, of_code)
    with market_cache(db, market) as cached:
        found = answer_code(spread_by_terms(cached, market))
    return [
        RatesBesideSchedule(
            payer=row.reporting_entity_name or "",
            year_month=market.month_of(row.payer_slug or ""),
            rates=row.rates,
            median=row.p50,
            share=row.p50 / amount,
        )
        for row in (found.payers if found else [])
    ]


def _offer_choices(form: CompensationForm, releases: Sequence[CompensationRelease], state: str) -> None:
    """Show the states that have a schedule, and the releases of the chosen one, as select boxes.

    What was asked for is among the choices even if it is not there, so that the form says what the page is about.
    """
    states = sorted({one.state for one in releases} | ({state} if state else set()))
    form.fields["state"].widget = forms.Select(choices=[(one, f"{one} {STATES[one]}") for one in states])
    month = form.cleaned_data["year_month"]
    months = sorted({one.release for one in releases if one.state == state} | ({month} if month else set()))
    choices = [("", "Newest release"), *((one, write_month(one)) for one in reversed(months))]
    form.fields["year_month"].widget = forms.Select(choices=choices)
    form.data = {**form.cleaned_data, "state": state}


def _columns(rows: Sequence[CompensationAmount]) -> list[str]:
    """Return the amounts that some row has: a state's schedule has few of the kinds. The professional one is always."""
    return [name for name in AMOUNTS if name == "amount" or any(getattr(row, name) is not None for row in rows)]
