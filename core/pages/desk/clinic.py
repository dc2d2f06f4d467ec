"""A clinic against its market: its rates or those that are pasted, by code and payer, the largest shortfall first.

What a visitor pastes is answered in the response to the same request. It is not stored, not logged, not kept in memory
for others, and never in an address.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.text import capfirst

from core import open_store
from core.fields.codes.basket_list import read_basket
from core.fields.codes.clinic_lines import (
    EXPECTED,
    MAX_CHARACTERS,
    BadLine,
    ClinicLine,
    is_list_of_codes,
    read_clinic_lines,
)
from core.fields.places.care_setting import SIDES
from core.fields.providers.payer_slug import make_payer_slug
from core.pages.citation import name_site
from core.pages.desk.negotiation_sheet import make_negotiation_sheet
from core.pages.formats import name_tin, write_own_date
from core.pages.forms.clinic_form import ClinicForm, PastedForm
from core.pages.shared.answer_cache import ending_together
from core.pages.shared.error_pages import invalid_query, nothing_loaded, sorry, timed_out, too_busy, unreadable
from core.pages.shared.lanes.admission import QUESTIONS, TooBusy, client_of
from core.pages.shared.market_choice import choose_from_form, form_with_market, with_class
from core.pages.shared.page import MarketQuery, market_page
from core.pages.shared.words.elsewhere_words import say_elsewhere
from core.queries.baskets.basket_answer import choose_codes, is_of_own_classes
from core.queries.baskets.clinic_answer import ClinicQuestion, answer_clinic, split_clinic
from core.queries.baskets.clinic_gaps import BY_UNITS, UNWEIGHED, PayerGap, sum_gaps, weigh
from core.queries.baskets.clinic_position import list_left_out
from core.queries.baskets.clinic_rows import Clinic, ClinicPosition
from core.queries.coverage import list_coverage
from core.queries.in_state import find_in_state_of_codes
from core.queries.latest import list_payer_months
from core.queries.loaded_files import list_sources
from core.queries.market.market import Market
from core.queries.over_time.changes import PayerMoved, count_movements
from core.queries.over_time.comparable_months import list_comparable_months
from core.queries.parties.kinds_of_rates import list_kinds_of_rates
from core.queries.parties.middle_by_payer import LEAST_ORGANIZATIONS
from core.queries.parties.other_tins import RatesUnderOther, Whose, list_rates_under_others
from core.queries.parties.providers import find_tins
from core.queries.parties.roll_ups import find_organization
from core.queries.releases import oldest_schedule_if_newer
from core.runtime.errors import BeaconError
from core.runtime.request_notes import note_private
from core.store.connection import QueryTimeout, QueryTooLarge, Snapshot, time_limit
from core.vocabulary.baskets import named_baskets

ROWS_SHOWN = 50
"""Lines on the page and on paper: two sheets. The files have all of them."""

MOST_PAYERS, MOST_OTHER_TINS = 6, 6
"""How many payers the answer is about, and how many other tax IDs are named."""

MAX_SOURCES = 8
"""Files that are named on the page and on paper."""

_COMPARED_BY = ("city", "near", "specialty")
"""The filters by whom a clinic is compared with that the page offers. The address takes all others too."""

MAX_REQUEST = 2 * MAX_CHARACTERS


@dataclass(frozen=True)
class _Pasted:
    npis: tuple[str, ...] = ()
    lines: Sequence[ClinicLine] = ()
    text: str = ""
    bad: Sequence[BadLine] = ()


@dataclass(frozen=True)
class _PayerAnswer:
    """What the page says first of a payer: the gaps, the date of its file, and what became of its prices before."""

    gap: PayerGap
    file_date: str | None
    percents: str
    """The percents of Medicare that most of its lines' prices are, in words; empty if they are not known."""
    moved: PayerMoved | None = None
    before: str = ""
    """The earlier month that `moved` is compared with."""


@market_page(ClinicForm, "clinic")
def _show_without_pasted(query: MarketQuery[ClinicForm]) -> HttpResponseBase:
    return _answer(query, _Pasted())


