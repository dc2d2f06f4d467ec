"""Several prices are a few percents of Medicare's amounts, or they are not: made-up contracts, and a slow search."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.queries.comparison.percent_of_areas import NATIONAL, AmountsOfAreas, SeveralPrices, find_percents_of_areas

FACTOR = 32.3465
NAMES = ("NORTH", "SOUTH", "EAST", "WEST")
AMOUNTS = st.lists(st.integers(90_000, 110_000), min_size=4, max_size=4, unique_by=lambda cents: cents // 900).map(
    lambda cents: {name: one / 100 for name, one in zip(NAMES, cents, strict=True)}
)
PERCENTS = st.integers(80, 300).map(lambda percent: percent / 100)


def search_slowly(prices: list[float], amounts: dict[str, float]) -> set[float]:
    """Return each whole percent that all the prices are of different areas' amounts, however they are paired."""
    distinct = sorted(set(prices))
    return {
        percent / 100
        for percent in range(50, 400)
        for scale in (1.0, round(FACTOR, 2) / FACTOR)
        for areas in permutations(amounts, len(distinct))
        if all(
            abs(price - percent / 100 * scale * amounts[area]) <= 0.005 * (1 + max(percent / 100, 1)) + 1e-7
            for price, area in zip(distinct, areas, strict=True)
        )
    }


@given(
    amounts=AMOUNTS, percent=PERCENTS, rounded=st.booleans(), off=st.sampled_from([0.0, 0.0, 0.2, 3.0]),
    which=st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True),
)  # fmt: skip
def test_one_percent_of_several_areas_is_found_as_a_slow_search_finds_it(
    amounts: dict[str, float], percent: float, rounded: bool, off: float, which: list[str]
) -> None:
    scale = round(FACTOR, 2) / FACTOR if rounded else 1.0
    prices = [round(percent * scale * amounts[name], 2) for name in which]
    prices[0] = round(prices[0] + off, 2)
    found = find_percents_of_areas(prices, amounts, FACTOR)
    slow = search_slowly(prices, amounts)
    single = found.single if found else None
    assert single.percent in slow if single else not slow
    if single:
        assert sorted(price for price, _ in single.prices) == sorted(set(prices))
        assert len({area for _, area in single.prices}) == len(single.prices)
        for price, area in single.prices:
            assert abs(price / (single.percent * amounts[area]) - 1) <= 0.001


@given(
    amounts=AMOUNTS, of_areas=st.lists(PERCENTS, max_size=2, unique=True),
    of_nation=st.lists(st.integers(160, 820).map(lambda halves: halves / 200), max_size=3, unique=True),
)  # fmt: skip
def test_the_percents_of_a_made_up_contract_are_recovered(
    amounts: dict[str, float], of_areas: list[float], of_nation: list[float]
) -> None:
    amounts = {**amounts, NATIONAL: 1257.63}
    prices = [round(percent * amounts[name], 2) for percent in of_areas for name in NAMES[:3]]
    prices += [round(percent * amounts[NATIONAL], 2) for percent in of_nation]
    # Prices of two levels that are one, or nearly, belong to either.
    assume(len(prices) > 1 and np.diff(sorted(prices)).min() > 0.2)
    found = find_percents_of_areas(prices, amounts, FACTOR)
    assert found is not None
    assert [(one.percent, one.is_national) for one in found.levels] == [
        pytest.approx(one) for one in sorted([(one, False) for one in of_areas] + [(one, True) for one in of_nation])
    ]
    assert sorted(price for one in found.levels for price, _ in one.prices) == sorted(prices)
    assert found.of_price(prices[0]).percent == pytest.approx((of_areas + of_nation)[0])


@given(seed=st.integers(0, 10**6), size=st.integers(2, 6), dollars=st.sampled_from([3.0, 30.0, 300.0]))
def test_other_prices_are_seldom_percents(seed: int, size: int, dollars: float) -> None:
    random = np.random.default_rng(seed)
    found = 0
    for _ in range(50):
        listed = dict(zip((*NAMES, NATIONAL), np.round(dollars * np.exp(random.normal(0, 0.04, 5)), 2), strict=True))
        prices = np.round(dollars * np.exp(random.normal(0.2, 0.05, size)), 2)
        found += find_percents_of_areas(prices.tolist(), listed, FACTOR) is not None
    assert found <= 6


def test_one_price_and_no_areas_say_nothing() -> None:
    amounts = {"NORTH": 1000.0, "SOUTH": 1040.0}
    assert find_percents_of_areas([1150.0], amounts, FACTOR) is None
    assert find_percents_of_areas([1150.0, 1196.0], {}, FACTOR) is None
    assert find_percents_of_areas([1150.0, 1196.0], {"NORTH": 1000.0}, None) is None
    found = find_percents_of_areas([1150.0, 1196.0], amounts, None)
    assert found is not None
    assert (found.summary, found.words) == ("115% of Medicare in 2 areas", "115%: North $1,150.00, South $1,196.00")
    both = find_percents_of_areas([1150.0, 1196.0, 1550.78, 4107.05], {**amounts, NATIONAL: 1000.5}, None)
    assert both is not None
    assert both.summary == "115% of Medicare in 2 areas, and 155% and 410.5% of Medicare’s national amount"


def test_what_most_services_of_a_contract_are_is_looked_for_in_the_others() -> None:
    """Six prices of an X-ray are several sets of percents: those of the contract's other services are meant."""
    xray = {"REST": 33.61, "FORT WORTH": 35.20, "DALLAS": 35.44, "HOUSTON": 35.69, NATIONAL: 35.26}
    others = {f"2988{at}": {"REST": 500.03 + at, "DALLAS": 537.14 + 3 * at, "AUSTIN": 546.67} for at in range(3)}
    by_service = {(code, "", True): amounts for code, amounts in {"73610": xray, **others}.items()}
    amounts = AmountsOfAreas(by_service, 32.3465)
    prices = (42.02, 44.00, 44.31, 50.43, 52.80, 53.17)
    lines = {
        code: SeveralPrices(
            code, "", tuple(round(percent * its, 2) for percent in (1.25, 1.5) for its in some.values())
        )
        for code, some in others.items()
    }
    alone = amounts.find_of_contracts({"73610": SeveralPrices("73610", "", prices)})
    assert [one.of_areas for one in alone.values()] != [(1.25, 1.5)]
    # Two prices of one area alone say nothing either.
    two = SeveralPrices("29881", "", (round(1.25 * 501.03, 2), round(1.5 * 501.03, 2)))
    found = amounts.find_of_contracts({**lines, "73610": SeveralPrices("73610", "", prices), "two": two})
    assert {key: its.of_areas for key, its in found.items()} == dict.fromkeys([*lines, "73610", "two"], (1.25, 1.5))
    assert found["73610"].prices_in("DALLAS") == (44.31, 53.17)
    assert found["73610"].prices_in("HOUSTON") == ()
    assert found["two"].area_of(two.prices[0]) == "REST"
    of_another = {**lines, "73610": SeveralPrices("73610", "", prices, payer="another")}
    assert amounts.find_of_contracts(of_another)["73610"].of_areas != (1.25, 1.5), "of another contract"
