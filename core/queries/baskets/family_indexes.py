"""The indexes of a basket by family of codes: one figure for all of them hides that a payer is high in one of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.queries.baskets.basket_answer import BasketAnswer
from core.queries.baskets.basket_index import PayerIndex, index_payers
from core.queries.contract_rule.code_families import family_of


@dataclass(frozen=True)
class FamilyIndexes:
    """What payers pay for the codes of one family against the market, the highest first: two payers or more."""

    family: str
    indexes: Sequence[PayerIndex]

    @property
    def highest(self) -> PayerIndex:
        """The payer that pays the most for the family."""
        return self.indexes[0]

    @property
    def lowest(self) -> PayerIndex:
        """The payer that pays the least for the family."""
        return self.indexes[-1]

    @property
    def range(self) -> float:
        """How far these two are apart."""
        return (self.highest.index or 0) - (self.lowest.index or 0)


def index_families(answer: BasketAnswer) -> list[FamilyIndexes]:
    """Return the indexes of each family of the basket's codes, the one whose payers are furthest apart first.

    Each is weighted as the whole basket is. A family without two payers that can be compared for half of it
    is left out.
    """
    by_family: dict[str, list[int]] = {}
    for at, code in enumerate(answer.codes):
        by_family.setdefault(family_of(code.code), []).append(at)
    names = {one.payer_slug: one.reporting_entity_name for one in answer.indexes}
    found = []
    for family, positions in by_family.items():
        numbers = {at: number for number, at in enumerate(positions)}
        medians = [replace(one, position=numbers[one.position]) for one in answer.medians if one.position in numbers]
        volumes = [answer.volumes[at] for at in positions]
        indexes = index_payers(medians, (answer.weights, volumes), names)
        ranked = [one for one in indexes if one.index is not None]
        if len(ranked) > 1:
            found.append(FamilyIndexes(family, ranked))
    return sorted(found, key=lambda one: (-one.range, one.family))
