"""A month compared with an earlier one."""

from collections.abc import Collection, Sequence
from typing import Any

from django.http import HttpResponseBase

from core.pages.formats import write_month
from core.pages.forms.market_forms import ChangesForm
from core.pages.shared import urls
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.lanes.weights import is_too_broad_to_match
from core.pages.shared.market_choice import MarketChoice, choose_months
from core.pages.shared.page import MarketQuery, ask_for_code, market_page
from core.pages.shared.paging import Paging, span
from core.pages.shared.words.change_words import tell_prices
from core.pages.shared.words.labels import is_as_labeled
from core.queries import coverage
from core.queries.coverage import Coverage
from core.queries.find import codes
from core.queries.over_time import changes, prices_moved
from core.queries.over_time.common_ratio import NO_RATIOS, list_common_ratios
from core.queries.over_time.comparable_months import ComparableMonths, keep_months_of_code, list_comparable_months
from core.queries.over_time.largest_moves import list_largest_moves
from core.queries.over_time.matching import OUTCOMES, names_organization
from core.store.connection import Snapshot

COUNTED_OUTCOMES = ("up", "down", "unclear", "added", "gone", "terms", "same")
"""The outcomes that are counted for each payer, code, and organization, in the order of the columns."""

NEWEST_COMPARABLE, MONTH_BEFORE = ("", "Newest that can be compared"), ("", "The month before")
"""The options of a form whose visitor has chosen no month."""

ORDER_WORDS = {
    "moved": "those with most organizations up, down, added, or gone",
    "up": "those with most organizations up",
    "down": "those with most organizations down",
    "unclear": "those with most organizations of which it is unclear",
    "added": "those with most organizations added",
    "gone": "those with most organizations gone",
    "percent": "those whose organizations that are up or down moved most in the middle",
    "code": "",
}
"""Which codes are first in each order of the table; none where they are in the order of their numbers."""

TOP_ORGANIZATIONS = 20
"""The organizations that the page of a payer shows. The download has all."""


def _choose(form: ChangesForm, db: Snapshot) -> MarketChoice:
    return choose_months(form.market(), form.cleaned_data["from"], db, coverage.list_coverage(db))


@market_page(ChangesForm, "changes", choose=_choose)
def show_changes(query: MarketQuery[ChangesForm]) -> HttpResponseBase:
    """Show `/changes/`"""
    market, earlier = query.market, query.choice.earlier_month
    loaded = coverage.list_coverage(query.db)
    months = sorted({row.year_month for row in loaded}, reverse=True)
    named = [(one, write_month(one)) for one in months]
    query.form.offer(**{"year_month": [NEWEST_COMPARABLE, *named], "from": [MONTH_BEFORE, *named]})
    narrow = market.payer or market.code or names_organization(market)
    if not earlier or not narrow or is_too_broad_to_match(query.db, market, earlier):
        return _payers_to_choose_from(query, loaded)
    if query.wants_file:
        return _download(query)
    return _changes_of_code(query, loaded) if market.code else _changes_without_code(query, loaded)


def _payers_to_choose_from(query: MarketQuery[ChangesForm], loaded: Sequence[Coverage]) -> HttpResponseBase:
    """Return the page that lists no rates: those of two whole months are too many for one page."""
    market, earlier = query.market, query.choice.earlier_month
    rows = [
        row
        for row in changes.count_payer_months(loaded, market.state, earlier, market.year_month)
        if market.payer in {None, row.payer_slug}
    ]
    if query.wants_file and market.payer and query.values["table"] != "payers":
        return ask_for_code(query, "changes")
    if query.wants_file:
        return query.download(rows, changes.PayerMonths, "payers_months")
    moved = _payers_in_both(query) if not market.payer else []
    return query.render(
        "pages/changes.html",
        before=earlier,
        there=rows,
        moved=moved,
        ratios=list_common_ratios(query.db, market, earlier) if moved else NO_RATIOS,
        moves=list_largest_moves(query.db, market, earlier) if moved else [],
        left_out=sum(row.left_out for row in moved),
        linked_market=query.choice.linked_market,
        comparable=_months_of_each_payer(query, loaded),
    )


def _payers_in_both(query: MarketQuery[ChangesForm]) -> list[changes.PayerMoved]:
    """Return what became of what each payer pays in dollars, over all codes, if that is not too much to match."""
    db, market, earlier = query.db, query.market, query.choice.earlier_month
    if not earlier or is_too_broad_to_match(db, market, earlier):
        return []
    found = changes.count_movements(db, market, earlier, ["payers"]).payers
    return [row for row in found if row.kind == "dollars" and row.kept]


def _months_of_each_payer(
    query: MarketQuery[ChangesForm], loaded: Sequence[Coverage]
) -> list[tuple[ComparableMonths, str]]:
    """Return the newest two months of each payer that the page may be about, and their address; not the page's own."""
    market = query.market
    rows = [row for row in loaded if row.state == market.state and market.payer in {None, row.payer_slug}]
    if market.code:
        rows = keep_months_of_code(query.db, market, rows)
    newest = {one.payer_slug: one for one in reversed(list_comparable_months(rows))}
    shown = market.year_month, query.choice.earlier_month
    found = [one for one in newest.values() if (one.later, one.earlier) != shown]
    # Without the class that was filled in for the months of this page: it may be one that the payer does not have.
    asked = {**query.form.parameters(), "what": None, "page": None}
    return [
        (one, urls.changed(query.request.path, {**asked, **_parameters_of(one)}))
        for one in sorted(found, key=lambda one: one.reporting_entity_name.lower())
    ]


