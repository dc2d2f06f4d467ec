"""A code over all months that are loaded."""

from ninja import Router

from core.api.protocol.resources import AnswerFields, MarketPage, ResourceRequest, resource
from core.pages.forms.market_forms import TrendForm
from core.queries.over_time import trend

router = Router(tags=["Changes"])


@resource(router, "/trend", TrendForm, MarketPage[trend.TrendPoint], required=["code"], without=["sort"])
def list_trend(request: ResourceRequest) -> AnswerFields:
    """List what a code is paid in each month that is loaded, by class, modifier, and payer.

    Rates in dollars, each counted once, beside Medicare's amount by the month's own schedule. `year_month` has no
    effect.
    """
    return request.page_of(trend.list_trend(request.db, request.market))
