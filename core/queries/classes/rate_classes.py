"""The classes of rates, and which one a question is about that names none: no figure mixes two of them by default.

Where a payer's label is overruled, its rates stand in the class that they are measured as, which then has a name of its
own, see LIKE_CLASSES. The class that files state can be asked for as well.

A class is a billing class, a component of the service (the whole, the reading, the technical part, or another
modifier), and where it is rendered if the rates differ in it: for what facilities bill, a setting of care, and for
professionals, one of SIDES. This is the one place that
chooses between them, for pages, files, the API, Python, and agents.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from core.fields.places.care_setting import (
    FACILITY_OR_UNSTATED,
    HOSPITAL_OUTPATIENT,
    INPATIENT,
    NON_FACILITY_OR_UNSTATED,
    OFFICE,
    OTHER_PLACE,
    SIDES,
    SURGICAL_CENTER,
)
from core.queries.classes.class_counts import ClassCount, add_counts, count_classes, count_classes_of_codes
from core.queries.comparison.usual_side import READING, UsualSide, find_usual_side
from core.queries.market.market import Market
from core.queries.market.market_filters import ALL_CLASSES, CLASS_FILTERS, NO_MODIFIER, NOT_STATED
from core.queries.market.market_rates import counted_rates, market_cache
from core.queries.rules.columns import described
from core.queries.rules.measured_class import LIKE_CLASSES, class_of_like, like_class
from core.store.connection import Snapshot

_PROFESSIONAL = "professional"
_SETTINGS = (HOSPITAL_OUTPATIENT, SURGICAL_CENTER, INPATIENT, OFFICE, OTHER_PLACE, NOT_STATED)
"""All settings. Of those with the same rates, the first one stands for the others."""

_ALL_SETTINGS = (*_SETTINGS, *SIDES)


@dataclass(frozen=True)
class RateClass:
    """Rates that one figure may be about, and the filters that select them."""

    billing_class: Annotated[str, described("Value of the filter `billing_class`.", "professional")]
    modifier: Annotated[str, described("Value of the filter `modifier`; `none` is the whole service.", "none")]
    care_setting: Annotated[
        str | None, described("Value of the filter `care_setting`; null where the rates do not differ in it.", None)
    ]
    settings: Annotated[
        list[str], described("The settings or the side that have just these rates; empty if they do not differ.", [])
    ]
    codes: Annotated[int, described("Number of billing codes with such rates.", 1)]
    dollars: Annotated[int, described("Number of these rates that are dollars for one service.", 12)]
    rates: Annotated[int, described("Number of rates.", 12)]
    shared: Annotated[
        int, described("Number of these rates that hold in other settings as well, and count in those classes too.", 0)
    ]
    chosen: Annotated[bool, described("Whether the answer is about these rates.", True)] = False
    measured_as: Annotated[
        str,
        described(
            "Whose fees these rates are, whatever the label: professional, institutional, or not stated; empty if they "
            "are of several.",
            "professional",
        ),
    ] = ""
    placeless: Annotated[
        int,
        described(
            "Number of these rates that state no place and count outside facilities alone, as Medicare pays less in "
            "them.",
            0,
        ),
    ] = 0
    placeless_dollars: Annotated[int, described("How many of `placeless` are dollars for one service.", 0)] = 0

    @property
    def is_side(self) -> bool:
        """Whether these are a professional's rates of one of SIDES."""
        return self.care_setting in SIDES

    @property
    def is_whole_in_facilities(self) -> bool:
        """Whether these are fees in facilities for the whole: of a list of codes, scans are their readings there."""
        return self.care_setting == FACILITY_OR_UNSTATED and self.modifier == NO_MODIFIER

    @property
    def is_mostly_of_both(self) -> bool:
        """Whether these are the rates in facilities, and most of them hold outside as well, or state no place."""
        return self.care_setting == FACILITY_OR_UNSTATED and 2 * self.shared > self.rates

    @property
    def filters(self) -> dict[str, str | None]:
        """The filters that select these rates."""
        return {name: getattr(self, name) for name in CLASS_FILTERS}


