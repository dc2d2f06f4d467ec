"""Negotiated rates against Medicare."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import Asked, Found, MarketAnswer, MarketPage, resource
from core.pages.forms import MedicareForm
from core.queries import medicare, rates
from core.queries.rules.market import market_cache

router = Router(tags=["Medicare"])


class ComparisonOutcomes(MarketAnswer):
    """What became of the rates: total = compared + those of all reasons."""

    total: int = Field(description="Number of rates.", examples=[70])
    compared: int = Field(description="Number of rates that have a percent of Medicare.", examples=[60])
    bases: list[medicare.Basis] = Field(description="What the rates are compared with.")
    reasons: dict[str, int] = Field(
        description="Number of rates without a percent of Medicare, by reason.",
        examples=[{"not paid in this setting": 10}],
    )


@resource(router, "/medicare", MedicareForm, MarketPage[medicare.Comparison])
def comparisons(asked: Asked) -> Found:
    """Each rate against Medicare.

    One basis and a percent, or one reason why there is none. A `percent` of 1 is 100 %.
    """
    with market_cache(asked.db, asked.market) as narrow:
        return asked.by_key(
            medicare.Comparison,
            medicare.ORDERS[asked.sort],
            lambda: rates.count_rates(asked.db, asked.market),
            lambda limit, last: medicare.list_comparisons(narrow, asked.market, asked.sort, limit, 0, last),
        )


@resource(router, "/medicare/payers", MedicareForm, MarketPage[medicare.Spread])
def payers(asked: Asked) -> Found:
    """The percents of Medicare by payer, each rate counted once.

    `implausible` are those below 50 % or above 3,000 %; they are among the rates. A figure of 1 is 100 %.
    """
    with market_cache(asked.db, asked.market) as narrow:
        return asked.whole(medicare.summarize_percents(narrow, asked.market))


@resource(router, "/medicare/outcomes", MedicareForm, ComparisonOutcomes)
def outcomes(asked: Asked) -> Found:
    """How many rates are compared with what, and why others are not."""
    with market_cache(asked.db, asked.market) as narrow:
        found = medicare.count_outcomes(narrow, asked.market)
    return {"total": found.total, "compared": found.compared, "bases": found.bases, "reasons": found.reasons}
