"""Which areas a price level is really paid in: those that reproduce more prices than they would by chance.

With eight areas a few percent apart, a small price is to the cent a percent of one of them or another, whatever the
contract says. So an area is named only if the prices that it alone reproduces are more than chance explains.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.queries.contract_rule.fit_rule import Flags, Floats
from core.queries.contract_rule.price_levels import LevelFit, reproduces
from core.queries.rules.percent_to_the_cent import MAX_CHANCE, chance_of_areas

_EXPONENTS = np.linspace(0.02, 25, 120)


def keep_sure_areas(
    levels: Sequence[LevelFit], rates: Floats, amounts: Floats, bases: Sequence[Sequence[int]]
) -> list[LevelFit]:
    """Return the levels without the areas, and the prices, that they may have by chance.

    The arguments are those of find_levels, and what it returns. The area that reproduces the most prices is kept.
    """
    left = np.ones(len(rates), np.bool_)
    kept = []
    for one in levels:
        found = _keep_areas(one, rates, amounts, left, bases[one.base]) if len(one.columns) > 1 else one
        left &= ~found.reproduced
        kept.append(found)
    return kept


def _keep_areas(level: LevelFit, rates: Floats, amounts: Floats, left: Flags, base: Sequence[int]) -> LevelFit:
    of_areas = amounts[:, list(base)]
    with np.errstate(invalid="ignore"):
        lowest, highest = np.nanmin(of_areas, axis=1, initial=np.inf), np.nanmax(of_areas, axis=1, initial=0)
    slack = 0.02 * level.multiple
    # A price beyond the areas' amounts is of another level, or of none: it says nothing about this one.
    within = left & (rates >= level.multiple * lowest - slack) & (rates <= level.multiple * highest + slack)
    hits = reproduces(rates[:, None], level.multiple, amounts[:, list(level.columns)]) & within[:, None]
    chances = np.array(
        [chance_of_areas(level.multiple, 1, *one) for one in zip(lowest[within], highest[within], strict=True)]
    )
    open_rows, columns = within.copy(), list[int]()
    while len(columns) < len(level.columns):
        counts = (hits & open_rows[:, None]).sum(axis=0)
        column = int(np.argmax(counts))
        by_chance = chance_of_hits(chances[open_rows[within]], int(counts[column])) * (len(base) - len(columns))
        if not counts[column] or (columns and by_chance > MAX_CHANCE):
            break
        columns.append(column)
        open_rows &= ~hits[:, column]
    places = tuple(level.columns[column] for column in columns)
    return replace(level, columns=places, reproduced=np.asarray(hits[:, columns].any(axis=1) & level.reproduced))


def chance_of_hits(chances: Floats, hits: int) -> float:
    """Return at most how likely at least so many of independent events are, each with its chance (Chernoff's bound)."""
    if hits <= chances.sum():
        return 1.0
    logarithms = np.log1p(np.outer(np.expm1(_EXPONENTS), chances)).sum(axis=1) - _EXPONENTS * hits
    return float(np.exp(min(logarithms.min(), 0)))
