"""The price levels of a contract over the releases of a schedule, and their words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import numpy.typing as npt

from core.queries.comparison.area_amounts import NATION
from core.queries.contract_rule.fit_rule import Floats
from core.queries.contract_rule.price_levels import MAX_LEVELS, LevelFit, find_levels, reproduces
from core.queries.contract_rule.priced_rates import CandidateSchedule
from core.queries.contract_rule.sure_areas import keep_sure_areas
from core.queries.rules.columns import described
from core.queries.rules.percent_words import join_words, write_tenths

_NAMED_AREAS = 3
"""So many areas of a level are named in its sentence; all of them are in the table."""

NAMED_LEVELS = 3
"""So many levels are named in a sentence with their shares of the prices; all of them are in the table."""

LevelNumbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PriceLevel:
    """One of several multiples of Medicare that a contract pays."""

    multiple: Annotated[float, described("Rate divided by the amount: 1.2 is 120%.", 1.2)]
    areas: Annotated[
        list[str],
        described(
            "Payment localities whose amounts it multiplies; none if the national amounts.", ["DALLAS", "AUSTIN"]
        ),
    ]
    prices: Annotated[int, described("Number of prices that it reproduces and no earlier level does.", 26)]

    @property
    def is_national(self) -> bool:
        """Whether it multiplies the national amounts, which are adjusted to no place."""
        return not self.areas

    @property
    def area_names(self) -> list[str]:
        """The localities as they are written in a sentence."""
        return [write_area(one) for one in self.areas]


@dataclass(frozen=True)
class LevelsOfRelease:
    """The levels over one release, and its amounts with the conversion factor of the contract.

    `numbers` are the candidates that the columns of `amounts` are of. `equal_releases` do equally well.
    """

    release: str
    conversion_factor: float | None
    numbers: tuple[int, ...]
    amounts: Floats
    fits: list[LevelFit]
    equal_releases: tuple[str, ...] = ()

    @property
    def explained(self) -> int:
        """Return how many prices the levels reproduce."""
        return sum(int(one.reproduced.sum()) for one in self.fits)

    @property
    def are_several(self) -> bool:
        """Whether there are several multiples, or one in several areas: more than one schedule can say."""
        return len(self.fits) > 1 or len(self.fits[0].columns) > 1

    def list_levels(self, candidates: Sequence[CandidateSchedule]) -> list[PriceLevel]:
        """Return the levels in rows, that of the most prices first."""
        return [
            PriceLevel(
                multiple=one.multiple,
                areas=[
                    candidates[self.numbers[column]].locality_name
                    for column in one.columns
                    if candidates[self.numbers[column]].state != NATION
                ],
                prices=int(one.reproduced.sum()),
            )
            for one in self.fits
        ]

    def price(self, rates: Floats) -> "PricedByLevels":
        """Return which level each rate is of, and what the levels say of it."""
        level, column = np.full(len(rates), -1), np.full(len(rates), -1)
        for number, one in enumerate(self.fits):
            columns = np.array(one.columns)
            hits = reproduces(rates[:, None], one.multiple, self.amounts[:, columns])
            level = np.where(one.reproduced, number, level)
            column = np.where(one.reproduced, columns[np.argmax(hits, axis=1)], column)
        expected = self._find_nearest_expected(rates)
        is_told = level >= 0
        own = self.amounts[np.arange(len(rates)), column]
        multiples = np.array([one.multiple for one in self.fits])
        return PricedByLevels(
            level=level,
            column=column,
            amounts=np.where(is_told, own, np.nan),
            expected=np.where(is_told, own * multiples[level], expected),
        )

    def _find_nearest_expected(self, rates: Floats) -> Floats:
        """Return what the level and area that come nearest to each rate say; nan where none has an amount."""
        said = np.hstack([one.multiple * self.amounts[:, list(one.columns)] for one in self.fits])
        with np.errstate(divide="ignore", invalid="ignore"):
            off = np.abs(np.log(rates[:, None] / said))
        nearest = np.argmin(np.where(np.isfinite(off), off, np.inf), axis=1)
        return np.asarray(said[np.arange(len(rates)), nearest])


@dataclass(frozen=True)
class PricedByLevels:
    """Of each price, the number of its level and the column of its amount (-1 if no level reproduces it), the amount,
    and what the level says. Of a price without a level, that is what comes nearest, and it has no amount."""

    level: LevelNumbers
    column: LevelNumbers
    amounts: Floats
    expected: Floats


def find_levels_of_releases(
    rates: Floats, candidates: Sequence[CandidateSchedule], amounts: Floats, most: int = MAX_LEVELS
) -> LevelsOfRelease | None:
    """Return the levels over the release and conversion factor that reproduce the most prices; None if no level does.

    Contracts state the conversion factor as published, or rounded to cents: both are tried. Of equal releases, the
    first is taken.
    """
    found: list[LevelsOfRelease] = []
    # Releases of one year mostly have the same amounts.
    known: dict[tuple[bytes, float | None], list[LevelFit]] = {}
    for release in dict.fromkeys(one.release for one in candidates):
        numbers = [number for number, one in enumerate(candidates) if one.release == release]
        published = candidates[numbers[0]].conversion_factor
        bases = _list_bases(numbers, candidates)
        for factor in dict.fromkeys((published, published and round(published, 2))):
            scaled = amounts[:, numbers]
            if published and factor and factor != published:
                scaled = scaled * (factor / published)
                nation = [n for n, at in enumerate(numbers) if candidates[at].state == NATION]
                # Relative values have two decimals, so that they are known from the amounts.
                scaled[:, nation] = np.round(np.round(amounts[:, numbers][:, nation] / published, 2) * factor, 2)
            key = scaled.tobytes(), factor
            if key not in known:
                known[key] = find_levels(rates, scaled, bases, most)
            if known[key]:
                found.append(LevelsOfRelease(release, factor, tuple(numbers), scaled, known[key]))
    if not found:
        return None
    best = max(found, key=lambda one: one.explained)
    equal = {one.release for one in found if one.explained == best.explained} - {best.release}
    sure = keep_sure_areas(best.fits, rates, best.amounts, _list_bases(best.numbers, candidates))
    in_order = sorted(sure, key=lambda one: -int(one.reproduced.sum()))
    return replace(best, fits=in_order, equal_releases=tuple(sorted(equal, reverse=True)))


def _list_bases(numbers: Sequence[int], candidates: Sequence[CandidateSchedule]) -> list[list[int]]:
    """Return which of some candidates' columns are of the nation, and which of areas."""
    return [
        some
        for wants_nation in (True, False)
        if (some := [n for n, at in enumerate(numbers) if (candidates[at].state == NATION) == wants_nation])
    ]


