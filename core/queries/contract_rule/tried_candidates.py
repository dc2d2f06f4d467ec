"""What each candidate schedule says of a contract's prices: which fits best, and whether several levels do better."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.queries.contract_rule.fit_rule import (
    RULE_SHARE,
    CandidateFit,
    Floats,
    fit_candidates,
)
from core.queries.contract_rule.levels_of_release import (
    LevelsOfRelease,
    find_levels_of_releases,
)
from core.queries.contract_rule.price_levels import MIN_LEVEL_PRICES
from core.queries.contract_rule.priced_rates import (
    CandidateSchedule,
    CommonPrice,
)

Verdict = Literal["rule", "levels", "none", "too few", "not loaded"]


SOME_SHARE = 0.25
"""Levels that are no rule are named if they reproduce at least this share of the prices. Schedules of other states are
tried on all prices if one multiple reproduces it of the first ones."""


SAMPLED_PRICES = 1_000
"""Of more than twice as many prices, about these tell whether it is worth to try every candidate on all."""


@dataclass(frozen=True)
class TriedCandidates:
    """What some candidates say of some prices: how each fits alone, best first, and the levels of one release."""

    prices: Sequence[CommonPrice]
    candidates: Sequence[CandidateSchedule]
    amounts: Floats
    fits: list[CandidateFit]
    levels: LevelsOfRelease | None

    @property
    def verdict(self) -> Verdict:
        """Return whether one multiple or several levels reproduce most prices."""
        better = self.better_levels
        if better:
            several: Verdict = "levels" if len(better.fits) > 1 else "rule"
            return several if better.explained >= RULE_SHARE * len(self.prices) else "none"
        return "rule" if self.fits and self.fits[0].is_rule else "none"

    @property
    def rates(self) -> Floats:
        """The prices in dollars."""
        return np.array([one.negotiated_rate for one in self.prices])

    @property
    def usual_percent(self) -> float:
        """The percent in the middle of the prices as other pages compare them."""
        return float(np.median(self.rates / np.array([one.medicare for one in self.prices])))

    @property
    def _alone(self) -> int:
        return int(self.fits[0].explained.sum()) if self.fits else 0

    @property
    def better_levels(self) -> LevelsOfRelease | None:
        """The levels if they say more than any one schedule; None if they do not.

        A family of services with a multiple of its own is a level too: then the family says more.
        """
        found = self.levels
        is_better = found and found.are_several and found.explained >= self._alone + MIN_LEVEL_PRICES
        return found if is_better else None


def try_candidates(
    prices: Sequence[CommonPrice],
    candidates: Sequence[CandidateSchedule],
    amounts: Floats,
    *,
    with_levels: bool = True,
) -> TriedCandidates:
    """Return how each candidate fits the prices alone, and the levels of the release that reproduce the most.

    Of very many prices, some are tried first. If these are far from a rule, so are all: then only the candidate that
    fits them best is tried on all, and levels are looked for only if they reproduce some.
    """
    rates, families = np.array([one.negotiated_rate for one in prices]), np.array([one.family for one in prices])
    columns, wants_levels = range(len(candidates)), with_levels
    if len(prices) > 2 * SAMPLED_PRICES:
        some = slice(None, None, len(prices) // SAMPLED_PRICES)
        sample, of_sample = rates[some], amounts[some]
        best = fit_candidates(sample, families[some].tolist(), of_sample)[:1]
        levels = find_levels_of_releases(sample, candidates, of_sample) if with_levels else None
        wants_levels = levels is not None and levels.explained >= SOME_SHARE / 2 * len(sample)
        if best and best[0].explained.sum() < RULE_SHARE / 2 * len(sample) and not wants_levels:
            columns = range(best[0].candidate, best[0].candidate + 1)
    fits = [
        replace(one, candidate=columns[one.candidate])
        for one in fit_candidates(rates, families.tolist(), amounts[:, columns.start : columns.stop])
    ]
    found = find_levels_of_releases(rates, candidates, amounts) if wants_levels else None
    return TriedCandidates(prices, candidates, amounts, fits, found)
