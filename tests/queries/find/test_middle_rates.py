"""What a search says of a code is what the code's page opens with."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.queries.classes.rate_classes import choose_class
from core.queries.code_answer import answer_code, list_few_amounts, list_middles, spread_by_terms
from core.queries.find.code_index import FoundCode
from core.queries.find.middle_rates import find_middle_rates
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from tests.queries.one_market import GROUPS
from tests.queries.rates_by_month import facts, store_of

CODE = FoundCode("CPT", "99213", None, None, None, "GA", "2025-08", 5)


@settings(max_examples=4, deadline=None)
@given(st.lists(facts, min_size=1, max_size=12))
def test_the_middle_is_that_of_the_answer(rates: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as directory:
        db = store_of(Path(directory), {"2025-08": (GROUPS, rates)})
        for code_type, code in {(rate["code_type"], rate["code"]) for rate in rates}:
            market = choose_class(db, with_latest(db, Market("GA", "", code_type, code))).market
            with market_cache(db, market) as cached:
                answer, middle = (
                    answer_code(spread_by_terms(cached, market)),
                    next(iter(list_middles(cached, market)), None),
                )
            assert (answer is None) == (middle is None)
            if answer and middle:
                row = answer.everybody
                assert (middle.billing_class, middle.modifier, middle.rates, middle.p50) == (
                    *row.terms,
                    row.rates,
                    row.p50,
                )
                assert list_few_amounts(middle) == row.few_amounts


def test_equal_rates_of_several_groups_count_each(tmp_path: Path) -> None:
    rate = {"reporting_entity_name": "Payer A", "code_type": "CPT", "code": "99213", "negotiated_type": "negotiated",
            "negotiation_arrangement": "ffs", "negotiated_rate": 20.0, "billing_class": "professional", "setting": None,
            "billing_code_modifier": "", "severity_of_illness": None, "places": [], "group": 0}  # fmt: skip
    amounts = [(0, 20.0), (1, 20.0), (2, 20.0), (3, 50.0), (0, 60.0)]
    db = store_of(
        tmp_path,
        {"2025-08": (GROUPS, [{**rate, "group": group, "negotiated_rate": amount} for group, amount in amounts])},
    )
    (middle,) = find_middle_rates(db, [CODE]).values()
    assert (middle.rates, middle.p50, middle.few_amounts) == (5, 20.0, [])


def test_codes_without_dollars_have_no_middle(tmp_path: Path) -> None:
    rate = {"reporting_entity_name": "Payer A", "code_type": "CPT", "code": "99213", "negotiated_type": "percentage",
            "negotiation_arrangement": "ffs", "negotiated_rate": 20.0, "billing_class": "professional", "setting": None,
            "billing_code_modifier": "", "severity_of_illness": None, "places": [], "group": 0}  # fmt: skip
    db = store_of(tmp_path, {"2025-08": (GROUPS, [rate])})
    assert find_middle_rates(db, [CODE]) == {}
