"""The rates of a code."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from core.forms import RatesForm
from core.queries import codes, rates
from core.queries.kinds import KINDS
from core.store.connection import Snapshot
from core.views.page import Paging, choose_market, context, page, wrong
from core.views.tables import ROW_CAP, download

DOWNLOAD_SECONDS = 120.0


@page
def show(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/rates/`"""
    form = RatesForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    chosen = form.cleaned_data
    asked, meant = choose_market(form, db)
    if not asked.code or meant:
        return render(request, "choose.html", context(request, form, db, market=asked, meant=meant, action="rates"))
    if chosen["format"] != "html":
        if chosen["table"] == "summary":
            return download(rates.summaries(db, asked), rates.Summary, "summary", chosen["format"])
        every = rates.every(db, asked, chosen["sort"], ROW_CAP, DOWNLOAD_SECONDS)
        return download(every, rates.Rate, f"rates_{asked.code}", chosen["format"])
    counted = rates.counts(db, asked)
    paging = Paging(chosen["page"], counted.rates)
    summaries = rates.summaries(db, asked)
    return render(
        request,
        "rates.html",
        context(
            request,
            form,
            db,
            market=asked,
            code=codes.describe(db, asked.code_type, asked.code),
            counts=counted,
            kinds=[(kind, [s for s in summaries if s.kind == kind.name]) for kind in KINDS.values()],
            rows=rates.page(db, asked, chosen["sort"], paging.limit, paging.offset),
            paging=paging,
            sort=chosen["sort"],
            cap=ROW_CAP,
            near=[] if counted.rates else codes.near(db, asked.state, asked.year_month, asked.code, 8),
        ),
    )
