"""The first page: one box for everything, and what is loaded."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render

from core.pages.forms import CodesForm
from core.pages.shared import urls
from core.pages.shared.downloads import download
from core.pages.shared.page import context, page, wrong
from core.queries import coverage
from core.queries.codes import list_busiest_codes
from core.queries.rules.market import Market
from core.queries.search import SearchResults, search_everything
from core.store.connection import Snapshot

SUGGESTED = 7

EXAMPLES_UP_TO = 100_000_000
"""In a month of more rates than these, counting them by code takes too long for a first page."""


@page
def home(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/`, and `/?q=…`: what a text may be."""
    form = CodesForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    text = form.cleaned_data["q"]
    periods = coverage.list_periods(db)
    newest = periods[0] if periods else None
    if text:
        found = search_everything(db, text)
        meant = only(found, text)
        if meant:
            return redirect(meant)
        return render(request, "search.html", context(request, form, db, q=text, found=found, newest=newest))
    loaded = coverage.list_coverage(db)
    if form.cleaned_data["format"] != "html":
        return download(loaded, coverage.Coverage, "coverage", form.cleaned_data["format"])
    few = newest is not None and newest.rates <= EXAMPLES_UP_TO
    examples = list_busiest_codes(db, Market(newest.state, newest.year_month), 6) if newest and few else []
    return render(
        request,
        "home.html",
        context(
            request,
            form,
            db,
            loaded=loaded,
            periods=periods,
            newest=newest,
            freshest=max((row.loaded_at for row in loaded), default=None),
            examples=examples,
            pasted=",".join(code.code for code in examples),
            answer_rows=sum(row.rates for row in loaded),
            rates=sum(row.rates for row in loaded),
            payers=len({row.payer_slug for row in loaded}),
        ),
    )


@page
def suggest(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/suggest/?q=…`: the first of what a text may be, as options of a list, for the box while one types."""
    form = CodesForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    found = search_everything(db, form.cleaned_data["q"], SUGGESTED)
    return render(request, "_suggestions.html", {"found": found, "newest": next(iter(coverage.list_periods(db)), None)})


def only(found: SearchResults, text: str) -> str | None:
    """The page of the one thing that a number names, where there is but one such thing."""
    exact = [code for code in found.codes if code.code == text.strip().upper()]
    if len(found.providers) == 1 and not found.codes and any(letter.isdigit() for letter in text):
        one = found.providers[0]
        return urls.to(one.by, None, **{one.by: one.value})
    if exact and not found.providers:
        return urls.to("rates", code=exact[0].code)
    return None
