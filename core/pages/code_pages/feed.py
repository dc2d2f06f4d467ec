"""The Atom feed of a question: an address to watch, without an account."""

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from core.pages.code_pages.atom_feed import ATOM, SameOrganizations, describe_question, write_feed
from core.pages.code_pages.same_contracts import list_same_contracts
from core.pages.formats import write_count
from core.pages.forms.market_forms import FeedForm
from core.pages.shared.lanes.weights import is_too_broad_for_news
from core.pages.shared.page import MarketQuery, market_page
from core.pages.shared.words.change_words import count_paid, tell_median_change, tell_ratio_in_short
from core.queries.over_time.news import News, list_news


@market_page(FeedForm, "feed")
def _answer_feed(query: MarketQuery[FeedForm]) -> HttpResponseBase:
    market, db = query.market, query.db
    with_changes = not is_too_broad_for_news(db, market)
    news = list_news(db, market.in_any_month, with_changes=with_changes)
    subject = describe_question(market, query.choices)
    created_at = datetime.fromisoformat(db.manifest.created_at)
    return write_feed(market.in_any_month, subject, news, created_at, _tell_same_organizations(query, news))


def _tell_same_organizations(query: MarketQuery[FeedForm], news: Sequence[News]) -> SameOrganizations:
    """Return what became of the organizations in both months of a code's news, as the page of the code begins.

    The median of all rates also moves with which rates are in the file.
    """
    market = query.market.in_any_month
    payers = list(dict.fromkeys(one.payer_slug for one in news if one.what == "change"))
    if not market.code or not payers:
        return {}
    found = {}
    for one in list_same_contracts(query.db, market, payers, len(payers)):
        ratio = f" {tell_ratio_in_short(one.ratio)}." if one.ratio else ""
        change = f"; {said}" if (said := tell_median_change(one.moved)) else ""
        organizations = f"{write_count(one.moved.kept)} organization{'' if one.moved.kept == 1 else 's'} in both months"
        found[one.moved.payer_slug, one.earlier, one.later] = (
            f"Of {organizations}, {count_paid(one.moved)}{change}.{ratio}"
        )
    return found


def show_feed(request: HttpRequest) -> HttpResponseBase:
    """Show `/feed/`. A feed that is kept is sent again with its own content type."""
    response = _answer_feed(request)
    if isinstance(response, HttpResponse) and response.content.startswith(b"<?xml"):
        response["Content-Type"] = ATOM
    return response


show_feed.parameters = frozenset(FeedForm().fields)  # type: ignore[attr-defined]
