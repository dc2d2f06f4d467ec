"""Negotiated rates compared with Medicare."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponseBase

from core.pages.charts import spread_chart
from core.pages.forms.market_forms import MedicareForm
from core.pages.shared.answer_cache import meanwhile
from core.pages.shared.downloads import ROW_CAP, download_seconds
from core.pages.shared.page import MarketQuery, ask_for_code, market_page
from core.pages.shared.paging import Paging, span
from core.pages.shared.weights import is_too_broad
from core.queries import codes, coverage, medicare
from core.queries.rules.reasons import REASONS


@dataclass(frozen=True)
class UncomparedReason:
    """Why some rates have no percent of Medicare, and what would be needed to compare them."""

    reason: str
    rates: int
    meaning: str
    needed: str


@market_page(MedicareForm, "medicare")
def show_medicare(query: MarketQuery[MedicareForm]) -> HttpResponseBase:
    """Show `/medicare/`"""
    if is_too_broad(query.db, query.market):
        return ask_for_code(query, "medicare")
    if query.wants_file:
        return _download(query)
    db, market = query.db, query.market
    # This reads each rate. The others read few rows that stand for many, at the same time.
    comparing = meanwhile(medicare.list_comparisons, db, market, query.values["sort"], *span(query.values["page"]))
    spreads = medicare.summarize_percents(query.cached, market)
    outcomes = medicare.count_outcomes(query.cached, market)
    rows = comparing.result()
    bars = [
        spread_chart.Bar(row.reporting_entity_name, (row.p10, row.p25, row.p50, row.p75, row.p90)) for row in spreads
    ]
    return query.render(
        "pages/medicare.html",
        code=codes.describe_code(db, market.code_type, market.code),
        spreads=spreads,
        chart=spread_chart.draw_spreads(bars),
        implausible=sum(row.implausible for row in spreads),
        outcomes=outcomes,
        reasons=_reasons(outcomes),
        releases=coverage.list_releases(db),
        rows=rows,
        compensation=any(row.wcfs is not None for row in rows),
        paging=Paging(query.values["page"], outcomes.total),
        sort=query.values["sort"],
        answer_rows=outcomes.total,
    )


def _download(query: MarketQuery[MedicareForm]) -> HttpResponseBase:
    table, market = query.values["table"], query.market
    if table == "rates":
        every = medicare.stream_comparisons(query.db, market, query.values["sort"], ROW_CAP, download_seconds())
        return query.download(every, medicare.Comparison, "medicare")
    if table == "payers":
        return query.download(
            medicare.summarize_percents(query.cached, market), medicare.PercentSpread, "medicare_payers"
        )
    outcomes = medicare.count_outcomes(query.cached, market)
    if table == "bases":
        return query.download(outcomes.bases, medicare.Basis, "medicare_bases")
    return query.download(_reasons(outcomes), UncomparedReason, "medicare_reasons")


def _reasons(outcomes: medicare.Outcomes) -> Sequence[UncomparedReason]:
    return [
        UncomparedReason(reason, rates, REASONS[reason].meaning, REASONS[reason].needed)
        for reason, rates in outcomes.reasons.items()
    ]
