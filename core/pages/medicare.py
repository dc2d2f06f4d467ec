"""Negotiated rates against Medicare."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from core.pages.charts import spread_chart
from core.pages.forms import MedicareForm
from core.pages.shared.answer_cache import meanwhile
from core.pages.shared.downloads import ROW_CAP, download
from core.pages.shared.page import Paging, choose_market, context, page, span, wrong
from core.queries import codes, coverage, medicare
from core.queries.rules.comparison import REASONS
from core.queries.rules.market import market_cache
from core.store.connection import Snapshot


@dataclass(frozen=True)
class Reason:
    """Why some rates have no percent of Medicare."""

    reason: str
    rates: int
    meaning: str


@page
def show(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/medicare/`"""
    form = MedicareForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    asked, meant = choose_market(form, db)
    if meant:
        return render(request, "choose.html", context(request, form, db, market=asked, meant=meant, action="medicare"))
    chosen = form.cleaned_data
    if chosen["format"] != "html" and chosen["table"] == "rates":
        every = medicare.list_comparisons(db, asked, chosen["sort"], ROW_CAP, 0)
        return download(every, medicare.Comparison, "medicare", chosen["format"])
    if chosen["format"] == "html":
        # This is about each rate, the others about few that stand for many: at the same time.
        comparing = meanwhile(medicare.list_comparisons, db, asked, chosen["sort"], *span(chosen["page"]))
    with market_cache(db, asked) as narrow:
        spreads = medicare.summarize_percents(narrow, asked)
        outcomes = medicare.count_outcomes(narrow, asked)
        reasons = [Reason(reason, rates, REASONS[reason]) for reason, rates in outcomes.reasons.items()]
        if chosen["format"] != "html":
            rows_and_kind: dict[str, tuple[Sequence[object], type]] = {
                "payers": (spreads, medicare.Spread),
                "bases": (outcomes.bases, medicare.Basis),
                "reasons": (reasons, Reason),
            }
            return download(*rows_and_kind[chosen["table"]], f"medicare_{chosen['table']}", chosen["format"])
    rows = comparing.result()
    bars = [
        spread_chart.Bar(row.reporting_entity_name, (row.p10, row.p25, row.p50, row.p75, row.p90)) for row in spreads
    ]
    return render(
        request,
        "medicare.html",
        context(
            request,
            form,
            db,
            market=asked,
            code=codes.describe_code(db, asked.code_type, asked.code),
            spreads=spreads,
            chart=spread_chart.spreads(bars),
            implausible=sum(row.implausible for row in spreads),
            outcomes=outcomes,
            reasons=reasons,
            releases=coverage.list_releases(db),
            rows=rows,
            compensation=any(row.wcfs is not None for row in rows),
            paging=Paging(chosen["page"], outcomes.total),
            sort=chosen["sort"],
            answer_rows=outcomes.total,
        ),
    )
