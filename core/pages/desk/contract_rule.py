"""What rule is behind a payer's professional rates."""

from dataclasses import replace
from typing import Any

from django.http import HttpResponseBase

from core.pages.charts.scatter_chart import ScatterPoint, draw_scatter
from core.pages.forms.market_forms import RuleForm
from core.pages.shared.lanes.weights import is_too_broad
from core.pages.shared.market_choice import MarketChoice, choose_market
from core.pages.shared.page import MarketQuery, market_page
from core.queries import coverage
from core.queries.contract_rule import fit_rule
from core.queries.contract_rule.find_rule import FamilyRule, FoundRule, RulePrice, find_contract_rule
from core.queries.contract_rule.payer_tins import list_payer_tins
from core.queries.parties import providers
from core.store.connection import Snapshot

SHOWN_EXCEPTIONS = 50
SHOWN_TINS = 15


def _choose(form: RuleForm, db: Snapshot) -> MarketChoice:
    """Return the market of one file's month: the newest of the payer, unless another is asked for."""
    asked = replace(form.market(), code=None, code_type=None)
    rows = [
        row
        for row in coverage.list_coverage(db)
        if row.payer_slug == asked.payer and asked.state in {"", row.state} and asked.year_month in {"", row.year_month}
    ]
    if rows:
        asked = replace(asked, state=rows[0].state, year_month=rows[0].year_month)
    return choose_market(asked, db)


@market_page(RuleForm, "rule", choose=_choose)
def show_rule(query: MarketQuery[RuleForm]) -> HttpResponseBase:
    """Show `/rule/`"""
    db, market = query.db, query.market
    if not market.payer:
        every = [row for row in coverage.list_coverage(db) if row.state == market.state]
        loaded = [one.newest for one in coverage.newest_of_each_payer(every)]
        return (
            query.download(loaded, coverage.Coverage, "rule_payers")
            if query.wants_file
            else query.render("pages/rule.html", loaded=loaded)
        )
    too_broad = not market.tin and is_too_broad(db, market)
    found = None if too_broad else find_contract_rule(query.cached, market)
    if query.wants_file:
        return _download(query, found)
    tins = [] if market.tin else list_payer_tins(db, market, SHOWN_TINS)
    names = providers.find_tins(db, market.tin) if market.tin else []
    return query.render(
        "pages/rule.html",
        found=found,
        too_broad=too_broad,
        payer_name=dict(coverage.list_payers(db)).get(market.payer, market.payer),
        tin_name=names[0].business_name if names else None,
        tins=tins,
        chart=_draw(found) if found else "",
        shown=SHOWN_EXCEPTIONS,
        shown_exceptions=found.exceptions[:SHOWN_EXCEPTIONS] if found else [],
        limits=fit_rule,
        release_month=found.rule.release if found else None,
    )


def _draw(found: FoundRule) -> Any:
    points = [
        ScatterPoint(one.medicare, one.negotiated_rate, one.explained)
        for one in found.prices
        if one.medicare is not None
    ]
    lines = [found.rule.multiple or 1, *(one.multiple for one in found.families if one.own)]
    return draw_scatter(points, lines if found.rule.verdict != "none" else [], found.rule.sentence)


def _download(query: MarketQuery[RuleForm], found: FoundRule | None) -> HttpResponseBase:
    table = query.values["table"]
    if table == "families":
        return query.download(found.families if found else [], FamilyRule, "rule_families")
    rows = [] if found is None else found.exceptions if table == "exceptions" else found.prices
    return query.download(rows, RulePrice, f"rule_{table}")
