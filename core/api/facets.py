"""What a code's rates can be narrowed by."""

from ninja import Router

from core.api.protocol.resources import Asked, Found, MarketPage, resource
from core.pages.forms import RatesForm
from core.queries import facets
from core.queries.rules.market import market_cache

router = Router(tags=["Rates"])


@resource(router, "/rates/facets", RatesForm, MarketPage[facets.Choice], required=["code"], without=["sort"])
def choices(asked: Asked) -> Found:
    """What a code's rates can be narrowed by, with how many rates each choice would leave.

    One row a `filter` (a parameter's name) and `value`: of the market as it is but for that one filter. Most rates
    first; months newest first. A rate of several places, modifiers or networks counts in each.
    """
    with market_cache(asked.db, asked.market) as narrow:
        found = facets.count_choices(narrow, asked.market)
    found |= {
        "network": facets.count_networks(asked.db, asked.market),
        "year_month": facets.count_months(asked.db, asked.market),
    }
    return asked.whole([choice for of_filter in found.values() for choice in of_filter])