@dataclass(frozen=True)
class ClassChoice:
    """The market with the filters of one class, all classes of the market, and the filters that were filled in."""

    market: Market
    classes: Sequence[RateClass] = ()
    filled: frozenset[str] = frozenset()
    has_facilities: bool = True
    """Whether a facility's own bill may be among the rates of any class; True if they were not looked at."""
    has_parts: bool = False
    """Whether the code has a technical part, so that in facilities nobody bills the whole."""

    usually_inside: bool = False
    """Whether the code is usually rendered in facilities."""

    @property
    def opens_elsewhere(self) -> bool:
        """Whether the code is usually rendered in facilities, and is not looked at there although nobody asked."""
        shown = [one for one in self.classes if one.chosen]
        is_asked = bool(self.market.care_setting) and "care_setting" not in self.filled
        if not self.usually_inside or is_asked or self.market.classes:
            return False
        # Rates for every place are for facilities as well.
        return any(one.care_setting == NON_FACILITY_OR_UNSTATED or 2 * one.placeless > one.rates for one in shown)


def choose_class(db: Snapshot, market: Market) -> ClassChoice:
    """Return the market of one code with the class that has most rates, if the question does not name one.

    Of a professional's two sides it is the one where the code is usually rendered, see on_usual_side.

    Filters that are set stay as they are, and the others are filled in. ALL_CLASSES leaves everything as it is, and so
    does a market with a single class. Classes are counted in the market with all its other filters.
    """
    anything = market.without(*CLASS_FILTERS)
    with market_cache(db, anything) as cached:
        counts = count_classes(cached, anything, *counted_rates(cached, anything))
        usual = find_usual_side(db, market.code)
        choice = unless_alone(market, choose_among(market, counts, usual=usual))
        has_facilities = any(one.measured != _PROFESSIONAL for one in counts)
        return replace(
            choice,
            has_facilities=has_facilities,
            has_parts=usual.has_parts,
            usually_inside=usual.in_facilities,
        )


def choose_class_of_codes(db: Snapshot, market: Market, numbers: Iterable[str]) -> ClassChoice:
    """Return the market with the class that most of some codes have rates of, and most rates.

    The market's own code is ignored. The class of a single code is that of its page.
    """
    numbers = list(numbers)
    counts = count_classes_of_codes(db, market, numbers)
    if not counts:
        return ClassChoice(market)
    usual = find_usual_side(db, numbers[0]) if len(numbers) == 1 else None
    return choose_among(market, add_counts(counts), usual=usual)


def unless_alone(market: Market, choice: ClassChoice) -> ClassChoice:
    """Return the choice without its filters if there is one class: conditions that all rates meet only cost time."""
    return replace(choice, market=market, filled=frozenset()) if len(choice.classes) == 1 else choice


def choose_among(
    market: Market, counts: Sequence[ClassCount], *, of_some: bool = False, usual: UsualSide | None = None
) -> ClassChoice:
    """Return the market with the class that has most rates of those counted, where it does not name one.

    Of one code, `usual` is where it is usually rendered, see on_usual_side. Of a list of codes, the class comes first
    in which most of them can be compared, and the whole service before its parts. Most rates in dollars come next. With
    `of_some`, the rates counted are some of the market's, whose others may have other labels: a class with a label that
    is overruled is then named as it is measured.
    """
    asked = {name: getattr(market, name) for name in CLASS_FILTERS}
    classes = list_classes(counts, named=asked["billing_class"] or (LIKE_CLASSES[0] if of_some else None))
    if market.classes == ALL_CLASSES:
        return ClassChoice(market, [replace(one, chosen=True) for one in classes])
    fitting = [one for one in counts if all(one.has(name, value) for name, value in asked.items())]
    # A setting that was asked for is not divided further.
    divide = asked["care_setting"] is None
    found = _list_default_classes(fitting, asked["billing_class"], asked["modifier"], divide=divide, of_some=of_some)
    if not found:
        return ClassChoice(market, classes)
    possible = [one for one in found if asked["modifier"] or not _mixes(one, fitting)]
    chosen = possible[0] if possible else found[0]
    if usual:
        chosen = on_usual_side(chosen, possible, usual, asked["care_setting"])
    if asked["care_setting"] in SIDES:
        chosen = _named_as_listed(chosen, classes, asked["care_setting"])
    filters: dict[str, Any] = {name: asked[name] or value for name, value in chosen.filters.items()}
    filled = frozenset(name for name, value in filters.items() if value and not asked[name])
    return ClassChoice(replace(market, **filters), [_marked(one, filters) for one in classes], filled)


