"""What is to be known about a payer's file, against a slow count of its rates."""

from datetime import date
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.queries.market.market import Market
from core.queries.payers.payer_facts import list_payer_facts
from tests.queries.one_market import GROUPS, store_of_market
from tests.queries.tables import written

RATE = st.fixed_dictionaries(
    {
        "reporting_entity_name": st.sampled_from(["Payer A", "Payer B"]),
        "code": st.sampled_from(["99213", "99214"]),
        "negotiated_rate": st.sampled_from([0.0, 10.0, 60.0]),
        "negotiated_type": st.sampled_from(["negotiated", "percentage"]),
        "places": st.sampled_from([[], ["11"]]),
        "group": st.integers(0, 3),
    }
)
RATES = st.lists(RATE, min_size=1, max_size=20, unique_by=repr)
NUMBERS = count()


@settings(max_examples=4, deadline=None)
@given(RATES)
def test_rates_are_counted_as_in_a_slow_count(
    tmp_path_factory: pytest.TempPathFactory, rates: list[dict[str, Any]]
) -> None:
    db = store_of_market(tmp_path_factory.mktemp(f"facts{next(NUMBERS)}"), *rates)
    found = {one.reporting_entity_name: one for one in list_payer_facts(db, Market("GA", "2025-08"), date(2025, 9, 1))}
    assert set(found) == {rate["reporting_entity_name"] for rate in rates}
    for name, facts in found.items():
        own = [rate for rate in rates if rate["reporting_entity_name"] == name]
        counts = facts.counts
        assert counts
        assert counts.rates == len(own)
        assert counts.percentages == sum(rate["negotiated_type"] == "percentage" for rate in own)
        assert counts.zeros == sum(rate["negotiated_rate"] == 0 for rate in own)
        prices = sum(rate["negotiated_rate"] > 0 and rate["negotiated_type"] != "percentage" for rate in own)
        assert counts.prices == prices
        unnamed = sum(not GROUPS[rate["group"]][0] and not GROUPS[rate["group"]][1] for rate in own)
        assert counts.unnamed == unnamed
        assert counts.placeless == sum(not rate["places"] for rate in own)
        assert counts.takes_no_part == (unnamed == len(own) and prices * 2 < len(own))
        assert (counts.expired, counts.expires) == (0, None)
        percentages = [
            r["negotiated_rate"] for r in own if r["negotiated_type"] == "percentage" and r["negotiated_rate"]
        ]
        assert counts.lowest_percentage == min(percentages, default=None)
        assert (counts.highest_percentage or None) == max(percentages, default=None)
        in_dollars = {r["code"] for r in own if r["negotiated_type"] != "percentage" and r["negotiated_rate"]}
        assert (counts.codes_in_dollars, counts.elsewhere) == (len(in_dollars), 0)


def test_a_list_of_providers_at_another_address_is_told_from_none(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Group 2 has nobody: the file of one of its rates' groups says where the list would be."""
    db = store_of_market(tmp_path_factory.mktemp("elsewhere"), {"group": 2}, {"group": 0, "code": "99214"})
    ((pg_uid,),) = db.rows("SELECT pg_uid FROM fact_rate WHERE code = '99213'")
    db = written(db.root, {"xref_group_location": [{"pg_uid": pg_uid, "location": "https://example.com/list"}]})
    [facts] = list_payer_facts(db, Market("GA", "2025-08"), date(2025, 9, 1))
    assert facts.counts
    assert (facts.counts.unnamed, facts.counts.elsewhere) == (1, 1)


def test_contracts_have_expired_the_day_after_they_expire(tmp_path_factory: pytest.TempPathFactory) -> None:
    rates = [{"expiration_date": day, "code": f"9921{at}"} for at, day in enumerate(["2025-07-31", "2025-08-31", None])]
    db = store_of_market(tmp_path_factory.mktemp("expired"), *rates)
    for today, expired, last in ((date(2025, 8, 31), 1, "2025-07-31"), (date(2025, 9, 1), 2, "2025-08-31")):
        [facts] = list_payer_facts(db, Market("GA", "2025-08"), today)
        assert facts.counts
        assert (facts.counts.expired, facts.counts.expires) == (expired, last)
