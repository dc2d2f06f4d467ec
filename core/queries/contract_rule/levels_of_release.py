"""The price levels of a contract over the releases of a schedule, and their words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from core.queries.comparison.area_amounts import NATION
from core.queries.contract_rule.fit_rule import Flags, Floats
from core.queries.contract_rule.price_levels import LevelFit, find_levels, reproduces
from core.queries.contract_rule.priced_rates import CandidateSchedule
from core.queries.contract_rule.sure_areas import keep_sure_areas
from core.queries.rules.columns import described
from core.queries.rules.percent_words import join_percents, write_tenths

_NAMED_AREAS = 3
"""So many areas of a level are named in its sentence; all of them are in the table."""


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

    def priced(self, rates: Floats) -> tuple[Floats, Flags, Floats]:
        """Return the multiple of each price, whether that reproduces it, and the amount that it multiplies.

        A price that no level reproduces has the level that comes nearest, of the amounts of the first level.
        """
        amounts = self.amounts[:, self.fits[0].columns[0]].copy()
        multiples = np.array([one.multiple for one in self.fits])
        with np.errstate(divide="ignore", invalid="ignore"):
            off = np.abs(np.log(rates / amounts)[:, None] - np.log(multiples))
        found = multiples[np.argmin(np.where(np.isfinite(off), off, np.inf), axis=1)]
        reproduced = np.zeros(len(rates), np.bool_)
        for one in self.fits:
            columns = list(one.columns)
            hits = reproduces(rates[:, None], one.multiple, self.amounts[:, columns])
            own = self.amounts[np.arange(len(rates)), np.array(columns)[np.argmax(hits, axis=1)]]
            amounts = np.where(one.reproduced, own, amounts)
            found = np.where(one.reproduced, one.multiple, found)
            reproduced |= one.reproduced
        return found, reproduced, amounts


def find_levels_of_releases(
    rates: Floats, candidates: Sequence[CandidateSchedule], amounts: Floats
) -> LevelsOfRelease | None:
    """Return the levels over the release and conversion factor that reproduce the most prices; None if no level does.

    Contracts state the conversion factor as published, or rounded to cents: both are tried.
    """
    found: list[LevelsOfRelease] = []
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
            fits = find_levels(rates, scaled, bases)
            if fits:
                found.append(LevelsOfRelease(release, factor, tuple(numbers), scaled, fits))
    if not found:
        return None
    best = max(found, key=lambda one: one.explained)
    equal = {one.release for one in found if one.explained == best.explained} - {best.release}
    sure = keep_sure_areas(best.fits, rates, best.amounts, _list_bases(best.numbers, candidates))
    return replace(best, fits=sure, equal_releases=tuple(sorted(equal, reverse=True)))


def _list_bases(numbers: Sequence[int], candidates: Sequence[CandidateSchedule]) -> list[list[int]]:
    """Return which of some candidates' columns are of the nation, and which of areas."""
    return [
        some
        for wants_nation in (True, False)
        if (some := [n for n, at in enumerate(numbers) if (candidates[at].state == NATION) == wants_nation])
    ]


def list_levels(found: LevelsOfRelease, candidates: Sequence[CandidateSchedule]) -> list[PriceLevel]:
    """Return the levels in rows, that of the most prices first."""
    return [
        PriceLevel(
            multiple=one.multiple,
            areas=[
                candidates[found.numbers[column]].locality_name
                for column in one.columns
                if candidates[found.numbers[column]].state != NATION
            ],
            prices=int(one.reproduced.sum()),
        )
        for one in found.fits
    ]


def write_levels(levels: Sequence[PriceLevel], year: str, prices: int) -> str:
    """Return the levels of some prices in words: the first in full if most prices have it, the others by percents."""
    first, others = levels[0], levels[1:]
    if others and 2 * first.prices < prices:
        # No level is the contract's: the one with most prices may have as many as the next.
        return f"{len(levels)} price levels of the {year} {_write_kinds(levels)}; the file does not say which applies"
    schedule = f"the {year} {'national ' if first.is_national else ''}physician fee schedule"
    where = "" if first.is_national else f" in {_write_areas(first)}"
    said = f"{write_tenths(first.multiple)} of {schedule}{where} for {first.prices:,} of {prices:,} prices"
    if not others:
        return said
    own_kind = [one for one in others if one.is_national == first.is_national]
    other_kind = [one for one in others if one.is_national != first.is_national]
    also = [_join_levels(own_kind)] if own_kind else []
    if other_kind:
        also.append(f"{_join_levels(other_kind)} {_of_kind(other_kind)}")
    return f"{said}; also {', and '.join(also)}: {len(levels)} price levels"


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


def list_level_multiples(levels: Sequence[PriceLevel]) -> str:
    """Return the percents of levels in words, those of the national amounts and those of areas apart."""
    kinds = [[one for one in levels if one.is_national == is_national] for is_national in (True, False)]
    said = [(some[0].prices, f"{_join_levels(some)} {_of_kind(some)}") for some in kinds if some]
    return "; ".join(text for _, text in sorted(said, reverse=True))


def _write_kinds(levels: Sequence[PriceLevel]) -> str:
    kinds = [[one for one in levels if one.is_national == is_national] for is_national in (True, False)]
    if all(kinds):
        said = ", and ".join(f"{_join_levels(some)} {_of_kind(some)}" for some in kinds)
        return f"physician fee schedule: {said}"
    if levels[0].is_national:
        return f"national physician fee schedule: {_join_levels(levels)}"
    return f"physician fee schedule {_of_kind(levels)}: {_join_levels(levels)}"


def _join_levels(levels: Sequence[PriceLevel]) -> str:
    """Return the percents of some levels, from low to high."""
    return join_percents(sorted(one.multiple for one in levels))


def _of_kind(levels: Sequence[PriceLevel]) -> str:
    if levels[0].is_national:
        return "of the national amounts"
    return f"in {_write_areas(max(levels, key=lambda one: len(one.areas)))}"


def _write_areas(level: PriceLevel) -> str:
    if len(level.areas) == 1:
        return level.areas[0].title()
    return f"{len(level.areas)} areas"