def on_usual_side(chosen: RateClass, possible: Sequence[RateClass], usual: UsualSide, asked: str | None) -> RateClass:
    """Return the class on the side where the code is usually rendered, if it has at least half as many rates.

    With fewer, what the payers of this market pay is on the other side. Rates that are outside because they state no
    place say nothing of that. In facilities, the class of a code with a technical part is that of its reading: nobody
    bills the whole there. `asked` is the setting that is asked for.
    """
    if usual.has_parts and (asked == FACILITY_OR_UNSTATED or (usual.in_facilities and not asked)):
        readings = (one for one in possible if one.modifier == READING and one.dollars and _is_alike(one, chosen))
        chosen = next((one for one in readings if one.care_setting != NON_FACILITY_OR_UNSTATED), chosen)
    if asked or not chosen.is_side:
        return chosen
    side = usual.side_of(chosen.modifier)
    others = (one for one in possible if one.modifier == chosen.modifier and _is_alike(one, chosen))
    other = next((one for one in others if one.care_setting == side), chosen)
    dollars, rates = chosen.dollars - chosen.placeless_dollars, chosen.rates - chosen.placeless
    return other if _has_enough(other.dollars, dollars, other.rates, rates) else chosen


def _named_as_listed(chosen: RateClass, classes: Sequence[RateClass], side: str) -> RateClass:
    """Return the class on a side that was asked for with the name it has among all classes, see _measured_by_sides."""
    listed = (one for one in classes if (one.modifier, one.care_setting) == (chosen.modifier, side))
    found = next((one for one in listed if one.billing_class in LIKE_CLASSES and _is_alike(one, chosen)), chosen)
    return replace(chosen, billing_class=found.billing_class)


def _is_alike(one: RateClass, other: RateClass) -> bool:
    return class_of_like(one.billing_class) == class_of_like(other.billing_class)


def _has_enough(dollars: int, most_dollars: int, rates: int, most_rates: int) -> bool:
    """Return whether these are at least half as many rates in dollars, or of any kind where none is in dollars."""
    return 2 * dollars >= most_dollars if most_dollars else 2 * rates >= most_rates


_Rates = tuple[str, tuple[int, ...]]
"""The modifier of a class, and which of the counts are its rates."""


def list_classes(
    counts: Iterable[ClassCount], modifier: str | None = None, *, divide: bool = True, named: str | None = None
) -> list[RateClass]:
    """Return the classes of the rates counted, most codes and rates first: of one value of `modifier`, or of each.

    A rate with several modifiers belongs to each of them, as it does for the filter. Rates whose label is overruled
    belong to the class that their file states, and to the one that they are measured as. If these are the same rates,
    the class has the name `named`, or else the stated one, see _measured_by_sides.
    """
    counts = list(counts)
    stated = _classes_by_rates(counts, _stated_classes(counts), modifier, divide=divide)
    measured = _classes_by_rates(counts, _like_classes(counts), modifier, divide=divide)
    if named in LIKE_CLASSES:
        return _sorted({**stated, **measured})
    of_sides = {} if named else {rates: measured[rates] for rates in _measured_by_sides(stated, measured)}
    return _sorted({**measured, **stated, **of_sides})


def _list_default_classes(
    counts: list[ClassCount], asked: str | None, modifier: str | None, *, divide: bool, of_some: bool
) -> list[RateClass]:
    """Return the classes that may be chosen: the one asked for, or else those in which all rates are once."""
    if asked:
        return _sorted(_classes_by_rates(counts, {asked: counts}, modifier, divide=divide))
    measured = _classes_by_rates(counts, _like_classes(counts), modifier, divide=divide)
    stated = _classes_by_rates(counts, _stated_classes(counts), modifier, divide=divide)
    if not measured:
        return _sorted(stated)
    if of_some:
        return _sorted(measured)
    of_sides = _measured_by_sides(stated, measured)
    return _sorted({rates: one if rates in of_sides else stated.get(rates, one) for rates, one in measured.items()})


def _measured_by_sides(stated: Mapping[_Rates, RateClass], measured: Mapping[_Rates, RateClass]) -> set[_Rates]:
    """Return the rates of sides that are the same as labeled and as measured, while those of the other side are not.

    Both sides have one name: the other one has rates whose label is overruled.
    """
    apart = {
        (one.billing_class, one.modifier) for rates, one in measured.items() if one.is_side and rates not in stated
    }
    return {rates for rates, one in measured.items() if one.is_side and (one.billing_class, one.modifier) in apart}


def _stated_classes(counts: Iterable[ClassCount]) -> dict[str, list[ClassCount]]:
    found: dict[str, list[ClassCount]] = {}
    for one in counts:
        found.setdefault(one.billing_class, []).append(one)
    return found