def show_clinic(request: HttpRequest) -> HttpResponseBase:
    """Show `/clinic/`. A form that is posted is answered at once, so that nothing of it is in an address."""
    if request.method != "POST":
        return _show_without_pasted(request)
    note_private()
    response = name_site(request, _answer_posted(request))
    response["Cache-Control"] = "no-store"
    return response


show_clinic.parameters = frozenset(ClinicForm().fields)  # type: ignore[attr-defined]


def _answer_posted(request: HttpRequest) -> HttpResponseBase:
    if refused := _refuse(request):
        return refused
    # Django's other handler would write a large file to disk.
    request.upload_handlers = [MemoryFileUploadHandler(request)]
    pasted = PastedForm(request.POST)
    problems = _problems(pasted)
    text = "" if problems else _text_of_file(request) or pasted.cleaned_data["lines"]
    given = request.POST.copy()
    if is_list_of_codes(text):
        # A list of codes has nothing private: it is the same question as that of an address.
        given["codes"], text = text, ""
    filled = ClinicForm(given)
    problems = [*([] if filled.is_valid() else filled.problems), *problems]
    lines, bad = read_clinic_lines(text)
    if bad and not lines:
        problems.append(("lines", f"row {bad[0].row}: {bad[0].reason}; {EXPECTED}"))
    db = open_store.snapshot_for_site()
    if problems or db is None:
        return invalid_query(request, problems) if problems else nothing_loaded(request)
    try:
        return _answer_in_lane(request, db, filled, _Pasted(pasted.cleaned_data["npis"], lines, text, bad))
    except (QueryTimeout, QueryTooLarge) as error:
        return timed_out(request, error)
    except TooBusy as error:
        return too_busy(request, error)
    except BeaconError as error:
        return unreadable(request, error)


def _refuse(request: HttpRequest) -> HttpResponseBase | None:
    """Return the answer to a form that another site sends, or that is too large; None for one that is read."""
    if not _is_of_this_site(request):
        return sorry(request, 403, "Not from this site", [("", "Send the form from this page itself.")])
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_REQUEST:
        return sorry(request, 413, "Too much at once", [("lines", f"Expected at most {MAX_CHARACTERS:,} characters.")])
    return None


def _answer_in_lane(request: HttpRequest, db: Snapshot, filled: ClinicForm, pasted: _Pasted) -> HttpResponseBase:
    with (
        ExitStack() as resources,
        QUESTIONS.enter(client_of(request)),
        time_limit(QUESTIONS.limits.seconds),
        ending_together(),
    ):
        choice = choose_from_form(filled, db)
        query = MarketQuery(request, db, form_with_market(filled, choice, db), choice, resources)
        response = _answer(query, pasted)
        if isinstance(response, StreamingHttpResponse):
            # The file is complete before the place in the lane is left.
            response.streaming_content = list(response)
        return response


def _is_of_this_site(request: HttpRequest) -> bool:
    """Return whether a browser says that the form was sent from this site. Programs say nothing."""
    origin = request.headers.get("Origin", "")
    return request.headers.get("Sec-Fetch-Site", "same-origin") in {"same-origin", "none"} and (
        not origin or urlsplit(origin).netloc == request.get_host()
    )


def _problems(form: PastedForm) -> list[tuple[str, str]]:
    return [(name, str(why)) for name, reasons in form.errors.items() for why in reasons]


def _other_sides(setting: str | None) -> list[str]:
    """Return the other side than the one that positions are of; none if they are of no side."""
    return [side for side in SIDES if side != setting] if setting in SIDES else []


def _text_of_file(request: HttpRequest) -> str:
    file = request.FILES.get("file")
    return file.read(MAX_CHARACTERS + 1).decode("utf-8-sig", errors="replace") if file else ""


