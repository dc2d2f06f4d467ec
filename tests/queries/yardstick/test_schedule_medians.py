"""What payers pay beside a state's schedule is the middle of the rates that figures count, as on their code's page."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from core.queries.baskets.basket_codes import BasketCode
from core.queries.code_answer import spread_by_terms
from core.queries.market.market import Market
from core.queries.yardstick.compensation import CompensationAmount, CompensationRelease
from core.queries.yardstick.schedule_medians import ScheduleMedian, list_schedule_medians
from core.store.connection import Snapshot
from tests.queries import slow
from tests.queries.one_market import MARKET, store_of_market, with_fee

CODE = MARKET.code or ""
SIDES = ("non-facility or unstated", "facility or unstated")


def list_medians(db: Snapshot) -> list[ScheduleMedian]:
    amount = CompensationAmount("GA", "2025-01", "CPT", CODE, "", None, "priced", 100.0, *[None] * 5)
    release = CompensationRelease("GA", "2025-01", [])
    return list_schedule_medians(db, release, [amount], [BasketCode(CODE, ())], by_month=False)


@pytest.mark.parametrize("seed", range(3))
def test_likely_errors_are_in_no_median(tmp_path: Path, seed: int) -> None:
    chosen = Random(seed)
    times = [chosen.choice([0.04, 0.3, 0.5, 0.9, 1.1, 1.5, 4, 8, 31, 80]) for _ in range(18)]
    rates = [(f"Payer {chosen.choice('AB')}", round(86.34 * one, 2), one) for one in [0.04, *times]]
    rows = [{"reporting_entity_name": payer, "negotiated_rate": rate} for payer, rate, _ in rates]
    found = list_medians(with_fee(store_of_market(tmp_path, *rows, {"billing_code_modifier": "26"}), 86.34))
    middle = slow.percentile([rate for _, rate, _ in rates], 0.5)
    expected: dict[str, Any] = {}
    for payer in ("PAYER_A", "PAYER_B"):
        own = [(rate, one) for name, rate, one in rates if name.upper().replace(" ", "_") == payer]
        counted = [r for r, one in own if 0.5 <= one <= 30 or not (r > 5 * middle or 5 * r < middle)]
        at = pytest.approx(slow.percentile(counted, 0.5))
        expected[payer] = (len(counted), min(counted), at, max(counted), len(own) - len(counted))
    assert {
        one.reporting_entity_name: (one.rates, one.lowest, one.p50, one.highest, one.left_out) for one in found
    } == expected
    assert all(one.percent == pytest.approx(one.p50 / 100) for one in found)
    assert sum(one.left_out for one in found) > 0


def test_each_side_leaves_out_what_its_page_does(tmp_path: Path) -> None:
    """The side decides the amount of Medicare, and the others, that a rate for either side is compared with."""
    office, hospital = {"places": ["11"]}, {"places": ["21"]}
    rows = [{**office, "negotiated_rate": 100.0 + at} for at in range(6)]
    rows += [{**hospital, "negotiated_rate": 60.0 + at} for at in range(6)]
    rows += [{"places": ["11", "22"], "negotiated_rate": 15.0}, {**office, "negotiated_rate": 4.0}]
    db = with_fee(store_of_market(tmp_path, *rows), 86.34)
    found = {one.care_setting: (one.rates, one.p50, one.left_out) for one in list_medians(db)}
    for side in SIDES:
        asked = Market("GA", "2025-08", "CPT", CODE, side, billing_class="professional", modifier="none")
        row = spread_by_terms(db, asked)[0]
        assert found[side] == (row.rates, row.p50, row.left_out)
    assert [found[side][2] for side in SIDES] == [2, 0]
