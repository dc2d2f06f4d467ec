"""The rates of a code."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import Asked, Found, MarketAnswer, MarketPage, resource
from core.pages.forms import RatesForm
from core.queries import medicare, rates
from core.queries.histogram import Bin, build_histogram
from core.queries.rules.market import market_cache

router = Router(tags=["Rates"])


class Summaries(MarketPage[rates.Summary]):
    """The spreads of a code's rates."""

    counts: rates.RateCounts = Field(description="Number of rates, provider groups, NPIs and payers.")


class DollarSpread(MarketAnswer):
    """A histogram of a code's dollars."""

    bins: list[Bin] = Field(description="Bins of equal width, lowest first.")
    below: int = Field(description="Number of rates below the first bin.", examples=[1])
    above: int = Field(description="Number of rates above the last bin.", examples=[1])
    amounts: list[medicare.AmountLine] = Field(
        description="Medicare amounts that the rates are compared with, most rates first."
    )


@resource(router, "/rates", RatesForm, MarketPage[rates.RateRow], required=["code"])
def every(asked: Asked) -> Found:
    """The rates of a code, each rate once.

    A rate that the NPIs of its group share is one row. `kind` says what the figure is: only `dollars` are dollars for
    one service; a percentage of 40.5 is 40.5 % of the billed charge.
    """
    return asked.by_key(
        rates.RateRow,
        rates.ORDERS[asked.sort],
        lambda: rates.count_rates(asked.db, asked.market),
        lambda limit, last: rates.list_rates(asked.db, asked.market, asked.sort, limit, 0, last),
    )


@resource(router, "/rates/summary", RatesForm, Summaries, required=["code"])
def summary(asked: Asked) -> Found:
    """The spread of a code's rates: by kind, payer, class and modifier.

    Each rate counts once. Percentiles interpolate. Units are the kind's, so figures of two kinds never stand in one
    row. `counts` says how many rates, provider groups and distinct NPIs there are, and what a filter by place leaves
    out.
    """
    with market_cache(asked.db, asked.market) as narrow:
        found = asked.whole(rates.summarize_rates(narrow, asked.market))
        return {**found, "counts": rates.count_market(narrow, asked.market)}


@resource(router, "/rates/histogram", RatesForm, DollarSpread, required=["code"], without=["sort"])
def spread(asked: Asked) -> Found:
    """How a code's dollars spread: a histogram.

    Rates that are dollars for one service and more than zero, each once, in bins of one width between their 1st and
    99th percentile; `below` and `above` count what lies outside. `amounts` are those of Medicare that the rates are
    compared with, those that most rates stand beside first.
    """
    with market_cache(asked.db, asked.market) as narrow:
        found = build_histogram(narrow, asked.market)
        lines = medicare.count_amount_lines(medicare.find_amounts(narrow, asked.market))
    return {"bins": found.bins, "below": found.below, "above": found.above, "amounts": lines}
