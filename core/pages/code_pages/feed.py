"""The Atom feed of a question: an address to watch, without an account."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from core.pages.code_pages.atom_feed import ATOM, describe_question, write_feed
from core.pages.forms.market_forms import FeedForm
from core.pages.shared.lanes.weights import is_too_broad_for_news
from core.pages.shared.page import MarketQuery, market_page
from core.queries.over_time.news import list_news


@market_page(FeedForm, "feed")
def _answer_feed(query: MarketQuery[FeedForm]) -> HttpResponseBase:
    market, db = query.market, query.db
    with_changes = not is_too_broad_for_news(db, market)
    news = list_news(db, market.in_any_month, with_changes=with_changes)
    subject = describe_question(market, query.choices)
    return write_feed(market.in_any_month, subject, news, datetime.fromisoformat(db.manifest.created_at))


def show_feed(request: HttpRequest) -> HttpResponseBase:
    """Show `/feed/`. A feed that is kept is sent again with its own content type."""
    response = _answer_feed(request)
    if isinstance(response, HttpResponse) and response.content.startswith(b"<?xml"):
        response["Content-Type"] = ATOM
    return response


show_feed.parameters = frozenset(FeedForm().fields)  # type: ignore[attr-defined]