def _like_classes(counts: list[ClassCount]) -> dict[str, list[ClassCount]]:
    """Return the counts by the class that they are measured as; none if no label is overruled."""
    if all(one.measured == one.billing_class for one in counts):
        return {}
    found: dict[str, list[ClassCount]] = {}
    for one in counts:
        like = like_class(one.measured)
        found.setdefault(like if like in LIKE_CLASSES else one.billing_class, []).append(one)
    return found


def _classes_by_rates(
    counts: list[ClassCount], by_class: Mapping[str, list[ClassCount]], modifier: str | None, *, divide: bool
) -> dict[_Rates, RateClass]:
    """Return the classes that these counts by billing class are divided into, each by which rates it has."""
    numbers = {id(one): number for number, one in enumerate(counts)}
    found: dict[_Rates, RateClass] = {}
    for billing_class, of_class in by_class.items():
        split = {part or NO_MODIFIER for one in of_class for part in one.modifiers.split(",")}
        for name in [modifier] if modifier else split:
            rows = [one for one in of_class if one.has("modifier", name)]
            by_place = _by_side if class_of_like(billing_class) == _PROFESSIONAL else _by_setting
            for settings, some in by_place(rows) if divide else [([], rows)]:
                found[name, tuple(numbers[id(one)] for one in some)] = RateClass(
                    billing_class=billing_class,
                    modifier=name,
                    care_setting=settings[0] if settings else None,
                    settings=settings,
                    codes=len({code for one in some for code in one.codes}),
                    dollars=sum(one.dollars for one in some),
                    rates=sum(one.rates for one in some),
                    shared=sum(one.rates for one in some if settings and _holds_elsewhere(one, settings)),
                    placeless=sum(one.rates for one in some if one.is_placeless),
                    placeless_dollars=sum(one.dollars for one in some if one.is_placeless),
                    measured_as=_alone({one.measured for one in some}),
                )
    return found


def _alone(values: set[str]) -> str:
    """Return the only one of some values; empty text if there are several."""
    return next(iter(values)) if len(values) == 1 else ""


def _sorted(classes: Mapping[_Rates, RateClass]) -> list[RateClass]:
    return sorted(classes.values(), key=_most_rates_first)


def _by_setting(rows: list[ClassCount]) -> list[tuple[list[str], list[ClassCount]]]:
    """Return the rates of each setting, together with all settings that have the same ones; all if none differ."""
    members: dict[tuple[int, ...], list[str]] = {}
    for setting in _SETTINGS:
        if with_it := tuple(at for at, one in enumerate(rows) if setting in one.settings):
            members.setdefault(with_it, []).append(setting)
    if len(members) < 2:
        return [([], rows)]
    return [(settings, [rows[at] for at in which]) for which, settings in members.items()]


def _by_side(rows: list[ClassCount]) -> list[tuple[list[str], list[ClassCount]]]:
    """Return a professional's rates of each of SIDES; all if no rate is of one side alone, or none of the other."""
    found = [([side], [one for one in rows if side in one.sides]) for side in SIDES]
    # A side that has all rates leaves nothing out: no figure over them mixes what is paid in two places.
    return [([], rows)] if any(len(some) == len(rows) for _, some in found) else found


def _holds_elsewhere(one: ClassCount, settings: Sequence[str]) -> bool:
    """Return whether rates hold in other settings as well, or on the other side if `settings` is a side."""
    return bool(set(one.sides if set(settings) <= set(SIDES) else one.settings) - set(settings))


def _mixes(one: RateClass, counts: Sequence[ClassCount]) -> bool:
    """Return whether the filters of a class select rates for different parts of the service: LT and 26 with LT."""
    filters = one.filters.items()
    return len({row.component for row in counts if all(row.has(name, value) for name, value in filters)}) > 1


def _marked(one: RateClass, filters: dict[str, str | None]) -> RateClass:
    same = (one.billing_class, one.modifier) == (filters["billing_class"], filters["modifier"])
    setting = one.care_setting is None or filters["care_setting"] in one.settings
    return replace(one, chosen=same and setting)


def _most_rates_first(one: RateClass) -> tuple[Any, ...]:
    whole_first = (one.modifier != NO_MODIFIER, one.modifier)
    setting = _ALL_SETTINGS.index(one.care_setting) if one.care_setting else -1
    unstated_last = (
        one.billing_class == NOT_STATED,
        class_of_like(one.billing_class) != _PROFESSIONAL,
        one.billing_class,
    )
    # A list of services is compared as a whole where it can be: readings may have more rates for as many codes.
    is_part = one.codes > 1 and one.modifier != NO_MODIFIER
    return -one.codes, is_part, -one.dollars, -one.rates, unstated_last, whole_first, setting
