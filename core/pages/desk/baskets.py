"""Payers compared for a basket of codes: one index each, and a matrix of medians with their percent of Medicare."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.http import HttpResponseBase

from core.fields.codes.basket_list import read_basket
from core.pages.forms.basket_forms import BasketForm
from core.pages.shared.market_choice import with_class
from core.pages.shared.page import MarketQuery, market_page
from core.pages.shared.paging import Paging
from core.queries import coverage
from core.queries.baskets.basket_answer import BasketAnswer, BasketQuestion, answer_basket, choose_codes
from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.basket_index import PayerIndex
from core.queries.baskets.basket_medians import BasketMedian, CodeMedian
from core.queries.baskets.best_payers import list_best_payers
from core.queries.baskets.family_indexes import index_families
from core.queries.baskets.wide_tables import list_organization_prices, widen_by_organization, widen_by_payer
from core.queries.classes.rate_classes import RateClass
from core.queries.comparison.compared_rates import is_plausible
from core.queries.comparison.overruled_labels import list_labels_of_rates
from core.queries.in_state import find_in_state_of_codes
from core.queries.parties.middle_by_payer import LEAST_ORGANIZATIONS
from core.queries.rules.alike import are_alike
from core.queries.rules.measured_class import like_class
from core.store.connection import Snapshot
from core.vocabulary.baskets import named_baskets

MAX_COLUMNS = 12
"""Payers side by side on a screen. The files have all of them."""


@dataclass(frozen=True)
class MatrixRow:
    """One code of the basket: all payers together, and a cell for each column."""

    code: BasketCode
    of_class: RateClass
    everybody: CodeMedian
    cells: list[CodeMedian | None]


@market_page(BasketForm, "baskets")
def show_baskets(query: MarketQuery[BasketForm]) -> HttpResponseBase:
    """Show `/baskets/`"""
    db, values = query.db, query.values
    items = read_basket(values["codes"])
    named = None if items else named_baskets().get(values["basket"])
    codes = choose_codes(db, named, items)
    if not codes:
        return query.render("pages/basket_list.html", baskets=named_baskets().values())
    answer = answer_basket(db, BasketQuestion(query.market, codes, named, values["weights"] or None))
    choice = with_class(query.choice, answer.of_class)
    query = replace(query, choice=replace(choice, of_own_classes=answer.of_own_classes))
    if query.wants_file:
        return _download(query, answer)
    columns = answer.indexes[:MAX_COLUMNS]
    rows = _rows(answer, [one.payer_slug for one in columns])
    paging = Paging(values["page"], len(rows))
    labeled = _other_labels(db, answer)
    families = index_families(answer)
    return query.render(
        "pages/baskets.html",
        answer=answer,
        named=named,
        baskets=named_baskets().values(),
        codes_text=values["codes"].replace(",", "\n").replace("*", " "),
        without_place=query.list_without_place([code.code for code in codes]),
        labels=query.find_labels({code.code for code in codes}),
        in_state=find_in_state_of_codes(db, query.market, {code.code for code in codes}),
        labeled=labeled,
        indexes=[(one, labeled.get(one.payer_slug, "")) for one in answer.indexes],
        left_out=_list_left_out(answer),
        unplaced_names=[one.reporting_entity_name for one in answer.indexes if one.unplaced],
        elsewhere=[codes[at].code for at in answer.classes.elsewhere if at in answer.everybody],
        columns=columns,
        hidden=len(answer.indexes) - len(columns),
        freed=[] if rows else query.list_freed([code.code for code in codes]),
        rows=rows[paging.offset : paging.offset + paging.limit],
        without=[code for at, code in enumerate(codes) if at not in answer.everybody],
        paging=paging,
        ranked=[one for one in answer.indexes if one.index is not None],
        best=list_best_payers(answer),
        families=families if len(families) > 1 else [],
        depends_on_mix=len({one.highest.payer_slug for one in families}) > 1,
        alike=are_alike([one.index for one in answer.indexes if one.index is not None]),
        least_organizations=LEAST_ORGANIZATIONS,
        most_compared=max(answer.indexes, key=lambda one: one.coverage, default=None),
        in_dollars=[one for one in answer.indexes if one.dollars is not None],
        implausible=any(one.percent is not None and not is_plausible(one.percent) for one in answer.medians),
        answer_rows=sum(one.rates for one in answer.everybody.values()),
        **query.files_of({one.payer_slug for one in answer.indexes}),
    )


def _other_labels(db: Snapshot, answer: BasketAnswer) -> dict[str, str]:
    """Return what payers label rates that are measured as another class, by payer_slug."""
    found: dict[str, str] = {}
    for market, positions in answer.classes.group_alike().items():
        if market.is_measured:
            overruled = list_labels_of_rates(db, market, {answer.codes[position].code for position in positions})
            others = [one for one in overruled if like_class(one.billing_class or "") != market.billing_class]
            found |= {one.payer_slug: one.billing_class or "" for one in others}
    return found


def _list_left_out(answer: BasketAnswer) -> list[str]:
    """Return the codes that some index leaves out although the payer prices them."""
    aside = {one.position for one in answer.medians if one.is_aside}
    return [answer.codes[at].code for at in sorted(aside)]


def _rows(answer: BasketAnswer, columns: Sequence[str]) -> list[MatrixRow]:
    by_cell = {(one.position, one.payer_slug): one for one in answer.medians}
    return [
        MatrixRow(answer.codes[at], of_class, everybody, [by_cell.get((at, slug)) for slug in columns])
        for at, everybody in answer.everybody.items()
        if (of_class := answer.class_of(at))
    ]


def _download(query: MarketQuery[BasketForm], answer: BasketAnswer) -> HttpResponseBase:
    table = query.values["table"]
    name = f"basket_{query.values['basket'] or 'of_codes'}_{table}"
    if table == "indexes":
        return query.download(answer.indexes, PayerIndex, name)
    if table == "payers":
        rows, row_type = widen_by_payer(answer)
        return query.download(rows, row_type, name)
    if table == "organizations":
        found = list_organization_prices(query.db, answer)
        rows, row_type = widen_by_organization(answer, found)
        return query.download(rows, row_type, name)
    return query.download(answer.named_medians(dict(coverage.list_payers(query.db))), BasketMedian, name)
