"""The whole answer to the question what payers pay for a basket, for the page, the API, Python, and agents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.fields.codes.basket_list import BasketItem
from core.queries import coverage
from core.queries.baskets.basket_codes import BasketCode, basket_codes, codes_of_named
from core.queries.baskets.basket_index import PayerIndex, Weights, choose_weights, index_payers, services_of_medicare
from core.queries.baskets.basket_medians import (
    BasketMedian,
    CodeMedian,
    list_code_medians,
    name_medians,
)
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASSES
from core.queries.rate_classes import ClassChoice, choose_class_of_codes
from core.store.connection import Snapshot
from core.vocabulary.baskets import NamedBasket


@dataclass(frozen=True)
class BasketQuestion:
    """What is asked: the market, the codes, the named basket that they are of, and the weights."""

    market: Market
    codes: Sequence[BasketCode]
    named: NamedBasket | None = None
    weights: str | None = None


@dataclass(frozen=True)
class BasketAnswer:
    """What payers pay for a basket. `market` has the class and the component that the medians are of."""

    market: Market
    codes: Sequence[BasketCode]
    of_class: ClassChoice
    medians: Sequence[CodeMedian]
    indexes: Sequence[PayerIndex]
    weights: Weights
    volumes: Sequence[float]

    @cached_property
    def everybody(self) -> dict[int, CodeMedian]:
        """The medians of all payers together, by position of the code."""
        return {one.position: one for one in self.medians if one.payer_slug is None}

    def named_medians(self, payers: Mapping[str, str]) -> list[BasketMedian]:
        """Return the payers' medians as rows that say what they are."""
        return name_medians(self.market, self.codes, self.medians, dict(payers))


def choose_codes(db: Snapshot, named: NamedBasket | None, items: Sequence[BasketItem]) -> list[BasketCode]:
    """Return the codes of a pasted list, or else those of a named basket."""
    if items:
        return basket_codes(db, items)
    return codes_of_named(db, named) if named else []


def answer_basket(db: Snapshot, question: BasketQuestion) -> BasketAnswer:
    """Return the medians and the index of each payer."""
    codes = question.codes
    # A median over two classes, or over a scan and its reading, says nothing, so a basket is never of all classes.
    of_class = choose_class_of_codes(db, question.market.without(CLASSES), [one.code for one in codes])
    market = of_class.market
    medians = list_code_medians(db, market, codes)
    services = services_of_medicare(db, codes, question.named.specialties if question.named else ())
    weights, volumes = choose_weights(question.weights, codes, services)
    payers = dict(coverage.list_payers(db))
    units = [one.volume or 0.0 for one in codes]
    indexes = index_payers(medians, (weights, volumes), payers, units if any(units) else ())
    return BasketAnswer(market, codes, of_class, medians, indexes, weights, volumes)
