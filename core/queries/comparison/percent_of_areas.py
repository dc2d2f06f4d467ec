"""A few percents of Medicare in several areas: what several prices of one contract for one service often are.

A contract that pays 115% of Medicare wherever its providers practice has a price in each payment locality; one that
pays 120% and 155% of the national amounts has two prices. A file lists them all and does not say which is whose, so
that they look like prices without a rule. They are percents if each is a percent of an amount to the cent. Of the
localities, which are a percent apart, only a whole percent that several prices share counts; of the national amount,
halves do too.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from core.fields.places.care_setting import FACILITY_OR_UNSTATED
from core.queries.comparison.area_amounts import LOCALITIES, NATION
from core.queries.rules.percent_to_the_cent import MAX_CHANCE, allowed_difference, chance_of_areas, is_percent_of
from core.queries.rules.percent_words import join_percents, write_tenths
from core.store.connection import Snapshot, column_of_texts
from core.store.schema.tables import TABLES

NATIONAL = ""
"""The name of the national amount among those of areas."""

MAX_PRICES = 16
"""More prices than these are several contracts', of which some would be percents by chance."""

_OF_AREAS, _OF_NATION = 0.01, 0.005
"""The steps of the percents that are looked for."""

_LEAST_RANGE = 1e-9

_NEAR = 0.3
"""The percents of one rate against the state's mean and against its area differ by less."""


@dataclass(frozen=True)
class SharedPercent:
    """A percent of Medicare that some prices are, each with its area in the order of the prices, or NATIONAL."""

    percent: float
    prices: tuple[tuple[float, str], ...]

    @property
    def is_national(self) -> bool:
        """Whether it is a percent of the national amount."""
        return self.prices[0][1] == NATIONAL

    @property
    def where(self) -> str:
        """Return what it is a percent of, in words."""
        return "national amount" if self.is_national else f"in {len(self.prices)} areas"


@dataclass(frozen=True)
class PercentsOfAreas:
    """The percents of Medicare that several prices of a service are, the lowest first."""

    levels: tuple[SharedPercent, ...]
    amounts: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)
    """Medicare's amounts that they are percents of, by area."""

    @property
    def of_areas(self) -> tuple[float, ...]:
        """Return the percents of areas' amounts, the lowest first."""
        return tuple(one.percent for one in self.levels if not one.is_national)

    def prices_in(self, area: str | None) -> tuple[float, ...]:
        """Return which of the prices hold in an area, the lowest first: one for each of the percents that has it.

        A percent of the national amount holds in all areas. None of them does where no other price is of the area.
        """
        if area is None or area not in self.amounts:
            return ()
        # Two areas may have the same amount, of which the price has one name.
        here = {its for its, amount in self.amounts.items() if its != NATIONAL and amount == self.amounts[area]}
        found = [price for one in self.levels for price, its in one.prices if its in here]
        return tuple(sorted(found + self._national_prices)) if found else ()

    @property
    def _national_prices(self) -> list[float]:
        return [price for one in self.levels if one.is_national for price, _ in one.prices]

    def of_price(self, price: float) -> SharedPercent:
        """Return the percent that one of the prices is."""
        return next(one for one in self.levels if any(price == its for its, _ in one.prices))

    def area_of(self, price: float) -> str:
        """Return the area that one of the prices is of, or NATIONAL."""
        return dict(self.of_price(price).prices)[price]

    def where_of(self, price: float) -> str:
        """Return what one of the prices is a percent of, in words: in Dallas."""
        area = self.area_of(price)
        return self.of_price(price).where if area == NATIONAL else f"in {area.title()}"

    def is_near(self, percent: float) -> bool:
        """Return whether the percent that one of the prices is of another amount may be one of these.

        A rate that is compared with a hospital's schedule is no percent of the physicians', whatever the cents say.
        """
        return self.levels[0].percent * (1 - _NEAR) < percent < self.levels[-1].percent * (1 + _NEAR)

    @property
    def single(self) -> SharedPercent | None:
        """Return the one percent that all prices are; None if they are several."""
        return self.levels[0] if len(self.levels) == 1 else None

    @property
    def summary(self) -> str:
        """Return the percents in words: 115% and 125% of Medicare in 4 areas."""
        said = []
        for is_national in (False, True):
            some = [one for one in self.levels if one.is_national == is_national]
            if some:
                areas = max(len(one.prices) for one in some)
                of = "Medicare’s national amount" if is_national else f"Medicare in {areas} areas"
                said.append(f"{join_percents([one.percent for one in some])} of {of}")
        return ", and ".join(said)

    @property
    def words(self) -> str:
        """Return each percent with its prices and their areas."""
        return "; ".join(
            f"{write_tenths(one.percent)}: "
            + ", ".join(f"{area.title() or 'national amount'} ${price:,.2f}" for price, area in one.prices)
            for one in self.levels
        )


