"""A month against an earlier one."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from core.pages.forms import ChangesForm
from core.pages.shared.downloads import ROW_CAP, download
from core.pages.shared.market_choice import choose_months
from core.pages.shared.page import Paging, context, page, sorry, span, wrong
from core.queries import changes, codes, coverage
from core.queries.coverage import Coverage
from core.queries.rules.market import Market
from core.queries.rules.matching import OUTCOMES
from core.queries.rules.which_filter_emptied import count_without_each_filter
from core.store.connection import Snapshot


@page
def show(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/changes/`"""
    form = ChangesForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    loaded = coverage.list_coverage(db)
    asked, meant, before = choose_months(form, db, loaded)
    if before >= asked.year_month:
        why = f"{before!r} is not before {asked.year_month}; expected an earlier month"
        return sorry(request, 400, "That address cannot be answered", [("from", why)])
    months = sorted({row.year_month for row in loaded}, reverse=True)
    form.offer("from", [(month, month) for month in months])
    form.offer("what", [("", "anything"), *((what, what) for what in OUTCOMES)])
    if meant:
        return render(request, "choose.html", context(request, form, db, market=asked, meant=meant, action="changes"))
    if not before or not (asked.payer or asked.code):
        return _what_there_is(request, db, form, asked, before, loaded)
    return _changes(request, db, form, asked, before, loaded)


def _what_there_is(
    request: HttpRequest, db: Snapshot, form: ChangesForm, market: Market, before: str, loaded: Sequence[Coverage]
) -> HttpResponseBase:
    """The page that matches nothing: all rates of two months are too many for one question."""
    rows = changes.count_payer_months(loaded, market.state, before, market.year_month)
    if form.cleaned_data["format"] != "html":
        return download(rows, changes.PayerMonths, "payers_months", form.cleaned_data["format"])
    return render(request, "changes.html", context(request, form, db, market=market, before=before, there=rows))


def _changes(
    request: HttpRequest, db: Snapshot, form: ChangesForm, market: Market, before: str, loaded: Sequence[Coverage]
) -> HttpResponseBase:
    chosen = form.cleaned_data
    of_rates = bool(market.code)
    sorts = changes.ORDERS if of_rates else changes.SORTS
    sort = chosen["sort"] if chosen["sort"] in sorts else next(iter(sorts))
    what = chosen["what"] or None
    if chosen["format"] != "html" and chosen["table"] == "rates":
        every = changes.list_changed_rates(db, market, before, what, sort if of_rates else "moved", ROW_CAP, 0)[1]
        return download(every, changes.ChangedRate, "changes", chosen["format"])
    rows: list[changes.ChangedRate] = []
    by_code: list[changes.CodeMoved] = []
    if of_rates and chosen["format"] == "html":
        payers, (total, rows) = changes.count_and_list_changes(db, market, before, what, sort, *span(chosen["page"]))
        paging = Paging(chosen["page"], total)
    else:
        payers, by_code = changes.count_movements(db, market, before)
        by_code.sort(key=changes.SORTS[sort if sort in changes.SORTS else "moved"])
        paging = Paging(chosen["page"], len(by_code))
    if chosen["format"] != "html":
        if chosen["table"] == "payers":
            return download(payers, changes.PayerMoved, "changes_payers", chosen["format"])
        return download(by_code, changes.CodeMoved, "changes_codes", chosen["format"])
    shown = {row.payer_slug for row in payers}
    files = [
        row
        for row in changes.count_payer_months(loaded, market.state, before, market.year_month)
        if row.payer_slug in shown
    ]
    return render(
        request,
        "changes.html",
        context(
            request, form, db, market=market, before=before, payers=payers, rows=rows, paging=paging, sort=sort,
            what=what, code=codes.describe_code(db, market.code_type, market.code),
            codes=by_code[paging.offset : paging.offset + paging.limit],
            outcomes=[(name, sum(getattr(row, name) for row in payers), OUTCOMES[name]) for name in _COUNTED],
            unmatched=sum(row.unmatched_before + row.unmatched_after for row in payers),
            old_rates=sum(row.before for row in payers),
            new_rates=sum(row.after for row in payers),
            uneven=[row for row in files if row.files_before != row.files_after],
            freed=[] if payers else count_without_each_filter(db, market),
        ),
    )  # fmt: skip


_COUNTED = ("up", "down", "added", "gone", "same")
