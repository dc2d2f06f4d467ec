"""The first page: search, and what is loaded."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from core.forms import QueryForm
from core.queries import coverage
from core.queries.codes import busiest
from core.store.connection import Snapshot
from core.views.page import context, page, wrong
from core.views.tables import download


@page
def home(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/`"""
    form = QueryForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    loaded = coverage.coverage(db)
    if form.cleaned_data["format"] != "html":
        return download(loaded, coverage.Coverage, "coverage", form.cleaned_data["format"])
    periods = coverage.periods(db)
    examples = busiest(db, periods[0].state, periods[0].year_month, 6) if periods else []
    return render(
        request,
        "home.html",
        context(
            request,
            form,
            db,
            loaded=loaded,
            periods=periods,
            examples=examples,
            rates=sum(row.rates for row in loaded),
            payers=len({row.payer_slug for row in loaded}),
        ),
    )
