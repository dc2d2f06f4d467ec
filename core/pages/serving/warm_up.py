"""What a server does before the first visitor of a generation comes, so that this visitor does not wait for it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.urls import get_resolver

from core import open_store
from core.pages.code_pages.rates import show_rates
from core.pages.home import show_home
from core.pages.shared import urls
from core.queries import coverage
from core.runtime.errors import BeaconError

_ANY_SEARCH = "clinic"
"""A search that looks for codes, names, and a specialty."""

AnyPage = Callable[[HttpRequest], HttpResponseBase]


def warm_up(home: AnyPage = show_home, rates: AnyPage = show_rates) -> None:
    """Import the pages, open the store, and make the first page, a search, and a page of rates in the newest month.

    That reads the files' footers and the templates. If it fails, the pages themselves will say why.
    """
    get_resolver().url_patterns  # noqa: B018 - reading it imports what it names
    try:
        db = open_store.snapshot_for_site()
        if db is None:
            return
        home(_request("/"))
        # The first search of a generation reads what all others find in memory.
        home(_request("/", q=_ANY_SEARCH))
        for period in coverage.list_periods(db)[:1]:
            month = {"state": period.state, "year_month": period.year_month}
            for code_type, code in db.rows(
                "SELECT code_type, code FROM fact_rate WHERE state = $state AND year_month = $year_month LIMIT 1", month
            ):
                rates(_request("/rates/", **month, code_type=code_type, code=code))
    except BeaconError:
        pass


def _request(path: str, **parameters: str) -> HttpRequest:
    request = HttpRequest()
    request.method = "GET"
    request.path = path
    # The page is kept for its address: without the query string, it would be that of /rates/ alone.
    request.META["QUERY_STRING"] = urls.query(urls.said(parameters)).removeprefix("?")
    request.GET = QueryDict(request.META["QUERY_STRING"])
    return request
