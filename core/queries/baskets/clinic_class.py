"""In which class and on which side of care a clinic is compared: those of each code's page, or its own."""

from collections.abc import Sequence
from dataclasses import replace

from core.fields.places.care_setting import NON_FACILITY_OR_UNSTATED, SIDES
from core.queries.baskets.clinic_rows import AskedLine, Clinic
from core.queries.classes.class_counts import (
    ClassCount,
    CodeClassCount,
    add_counts,
    count_classes,
    count_classes_of_codes,
    counts_by_code,
    counts_of_systems,
)
from core.queries.classes.classes_of_codes import ClassesOfList, write_terms
from core.queries.classes.rate_classes import ClassChoice, choose_among
from core.queries.comparison.usual_side import UsualSide, find_usual_side
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS, CLASSES, NO_MODIFIER
from core.queries.market.market_rates import market_facts
from core.queries.market.without_place import side_of
from core.queries.rules.measured_class import class_of_like
from core.store.connection import Snapshot


def choose_classes_of_lines(db: Snapshot, market: Market, clinic: Clinic, lines: Sequence[AskedLine]) -> ClassesOfList:
    """Choose the class and the side of each line in which the whole site compares its code.

    They are the same for a clinic and for nobody, except where the clinic's own rates for the code are all of other
    classes: then these are compared. The component is that of each line, and so is the setting that it names. Filters
    that the market has are those of every line.
    """
    market = market.without("code_type", "code", "modifier", CLASSES)
    numbers = [line.code.code for line in lines]
    every = counts_by_code(count_classes_of_codes(db, market, numbers))
    own = counts_by_code(
        count_classes_of_codes(db, market, numbers, clinic.condition, clinic.values) if clinic.values else []
    )
    found, terms, elsewhere = list[ClassChoice](), list[list[str]](), list[int]()
    for position, line in enumerate(lines):
        of_line, ours = (
            counts_of_systems(counts.get(line.code.code, ()), line.code.systems) for counts in (every, own)
        )
        usual = find_usual_side(db, line.code.code)
        choice = _choose_class_of_line(market, line, of_line, ours, usual)
        found.append(choice)
        is_asked = bool(line.setting or line.modifier or market.care_setting)
        if usual.in_facilities and not is_asked and choice.market.care_setting == NON_FACILITY_OR_UNSTATED:
            elsewhere.append(position)
        terms.append(write_terms(position, of_line, replace(choice.market, modifier=line.modifier or NO_MODIFIER)))
    # A line without a modifier is the whole service. A list of readings alone is compared by the class of readings.
    component = None if all(line.modifier for line in lines) else NO_MODIFIER
    counts = [one for some in every.values() for one in some]
    together = choose_among(replace(market, modifier=component), add_counts(counts))
    return ClassesOfList(found, _without_component(together), terms, elsewhere=elsewhere)


def _choose_class_of_line(
    market: Market,
    line: AskedLine,
    counts: Sequence[CodeClassCount],
    own: Sequence[CodeClassCount],
    usual: UsualSide,
) -> ClassChoice:
    """Return the class of a line, of whichever component, among the rates of its code and the clinic's own of these."""
    asked = replace(market, modifier=line.modifier or NO_MODIFIER)
    choice = choose_among(asked, add_counts(counts), usual=usual)
    paid = [one for one in own if one.dollars]
    filters = {name: getattr(choice.market, name) for name in CLASS_FILTERS}
    if paid and not any(all(one.has(name, value) for name, value in filters.items()) for one in paid):
        choice = choose_among(market, add_counts(own), of_some=True)
        alike = [one for one in counts if one.has("modifier", asked.modifier)]
        setting = choice.market.care_setting or choose_side(choice.market, alike, own, usual)
        choice = replace(choice, market=replace(choice.market, care_setting=setting))
    billing_class = choice.market.billing_class or _PROFESSIONAL
    setting = choice.market.care_setting
    if line.setting:
        # A payer that states no place pays its rate in the office as well, as everywhere on the site.
        setting = side_of(line.setting) if class_of_like(billing_class) == _PROFESSIONAL else line.setting
    return replace(
        choice, market=replace(choice.market, billing_class=billing_class, care_setting=setting, modifier=None)
    )


_PROFESSIONAL = "professional"


def choose_clinic_class(market: Market, own: Sequence[ClassCount]) -> ClassChoice:
    """Return the market with the class of most of a clinic's own rates, counted. The component is that of each line.

    Where the label of these is overruled, the class is the measured one: others' rates of it may be labeled otherwise.
    """
    return _without_component(choose_among(market.without("modifier", CLASSES), own, of_some=True))


def count_own_classes(db: Snapshot, market: Market, clinic: Clinic) -> list[ClassCount]:
    """Count all of the clinic's own rates by what makes a class."""
    anything = market.without("code_type", "code", *CLASS_FILTERS)
    facts, parameters = market_facts(db, anything)
    own = f"(SELECT f.*, 1 AS rate_count FROM ({facts}) f WHERE {clinic.condition})"
    return count_classes(db, anything, own, {**parameters, **clinic.values})


def _without_component(choice: ClassChoice) -> ClassChoice:
    found = [one for one in choice.classes if one.modifier == choice.market.modifier]
    return ClassChoice(replace(choice.market, modifier=None), found, choice.filled - {"modifier"})


def choose_side(
    market: Market, counts: Sequence[CodeClassCount], own: Sequence[CodeClassCount], usual: UsualSide
) -> str | None:
    """Return on which of SIDES a clinic is compared for a code; None if the market's rates are not divided.

    Of the sides that have all of the clinic's own rates, it is the one where the code is usually rendered: its payer
    may state no place, and another payer two lists of them. A facility's rates have no sides.
    """
    if class_of_like(market.billing_class) != _PROFESSIONAL:
        return None
    of_class = [one for one in counts if one.has("billing_class", market.billing_class)]
    if not all([side] in [one.sides for one in of_class] for side in SIDES):
        return None
    ours = [one for one in own if one.dollars and one.has("billing_class", market.billing_class)]
    found = [side for side in SIDES if all(side in one.sides for one in ours)]
    return max(found, key=lambda side: side == usual.side_of(market.modifier), default=None)
