"""The prices of a contract beside what its rule says of them."""

import numpy as np

from core.fields.rounding import round_half_up
from core.queries.comparison.area_amounts import NATION
from core.queries.contract_rule.fit_rule import (
    CandidateFit,
)
from core.queries.contract_rule.levels_of_release import (
    LevelsOfRelease,
    PricedByLevels,
)
from core.queries.contract_rule.priced_rates import (
    CandidateSchedule,
    CommonPrice,
)
from core.queries.contract_rule.rule_rows import RulePrice
from core.queries.contract_rule.tried_candidates import TriedCandidates


def list_prices_of_fit(tried: TriedCandidates, fit: CandidateFit) -> list[RulePrice]:
    """Return the prices against the schedule of a rule."""
    area = _name_area(tried.candidates[fit.candidate])
    amounts = tried.amounts[:, fit.candidate]
    return [
        _list_price(
            one, float(amount) if amount > 0 else None, area, float(amount * multiple), explained=bool(explained)
        )
        for one, amount, multiple, explained in zip(tried.prices, amounts, fit.multiples, fit.explained, strict=True)
    ]


def list_prices_of_levels(tried: TriedCandidates, found: LevelsOfRelease, priced: PricedByLevels) -> list[RulePrice]:
    """Return the prices against the amounts that they are percents of, and the exceptions against their own areas'."""
    areas = [_name_area(tried.candidates[number]) for number in found.numbers]
    return [
        _list_price(one, float(amount), areas[column], expected, explained=True)
        if column >= 0
        else _list_price(one, one.medicare, one.area, expected)
        for one, amount, column, expected in zip(
            tried.prices, priced.amounts, priced.column, priced.expected.tolist(), strict=True
        )
    ]


def _list_price(
    price: CommonPrice,
    medicare: float | None,
    area: str | None,
    expected: float | None = None,
    *,
    explained: bool = False,
) -> RulePrice:
    said = None if expected is None or np.isnan(expected) else to_cents(expected)
    return RulePrice(
        code_type=price.code_type,
        code=price.code,
        modifier=price.modifier,
        facility=price.facility,
        family=price.family,
        negotiated_rate=price.negotiated_rate,
        rates=price.rates,
        all_rates=price.all_rates,
        medicare=medicare,
        area=area,
        percent=price.negotiated_rate / medicare if medicare else None,
        expected=said,
        difference=None if said is None else to_cents(price.negotiated_rate - said),
        explained=explained,
    )


def _name_area(place: CandidateSchedule) -> str:
    """Return the place of an amount as it is named wherever a rate is compared in its provider's area."""
    if place.state == NATION:
        return place.locality_name
    return f"{place.locality_name} ({place.contractor}-{place.locality})"


def to_cents(dollars: float) -> float:
    """Return dollars rounded to cents, half a cent up, without the error of binary fractions: 88.5 x 1.13 is a half."""
    return round_half_up(round(float(dollars), 9), 2)
