"""Resources about the rates of a code."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import AnswerFields, MarketAnswer, MarketPage, ResourceRequest, resource
from core.pages.forms.market_forms import RatesForm
from core.queries import rates
from core.queries.histogram import Bin, build_histogram
from core.queries.market.market_rates import market_cache
from core.queries.rates_against_medicare import (
    RateAgainstMedicare,
    SummaryAgainstMedicare,
    list_against_medicare,
    summarize_against_medicare,
)
from core.queries.yardstick import medicare_amounts

router = Router(tags=["Rates"])


class RateSummaries(MarketPage[SummaryAgainstMedicare]):
    """The spread of a code's rates."""

    counts: rates.RateCounts = Field(description="Number of rates, provider groups, NPIs and payers.")


class DollarHistogram(MarketAnswer):
    """A histogram of a code's rates in dollars."""

    bins: list[Bin] = Field(description="Bins of equal width, lowest first.")
    below: int = Field(description="Number of rates below the first bin.", examples=[1])
    above: int = Field(description="Number of rates above the last bin.", examples=[1])
    lowest: float | None = Field(description="Lowest rate above zero; null if there is none.", examples=[88.0])
    highest: float | None = Field(description="Highest rate; null if there is none above zero.", examples=[140.0])
    amounts: list[medicare_amounts.AmountLine] = Field(
        description="Medicare amounts that the rates are compared with, most rates first."
    )


@resource(router, "/rates", RatesForm, MarketPage[RateAgainstMedicare], required=["code"])
def list_rates(request: ResourceRequest) -> AnswerFields:
    """List the rates of a code, each rate once.

    A rate that all NPIs of a group share is one row. `kind` says what the figure is: only `dollars` are dollars for
    one service; a percentage of 40.5 is 40.5% of the billed charge. A `percent` of 1 is 100% of Medicare.
    """
    return request.page_after_key(
        RateAgainstMedicare,
        rates.ORDERS[request.sort],
        lambda: rates.count_rates(request.db, request.market),
        lambda limit, last: list_against_medicare(request.db, request.market, request.sort, limit, 0, last),
    )


@resource(router, "/rates/summary", RatesForm, RateSummaries, required=["code"])
def summarize_rates(request: ResourceRequest) -> AnswerFields:
    """Summarize the rates of a code by kind, payer, class and modifier.

    Each rate counts once. Percentiles are interpolated. A row never mixes two kinds, whose units differ. `counts` has
    the number of rates, provider groups and distinct NPIs, and what a place-of-service filter leaves out. Likely
    errors are in `left_out` alone, unless `implausible=in` counts them.
    """
    with market_cache(request.db, request.market) as cache:
        page = request.page_of(summarize_against_medicare(request.db, request.market))
        return {**page, "counts": rates.count_market(cache, request.market)}


@resource(router, "/rates/histogram", RatesForm, DollarHistogram, required=["code"], without=["sort"])
def build_rate_histogram(request: ResourceRequest) -> AnswerFields:
    """Build a histogram of a code's rates in dollars.

    Rates above zero in dollars for one service, each counted once, in bins of equal width between their 1st and 99th
    percentile, and up to twice their 90th at most; `below` and `above` count the rest. `amounts` are the Medicare
    amounts that the rates are compared with.
    """
    with market_cache(request.db, request.market) as cache:
        histogram = build_histogram(cache, request.market)
        amounts = medicare_amounts.count_amount_lines(medicare_amounts.find_amounts(cache, request.market))
    return {**vars(histogram), "amounts": amounts}
