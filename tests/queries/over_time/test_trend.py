"""A code over all months: every point against the slow answer, on random months and on the demo."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.fields.providers.payer_slug import make_payer_slug
from core.queries.market.market import Market
from core.queries.over_time import trend
from core.store.connection import Snapshot
from tests.queries.comparison.slow_comparison import compared
from tests.queries.rates_by_month import facts, members, store_of
from tests.queries.slow import Everything, percentile

months = st.tuples(st.lists(members, min_size=4, max_size=4), st.lists(facts, max_size=10))


def assert_trend(db: Snapshot, market: Market) -> list[trend.TrendPoint]:
    """Compare each point with the facts of its month, read one by one."""
    everything = Everything(db)
    points = trend.list_trend(db, market)
    expected: dict[Any, list[dict[str, Any]]] = {}
    for fact in everything.facts:
        if (fact["state"], fact["code"], fact["kind"]) == (market.state, market.code, "dollars"):
            slug = make_payer_slug(fact["reporting_entity_name"])
            key = (fact["year_month"], slug, fact["billing_class"], fact["billing_code_modifier"])
            if market.payer in {None, slug}:
                expected.setdefault(key, []).append(fact)
    assert len(points) == len(expected)
    medians: dict[Any, float] = {}
    for point in points:
        line = (point.payer_slug, point.billing_class, point.modifier)
        of_point = expected[point.year_month, *line]
        rates = [fact["negotiated_rate"] for fact in of_point]
        assert point.rates == len(rates)
        for share, found in ((0.25, point.p25), (0.5, point.p50), (0.75, point.p75), (0, point.lowest)):
            assert found == pytest.approx(percentile(rates, share))
        before = medians.get(line)
        assert point.change == (pytest.approx(point.p50 / before - 1) if before else None)
        medians[line] = point.p50
        of_terms = [
            fact
            for key, some in expected.items()
            if (key[0], *key[2:]) == (point.year_month, *line[1:])
            for fact in some
        ]
        outcomes = [compared(fact, everything.benchmarks) for fact in of_terms]
        amounts = Counter(one.amount for one in outcomes if one.amount is not None)
        assert (point.medicare is None) == (not amounts)
        assert point.medicare is None or amounts[point.medicare] == max(amounts.values())
    return points


@hypothesis_settings(max_examples=4)
@given(st.lists(months, min_size=1, max_size=3), st.sampled_from([None, "payer_b"]))
def test_a_trend_is_that_of_the_slow_reference(loaded: Any, payer: str | None) -> None:
    with TemporaryDirectory() as directory:
        db = store_of(Path(directory), {f"2025-{7 + number:02d}": month for number, month in enumerate(loaded)})
        assert_trend(db, Market("GA", "2025-08", code="99213", payer=payer))


def test_medicare_s_amount_is_that_of_each_month(demo: Snapshot) -> None:
    points = assert_trend(demo, Market("GA", "2025-08", "CPT", "99213"))
    assert {point.year_month for point in points} == {"2025-07", "2025-08"}
    assert any(point.medicare for point in points)