def _parameters_of(months: ComparableMonths) -> dict[str, str]:
    return {"payer": months.payer_slug, "year_month": months.later, "from": months.earlier}


def _download(query: MarketQuery[ChangesForm]) -> HttpResponseBase:
    db, market, earlier, sort = query.db, query.market, query.choice.earlier_month, query.values["sort"]
    table = query.values["table"]
    if table == "rates":
        order = _sort(sort, changes.ORDERS) if market.code else next(iter(changes.ORDERS))
        every = changes.list_changed_pay(db, market, earlier, query.values["what"] or None, order, ROW_CAP, 0)[1]
        return query.download(every, changes.ChangedPay, "changes")
    by = {"organizations": "tax_ids"}.get(table, table)
    found = changes.count_movements(db, market, earlier, [by])
    key = changes.SORTS[_sort(sort, changes.SORTS)]
    if table == "payers":
        return query.download(found.payers, changes.PayerMoved, "changes_payers")
    if table == "terms":
        return query.download(found.terms, changes.TermsMoved, "changes_terms")
    if table == "organizations":
        return query.download(sorted(found.tax_ids, key=key), changes.TaxIdMoved, "changes_organizations")
    return query.download(sorted(found.codes, key=key), changes.CodeMoved, "changes_codes")


def _changes_of_code(query: MarketQuery[ChangesForm], loaded: Sequence[Coverage]) -> HttpResponseBase:
    sort, number = _sort(query.values["sort"], changes.ORDERS), query.values["page"]
    found = changes.count_movements(query.db, query.market, query.choice.earlier_month, ["payers", "terms"])
    total, rows = prices_moved.list_paid_alike(
        query.db, query.market, query.choice.earlier_month, query.values["what"] or None, sort, *span(number)
    )
    names = prices_moved.name_tins(query.db, rows)
    return _render(query, loaded, found, sort=sort, rows=rows, names=names, paging=Paging(number, total))


def _changes_without_code(query: MarketQuery[ChangesForm], loaded: Sequence[Coverage]) -> HttpResponseBase:
    sort = _sort(query.values["sort"], changes.SORTS)
    found = changes.count_movements(query.db, query.market, query.choice.earlier_month, ["payers", "codes", "tax_ids"])
    paging = Paging(query.values["page"], len(found.codes))
    key = changes.SORTS[sort]
    if names_organization(query.market):
        prices = prices_moved.list_code_prices(query.db, query.market, query.choice.earlier_month)
        paging = Paging(query.values["page"], len(prices))
        page = prices[paging.offset : paging.offset + paging.limit]
        told = [(row, tell_prices(row.moved)) for row in page]
        return _render(query, loaded, found, sort=sort, prices=told, paging=paging)
    shown = sorted(found.codes, key=key)[paging.offset : paging.offset + paging.limit]
    top = sorted(found.tax_ids, key=key)[:TOP_ORGANIZATIONS]
    order = ORDER_WORDS[sort]
    return _render(query, loaded, found, sort=sort, order=order, codes=shown, organizations=top, paging=paging)


def _render(
    query: MarketQuery[ChangesForm], loaded: Sequence[Coverage], found: changes.Movements, **table: Any
) -> HttpResponseBase:
    market, earlier = query.market, query.choice.earlier_month
    by_payer = found.payers
    months = changes.count_payer_months(loaded, market.state, earlier, market.year_month)
    shown = {row.payer_slug for row in by_payer}
    compared = [row for row in months if row.payer_slug in shown]
    alone = [
        row for row in months if market.payer in {None, row.payer_slug} and not (row.rates_before and row.rates_after)
    ]
    return query.render(
        "pages/changes.html",
        before=earlier,
        ratios=list_common_ratios(query.db, market, earlier) if by_payer else NO_RATIOS,
        moves=list_largest_moves(query.db, market, earlier) if by_payer and not names_organization(market) else [],
        left_out=sum(row.left_out for row in by_payer),
        payers=by_payer,
        terms=found.terms,
        lead=max(found.terms, key=lambda row: (row.kept, row.after), default=None) if market.code else None,
        what=query.values["what"] or None,
        code=codes.describe_code(query.db, market.code_type, market.code),
        outcomes=[(name, _count(by_payer, name), OUTCOMES[name]) for name in COUNTED_OUTCOMES],
        unmatched=sum(row.unmatched_before + row.unmatched_after for row in by_payer),
        old_count=sum(row.before for row in by_payer),
        new_count=sum(row.after for row in by_payer),
        uneven=[row for row in compared if row.files_before != row.files_after],
        alone=alone,
        comparable=[] if by_payer else _months_of_each_payer(query, loaded),
        linked_market=query.choice.linked_market,
        freed=[] if by_payer else query.list_freed(),
        opens_with=query.choice.opens_with,
        changed_classes=[one for one in query.choice.changed_classes if not is_as_labeled(one, query.choice.classes)],
        cap=ROW_CAP,
        **table,
    )


def _count(rows: Sequence[changes.Moved], what: str) -> int:
    names = ("terms_before", "terms_after") if what == "terms" else (what,)
    return sum(getattr(row, name) for row in rows for name in names)


def _sort(asked: str, known: Collection[str]) -> str:
    """Return the order asked for if this table has it, and its first one otherwise."""
    return asked if asked in known else next(iter(known))
