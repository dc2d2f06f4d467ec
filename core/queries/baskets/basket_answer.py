"""The whole answer to the question what payers pay for a basket, for the page, the API, Python, and agents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from core.fields.codes.basket_list import BasketItem
from core.queries import coverage
from core.queries.baskets.basket_codes import BasketCode, basket_codes, codes_of_named
from core.queries.baskets.basket_index import PayerIndex, Weights, choose_weights, index_payers, services_of_medicare
from core.queries.baskets.basket_medians import (
    BasketMedian,
    CodeMedian,
    list_own_medians,
    name_medians,
)
from core.queries.classes.classes_of_codes import ClassesOfList, choose_classes_of_list
from core.queries.classes.rate_classes import ClassChoice, RateClass
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASSES
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
    """What payers pay for a basket. `market` is what was asked for, without its code.

    `classes` are the class of each code that its medians are of. It is that of the code's own page, within the filters
    of the market.
    """

    market: Market
    codes: Sequence[BasketCode]
    classes: ClassesOfList
    medians: Sequence[CodeMedian]
    indexes: Sequence[PayerIndex]
    weights: Weights
    volumes: Sequence[float]
    errors: int = 0
    """How many of the rates are likely errors: they are left out, unless the market asks them in."""

    @cached_property
    def everybody(self) -> dict[int, CodeMedian]:
        """The medians of all payers together, by position of the code."""
        return {one.position: one for one in self.medians if one.payer_slug is None}

    @property
    def of_class(self) -> ClassChoice:
        """The classes of all codes together. One is chosen if it is asked for, and not each code's own."""
        together = self.classes.together.classes
        shown = [replace(one, chosen=False) for one in together] if self.of_own_classes else together
        return ClassChoice(self.market, shown)

    @property
    def of_own_classes(self) -> bool:
        """Whether each code is in its usual setting, and not all in the one that is asked for."""
        return is_of_own_classes(self.market)

    def class_of(self, position: int) -> RateClass | None:
        """Return the class of a code; None if it has no rates."""
        return next((one for one in self.classes.of_codes[position].classes if one.chosen), None)

    def named_medians(self, payers: Mapping[str, str]) -> list[BasketMedian]:
        """Return the payers' medians as rows that say what they are."""
        classes = [self.class_of(at) for at in range(len(self.codes))]
        return name_medians(self.market, self.codes, classes, self.medians, dict(payers))


def is_of_own_classes(market: Market) -> bool:
    """Return whether the market of a list names no class that all of its codes are to be compared in."""
    return market.care_setting is None and not (market.billing_class and market.modifier)


def choose_codes(db: Snapshot, named: NamedBasket | None, items: Sequence[BasketItem]) -> list[BasketCode]:
    """Return the codes of a pasted list, or else those of a named basket."""
    if items:
        return basket_codes(db, items)
    return codes_of_named(db, named) if named else []


def answer_basket(db: Snapshot, question: BasketQuestion) -> BasketAnswer:
    """Return the medians and the index of each payer."""
    codes = question.codes
    # A median over two classes, or over a scan and its reading, says nothing, so a basket is never of all classes.
    market = question.market.without(CLASSES, "code_type", "code")
    classes = choose_classes_of_list(db, market, [(one.code, one.systems) for one in codes])
    medians, errors = list_own_medians(db, market, classes, codes)
    services = services_of_medicare(db, codes, question.named.specialties if question.named else ())
    weights, volumes = choose_weights(question.weights, codes, services)
    payers = dict(coverage.list_payers(db))
    units = [one.volume or 0.0 for one in codes]
    indexes = index_payers(medians, (weights, volumes), payers, units if any(units) else ())
    return BasketAnswer(market, codes, classes, medians, indexes, weights, volumes, errors)
