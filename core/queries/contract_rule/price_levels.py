"""Find the price levels of a contract: several percents of a fee schedule at once. The arithmetic, without a store.

A contract often pays 120% for some services and provider groups, and 155% for others, sometimes in each of several
areas. So the prices of one service are many, and no one multiple reproduces most of them, though few multiples
reproduce nearly all. The levels are taken one by one, the one that reproduces the most of the remaining prices first.
A level is a multiple of a tenth of a percent that reproduces prices to the cent: so few ratios agree by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.queries.contract_rule.fit_rule import Flags, Floats
from core.queries.rules.percent_to_the_cent import allowed_differences

MAX_LEVELS = 8
"""So many levels are named at most."""

MIN_LEVEL_PRICES = 4
LEVEL_SHARE = 0.02
"""A level has at least MIN_LEVEL_PRICES, and this share of all prices: a few ratios agree by chance."""

_STEPS = 1_000
"""Multiples are looked for in thousandths, which are tenths of a percent."""

_TRIED = 3
"""So many of the most frequent multiples are tried on all prices."""


@dataclass(frozen=True)
class LevelFit:
    """A multiple of the amounts in some areas, and the prices that it reproduces and no earlier level does.

    `base` is the number of the kind of amounts, and `columns` are those that reproduce a price.
    """

    base: int
    multiple: float
    columns: tuple[int, ...]
    reproduced: Flags


def find_levels(
    rates: Floats, amounts: Floats, bases: Sequence[Sequence[int]], most: int = MAX_LEVELS
) -> list[LevelFit]:
    """Return at most so many levels of some rates, those of the most prices first. `amounts` has a row per rate.

    Each of `bases` are the columns of one kind of amounts: of the nation, or of the areas of a state. A level holds in
    all areas of its kind. Of equally frequent levels the one of the first kind comes first, then the rounder.
    """
    left = (amounts > 0).any(axis=1) & (rates > 0)
    least = max(MIN_LEVEL_PRICES, LEVEL_SHARE * len(rates))
    found: list[LevelFit] = []
    while len(found) < most:
        tried = [
            (base, multiple, reproduces(rates[:, None], multiple, amounts[:, list(columns)]) & left[:, None])
            for base, columns in enumerate(bases)
            for multiple in _frequent_multiples(rates[left], amounts[left][:, list(columns)])
        ]
        if not tried:
            break
        base, multiple, hits = min(tried, key=lambda one: (-int(one[2].any(axis=1).sum()), one[0], _roundness(one[1])))
        reproduced = np.asarray(hits.any(axis=1))
        if reproduced.sum() < least:
            break
        columns = tuple(bases[base][place] for place in np.flatnonzero(hits.any(axis=0)).tolist())
        found.append(LevelFit(base, multiple, columns, reproduced))
        left &= ~reproduced
    return found


def reproduces(rates: Floats, multiple: Floats | float, amounts: Floats) -> Flags:
    """Return which rates a multiple of the amounts reproduces to the cent.

    The amounts are rounded too, so that their half a cent counts as often as the multiple says.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(rates - multiple * amounts) <= allowed_differences(np.asarray(multiple, np.float64)))


def _frequent_multiples(rates: Floats, amounts: Floats) -> list[float]:
    """Return the multiples in thousandths that reproduce the most rates, roughly: small amounts allow several."""
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.rint(rates[:, None] / amounts * _STEPS)
    # A multiple below 1% is a misprint.
    priced = (amounts > 0) & (steps >= _STEPS / 100)
    steps = np.where(priced, steps, _STEPS)
    near = priced & reproduces(rates[:, None], steps / _STEPS, amounts)
    rows, _ = np.nonzero(near)
    # A rate counts once for a multiple, in however many areas it is reproduced. One number for both sorts much sooner.
    pairs = np.unique(steps[near].astype(np.int64) * len(rates) + rows)
    values, counts = np.unique(pairs // max(len(rates), 1), return_counts=True)
    if len(values) > _TRIED:
        frequent = counts >= np.partition(counts, -_TRIED)[-_TRIED]
        values, counts = values[frequent], counts[frequent]
    most = sorted(
        zip(values.tolist(), counts.tolist(), strict=True), key=lambda one: (-one[1], _roundness(one[0] / _STEPS))
    )
    return [value / _STEPS for value, _ in most[:_TRIED]]


def _roundness(multiple: float) -> tuple[int, float]:
    """Return what multiples are ordered by: whole fives of a percent, whole percents, halves, tenths."""
    tenths = round(multiple * _STEPS)
    return next(n for n, step in enumerate((50, 10, 5, 1)) if tenths % step == 0), multiple
