"""Prices that moved by one ratio are told as such, and no more than the figures prove."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from core.pages.shared.words.change_words import tell_ratio_in_short, tell_ratio_of_code, write_ratio
from core.queries.comparison.percent_of_areas import NATIONAL, AmountsOfAreas
from core.queries.over_time.common_ratio import (
    LEAST_CODES,
    TOLERANCE,
    CommonRatio,
    MovedPrices,
    find_ratios_of_code,
    find_ratios_of_codes,
    find_ratios_of_payers,
    list_common_ratios,
)
from tests.queries.one_market import A_RATE, MARKET
from tests.queries.rates_by_month import store_of
from tests.site import serving, text_of


def moved(old: float, new: float, organizations: int = 1, code: str = "73721", **more: Any) -> MovedPrices:
    what = "up" if new > old else "down"
    values = {"old_highest": old, "new_highest": new, "old_lowest": old, "new_lowest": new, **more}
    return MovedPrices("payer", "Payer", code, "", what, organizations=organizations, **values)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([100.0, 250.0, 400.0]), st.sampled_from([0.9, 0.95, 0.9505, 0.97]), st.integers(1, 5)
        ),
        min_size=1,
    )
)
def test_the_common_ratio_is_that_of_most(drawn: list[tuple[float, float, int]]) -> None:
    rows = [moved(old, old * ratio, count) for old, ratio, count in drawn]
    # Slowly: around each ratio, how many are within the tolerance on either side of the middle of a window.
    ratios = sorted({row.ratios[1] for row in rows})
    windows = [[row for row in rows if low <= row.ratios[1] <= low + 2 * TOLERANCE] for low in ratios]
    most = max(sum(row.organizations for row in window) for window in windows)
    every = sum(row.organizations for row in rows)
    found = find_ratios_of_code(rows)
    if not found:
        best = [window for window in windows if sum(row.organizations for row in window) == most]
        assert most < 0.5 * every or any(len({pair for row in one for pair in row.pairs}) < 2 for one in best)
        return
    assert (found[0].organizations, found[0].of) == (most, every)
    assert any(abs(found[0].ratio - ratio) < 1e-9 for ratio in ratios)


def test_one_price_that_moved_is_no_ratio_of_several() -> None:
    assert find_ratios_of_code([moved(100, 96, 50)]) == []
    (found,) = find_ratios_of_code([moved(100, 96, 50), moved(300, 288, 2), moved(10, 7, 3)])
    assert (found.what, found.organizations, found.of) == ("down", 52, 55)
    assert found.ratio == pytest.approx(0.96)


def test_both_ends_have_to_move_alike() -> None:
    """An organization of which one price fell by more than another has no one ratio."""
    uneven = moved(300, 288, 9, old_lowest=100.0, new_lowest=90.0)
    assert find_ratios_of_code([uneven, moved(300, 288, 1), moved(100, 96, 1)]) == []


def test_raises_and_cuts_are_apart() -> None:
    rows = [moved(100, 96), moved(300, 288), moved(100, 102, 7), moved(50, 51, 7)]
    assert [(one.what, one.organizations, one.of) for one in find_ratios_of_code(rows)] == [
        ("up", 14, 14),
        ("down", 2, 2),
    ]


def test_a_payer_with_one_ratio_for_each_code() -> None:
    rows = [
        moved(old, old * (0.9 + number / 200), code=str(number))
        for number in range(LEAST_CODES)
        for old in (100.0, 200.0)
    ]
    (found,) = find_ratios_of_codes(rows)
    assert (found.what, found.organizations, found.of, found.codes) == ("down", 20, 20, LEAST_CODES)
    assert find_ratios_of_payers(rows) == [], "the ratios of the codes differ"
    assert find_ratios_of_codes(rows[2:]) == [], "too few codes"
    others = [moved(100, 50 + number, 7, code=f"other {number}") for number in range(3)]
    assert find_ratios_of_codes([*rows, *others]) == [], "less than half of the prices"


def test_a_payer_with_one_ratio_for_many_codes() -> None:
    rows = [moved(100.0 + number, (100 + number) * 1.0133, code=str(number)) for number in range(LEAST_CODES)]
    (found,) = find_ratios_of_payers(rows)
    assert (found.what, found.codes, write_ratio(found)) == ("up", LEAST_CODES, "1.013 times the old prices")


def test_what_is_proven_is_said() -> None:
    amounts = AmountsOfAreas({("73721", "", False): {NATIONAL: 200.245}}, None)
    pairs = ((322.59, 310.38), (416.25, 400.49), (603.56, 580.71))
    percents = amounts.find("73721", "", [new for _, new in pairs])
    one = CommonRatio("evry", "Evry", "down", 0.96214, 53, 56, 1, pairs, percents)
    assert tell_ratio_of_code(one) == (
        "whether the price was $322.59 or $603.56. "
        "The new prices are 155%, 200%, and 290% of Medicare’s national amount, and the old ones "
        "the same percents of amounts 3.9% higher: the same percents of a newer Medicare schedule."
    )
    assert tell_ratio_in_short(one) == (
        "53 of the 56 paid less moved by one ratio, 0.962 of the old prices: "
        "the same percents of a newer Medicare schedule"
    )
    unproven = CommonRatio("evry", "Evry", "down", 0.96214, 56, 56, 1, pairs)
    assert "cannot be told from the Medicare amounts loaded here" in tell_ratio_of_code(unproven)
    assert tell_ratio_in_short(unproven).startswith("all of the 56 paid less moved by one ratio")
    assert "newer Medicare schedule" not in tell_ratio_in_short(unproven)


def test_the_page_of_changes_tells_the_ratio(tmp_path: Path) -> None:
    groups: list[Any] = [(set(), {("ein", f"10000000{number}")}) for number in range(1, 5)]
    months = {
        month: (groups, [{**A_RATE, "group": n, "negotiated_rate": round(p * times, 2)} for n, p in enumerate(old)])
        for month, times in (("2025-01", 1.0), ("2025-08", 0.96))
        for old in ([100.0, 200.0, 300.0, 400.0],)
    }
    db = store_of(tmp_path, months)
    (found,) = list_common_ratios(db, MARKET, "2025-01").single
    assert (round(found.ratio, 6), found.organizations, found.of) == (0.96, 4, 4)
    with serving(db.root):
        shown = text_of(Client().get("/changes/", {"state": "GA", "code": "99213"}))
    assert (
        "all of the 4 paid less moved by one ratio, 0.960 of the old prices , whether the price was $100.00 or $400.00"
        in shown
    )
