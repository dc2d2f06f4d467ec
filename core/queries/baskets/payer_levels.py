"""What payers pay for the usual services of each specialty: percent of Medicare, and against the market."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from core.queries import coverage
from core.queries.baskets.basket_answer import BasketAnswer, BasketQuestion, answer_basket
from core.queries.baskets.basket_codes import BasketCode, codes_of_named
from core.queries.baskets.basket_index import PayerIndex, choose_weights, index_payers, services_of_medicare
from core.queries.baskets.basket_medians import BasketMedian
from core.queries.market.market import Market
from core.queries.rules.columns import described
from core.store.connection import Snapshot
from core.vocabulary.baskets import NamedBasket, named_baskets


@dataclass(frozen=True)
class SpecialtyIndex:
    """A payer's index for a named basket, as the basket's page has it."""

    basket: Annotated[str, described("Key of the named basket.", "orthopedics")]
    title: Annotated[str, described("Title of the basket.", "Orthopedics")]
    percent: Annotated[
        float | None,
        described(
            "What its middle organization is paid as a percent of Medicare, weighted; null for under half.", 1.31
        ),
    ]
    unplaced: Annotated[
        int,
        described("Number of codes left out of `percent`: in facilities, where the payer states no place.", 0),
    ]
    unlike: Annotated[
        int,
        described("Number of codes left out of `index`: there is no other payer to compare with.", 0),
    ]
    index: Annotated[
        float | None,
        described("The same against the market, weighted: 1.1 is 10% above; null if less than half is compared.", 1.1),
    ]
    coverage: Annotated[float, described("Share of the basket, by weight, that `index` is over: 0.9 is 90%.", 0.9)]
    placed_coverage: Annotated[
        float, described("Share of the basket, by weight, that `percent` is over: 0.9 is 90%.", 0.95)
    ]
    codes: Annotated[int, described("Number of the basket's codes that the payer prices.", 36)]
    codes_of_basket: Annotated[int, described("Number of the basket's codes, whether anybody prices them or not.", 44)]

    @property
    def compared(self) -> int:
        """The number of codes that the index is over."""
        return self.codes - self.unlike

    @property
    def placed(self) -> int:
        """The number of codes that the percent is over."""
        return self.codes - self.unplaced


@dataclass(frozen=True)
class PayerLevels:
    """A payer's specialties, and its codes against other payers: each code of its own class, within the market's."""

    market: Market
    specialties: Sequence[SpecialtyIndex]
    codes: Sequence[BasketMedian]
    """The payer's codes that others have rates for too, those that it pays least for, against the others, first."""
    others: Sequence[str]
    """The names of the other payers that have rates for any of these codes."""


@dataclass(frozen=True)
class SpecialtyRow:
    """A named basket, and the index of each payer for it: None for a payer that prices none of its codes."""

    basket: str
    title: str
    cells: Sequence[SpecialtyIndex | None]


@dataclass(frozen=True)
class MarketLevels:
    """All payers by specialty, each code of its own class within the market's."""

    market: Market
    payers: Sequence[str]
    """The names of the payers, in the order of the cells."""
    rows: Sequence[SpecialtyRow]


def list_payer_levels(db: Snapshot, market: Market, payer_slug: str) -> PayerLevels | None:
    """Return what a payer pays for the codes of all named baskets; None if the market has too many rates to ask.

    The market is of all payers.
    """
    found = _ask_all_baskets(db, market)
    if found is None:
        return None
    answer, indexes = found
    specialties = [_index(basket, of_basket, payer_slug) for basket, of_basket in indexes]
    every = answer.named_medians(dict(coverage.list_payers(db)))
    medians = [one for one in every if one.payer_slug == payer_slug]
    beside = [(one.against_others, one) for one in medians if one.against_others is not None]
    return PayerLevels(
        answer.market,
        [one for one in specialties if one],
        [one for _, one in sorted(beside, key=lambda pair: (pair[0], pair[1].code))],
        sorted({one.reporting_entity_name for one in every} - {one.reporting_entity_name for one in medians}),
    )


def list_market_levels(db: Snapshot, market: Market) -> MarketLevels | None:
    """Return what each payer pays for the codes of each named basket; None if the market has too many rates to ask."""
    found = _ask_all_baskets(db, market)
    if found is None:
        return None
    answer, indexes = found
    # A column without a single figure says nothing.
    names = {
        one.payer_slug: one.reporting_entity_name
        for _, of_basket in indexes
        for one in of_basket
        if one.percent is not None
    }
    slugs = sorted(names, key=lambda slug: (names[slug].lower(), slug))
    rows = [
        SpecialtyRow(basket.key, basket.title, [_index(basket, of_basket, slug) for slug in slugs])
        for basket, of_basket in indexes
        if of_basket
    ]
    return MarketLevels(answer.market, [names[slug] for slug in slugs], rows)


def _ask_all_baskets(
    db: Snapshot, market: Market
) -> tuple[BasketAnswer, list[tuple[NamedBasket, list[PayerIndex]]]] | None:
    """Return the medians of the codes of all named baskets, asked for once, and the indexes of each basket."""
    if coverage.count_market_rates(db, market) > db.limits.whole_rates:
        return None
    payers, baskets = dict(coverage.list_payers(db)), named_baskets().values()
    codes_of = {basket.key: codes_of_named(db, basket) for basket in baskets}
    every = list({code.code: code for codes in codes_of.values() for code in codes}.values())
    answer = answer_basket(db, BasketQuestion(market, every))
    return answer, [(basket, _index_basket(db, answer, basket, codes_of[basket.key], payers)) for basket in baskets]


def _index_basket(
    db: Snapshot, answer: BasketAnswer, basket: NamedBasket, codes: Sequence[BasketCode], payers: Mapping[str, str]
) -> list[PayerIndex]:
    """Return the indexes of the payers for one basket of the answer."""
    places = {code.code: place for place, code in enumerate(codes)}
    of_basket = [
        replace(one, position=places[answer.codes[one.position].code])
        for one in answer.medians
        if answer.codes[one.position].code in places
    ]
    weights = choose_weights(None, codes, services_of_medicare(db, codes, basket.specialties))
    return index_payers(of_basket, weights, payers)


def _index(basket: NamedBasket, indexes: Sequence[PayerIndex], payer_slug: str) -> SpecialtyIndex | None:
    """Return a payer's index for a basket; None if it prices none of its codes."""
    found = next((one for one in indexes if one.payer_slug == payer_slug), None)
    if found is None:
        return None
    return SpecialtyIndex(
        basket=basket.key,
        title=basket.title,
        percent=found.percent,
        unplaced=found.unplaced,
        unlike=found.unlike,
        index=found.index,
        coverage=found.coverage,
        placed_coverage=found.placed_coverage,
        codes=found.codes,
        codes_of_basket=found.codes_of_basket,
    )
