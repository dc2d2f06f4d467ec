"""Which payer pays the most for which codes of a basket: payers that are alike in sum may be far apart by code."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from core.queries.baskets.basket_answer import BasketAnswer
from core.queries.baskets.basket_medians import CodeMedian
from core.queries.rules.alike import are_alike


@dataclass(frozen=True)
class BestPaid:
    """A code, and how much more than the next payer the payer that pays the most for it pays: 0.1 is 10% more."""

    position: int
    code: str
    more: float


@dataclass(frozen=True)
class BestPayer:
    """A payer, and the codes that it pays the most for, those with the largest difference first."""

    payer_slug: str
    reporting_entity_name: str
    codes: Sequence[BestPaid]


@dataclass(frozen=True)
class BestPayers:
    """The payers that pay the most for some code, those with most codes first."""

    payers: Sequence[BestPayer]
    compared: int
    """How many codes two payers or more can be compared for."""
    alike: Sequence[str]
    """The codes for which the payers that pay the most differ by nothing worth naming."""

    @cached_property
    def best(self) -> dict[int, str]:
        """The payer_slug of the payer that pays the most, by position of the code."""
        return {paid.position: one.payer_slug for one in self.payers for paid in one.codes}


def list_best_payers(answer: BasketAnswer) -> BestPayers:
    """Return which payer pays the most for which codes, of the prices that the indexes compare."""
    prices: dict[int, list[CodeMedian]] = {}
    for one in answer.medians:
        if one.payer_slug is not None and not one.is_aside:
            prices.setdefault(one.position, []).append(one)
    found: dict[str, list[BestPaid]] = {}
    alike, compared = [], 0
    for position, of_code in sorted(prices.items()):
        if len(of_code) < 2:
            continue
        compared += 1
        most, following = sorted(of_code, key=lambda one: -one.price)[:2]
        code = answer.codes[position].code
        if are_alike([most.price, following.price]) or not following.price:
            alike.append(code)
        elif most.payer_slug is not None:
            found.setdefault(most.payer_slug, []).append(BestPaid(position, code, most.price / following.price - 1))
    names = {one.payer_slug: one.reporting_entity_name for one in answer.indexes}
    payers = [
        BestPayer(slug, names.get(slug, slug), sorted(codes, key=lambda one: (-one.more, one.position)))
        for slug, codes in found.items()
    ]
    return BestPayers(sorted(payers, key=lambda one: (-len(one.codes), one.reporting_entity_name)), compared, alike)
