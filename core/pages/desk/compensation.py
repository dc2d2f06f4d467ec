"""Workers' compensation fee schedules, looked up by code."""

from collections.abc import Sequence

from django.http import HttpResponseBase

from core.fields.codes.basket_list import read_basket
from core.fields.places.care_setting import FACILITY_OR_UNSTATED, NON_FACILITY_OR_UNSTATED
from core.fields.places.states import STATES
from core.pages.desk.common_codes import find_earlier, list_common_codes, summarize_by_payer
from core.pages.formats import write_month
from core.pages.forms.compensation_form import CompensationForm
from core.pages.forms.select_box import SelectBox
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.page import PageQuery, page
from core.pages.shared.paging import Paging, span
from core.pages.yardstick_words import describe_allowed
from core.queries import coverage
from core.queries.baskets.basket_answer import choose_codes
from core.queries.baskets.basket_codes import HCPCS_SYSTEMS, BasketCode
from core.queries.in_state import find_in_state
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.payers.loaded_payers import newest_of_each_payer
from core.queries.yardstick.compensation import (
    AMOUNTS,
    STATUSES,
    CompensationAmount,
    CompensationRelease,
    choose_compensation_release,
    list_compensation_amounts,
    list_compensation_releases,
)
from core.queries.yardstick.schedule_medians import (
    OUTPATIENT,
    PROFESSIONAL,
    SURGICAL_CENTER,
    ScheduleMedian,
    amounts_of,
    list_schedule_medians,
)
from core.vocabulary.baskets import named_baskets


@page(CompensationForm)
def show_compensation(query: PageQuery[CompensationForm]) -> HttpResponseBase:
    """Show `/compensation/`"""
    releases = list_compensation_releases(query.db)
    state = query.values["state"] or next((one.state for one in releases), "")
    release = choose_compensation_release(releases, state, query.values["year_month"])
    named = named_baskets().get(query.values["basket"])
    listed = choose_codes(query.db, named, read_basket(query.values["codes"]))
    total, rows = 0, list[CompensationAmount]()
    if release:
        number = query.values["page"]
        limit, offset = (ROW_CAP, 0) if query.wants_file or listed else span(number)
        total, rows = list_compensation_amounts(
            query.db, release, query.values["code_type"], query.values["code"], limit, offset, listed
        )
    compared = listed or _one_code(rows, query.values["code"])
    by_month = not query.values["year_month"]
    beside = list_schedule_medians(query.db, release, rows, compared, by_month=by_month) if release and compared else []
    if query.wants_file and query.values["table"] == "payers":
        return query.download(beside, ScheduleMedian, f"compensation_payers_{state}")
    if query.wants_file:
        return query.download(rows, CompensationAmount, f"compensation_{state}")
    _offer_choices(query.form, releases, state)
    looked_up = bool(listed or query.values["code"])
    begins = bool(release and not looked_up and query.values["page"] == 1)
    common = list_common_codes(query.db, release) if release and begins else None
    of_code = (
        with_latest(query.db, Market(state, "", rows[0].code_type, rows[0].code)) if beside and not listed else None
    )
    newest = [one.newest for one in newest_of_each_payer(coverage.list_coverage(query.db))]
    of_state = [row for row in newest if row.state == state]
    with_schedule = [row for row in of_state if choose_compensation_release(releases, state, row.year_month)]
    return query.render(
        "pages/compensation.html",
        state=state,
        release=release,
        beside=beside,
        earlier=common.earlier if common else find_earlier(release, beside) if release else "",
        is_less_inside=_is_less_inside(beside),
        of_code=of_code,
        in_state=find_in_state(query.db, of_code) if of_code else [],
        not_compared=_not_compared(rows, compared, beside),
        no_facility_rates=not any(one.basis != PROFESSIONAL for one in beside),
        listed=listed,
        basket=named,
        codes_text=query.values["codes"].replace(",", "\n"),
        looked_up=looked_up,
        common=common,
        # Where there is no answer, the page begins with the question.
        asks_first=not rows or not looked_up,
        code=rows[0] if compared and not listed else None,
        ranges=summarize_by_payer(query.db, beside) if listed else common.ranges if common else [],
        allowed=describe_allowed(rows) if compared and not listed else [],
        missing=[one for one in listed if one.code not in {row.code for row in rows}] if release else [],
        payers=with_schedule,
        too_old=[row for row in of_state if row not in with_schedule],
        others=[one for one in releases if one.state == state and one != release],
        states=sorted({one.state for one in releases}),
        rows=[(row, [(name, getattr(row, name)) for name in _columns(rows)]) for row in rows],
        named=any(row.name for row in rows),
        columns=[(name, AMOUNTS[name]) for name in _columns(rows)],
        statuses=[(status, meaning) for status, meaning in STATUSES.items() if any(r.status == status for r in rows)],
        paging=Paging(query.values["page"], total),
    )


def _is_less_inside(beside: Sequence[ScheduleMedian]) -> bool:
    """Return whether some payer pays a professional less in a facility than outside of them."""
    of_side = {(one.code, one.payer_slug, one.care_setting): one.p50 for one in beside}
    return any(
        one.p50 < of_side.get((one.code, one.payer_slug, NON_FACILITY_OR_UNSTATED), 0)
        for one in beside
        if one.care_setting == FACILITY_OR_UNSTATED
    )


def _one_code(rows: Sequence[CompensationAmount], asked: str) -> list[BasketCode]:
    """Return the one code that is looked up; none if the text is the beginning of several."""
    if not asked or len({row.code for row in rows}) != 1:
        return []
    first = rows[0]
    systems = HCPCS_SYSTEMS if first.code_type in HCPCS_SYSTEMS else (first.code_type,)
    return [BasketCode(first.code, systems, first.name)]


def _not_compared(
    rows: Sequence[CompensationAmount], codes: Sequence[BasketCode], beside: Sequence[ScheduleMedian]
) -> list[str]:
    """Return who the schedule has amounts for without any rate to compare, of the codes that are compared."""
    priced = {basis for one in codes for basis in amounts_of([row for row in rows if row.code == one.code])}
    missing = priced - {one.basis for one in beside}
    return [title for basis, title in _WHO.items() if basis in missing]


_WHO = {
    PROFESSIONAL: "professionals",
    OUTPATIENT: "hospital outpatient departments",
    SURGICAL_CENTER: "surgical centers",
}


def _offer_choices(form: CompensationForm, releases: Sequence[CompensationRelease], state: str) -> None:
    """Show the states that have a schedule, and the releases of the chosen one, as select boxes.

    What was asked for is among the choices even if it is not there, so that the form says what the page is about.
    """
    states = sorted({one.state for one in releases} | ({state} if state else set()))
    form.fields["state"].widget = SelectBox(choices=[(one, f"{one} {STATES[one]}") for one in states])
    month = form.cleaned_data["year_month"]
    months = sorted({one.release for one in releases if one.state == state} | ({month} if month else set()))
    choices = [("", "Newest release"), *((one, write_month(one)) for one in reversed(months))]
    form.fields["year_month"].widget = SelectBox(choices=choices)
    form.data = {**form.cleaned_data, "state": state}


def _columns(rows: Sequence[CompensationAmount]) -> list[str]:
    """Return the amounts that some row has: a state's schedule has few of the kinds. The professional one is always."""
    return [name for name in AMOUNTS if name == "amount" or any(getattr(row, name) is not None for row in rows)]
