"""Which payer pays the most for which codes, against a loop over the prices."""

from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from core.queries.baskets.basket_answer import BasketAnswer
from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.basket_medians import CodeMedian
from core.queries.baskets.best_payers import BestPayers, list_best_payers
from core.queries.market.market import Market

CODES = ("70553", "72148", "73721", "74177")


def answer_of(prices: dict[tuple[int, str], float | None]) -> BasketAnswer:
    """Return a basket's answer with prices by position and payer; None is one that stands aside."""
    medians = [
        CodeMedian(at, slug, 9, 1.0 if price is None else price, None, None, is_aside=price is None)
        for (at, slug), price in prices.items()
    ]
    codes = [BasketCode(code, ("CPT",), None) for code in CODES]
    return BasketAnswer(Market("TX", "2025-06"), codes, cast("Any", None), medians, [], "equal", [])


def said(best: BestPayers) -> dict[str, list[tuple[str, float]]]:
    return {one.payer_slug: [(paid.code, round(paid.more, 6)) for paid in one.codes] for one in best.payers}


def test_payers_that_are_alike_in_sum_may_be_far_apart_by_code() -> None:
    prices = {(0, "a"): 100.0, (0, "b"): 150.0, (1, "a"): 200.0, (1, "b"): 100.0, (2, "a"): 104.0, (2, "b"): 100.0}
    best = list_best_payers(answer_of({**prices, (3, "a"): 10.0}))
    assert said(best) == {"a": [("72148", 1.0)], "b": [("70553", 0.5)]}
    assert (best.compared, list(best.alike)) == (3, ["73721"]), "nobody is compared alone, and 4% is nothing to name"
    assert best.best == {0: "b", 1: "a"}


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 3), st.sampled_from("abc")),
        st.sampled_from([None, 0.0, 1.0, 1.04, 1.05, 1.06, 2.0, 8.0]),
    )
)
def test_any_prices(prices: dict[tuple[int, str], float | None]) -> None:
    best = list_best_payers(answer_of(prices))
    found = {(paid.code, one.payer_slug): paid.more for one in best.payers for paid in one.codes}
    alike = 0
    for at, code in enumerate(CODES):
        of_code = {slug: price for (place, slug), price in prices.items() if place == at and price is not None}
        for slug, price in of_code.items():
            others = [other for payer, other in of_code.items() if payer != slug]
            is_most = bool(others) and max(others) > 0 and price > 1.05 * max(others)
            assert ((code, slug) in found) == is_most
            assert not is_most or found[code, slug] == price / max(others) - 1
        alike += len(of_code) > 1 and not any((code, slug) in found for slug in of_code)
    assert best.compared == alike + len(found)
    assert len(best.alike) == alike
    for one in best.payers:
        assert [paid.more for paid in one.codes] == sorted((paid.more for paid in one.codes), reverse=True)
