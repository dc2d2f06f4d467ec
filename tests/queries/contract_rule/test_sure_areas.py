"""The areas of a made-up contract are recovered exactly; those that only chance speaks for are not named."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries.contract_rule.fit_rule import RULE_SHARE, Floats
from core.queries.contract_rule.price_levels import LevelFit, find_levels
from core.queries.contract_rule.sure_areas import chance_of_hits, keep_sure_areas

AREAS = 8
BASES = [[0], list(range(1, 1 + AREAS))]


def make_amounts(random: np.random.Generator, prices: int, least: float) -> Floats:
    """Return national amounts from `least` dollars on, and those of areas, which differ by a few percent."""
    national = least * np.exp(np.abs(random.normal(0, 1.2, (prices, 1))))
    areas = national * np.exp(random.normal(0, 0.03, (prices, AREAS)))
    return np.asarray(np.round(np.hstack([national, areas]), 2), np.float64)


def find(rates: Floats, amounts: Floats) -> list[LevelFit]:
    return keep_sure_areas(find_levels(rates, amounts, BASES), rates, amounts, BASES)


@given(
    seed=st.integers(0, 10**6), percent=st.integers(80, 300),
    own=st.lists(st.integers(1, AREAS), min_size=2, max_size=AREAS, unique=True),
)  # fmt: skip
def test_one_percent_in_several_areas_is_recovered_exactly(seed: int, percent: int, own: list[int]) -> None:
    random = np.random.default_rng(seed)
    amounts = make_amounts(random, 160, 40)
    columns = np.array([own[n % len(own)] for n in range(160)])
    rates = np.round(amounts[np.arange(160), columns] * percent / 100, 2)
    rates[:8] = np.round(rates[:8] * 1.3717 + 1, 2)
    first = find(rates, amounts)[0]
    assert (first.base, first.multiple) == (1, percent / 100)
    assert first.reproduced[8:].all()
    # One area in a hundred may be named by chance.
    assert set(own) <= set(first.columns)
    assert len(first.columns) <= len(own) + 1


def test_areas_of_chance_are_seldom_named() -> None:
    wrong = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        amounts = make_amounts(random, 120, 3)
        rates = np.round(amounts[np.arange(120), 1 + np.arange(120) % 3] * 1.15, 2)
        rates[:30] = np.round(amounts[:30, 0] * 1.15 * np.exp(random.normal(0, 0.03, 30)), 2)
        levels = find_levels(rates, amounts, BASES)
        assert len(levels[0].columns) > 3, "without a look at chance, small prices are of every area"
        wrong += len(set(keep_sure_areas(levels, rates, amounts, BASES)[0].columns) - {1, 2, 3})
    assert wrong <= 4


@given(seed=st.integers(0, 10**6), spread=st.sampled_from([0.02, 0.05, 0.3]), least=st.sampled_from([3.0, 40.0]))
def test_noise_is_not_one_percent_in_several_areas(seed: int, spread: float, least: float) -> None:
    random = np.random.default_rng(seed)
    amounts = make_amounts(random, 120, least)
    rates = np.round(1.15 * amounts[:, 1] * np.exp(random.normal(0, spread, 120)), 2)
    found = find(rates, amounts)
    assert not found or found[0].reproduced.mean() < RULE_SHARE


@pytest.mark.parametrize(("events", "chance", "hits"), [(20, 0.1, 8), (100, 0.02, 9), (1, 0.004, 1), (12, 0.3, 3)])
def test_the_chance_of_hits_is_no_less_than_the_exact_one(events: int, chance: float, hits: int) -> None:
    exact = sum(comb(events, n) * chance**n * (1 - chance) ** (events - n) for n in range(hits, events + 1))
    found = chance_of_hits(np.full(events, chance), hits)
    assert exact <= found <= 12 * exact
