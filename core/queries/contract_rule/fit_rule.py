"""Find the multiples of a fee schedule that reproduce rates: the arithmetic, without a store.

A contract says "118% of the 2023 schedule in locality 18, and 125% for office visits", so most of its rates divided by
the right amounts are one number per family of codes, up to the rounding to cents. The mode of these ratios is looked
for, not their mean or median: carve-outs and misprints move a mean, and do not move the mode. Among the candidates
(releases and localities), the one that reproduces the most rates to the cent is the rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CENT = 0.01
"""A rate is reproduced if it differs by at most a cent: contracts round at several steps ..."""

RELATIVE_TOLERANCE = 0.001
"""... or by this share of itself."""

MIN_PRICES = 20
"""Fewer prices than these are not fitted: a few ratios agree by chance."""

RULE_SHARE = 0.75
"""One rule is named if it reproduces at least this share of the prices."""

EXACT_SHARE = 0.5
"""... and most of the prices to the cent: a band around a percent is no rule."""

NEAR_TOLERANCE = 0.05
NEAR_SHARE = 0.75
"""Which release a contract without a rule may name is only asked if this share of its prices is within NEAR_TOLERANCE
of the one in the middle. From one year to the next, most amounts change by less."""

NOTABLE_GAIN = 0.1
"""The fits of some releases show a direction if the ratios at one end differ by at least this share less than at the
other."""

MIN_FAMILY_PRICES = 5
FAMILY_SHARE = 0.6
FAMILY_GAIN = 3
"""A family has a multiple of its own if it has MIN_FAMILY_PRICES, the multiple reproduces FAMILY_SHARE of them, and
FAMILY_GAIN more of them than the multiple of all."""

_EXACT = 0.005 + 1e-7
"""How far rounding to cents moves a rate, and the error of floating point."""


@dataclass(frozen=True)
class FamilyMultiple:
    """The multiple of one family of codes, of its number of `prices`, and how many of them it explains."""

    family: str
    multiple: float
    own: bool
    prices: int
    explained: int


@dataclass(frozen=True)
class CandidateFit:
    """How a candidate fits: the multiple of each price, and which prices that explains."""

    candidate: int
    multiple: float
    families: tuple[FamilyMultiple, ...]
    multiples: Floats
    exact: Flags
    explained: Flags

    @property
    def is_rule(self) -> bool:
        """Return whether it reproduces so many prices, and to the cent, that it is the rule."""
        return bool(self.explained.mean() >= RULE_SHARE and self.exact.mean() > EXACT_SHARE)

    @property
    def merit(self) -> tuple[int, int]:
        """Return what candidates are compared by: prices to the cent, then prices within the tolerance."""
        return int(self.exact.sum()), int(self.explained.sum())


def fit_candidates(rates: Floats, families: Sequence[str], amounts: Floats) -> list[CandidateFit]:
    """Return the fits of all candidates, best first. `amounts` has a row per price and a column per candidate.

    An amount of nan says that the candidate does not price the service. Of equal candidates the one with the rounder
    multiple comes first, then the one with the lower number.
    """
    names = np.asarray(families)
    # Releases of one year mostly have the same amounts.
    known: dict[bytes, CandidateFit] = {}
    fits = []
    for n in range(amounts.shape[1]):
        column = amounts[:, n].tobytes()
        if column not in known:
            known[column] = _fit(n, rates, names, amounts[:, n])
        fits.append(replace(known[column], candidate=n))
    return sorted(fits, key=lambda one: (*(-count for count in one.merit), _decimals(one.multiple), one.candidate))


@dataclass(frozen=True)
class NearestSchedule:
    """The candidate that rates without a rule vary least against, and whether most of them are near one percent."""

    candidate: int
    is_near: bool


def find_nearest(rates: Floats, amounts: Floats) -> NearestSchedule | None:
    """Return the candidate whose ratios differ least from their median; None if no candidate prices anything."""
    ratios = np.where(amounts > 0, rates[:, None] / amounts, np.nan)
    usable = [n for n in range(amounts.shape[1]) if (amounts[:, n] > 0).any()]
    if not usable:
        return None
    middles = {n: float(np.nanmedian(ratios[:, n])) for n in usable}
    nearest = min(usable, key=lambda n: float(np.nanmedian(np.abs(ratios[:, n] / middles[n] - 1))))
    near = np.abs(ratios[:, nearest] / middles[nearest] - 1) <= NEAR_TOLERANCE
    return NearestSchedule(nearest, bool(near.mean() >= NEAR_SHARE))


def measure_spreads(rates: Floats, families: Sequence[str], amounts: Floats) -> Floats:
    """Return how much each candidate's ratios differ from the median of their family, in the middle.

    It is nan for a candidate that prices nothing.
    """
    _, numbers = np.unique(np.asarray(families), return_inverse=True)
    known: dict[bytes, float] = {}
    for n in range(amounts.shape[1]):
        column = amounts[:, n].tobytes()
        if column not in known:
            known[column] = _measure_spread(rates, numbers, amounts[:, n])
    return np.array([known[amounts[:, n].tobytes()] for n in range(amounts.shape[1])])


def _measure_spread(rates: Floats, families: npt.NDArray[np.intp], amounts: Floats) -> float:
    priced = amounts > 0
    if not priced.any():
        return float("nan")
    ratios, of_family = rates[priced] / amounts[priced], families[priced]
    # A family's own multiple is no distance from the schedule. Each has its median, however few its prices are.
    for family in np.unique(of_family):
        ratios[of_family == family] /= np.median(ratios[of_family == family])
    return float(np.median(np.abs(ratios - 1)))


def find_direction(spreads: Mapping[str, float]) -> Literal["older", "newer", ""]:
    """Return whether the schedule of some rates is older or newer than all that are loaded; empty text if unknown.

    `spreads` are how much the ratios of each release differ, by its month. Schedules of neighboring years resemble each
    other most. So if the ratios differ less with each release towards one end, the schedule lies beyond that end.
    Releases of one year have the same amounts for most services, and show nothing.
    """
    in_order = [spreads[release] for release in sorted(spreads)]
    if len(in_order) < 2 or not np.isfinite(in_order).all():
        return ""
    oldest, newest = in_order[0], in_order[-1]
    if in_order == sorted(in_order) and oldest <= newest * (1 - NOTABLE_GAIN):
        return "older"
    if in_order == sorted(in_order, reverse=True) and newest <= oldest * (1 - NOTABLE_GAIN):
        return "newer"
    return ""


def _fit(candidate: int, rates: Floats, families: npt.NDArray[np.str_], amounts: Floats) -> CandidateFit:
    priced = amounts > 0
    multiple = _find_multiple(rates[priced], amounts[priced])
    multiples = np.full(len(rates), multiple)
    found = []
    for family in dict.fromkeys(families.tolist()):
        among = families == family
        usable = among & priced
        own = _find_multiple(rates[usable], amounts[usable])
        by_all, by_own = (int(_reproduced(rates, amounts, value)[among].sum()) for value in (multiple, own))
        count = int(among.sum())
        has_own = count >= MIN_FAMILY_PRICES and by_own >= FAMILY_SHARE * count and by_own >= by_all + FAMILY_GAIN
        if has_own:
            multiples[among] = own
        found.append(
            FamilyMultiple(family, own if has_own else multiple, has_own, count, by_own if has_own else by_all)
        )
    exact = np.abs(rates - multiples * amounts) <= CENT
    explained = _reproduced(rates, amounts, multiples)
    return CandidateFit(candidate, multiple, tuple(found), multiples, exact & priced, explained)


def _reproduced(rates: Floats, amounts: Floats, multiples: Floats | float) -> Flags:
    """Return which rates the multiples reproduce, within CENT or RELATIVE_TOLERANCE."""
    with np.errstate(invalid="ignore"):
        allowed = np.maximum(CENT, RELATIVE_TOLERANCE * rates)
        return np.asarray(np.abs(rates - multiples * amounts) <= allowed + 1e-9)


def _find_multiple(rates: Floats, amounts: Floats) -> float:
    """Return the multiple that reproduces the most rates, and of those that do it equally well the roundest."""
    if not len(rates):
        return float("nan")
    allowed = np.maximum(CENT, RELATIVE_TOLERANCE * rates)
    low, high = _densest(rates, amounts, allowed)
    near = _reproduced(rates, amounts, (low + high) / 2)
    # Among the rates of the mode, rounding to cents alone says more exactly which multiple it is.
    low, high = _densest(rates[near], amounts[near], np.full(int(near.sum()), _EXACT))
    return _roundest(low, high)


def _densest(rates: Floats, amounts: Floats, allowed: Floats) -> tuple[float, float]:
    """Return the interval of multiples that the most prices allow. Each price allows (rate ± allowed) / amount."""
    lows, highs = (rates - allowed) / amounts, (rates + allowed) / amounts
    points = np.concatenate([lows, highs])
    # At the same point, intervals begin before others end.
    ends = np.concatenate([np.zeros(len(lows)), np.ones(len(highs))])
    order = np.lexsort((ends, points))
    depth = np.cumsum(1 - 2 * ends[order])
    deepest = int(np.argmax(depth))
    return float(points[order][deepest]), float(points[order][deepest + 1])


def _roundest(low: float, high: float) -> float:
    """Return the number of the interval with the fewest decimals of a percent; the middle if none is round."""
    for decimals in range(2, 8):
        rounded = round((low + high) / 2, decimals)
        if low <= rounded <= high:
            return rounded
    return (low + high) / 2


def _decimals(multiple: float) -> int:
    """Return how many decimals the percent needs: 0 for 118%, 5 if it is not round."""
    return next((n for n in range(5) if abs(round(multiple, n + 2) - multiple) < 1e-9), 5)
