"""In which class and on which side of care a clinic is compared: those of the code's page, or its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.fields.places.care_setting import SIDES
from core.queries.baskets.clinic_position import AskedLine, Clinic
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS, CLASSES, NO_MODIFIER
from core.queries.market.market_rates import market_facts
from core.queries.rate_classes import ClassChoice, ClassCount, choose_among, choose_class_of_codes, count_classes
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.measured_class import class_of_like
from core.queries.rules.named_rows import read_rows
from core.queries.rules.rate_kinds import CARE_SETTINGS_OF_SETS, STATED_CARE_SQL
from core.store.connection import Snapshot


def choose_class_of_lines(db: Snapshot, market: Market, clinic: Clinic, lines: Sequence[AskedLine]) -> ClassChoice:
    """Return the market with the class and side in which the whole site compares the codes of these lines.

    They are the same for a clinic and for nobody, except where the clinic's own rates for these codes are all of other
    classes: then these are compared. The component is that of each line.
    """
    codes = [line.code.code for line in lines]
    # A line without a modifier is the whole service. A list of readings alone is compared by the class of readings.
    component = None if all(line.modifier for line in lines) else NO_MODIFIER
    choice = choose_class_of_codes(db, replace(market.without(CLASSES), modifier=component), codes)
    own = count_own_classes(db, market, clinic, codes) if clinic.values else []
    paid = [one for one in own if one.dollars]
    filters = {name: getattr(choice.market, name) for name in CLASS_FILTERS}
    if paid and not any(all(one.has(name, value) for name, value in filters.items()) for one in paid):
        of_own = choose_clinic_class(market, own)
        side = of_own.market.care_setting or choose_side(db, of_own.market, clinic, codes)
        return replace(of_own, market=replace(of_own.market, care_setting=side))
    return _without_component(choice)


def choose_clinic_class(market: Market, own: Sequence[ClassCount]) -> ClassChoice:
    """Return the market with the class of most of a clinic's own rates, counted. The component is that of each line.

    Where the label of these is overruled, the class is the measured one: others' rates of it may be labeled otherwise.
    """
    return _without_component(choose_among(market.without("modifier", CLASSES), own, of_some=True))


def count_own_classes(
    db: Snapshot, market: Market, clinic: Clinic, codes: Sequence[str] | None = None
) -> list[ClassCount]:
    """Count the clinic's own rates by what makes a class, all of them or those of some codes."""
    anything = market.without("code_type", "code", *CLASS_FILTERS)
    facts, parameters = market_facts(db, anything)
    listed, numbers = ("true", {}) if codes is None else in_codes(codes)
    own = f"(SELECT f.*, 1 AS rate_count FROM ({facts}) f WHERE {clinic.condition} AND {listed})"
    return count_classes(db, anything, own, {**parameters, **clinic.values, **numbers})


def _without_component(choice: ClassChoice) -> ClassChoice:
    found = [one for one in choice.classes if one.modifier == choice.market.modifier]
    return ClassChoice(replace(choice.market, modifier=None), found, choice.filled - {"modifier"})


@dataclass(frozen=True)
class _SideCount:
    sides: list[str]
    rates: int
    own: int


def choose_side(db: Snapshot, market: Market, clinic: Clinic, codes: Sequence[str]) -> str | None:
    """Return which of SIDES the medians of some codes are of; None if the market's rates are not divided.

    It is the one with most rates of those that have all of the clinic's own rates: its payer may state no place, and
    another payer two lists of them. A facility's rates have no sides.
    """
    if class_of_like(market.billing_class) != "professional" or not codes:
        return None
    facts, parameters = market_facts(db, replace(market, code_type=None, code=None, modifier=None))
    listed, numbers = in_codes(codes)
    rows = read_rows(
        db,
        _SideCount,
        f"""SELECT sides, count(*) AS rates, count(*) FILTER ({clinic.condition}) AS own
            FROM ({facts}) f
            JOIN ({CARE_SETTINGS_OF_SETS}) c ON c.stated = {STATED_CARE_SQL} AND c.pos_set_id = f.pos_set_id
            WHERE {listed} AND rate_kind(negotiated_type, negotiation_arrangement) = 'dollars' GROUP BY sides""",
        {**parameters, **numbers, **clinic.values},
    )
    if not all([side] in [row.sides for row in rows] for side in SIDES):
        return None
    found = [side for side in SIDES if all(side in row.sides for row in rows if row.own)]
    return max(found, key=lambda side: sum(row.rates for row in rows if side in row.sides), default=None)
