"""The filters of a code's rates, with counts."""

from ninja import Router

from core.api.protocol.resources import AnswerFields, MarketPage, ResourceRequest, resource
from core.pages.forms.market_forms import RatesForm
from core.queries import facets
from core.queries.market.market_rates import market_cache
from core.queries.profiles import count_profile_choices

router = Router(tags=["Rates"])


@resource(router, "/rates/facets", RatesForm, MarketPage[facets.Choice], required=["code"], without=["sort"])
def list_facets(request: ResourceRequest) -> AnswerFields:
    """List the filters of a code's rates, with the number of rates that each value leaves.

    One row per `filter` (the name of a parameter) and `value`. The other filters of the request apply. Most rates
    first; months newest first. A rate with several places, modifiers or networks counts for each, and so
    does one whose group's providers have several counties, specialties and so on.
    """
    with market_cache(request.db, request.market) as cache:
        choices = facets.count_choices(cache, request.market)
        choices |= count_profile_choices(cache, request.market)
    choices |= {
        "network": facets.count_networks(request.db, request.market),
        "year_month": facets.count_months(request.db, request.market),
    }
    return request.page_of([choice for of_filter in choices.values() for choice in of_filter])
