"""The rates of a code."""

from ninja import Router

from core.api.resources import Asked, Found, MarketPage, resource
from core.forms import RatesForm
from core.queries import rates

router = Router(tags=["Rates"])


class Summaries(MarketPage[rates.Summary]):
    """The spreads of a code's rates."""

    counts: rates.Counts


@resource(router, "/rates", RatesForm, MarketPage[rates.Rate], required=["code"])
def every(asked: Asked) -> Found:
    """The rates of a code, each rate once.

    A rate that the NPIs of its group share is one row. `kind` says what the figure is: only `dollars` are dollars for
    one service; a percentage of 40.5 is 40.5 % of the billed charge.
    """
    return asked.by_key(
        rates.Rate,
        rates.ORDERS[asked.sort],
        lambda: rates.counts(asked.db, asked.market).rates,
        lambda limit, last: rates.page(asked.db, asked.market, asked.sort, limit, 0, last),
    )


@resource(router, "/rates/summary", RatesForm, Summaries, required=["code"])
def summary(asked: Asked) -> Found:
    """The spread of a code's rates: by kind, payer, class and modifier.

    Each rate counts once. Percentiles interpolate. Units are the kind's, so figures of two kinds never stand in one
    row. `counts` says how many rates, provider groups and distinct NPIs there are, and what a filter by place leaves
    out.
    """
    found = asked.whole(rates.summaries(asked.db, asked.market))
    return {**found, "counts": rates.counts(asked.db, asked.market)}
