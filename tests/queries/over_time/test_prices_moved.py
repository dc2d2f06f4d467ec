"""Prices of two months side by side are the same as slow looks at each of them."""

from collections import Counter
from pathlib import Path
from statistics import median_low
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pages.shared.words.change_words import tell_prices
from core.queries.market.market import Market
from core.queries.over_time.changes import list_changed_pay
from core.queries.over_time.matching import TERMS
from core.queries.over_time.prices_moved import list_code_prices, list_paid_alike, name_tins, pair_prices
from tests.queries.one_market import A_RATE
from tests.queries.rates_by_month import store_of

prices = st.lists(st.sampled_from([0.0, 10.0, 12.5, 20.0, 40.0]), max_size=5)


@given(old=prices, new=prices)
def test_the_lowest_price_becomes_the_lowest(old: list[float], new: list[float]) -> None:
    moved = pair_prices(old, new)
    assert (moved.before, moved.after, moved.is_paired) == (len(old), len(new), len(old) == len(new))
    if not moved.is_paired:
        assert (moved.ups, moved.downs, moved.same) == ((), (), 0)
        if old and new and 0 not in old:
            assert moved.ends == (min(new) / min(old) - 1, max(new) / max(old) - 1)
        return
    left_old, left_new = list(old), list(new)
    changes: list[float] = []
    while left_old:
        before, after = min(left_old), min(left_new)
        left_old.remove(before)
        left_new.remove(after)
        changes.append(after / before - 1 if before else float("inf") if after else 0.0)
    assert list(moved.ups) == sorted(one for one in changes if one > 0)
    assert list(moved.downs) == sorted((one for one in changes if one < 0), reverse=True), "the least cut first"
    assert moved.same == changes.count(0.0)


def test_prices_are_paired_in_their_order() -> None:
    assert pair_prices([300, 100], [110, 330]).ups == pytest.approx((0.1, 0.1))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ([100, 200, 300], [102, 218, 264], "3 prices: 2 up (+2.0% to +9.0%), 1 down (−12%)"),
        ([100], [100], "1 price: 1 the same"),
        ([0], [5], "1 price: 1 up (from zero)"),
        ([100, 200], [110, 120, 150], "2 prices before, 3 now: lowest +10%, highest −25%"),
        ([], [1, 2], "2 prices, new"),
        ([1], [], "1 price, gone"),
        ([0], [1, 2], "1 price before, 2 now"),
    ],
)
def test_what_became_of_prices_is_one_line(old: list[float], new: list[float], words: str) -> None:
    assert tell_prices(pair_prices(old, new)) == words


rates = st.lists(
    st.fixed_dictionaries(
        {
            "group": st.integers(0, 2),
            "negotiated_rate": st.sampled_from([10.0, 12.5, 20.0, 40.0]),
            "code": st.sampled_from(["99213", "70450"]),
            "billing_code_modifier": st.sampled_from(["", "", "26"]),
        }
    ),
    min_size=1,
    max_size=10,
)
TINS = [("ein", "100000001"), ("ein", "100000002"), ("ein", "100000003")]
GROUPS: list[Any] = [(set(), {TINS[0]}), (set(), {TINS[0], TINS[1]}), (set(), set(TINS))]


@settings(max_examples=4)
@given(before=rates, after=rates)
def test_months_of_an_organization_and_of_those_paid_alike(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    by_month = {"2025-07": before, "2025-08": after}
    with TemporaryDirectory() as folder:
        facts = {month: (GROUPS, [{**A_RATE, **one} for one in some]) for month, some in by_month.items()}
        db = store_of(Path(folder), facts)
        tin = TINS[0][1]
        slow: dict[Any, dict[str, list[float]]] = {}
        for month, some in by_month.items():
            for one in some:
                kept = slow.setdefault((one["code"], one["billing_code_modifier"]), {name: [] for name in by_month})
                if one["negotiated_rate"] not in kept[month]:
                    kept[month].append(one["negotiated_rate"])
        found = list_code_prices(db, Market("GA", "2025-08", tin=tin), "2025-07")
        assert {(row.code, row.modifier): (row.old, row.new) for row in found} == {
            key: tuple(median_low(some) if some else None for some in months.values()) for key, months in slow.items()
        }
        assert [(row.old_prices, row.new_prices) for row in found] == [
            tuple(sorted(some) for some in slow[row.code, row.modifier].values()) for row in found
        ]
        sizes = [abs(row.difference or 0) for row in found]
        assert sizes == sorted(sizes, reverse=True)

        market = Market("GA", "2025-08", "CPT", "99213")
        every = list_changed_pay(db, market, "2025-07", None, "moved", 99, 0)[1]
        figures = ("what", "old", "new", "old_lowest", "new_lowest", "old_rates", "new_rates", *TERMS)
        alike = Counter(tuple(getattr(row, name) for name in figures) for row in every)
        total, rows = list_paid_alike(db, market, "2025-07", None, "moved", 99, 0)
        shown: Counter[Any] = Counter()
        for row in rows:
            shown[tuple(getattr(row, name) for name in figures)] += row.organizations
            assert len(row.tins) == row.organizations
        assert shown == alike
        assert total == len(rows) == len({(*key,) for key in shown})
        assert name_tins(db, rows) == {}
