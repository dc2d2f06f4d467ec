"""What a payer pays for the usual services of each specialty: its percent of Medicare, and against the market."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from core.queries import coverage
from core.queries.baskets.basket_answer import BasketAnswer, BasketQuestion, answer_basket
from core.queries.baskets.basket_codes import BasketCode, codes_of_named
from core.queries.baskets.basket_index import PayerIndex, choose_weights, index_payers, services_of_medicare
from core.queries.baskets.basket_medians import BasketMedian
from core.queries.rules.columns import described
from core.queries.rules.market import Market
from core.store.connection import Snapshot
from core.vocabulary.baskets import NamedBasket, named_baskets


@dataclass(frozen=True)
class SpecialtyIndex:
    """A payer's index for a named basket, as the basket's page has it for the same class of rates."""

    basket: Annotated[str, described("Key of the named basket.", "orthopedics")]
    title: Annotated[str, described("Title of the basket.", "Orthopedics")]
    percent: Annotated[
        float | None,
        described("The payer's medians as a percent of Medicare, weighted; null if it prices less than half.", 1.31),
    ]
    index: Annotated[
        float | None,
        described("The payer's medians against the market's, weighted: 1.1 is 10% above; null if it is alone.", 1.1),
    ]
    codes: Annotated[int, described("Number of the basket's codes that the payer prices.", 36)]
    codes_of_basket: Annotated[int, described("Number of the basket's codes that any payer prices.", 40)]


@dataclass(frozen=True)
class PayerLevels:
    """A payer's specialties, and its codes against the market. `market` has the class that the medians are of."""

    market: Market
    specialties: Sequence[SpecialtyIndex]
    codes: Sequence[BasketMedian]
    """The payer's codes that others have rates for too, those that it pays least for, against the market, first."""


def list_payer_levels(db: Snapshot, market: Market, payer_slug: str) -> PayerLevels | None:
    """Return what a payer pays for the codes of all named baskets; None if the market has too many rates to ask.

    The market is of all payers.
    """
    if coverage.count_market_rates(db, market) > db.limits.whole_rates:
        return None
    payers, baskets = dict(coverage.list_payers(db)), named_baskets()
    codes_of = {basket.key: codes_of_named(db, basket) for basket in baskets.values()}
    every = list({code.code: code for codes in codes_of.values() for code in codes}.values())
    answer = answer_basket(db, BasketQuestion(market, every))
    specialties = [_index(db, answer, basket, codes_of[key], payers, payer_slug) for key, basket in baskets.items()]
    medians = [one for one in answer.named_medians(payers) if one.payer_slug == payer_slug]
    # A payer's own median is no market.
    beside = [(one.difference, one) for one in medians if one.market_rates > one.rates and one.difference is not None]
    return PayerLevels(
        answer.market,
        [one for one in specialties if one],
        [one for _, one in sorted(beside, key=lambda pair: (pair[0], pair[1].code))],
    )


def _index(
    db: Snapshot,
    answer: BasketAnswer,
    basket: NamedBasket,
    codes: Sequence[BasketCode],
    payers: Mapping[str, str],
    payer_slug: str,
) -> SpecialtyIndex | None:
    """Return a payer's index for one basket of the answer; None if it prices none of its codes."""
    places = {code.code: place for place, code in enumerate(codes)}
    of_basket = [
        replace(one, position=places[answer.codes[one.position].code])
        for one in answer.medians
        if answer.codes[one.position].code in places
    ]
    weights = choose_weights(None, codes, services_of_medicare(db, codes, basket.specialties))
    indexes = index_payers(of_basket, weights, payers)
    found: PayerIndex | None = next((one for one in indexes if one.payer_slug == payer_slug), None)
    if found is None:
        return None
    index = found.index if len(indexes) > 1 else None
    return SpecialtyIndex(basket.key, basket.title, found.percent, index, found.codes, found.codes_of_basket)