def write_level_shares(levels: Sequence[PriceLevel], prices: int) -> str:
    """Return some levels in words, each with its share of all prices: 200% of the national amount for 46% of ..."""
    shown = len(levels) if len(levels) <= NAMED_LEVELS + 1 else NAMED_LEVELS
    said = [
        f"{write_level(one)} for {write_share(one.prices, prices)}{'' if at else f' of {prices:,} prices'}"
        for at, one in enumerate(levels[:shown])
    ]
    others = levels[shown:]
    if others:
        said.append(f"{len(others)} more levels for {write_share(sum(one.prices for one in others), prices)}")
    return join_words(said)


def write_level(level: PriceLevel) -> str:
    """Return a level in words: 200% of the national amount, 115% by locality, 115% in Dallas."""
    percent = write_tenths(level.multiple)
    if level.is_national:
        return f"{percent} of the national amount"
    return f"{percent} by locality" if len(level.areas) > 1 else f"{percent} in {write_area(level.areas[0])}"


def write_share(part: int, whole: int) -> str:
    """Return a share of prices in words: 46%, and under 1% where it would be none."""
    share = f"{part / whole:.0%}"
    return "under 1%" if share == "0%" and part else share


def write_areas_rule(level: PriceLevel, year: str, prices: int, state: str) -> str:
    """Return one level in several areas of a state in words."""
    named = [write_area(area) for area in level.areas]
    some = ", ".join(named) if len(named) <= _NAMED_AREAS + 1 else f"{', '.join(named[:_NAMED_AREAS])}, …"
    return (
        f"{write_tenths(level.multiple)} of the {year} Medicare physician fee schedule, each price that of one of "
        f"{len(named)} areas of {state} ({some}), for {level.prices:,} of {prices:,} prices"
    )


def write_area(name: str) -> str:
    """Return the name of a payment locality as it is written in a sentence: REST OF TEXAS is Rest of Texas."""
    return name.title().replace(" Of ", " of ")
