"""A code over all months that are loaded."""

from ninja import Router

from core.api.protocol.resources import AnswerFields, MarketPage, ResourceRequest, resource
from core.pages.forms.market_forms import FeedForm, TrendForm
from core.pages.shared.lanes.weights import is_too_broad_for_news
from core.queries.over_time import trend
from core.queries.over_time.news import News, list_news

router = Router(tags=["Changes"])


@resource(router, "/trend", TrendForm, MarketPage[trend.TrendPoint], required=["code"], without=["sort"])
def list_trend(request: ResourceRequest) -> AnswerFields:
    """List what a code is paid in each month that is loaded, by class, modifier, and payer.

    Rates in dollars, each counted once, beside Medicare's amount by the month's own schedule. `year_month` has no
    effect.
    """
    return request.page_of(trend.list_trend(request.db, request.market))


@resource(router, "/news", FeedForm, MarketPage[News], without=["sort", "year_month"])
def list_what_is_new(request: ResourceRequest) -> AnswerFields:
    """List the months that were loaded, and the medians that changed by more than 5%.

    Of a code they are the medians of each payer, class, and modifier; of a payer or an organization without a code, the
    median changes of its tax IDs, by code. Newest first.
    """
    with_changes = not is_too_broad_for_news(request.db, request.market)
    return request.page_of(list_news(request.db, request.market.in_any_month, with_changes=with_changes))
