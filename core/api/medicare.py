"""Negotiated rates against Medicare."""

from ninja import Router
from pydantic import Field

from core.api.resources import Answer, Asked, Found, MarketPage, resource
from core.forms import MedicareForm
from core.queries import medicare
from core.queries.market import Market

router = Router(tags=["Medicare"])


class Outcomes(Answer):
    """What became of the rates: total = compared + those of all reasons."""

    market: Market
    total: int
    compared: int
    bases: list[medicare.Basis]
    reasons: dict[str, int] = Field(description="How many rates have no percent of Medicare, by reason.")


@resource(router, "/medicare", MedicareForm, MarketPage[medicare.Comparison])
def comparisons(asked: Asked) -> Found:
    """Each rate against Medicare.

    One basis and a percent, or one reason why there is none. A `percent` of 1 is 100 %.
    """
    return asked.by_key(
        medicare.Comparison,
        medicare.ORDERS[asked.sort],
        lambda: medicare.outcomes(asked.db, asked.market).total,
        lambda limit, last: medicare.comparisons(asked.db, asked.market, asked.sort, limit, 0, last),
    )


@resource(router, "/medicare/payers", MedicareForm, MarketPage[medicare.Spread])
def payers(asked: Asked) -> Found:
    """The percents of Medicare by payer, each rate counted once.

    `implausible` are those below 50 % or above 3,000 %; they are among the rates. A figure of 1 is 100 %.
    """
    return asked.whole(medicare.spreads(asked.db, asked.market))


@resource(router, "/medicare/outcomes", MedicareForm, Outcomes)
def outcomes(asked: Asked) -> Found:
    """How many rates are compared with what, and why others are not."""
    found = medicare.outcomes(asked.db, asked.market)
    return {"total": found.total, "compared": found.compared, "bases": found.bases, "reasons": found.reasons}