def _answer(query: MarketQuery[ClinicForm], pasted: _Pasted) -> HttpResponseBase:
    db, npis, lines, text = query.db, pasted.npis, pasted.lines, pasted.text
    of_provider = query.market
    market, clinic = split_clinic(query.market, npis)
    codes = choose_codes(db, named_baskets().get(query.values["basket"]), read_basket(query.values["codes"]))
    answer = answer_clinic(db, ClinicQuestion(market, clinic, lines, codes))
    if answer.bad and not answer.asked:
        return invalid_query(query.request, [("lines", f"row {one.row}: {one.reason}") for one in answer.bad[:20]])
    of_market = answer.of_class.market
    asked, positions = answer.asked, answer.positions
    # What is pasted is in no address, so a link to another class would lose it.
    is_pasted = bool(npis or text.strip())
    choice = with_class(query.choice, answer.of_class)
    query = replace(query, choice=replace(choice, of_own_classes=is_of_own_classes(of_market)))
    weighed_by = weigh(asked, {one.code: one.services for one in positions if one.services is not None})
    gaps = sum_gaps(positions)
    compared = {gap.payer_slug for gap in gaps}
    in_state = [
        one
        for one in find_in_state_of_codes(db, market, {line.code.code for line in asked})
        if make_payer_slug(one.reporting_entity_name or "") in compared
    ]
    if query.wants_file:
        lead = make_negotiation_sheet(positions, weighed_by, say_elsewhere(in_state, market.state))
        return query.download(positions, ClinicPosition, "clinic_against_market", lead)
    # A line with a rate but without other organizations has no gap. It is shown, and says so.
    priced = [one for one in positions if one.rate is not None]
    of_area = [one for one in priced if one.area]
    other_payers = {one.other_payer for one in priced if one.other_payers}
    where = [name for name in _COMPARED_BY if query.values[name]]
    settings = Counter(one.care_setting or "" for one in priced).most_common()
    payers = _payers_of_market(query)
    left_out = list_left_out(asked, answer.found, payers)
    has_position = any(one.rate is not None for one in positions)
    kinds = list_kinds_of_rates(db, of_provider) if of_provider.of_provider and not has_position else []
    there = {one.payer_slug for one in positions} | {one.payer_slug for one in kinds}
    absent = [(slug, name) for slug, name in payers.items() if slug not in there]
    months = list_payer_months(db, market)
    # The market of all payers is in the files. On the page, another payer is what the column of other payers is of.
    compared_payers = answer.found.paying if other_payers or not gaps else compared
    files = list_sources(db, market.state, market.months, market.payer, compared_payers)
    dates = {one.payer_slug: write_own_date(one.year_month, one.file_month) for one in months}
    return query.render(
        "pages/clinic.html",
        kinds=[one for one in kinds if one.kind != "dollars"],
        # Of rates that are in no dollars, no class has a position.
        has_no_dollars=bool(kinds) and all(one.kind != "dollars" for one in kinds),
        is_asked=bool(asked) or bool(clinic.values),
        who=_name_of(db, clinic),
        clinic=clinic,
        other_sides=_other_sides(query.market.care_setting) if not is_pasted else [],
        asked=asked,
        of_own=answer.of_own,
        elsewhere=answer.elsewhere,
        positions=priced[:ROWS_SHOWN],
        commonest_setting=settings[0][0] if settings and query.choice.of_own_classes else "",
        has_settings=len(settings) > 1,
        has_payers=len({one.payer_slug for one in priced}) > 1,
        has_totals=weighed_by != UNWEIGHED,
        has_shortfall=any((one.gap_to_middle or 0) < 0 for one in priced),
        area_lines=len(of_area),
        own_area=next((one.own_area for one in of_area if one.own_area), ""),
        own_area_lines=sum(one.is_own_area for one in of_area),
        other_area_lines=sum(not one.is_own_area for one in of_area),
        has_other_payers=bool(other_payers),
        one_other_payer=next(iter(other_payers), None) if len(other_payers) == 1 else None,
        compared_by=_COMPARED_BY,
        compared_with=where,
        sources=files[:MAX_SOURCES],
        more_sources=max(len(files) - MAX_SOURCES, 0),
        hidden=max(0, len(priced) - ROWS_SHOWN),
        unpriced=[one for one in positions if one.rate is None][:ROWS_SHOWN],
        unpriced_in_all=sum(one.rate is None for one in positions),
        in_state=in_state,
        gaps=_answers_of_payers(query, clinic, gaps[:MOST_PAYERS], dates),
        left_out=left_out,
        errors=answer.found.errors,
        has_given=any(line.rate is not None for line in asked),
        under_others=_under_other_tins(query, clinic, absent),
        whose="this tax ID" if clinic.tin else "these NPIs" if clinic.npis else "this organization",
        weighed_by=weighed_by,
        least_organizations=LEAST_ORGANIZATIONS,
        has_percents=any(one.percent is not None for one in priced),
        oldest_schedule=oldest_schedule_if_newer(db, market.newest_month),
        has_units=weighed_by == BY_UNITS,
        labels=query.find_labels({line.code.code for line in asked}) if asked else [],
        bad=[*pasted.bad, *answer.bad],
        pasted={"npis": " ".join(npis), "lines": text, "is_any": is_pasted},
        codes_text=query.values["codes"].replace(",", "\n"),
        baskets=named_baskets().values(),
        answer_rows=sum(one.rates for one in positions),
        **_files_of(query, gaps, compared_payers),
    )


