"""The indexes of a basket by family of codes, against means over the codes of each."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.queries.baskets.basket_answer import BasketAnswer
from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.basket_index import index_payers
from core.queries.baskets.basket_medians import CodeMedian
from core.queries.baskets.family_indexes import index_families
from core.queries.market.market import Market

FAMILIES = {
    "99213": "evaluation and management", "99214": "evaluation and management", "73721": "imaging", "73562": "imaging",
    "20610": "surgery",
}  # fmt: skip
CODES = [BasketCode(code, ("CPT",)) for code in FAMILIES]
PRICES = st.lists(st.tuples(*[st.integers(20, 200).map(float)] * 3), min_size=len(CODES), max_size=len(CODES))


def make_answer(prices: list[tuple[float, ...]], volumes: list[float]) -> BasketAnswer:
    """Return the answer of a basket whose codes each have a price of the market, of payer a, and of payer b."""
    medians = [
        CodeMedian(at, payer, 10, price, None, None)
        for at, of_code in enumerate(prices)
        for payer, price in zip((None, "a", "b"), of_code, strict=True)
    ]
    weights: Any = ("volumes" if any(volumes) else "equal", volumes)
    indexes = index_payers(medians, weights, {"a": "Payer A", "b": "Payer B"})
    return BasketAnswer(Market("GA", "2025-08"), CODES, None, medians, indexes, *weights)  # type: ignore[arg-type]


@hypothesis_settings(deadline=None)
@given(PRICES, st.one_of(st.just([0.0] * 5), st.lists(st.integers(1, 9).map(float), min_size=5, max_size=5)))
def test_a_family_has_the_mean_of_its_codes(prices: list[tuple[float, ...]], volumes: list[float]) -> None:
    found = index_families(make_answer(prices, volumes))
    expected: dict[tuple[str, str], Any] = {}
    for family in dict.fromkeys(FAMILIES.values()):
        positions = [at for at, name in enumerate(FAMILIES.values()) if name == family]
        weights = [volumes[at] * prices[at][0] if any(volumes) else 1.0 for at in positions]
        for payer, which in (("a", 1), ("b", 2)):
            ratios = [prices[at][which] / prices[at][0] for at in positions]
            mean = sum(w * ratio for w, ratio in zip(weights, ratios, strict=True)) / sum(weights)
            expected[family, payer] = (mean, len(positions))
    of_payers: Any = {
        (one.family, index.payer_slug): (pytest.approx(index.index), index.compared)
        for one in found
        for index in one.indexes
    }
    assert of_payers == expected
    assert all((one.highest.index or 0) >= (one.lowest.index or 0) for one in found)
    assert [one.range for one in found] == sorted((one.range for one in found), reverse=True)


def test_a_family_that_one_payer_prices_is_left_out() -> None:
    answer = make_answer([(100.0, 90.0, 110.0)] * 5, [0.0] * 5)
    medians = [one for one in answer.medians if (one.position, one.payer_slug) != (4, "b")]
    alone = BasketAnswer(answer.market, CODES, answer.classes, medians, answer.indexes, answer.weights, answer.volumes)
    assert {one.family for one in index_families(alone)} == {"imaging", "evaluation and management"}
