"""Negotiated rates against Medicare."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from core.forms import MedicareForm
from core.queries import codes, coverage, medicare
from core.store.connection import Snapshot
from core.views.page import Paging, choose_market, context, page, wrong
from core.views.tables import ROW_CAP, download


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
        every = medicare.comparisons(db, asked, chosen["sort"], ROW_CAP, 0)
        return download(every, medicare.Comparison, "medicare", chosen["format"])
    spreads = medicare.spreads(db, asked)
    total, counted = medicare.outcomes(db, asked)
    reasons = [Reason(reason, rates, medicare.REASONS[reason]) for reason, rates in counted.items()]
    if chosen["format"] != "html" and chosen["table"] == "payers":
        return download(spreads, medicare.Spread, "medicare_payers", chosen["format"])
    if chosen["format"] != "html":
        return download(reasons, Reason, "medicare_reasons", chosen["format"])
    paging = Paging(chosen["page"], total)
    return render(
        request,
        "medicare.html",
        context(
            request,
            form,
            db,
            market=asked,
            code=codes.describe(db, asked.code_type, asked.code),
            spreads=spreads,
            reasons=reasons,
            compared=total - sum(counted.values()),
            months=coverage.benchmark_months(db),
            rows=medicare.comparisons(db, asked, chosen["sort"], paging.limit, paging.offset),
            paging=paging,
            sort=chosen["sort"],
        ),
    )