def find_percents_of_areas(
    prices: Collection[float],
    amounts: Mapping[str, float],
    conversion_factor: float | None,
    percents: Collection[float] = (),
) -> PercentsOfAreas | None:
    """Return the percents that several prices of a service are; None unless each of them is one.

    `amounts` are Medicare's in each area, by name, and the NATIONAL one. The conversion factor of a contract is as
    published or rounded to cents, as contracts state both. If `percents` are given, the prices are these of areas'
    amounts, or nothing.
    """
    distinct = sorted(set(prices))
    if not 2 <= len(distinct) <= MAX_PRICES or distinct[0] <= 0:
        return None
    for scale in dict.fromkeys((1.0, round(conversion_factor, 2) / conversion_factor if conversion_factor else 1.0)):
        scaled = {area: scale * amount for area, amount in amounts.items() if amount > 0}
        areas = sorted((amount, area) for area, amount in scaled.items() if area != NATIONAL)
        national = scaled.get(NATIONAL, 0.0)
        levels = _with_percents(distinct, areas, percents) if percents else _search_percents(distinct, areas, national)
        if levels:
            return PercentsOfAreas(levels)
    return None


def _search_percents(prices: list[float], areas: list[tuple[float, str]], national: float) -> tuple[SharedPercent, ...]:
    """Return which percents of areas' amounts, or of the national one, all of the prices are; none if one is none."""
    for tries_areas in (False, True):
        left, found, chance = prices, list[SharedPercent](), 1.0
        while tries_areas and len(left) > 1:
            level = max(_shared_by_areas(left, areas), key=lambda one: len(one.prices), default=None)
            if level is None or len(level.prices) < 2:
                break
            found.append(level)
            chance *= _chance_of_areas(level, areas)
            left = [price for price in left if price not in dict(level.prices)]
        for price in left if national else ():
            percent = round(price / national / _OF_NATION) * _OF_NATION
            if is_percent_of(price, percent, national):
                found.append(SharedPercent(round(percent, 3), ((price, NATIONAL),)))
                chance *= min(1, 2 * allowed_difference(percent) / (_OF_NATION * national))
        explained = sum(len(one.prices) for one in found)
        if explained == len(prices) and chance <= MAX_CHANCE:
            return tuple(sorted(found, key=lambda one: (one.percent, one.is_national)))
    return ()


def _shared_by_areas(prices: list[float], areas: list[tuple[float, str]]) -> list[SharedPercent]:
    """Return each whole percent that some of the prices are of different areas' amounts."""
    tried = {round(price / amount / _OF_AREAS) * _OF_AREAS for price in prices for amount, _ in areas}
    return [
        SharedPercent(round(percent, 3), matched)
        for percent in sorted(tried)
        if (matched := _match_areas(prices, areas, percent))
    ]


def _match_areas(prices: list[float], areas: list[tuple[float, str]], percent: float) -> tuple[tuple[float, str], ...]:
    """Return those of the prices that are a percent of an area's amount, each with its area."""
    matched: list[tuple[float, str]] = []
    at = 0
    # Prices and areas are both in order: a price has one of the areas after that of the price before.
    for price in prices:
        while at < len(areas) and percent * areas[at][0] < price - allowed_difference(percent):
            at += 1
        if at < len(areas) and is_percent_of(price, percent, areas[at][0]):
            matched.append((price, areas[at][1]))
            at += 1
    return tuple(matched)


def _with_percents(
    prices: list[float], areas: list[tuple[float, str]], percents: Collection[float]
) -> tuple[SharedPercent, ...]:
    """Return which of these percents of areas' amounts all of the prices are; none if one is none of them."""
    left, found, width = prices, list[SharedPercent](), 0.0
    for percent in sorted(percents):
        width += len(areas) * 2 * allowed_difference(percent)
        if matched := _match_areas(left, areas, percent):
            found.append(SharedPercent(percent, matched))
            left = [price for price in left if price not in dict(matched)]
    if left or not areas:
        return ()
    lowest, highest = min(percents) * areas[0][0], max(percents) * areas[-1][0]
    # Each price lies anywhere between the lowest and the highest, and some of it is within a cent of an area's.
    chance = min(1, width / max(highest - lowest, _LEAST_RANGE)) ** len(prices)
    return tuple(found) if chance <= MAX_CHANCE else ()


def _chance_of_areas(level: SharedPercent, areas: list[tuple[float, str]]) -> float:
    """Return about how likely it is that so many prices are one whole percent of different areas' amounts by chance.

    The first price makes some percent whole in one of the areas, and each other lies on an area's amount.
    """
    lowest, highest = areas[0][0], areas[-1][0]
    first = min(1, len(areas) * 2 * allowed_difference(level.percent) / (_OF_AREAS * lowest))
    other = chance_of_areas(level.percent, len(areas), lowest, highest)
    return float(first * other ** (len(level.prices) - 1))


