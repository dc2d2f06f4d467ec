"""The price levels of a made-up contract are recovered exactly; noise has none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries.contract_rule.fit_rule import CENT, RULE_SHARE
from core.queries.contract_rule.levels_of_release import PriceLevel, write_level_shares
from core.queries.contract_rule.price_levels import LEVEL_SHARE, MIN_LEVEL_PRICES, find_levels
from tests.queries.contract_rule.made_up_contracts import AREAS, BASES, make_amounts


@given(
    seed=st.integers(0, 10**6),
    levels=st.lists(
        st.tuples(st.integers(0, 1), st.integers(120, 820).map(lambda n: n / 200)),
        min_size=1, max_size=4, unique_by=lambda one: one[1],
    ),
)  # fmt: skip
def test_the_levels_of_a_made_up_contract_are_recovered_exactly(seed: int, levels: list[tuple[int, float]]) -> None:
    random = np.random.default_rng(seed)
    prices = 200
    amounts = make_amounts(random, prices)
    which = np.arange(prices) % len(levels)
    random.shuffle(which)
    # A level of areas is paid in any of them: one price has one.
    columns = np.array([int(random.choice(BASES[levels[one][0]])) for one in which])
    multiples = np.array([levels[one][1] for one in which])
    rates = np.round(amounts[np.arange(prices), columns] * multiples, 2)
    rates[:10] = np.round(rates[:10] * 1.3717 + 1, 2)
    found = find_levels(rates, amounts, BASES)
    # A hundredth of the prices may be reproduced by chance by a level that was taken before their own.
    assert sorted((one.base, one.multiple) for one in found) == sorted(levels)
    assert sum(int(one.reproduced.sum()) for one in found) >= prices - 10
    for one in found:
        own = (multiples == one.multiple) & (np.arange(prices) >= 10)
        assert (one.reproduced & own).sum() >= own.sum() - 0.05 * prices
        assert set(columns[own & one.reproduced].tolist()) <= set(one.columns)


@given(seed=st.integers(0, 10**6), spread=st.floats(0.15, 0.6))
def test_noise_has_no_levels_that_reproduce_most_prices(seed: int, spread: float) -> None:
    random = np.random.default_rng(seed)
    amounts = make_amounts(random, 200)
    rates = np.round(amounts[:, 1] * np.exp(random.normal(0.2, spread, 200)), 2)
    found = find_levels(rates, amounts, BASES)
    assert sum(int(one.reproduced.sum()) for one in found) < RULE_SHARE / 2 * 200


@given(seed=st.integers(0, 10**6))
def test_a_level_reproduces_as_many_prices_as_a_slow_search_finds(seed: int) -> None:
    random = np.random.default_rng(seed)
    amounts = make_amounts(random, 60)
    rates = np.round(amounts[:, random.integers(1 + AREAS)] * random.choice([1.1, 1.2, 1.555], 60), 2)
    first = find_levels(rates, amounts, BASES)[0]
    slow = 0
    for base in BASES:
        for tenths in range(1_050, 1_600):
            hits = 0
            for rate, own in zip(rates, amounts, strict=True):
                allowed = CENT / 2 * (1 + max(tenths / 1_000, 1)) + 1e-7
                hits += any(abs(rate - tenths / 1_000 * own[column]) <= allowed for column in base)
            slow = max(slow, hits)
    assert first.reproduced.sum() == slow


def test_few_prices_are_no_level() -> None:
    amounts = make_amounts(np.random.default_rng(1), 400)
    rates = np.round(amounts[:, 0] * np.exp(np.random.default_rng(2).normal(0.2, 0.3, 400)), 2)
    few = max(MIN_LEVEL_PRICES, int(LEVEL_SHARE * 400)) - 3
    rates[:few] = np.round(amounts[:few, 0] * 7.0, 2)
    assert 7.0 not in [one.multiple for one in find_levels(rates, amounts, BASES)]
    rates[:40] = np.round(amounts[:40, 0] * 7.0, 2)
    assert find_levels(rates, amounts, BASES)[0].multiple == 7.0


NATIONAL = [PriceLevel(1.2, [], 26), PriceLevel(1.55, [], 26), PriceLevel(4.105, [], 17)]
IN_AREAS = [PriceLevel(1.15, ["DALLAS", "AUSTIN"], 20), PriceLevel(1.25, ["DALLAS"], 4)]


@pytest.mark.parametrize(
    ("levels", "prices", "said"),
    [
        (NATIONAL[:1], 90, "120% of the national amount for 29% of 90 prices"),
        (NATIONAL[:2], 90, "120% of the national amount for 29% of 90 prices and 155% of the national amount for 29%"),
        (IN_AREAS, 1_000, "115% by locality for 2% of 1,000 prices and 125% in Dallas for under 1%"),
        ([*NATIONAL, *IN_AREAS[:1]], 100, ("120% of the national amount for 26% of 100 prices, 155% of the national "
         "amount for 26%, 410.5% of the national amount for 17%, and 115% by locality for 20%")),
        ([*NATIONAL, *IN_AREAS], 100, ("120% of the national amount for 26% of 100 prices, 155% of the national "
         "amount for 26%, 410.5% of the national amount for 17%, and 2 more levels for 24%")),
    ],
)  # fmt: skip
def test_levels_are_written_with_their_shares(levels: list[PriceLevel], prices: int, said: str) -> None:
    assert write_level_shares(levels, prices) == said
