"""The first page: one box for everything, and what is loaded."""

from django.http import HttpResponseBase
from django.shortcuts import redirect, render

from core.pages.forms.query_form import CodesForm
from core.pages.shared import urls
from core.pages.shared.page import PageQuery, page
from core.queries import coverage
from core.queries.find.codes import list_busiest_codes
from core.queries.find.search import SearchResults, search_everything
from core.queries.rules.market import Market
from core.vocabulary.search_text import read_search
from core.vocabulary.services import SPELLINGS

MAX_SUGGESTIONS = 7
_LIKE_CPT = frozenset(SPELLINGS["CPT"])
"""Systems that payers label one code with. Without the system, the page shows the one that has rates."""
EXAMPLE_CODES = 6

MAX_RATES_FOR_EXAMPLES = 100_000_000
"""Counting the rates of a larger month by code takes too long for a first page."""


@page(CodesForm)
def show_home(query: PageQuery[CodesForm]) -> HttpResponseBase:
    """Show `/`, and `/?q=…`: what the text may stand for."""
    if query.values["q"]:
        return _search(query, query.values["q"])
    db = query.db
    loaded = coverage.list_coverage(db)
    if query.wants_file:
        return query.download(loaded, coverage.Coverage, "coverage")
    newest = next(iter(coverage.list_periods(db)), None)
    countable = newest is not None and newest.rates <= MAX_RATES_FOR_EXAMPLES
    examples = (
        list_busiest_codes(db, Market(newest.state, newest.year_month), EXAMPLE_CODES) if newest and countable else []
    )
    total = sum(row.rates for row in loaded)
    return query.render(
        "pages/home.html",
        loaded=loaded,
        newest=newest,
        last_loaded_at=max((row.loaded_at for row in loaded), default=None),
        examples=examples,
        pasted=",".join(code.code for code in examples),
        answer_rows=total,
        rates=total,
        payers=len({row.payer_slug for row in loaded}),
    )


@page(CodesForm)
def suggest(query: PageQuery[CodesForm]) -> HttpResponseBase:
    """Answer `/suggest/?q=…`: the first things that a text may stand for, as options of a list under the search box."""
    found = search_everything(query.db, query.values["q"], MAX_SUGGESTIONS)
    return render(query.request, "partials/suggestions.html", {"found": found, "context": found.context})


def _search(query: PageQuery[CodesForm], text: str) -> HttpResponseBase:
    found = search_everything(query.db, text)
    address = _only_meaning(found, text)
    if address:
        return redirect(address)
    return query.render("pages/search.html", q=text, found=found, context=found.context)


def _only_meaning(found: SearchResults, text: str) -> str | None:
    """Return the address of the one thing that a number stands for; None if there are several or none."""
    said = read_search(text)
    if len(found.providers) == 1 and said.numbers and not found.codes:
        provider = found.providers[0]
        return urls.to(provider.by, None, **{provider.by: provider.value})
    codes = {code.code for code in found.codes}
    if len(codes) != 1 or found.codes_in_all != len(found.codes) or not (said.says_codes or text.strip().isdigit()):
        return None
    code, context = found.codes[0], found.context
    return urls.to(
        "rates",
        state=context.state,
        code_type=code.code_type if code.code_type not in _LIKE_CPT else None,
        code=code.code,
        payer=context.payer.payer_slug if context.payer else None,
        modifier=context.modifier,
        city=context.city,
        zip=context.zip,
    )