@dataclass(frozen=True)
class SeveralPrices:
    """The several prices of a service, for the whole of it or a part, that a payer's contract has."""

    code: str
    modifier: str
    prices: tuple[float, ...]
    side: str | None = None
    """One of SIDES whose amounts alone the prices are compared with; None for both."""
    payer: str = ""


_LEAST_SERVICES = 3
"""Percents of fewer services are not looked for in others."""

Key = TypeVar("Key")


@dataclass(frozen=True)
class AmountsOfAreas:
    """What Medicare pays professionals for some codes in the areas of a state, in its newest release.

    `by_service` has the amounts by code, modifier, and whether in a facility, each by the area's name.
    """

    by_service: Mapping[tuple[str, str, bool], Mapping[str, float]]
    conversion_factor: float | None

    def find(
        self, code: str, modifier: str, prices: Collection[float], side: str | None = None
    ) -> PercentsOfAreas | None:
        """Return the percents that the prices of a service are in several areas, all in or all out of facilities.

        Prices that are known to be of one of SIDES are compared with its amounts alone.
        """
        return self._find(SeveralPrices(code, modifier, tuple(prices), side))

    def find_of_contracts(self, lines: Mapping[Key, SeveralPrices]) -> dict[Key, PercentsOfAreas]:
        """Return the percents of several prices by the keys of `lines`.

        What most services of a payer's contract are is looked for in the others: alone, the prices of an X-ray may be
        other percents as well, and two prices of one area say nothing.
        """
        found = {key: its for key, line in lines.items() if (its := self._find(line))}
        counts: dict[str, Counter[tuple[float, ...]]] = {}
        for key, its in found.items():
            counts.setdefault(lines[key].payer, Counter())[its.of_areas] += 1
        for key, line in lines.items():
            common, services = next(iter(counts.get(line.payer, Counter()).most_common(1)), ((), 0))
            is_other = key not in found or found[key].of_areas != common
            if is_other and common and services >= _LEAST_SERVICES and (its := self._find(line, common)):
                found[key] = its
        return found

    def _find(self, line: SeveralPrices, percents: Collection[float] = ()) -> PercentsOfAreas | None:
        for facility in (True, False) if line.side is None else (line.side == FACILITY_OR_UNSTATED,):
            amounts = self.by_service.get((line.code, line.modifier, facility), {})
            found = find_percents_of_areas(line.prices, amounts, self.conversion_factor, percents)
            if found:
                return replace(found, amounts=amounts)
        return None


NO_AMOUNTS = AmountsOfAreas({}, None)


def list_amounts_of_areas(db: Snapshot, state: str, codes: Collection[str]) -> AmountsOfAreas:
    """Return the amounts of some codes in the areas of a state."""
    newest = db.ask_once(_newest_release)
    if newest is None or not codes:
        return NO_AMOUNTS
    release, factor = newest
    # The same columns that the comparison of a code reads: these rows are in memory then.
    columns = [name for name in TABLES[LOCALITIES].names if name != "code"]
    wanted = column_of_texts(set(codes))
    rows = [
        row
        for its_state in (state, NATION)
        for row in db.find_rows(LOCALITIES, "code", wanted, columns, {"state": its_state}).to_pylist()
    ]
    found: dict[tuple[str, str, bool], dict[str, float]] = {}
    for row in rows:
        if row["release"] == release:
            area = NATIONAL if row["state"] == NATION else row["locality_name"]
            for facility, name in ((True, "facility_rate"), (False, "nonfacility_rate")):
                if row[name]:
                    found.setdefault((row["code"], row["modifier"], facility), {})[area] = row[name]
    return AmountsOfAreas(found, factor)


def locality_names(db: Snapshot) -> Mapping[tuple[str, str], str]:
    """Return the names of the payment localities in the newest release, by state and number, as 10212-01."""
    newest = db.ask_once(_newest_release)
    if newest is None:
        return {}
    rows = db.rows(
        f"""SELECT DISTINCT state, contractor || '-' || locality, locality_name FROM {LOCALITIES}
            WHERE release = $release AND state <> '{NATION}' ORDER BY ALL""",
        {"release": newest[0]},
    )
    return {(state, number): name for state, number, name in rows}


LEAST_SHARE = 0.5
"""An area is that of some NPIs if more than this share of those whose area is known practice in it, as for groups."""


def area_of_most(npis: Iterable[tuple[str, int]]) -> str | None:
    """Return the area of most NPIs, of areas with their numbers of `npis`; None if none has more than LEAST_SHARE."""
    counts = dict(npis)
    return next((one for one, number in counts.items() if number > LEAST_SHARE * sum(counts.values())), None)


def _newest_release(db: Snapshot) -> tuple[str, float | None] | None:
    """Return the newest release of the physician fee schedule with its conversion factor; None if none is loaded."""
    rows = db.rows(
        """SELECT release, any_value(conversion_factor) FROM bench_medicare_prof
           WHERE release = (SELECT max(release) FROM bench_medicare_prof) GROUP BY release"""
    )
    return (str(rows[0][0]), rows[0][1]) if rows else None
