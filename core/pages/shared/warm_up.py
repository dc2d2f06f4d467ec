"""What a server does before its first visitor comes, so that this one need not wait for it."""

from django.http import HttpRequest, QueryDict
from django.urls import get_resolver

from core import open_store
from core.pages import home, rates
from core.pages.shared import urls
from core.queries import coverage
from core.runtime.errors import BeaconError


def warm() -> None:
    """Imports the pages, opens the store, and makes the first page and one of rates: any code's of the newest month.

    That reads the files' footers and the templates. Where it cannot be done, the pages themselves tell why.
    """
    get_resolver().url_patterns  # noqa: B018 - to read it imports what it names
    try:
        db = open_store.snapshot()
        if db is None:
            return
        home.home(_request("/"))
        for period in coverage.list_periods(db)[:1]:
            month = {"state": period.state, "year_month": period.year_month}
            for code_type, code in db.rows(
                "SELECT code_type, code FROM fact_rate WHERE state = $state AND year_month = $year_month LIMIT 1", month
            ):
                rates.show(_request("/rates/", **month, code_type=code_type, code=code))
    except BeaconError:
        pass


def _request(path: str, **parameters: str) -> HttpRequest:
    request = HttpRequest()
    request.method = "GET"
    request.path = path
    request.GET = QueryDict(urls.query(urls.said(parameters)).removeprefix("?"))
    return request
