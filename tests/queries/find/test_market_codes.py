"""The codes of a market with the ranges of their rates, against a slow count, and in the order in which people ask."""

from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.queries.find.codes import list_market_codes
from core.queries.market.market import Market
from core.queries.rules.asked_first import known_sql
from core.store.sql import quote
from core.vocabulary.services import plain_names
from tests.queries.one_market import store_of_market

RATE = st.fixed_dictionaries(
    {
        "code": st.sampled_from(["99213", "99214"]),
        "negotiated_rate": st.sampled_from([0.0, 10.0, 60.0, 75.5]),
        "negotiated_type": st.sampled_from(["negotiated", "percentage", "per diem"]),
        "group": st.integers(0, 3),
    }
)
NUMBERS = count()


@settings(max_examples=4, deadline=None)
@given(st.lists(RATE, min_size=1, max_size=12, unique_by=repr))
def test_ranges_are_those_of_a_slow_count(
    tmp_path_factory: pytest.TempPathFactory, rates: list[dict[str, Any]]
) -> None:
    db = store_of_market(tmp_path_factory.mktemp(f"codes{next(NUMBERS)}"), *rates)
    found = {one.code: one for one in list_market_codes(db, Market("GA", "2025-08"), 9)}
    assert set(found) == {rate["code"] for rate in rates}
    for code, one in found.items():
        own = [rate for rate in rates if rate["code"] == code]
        figures = {
            kind: [
                rate["negotiated_rate"] for rate in own if rate["negotiated_type"] == kind and rate["negotiated_rate"]
            ]
            for kind in ("negotiated", "percentage")
        }
        dollars, percentages = figures["negotiated"], figures["percentage"]
        assert (one.rates, one.zeros) == (len(own), sum(not rate["negotiated_rate"] for rate in own))
        assert (one.lowest, one.highest) == (min(dollars, default=None), max(dollars, default=None))
        assert (one.lowest_percentage, one.highest_percentage) == (
            min(percentages, default=None),
            max(percentages, default=None),
        )


def test_what_people_ask_for_is_first(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Familiar codes, usual ones of specialties, others with a plain name, any others; what has no price is last."""
    of_code = {
        "0001U": 5, "01996": 4, "E0100": 3, "99221": 3, "20610": 1, "73721": 1, "99213": 1,
    }  # fmt: skip
    rates = [
        {"code": code, "negotiated_rate": float(10 + at)} for code, number in of_code.items() for at in range(number)
    ]
    rates.append({"code": "99214", "negotiated_rate": 0.0})
    db = store_of_market(tmp_path_factory.mktemp("asked"), *rates)
    found = [one.code for one in list_market_codes(db, Market("GA", "2025-08"), 99)]
    assert found == ["99213", "73721", "20610", "99221", "E0100", "0001U", "01996", "99214"]


def test_a_code_is_known_in_its_own_system(tmp_path_factory: pytest.TempPathFactory) -> None:
    db = store_of_market(tmp_path_factory.mktemp("known"), {})
    for system, code in (("CPT", "99213"), ("MS-DRG", "99213"), ("CPT", "0001U")):
        ((known,),) = db.rows(f"SELECT {known_sql(quote(system), quote(code))}")
        assert known == ((system, code) in plain_names())
