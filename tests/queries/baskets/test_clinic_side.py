"""A clinic beside payers that label and place their rates otherwise: the class as measured, and one side of it."""

import statistics
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.fields.places.care_setting import SIDES
from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.clinic_answer import ClinicAnswer, ClinicQuestion, answer_clinic
from core.queries.baskets.clinic_position import Clinic, choose_side
from core.queries.rules.market import Market
from core.store.connection import Snapshot
from tests.queries.one_market import store_of_market, with_overruled
from tests.queries.slow import Everything, sides_of

MONTH = Market("GA", "2025-08")
TIN = "100000001"
CODES = [BasketCode("99213", ("CPT", "HCPCS"))]
MISLABELED = {"reporting_entity_name": "Payer A", "billing_class": "institutional", "places": []}
PLACED = {"reporting_entity_name": "Payer B", "group": 1}


def answer(db: Snapshot, market: Market = MONTH) -> ClinicAnswer:
    return answer_clinic(db, ClinicQuestion(market, Clinic(tin=TIN), codes=CODES))


def test_a_clinic_is_compared_with_rates_that_others_label_otherwise_on_one_side(tmp_path: Path) -> None:
    db = store_of_market(
        tmp_path,
        {**MISLABELED, "negotiated_rate": 90.0},
        {**MISLABELED, "negotiated_rate": 94.0, "group": 1},
        {**PLACED, "places": ["11"], "negotiated_rate": 100.0},
        {**PLACED, "places": ["21"], "negotiated_rate": 70.0},
    )
    db = with_overruled(db, ("Payer A", "institutional", "unstated"))
    found = answer(db)
    (position,) = found.positions
    assert found.of_class.market.billing_class == position.billing_class == "like professional"
    assert found.of_class.market.care_setting == "non-facility or unstated"
    assert (position.rate, position.median, position.market) == (90.0, 92.0, 94.0)
    (inside,) = answer(db, Market("GA", "2025-08", care_setting="facility or unstated")).positions
    assert (inside.rate, inside.median, inside.market) == (90.0, 92.0, 90.0)


def test_a_clinic_with_rates_for_facilities_alone_is_on_their_side(tmp_path: Path) -> None:
    facility = {"places": ["21"], "negotiated_rate": 70.0}
    office = {"places": ["11"], "group": 1}
    db = store_of_market(tmp_path, facility, {**facility, "group": 1}, office, {**office, "negotiated_rate": 99.0})
    found = answer(db)
    assert found.of_class.market.care_setting == "facility or unstated"
    assert [one.market for one in found.positions] == [70.0]


A_RATE = st.fixed_dictionaries(
    {
        "places": st.sampled_from([[], ["11"], ["21"], ["11", "22"]]),
        "group": st.integers(0, 1),
        "billing_class": st.sampled_from(["professional", "professional", "institutional"]),
        "negotiated_type": st.sampled_from(["negotiated", "negotiated", "percentage"]),
    }
)


@hypothesis_settings(max_examples=20)
@given(st.lists(A_RATE, min_size=1, max_size=8))
def test_the_side_has_all_of_the_clinic_s_rates_and_most_rates(
    tmp_path_factory: Any, changes: list[dict[str, Any]]
) -> None:
    numbered = [{**one, "negotiated_rate": 100.0 + at} for at, one in enumerate(changes)]
    db = store_of_market(tmp_path_factory.mktemp("side"), *numbered)
    market = Market("GA", "2025-08", billing_class="professional")
    facts = [fact for fact in Everything(db).of(market) if fact["kind"] == "dollars"]
    own = [fact for fact in facts if TIN in {value for _, value in fact["tins"]}]
    alone = [sides_of(fact) for fact in facts]
    expected = [side for side in SIDES if all(side in sides_of(fact) for fact in own)]
    expected.sort(key=lambda side: -sum(side in one for one in alone))
    divided = all({side} in alone for side in SIDES)
    found = choose_side(db, market, Clinic(tin=TIN), ["99213"])
    assert found == (expected[0] if divided and expected else None)
    if found:
        positions = answer(db, market).positions
        paid = [fact["negotiated_rate"] for fact in facts if found in sides_of(fact)]
        assert all(one.market == statistics.median(paid) for one in positions)
