"""The histogram of a market, at the edges."""

from pathlib import Path

from core.queries.histogram import BINS, build_histogram
from tests.queries.one_market import MARKET, store_of_market


def test_zero_rates_are_in_no_bin(tmp_path: Path) -> None:
    db = store_of_market(tmp_path, *[{"negotiated_rate": rate} for rate in (0.0, 0.0, 10.0, 20.0)])
    found = build_histogram(db, MARKET)
    assert (found.bins[0].low, found.below, found.above) == (10, 0, 0)
    assert sum(one.rates for one in found.bins) == 2


def test_the_lowest_of_100_rates_is_the_low_end_at_exactly_one_percent(tmp_path: Path) -> None:
    db = store_of_market(tmp_path, *[{"negotiated_rate": float(rate)} for rate in range(1, 101)])
    found = build_histogram(db, MARKET)
    assert (found.bins[0].low, found.bins[-1].high) == (1, 99)
    assert (found.below, found.above) == (0, 1)
    assert len(found.bins) == BINS


def test_a_rate_below_one_percent_of_all_is_counted_as_below(tmp_path: Path) -> None:
    db = store_of_market(tmp_path, *[{"negotiated_rate": float(rate)} for rate in range(1, 102)])
    found = build_histogram(db, MARKET)
    assert (found.bins[0].low, found.bins[-1].high, found.below, found.above) == (2, 100, 1, 1)


def test_the_highest_shown_is_in_the_last_bin(tmp_path: Path) -> None:
    db = store_of_market(tmp_path, *[{"negotiated_rate": rate} for rate in (0.5, 10.0, 30.5)])
    found = build_histogram(db, MARKET)
    assert (found.bins[0].rates, found.bins[-1].rates, found.bins[-1].high) == (1, 1, 30.5)


def test_one_odd_rate_does_not_make_a_bar_of_all_others(tmp_path: Path) -> None:
    amounts = [*(30.0 + n for n in range(36)), 118.19, 480.0]
    found = build_histogram(store_of_market(tmp_path, *[{"negotiated_rate": one} for one in amounts]), MARKET)
    assert (found.bins[0].low, found.bins[-1].high) == (30, 118.19), "twice the 90th percentile is $128"
    assert (found.above, found.highest) == (1, 480)


def test_equal_rates_are_one_bin_and_none_are_no_bin(tmp_path: Path) -> None:
    db = store_of_market(tmp_path / "a", {}, {})
    (only,) = build_histogram(db, MARKET).bins
    assert (only.low, only.high, only.rates) == (10, 10, 2)
    db = store_of_market(tmp_path / "b", {"negotiated_rate": 0.0}, {"negotiated_type": "percentage"})
    assert build_histogram(db, MARKET).bins == []