def _answers_of_payers(
    query: MarketQuery[ClinicForm], clinic: Clinic, gaps: Sequence[PayerGap], dates: Mapping[str, str]
) -> list[_PayerAnswer]:
    """Return what the page says first of each payer. Only a tax ID has a page of changes."""
    loaded = list_coverage(query.db) if clinic.tin else []
    found = []
    for gap in gaps:
        said = _PayerAnswer(gap, dates.get(gap.payer_slug), " or ".join(gap.percents))
        rows = [one for one in loaded if (one.state, one.payer_slug) == (query.market.state, gap.payer_slug)]
        if pair := next(iter(list_comparable_months(rows, later=query.market.month_of(gap.payer_slug))), None):
            market = Market(pair.state, pair.later, payer=pair.payer_slug, tin=clinic.tin)
            moved = [one for one in count_movements(query.db, market, pair.earlier, ["payers"]).payers if one.kept]
            in_dollars = next((one for one in moved if one.kind == "dollars"), None)
            said = replace(said, moved=in_dollars, before=pair.earlier)
        found.append(said)
    return found


def _files_of(query: MarketQuery[ClinicForm], gaps: Sequence[PayerGap], paying: Collection[str]) -> dict[str, Any]:
    """Return what the page says of files: its title has the dates of the clinic's payers, and the note below those of
    all payers that its medians are of."""
    found = query.files_of(paying)
    if not gaps:
        return found
    return {**found, "file_dates": query.files_of({gap.payer_slug for gap in gaps})["file_dates"]}


def _payers_of_market(query: MarketQuery[ClinicForm]) -> dict[str, str]:
    """Return the names of the payers that are looked at by their keys: of the market, or the one that is asked for."""
    asked = query.market.payer
    return {
        one.payer_slug: one.reporting_entity_name
        for one in list_payer_months(query.db, query.market)
        if asked in {None, one.payer_slug}
    }


def _under_other_tins(
    query: MarketQuery[ClinicForm], clinic: Clinic, absent: Sequence[tuple[str, str]]
) -> list[tuple[str, RatesUnderOther]]:
    """Return what payers without rates under the clinic's tax ID have for its NPIs under others, and their names."""
    whose: Whose = "tin" if clinic.tin else "organization"
    value = clinic.tin or clinic.organization
    if clinic.npis or not value:
        return []
    found = list_rates_under_others(query.db, query.market, whose, value, [slug for slug, _ in absent])
    return [(dict(absent)[one.payer_slug], one) for one in found[:MOST_OTHER_TINS]]


def _name_of(db: Snapshot, clinic: Clinic) -> str:
    """Return what the page calls the clinic."""
    if clinic.npis:
        return f"NPI {clinic.npis[0]}" if len(clinic.npis) == 1 else f"{len(clinic.npis)} NPIs"
    if clinic.tin:
        names = [one.business_name for one in find_tins(db, clinic.tin) if one.business_name]
        return names[0] if names else capfirst(name_tin(clinic.tin))
    if clinic.organization:
        found = find_organization(db, clinic.organization)
        return (found.organization_name if found else None) or clinic.organization
    return ""
