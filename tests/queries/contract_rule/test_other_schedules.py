"""The multiple of another schedule behind a provider's rates, against a count in the obvious way."""

from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries.contract_rule.fit_rule import MIN_PRICES, RULE_SHARE
from core.queries.contract_rule.other_schedules import LEAST_AMOUNT, list_other_schedules
from core.queries.market.market import Market
from core.queries.rules.percent_to_the_cent import is_percent_of
from tests.queries.contract_rule.laboratory_rates import TIN, store_of_labs

MARKET = Market("GA", "2025-08", payer="a", tin=TIN)
AMOUNTS = {str(80047 + at): round(1.5 + at * 1.37, 2) for at in range(40)}
"""The first of them is too small to tell."""
NUMBERS = count()


@given(
    multiple=st.integers(600, 2200).map(lambda thousandths: thousandths / 1000),
    codes=st.sampled_from([MIN_PRICES, MIN_PRICES + 1, 30, 40]),
    exceptions=st.sampled_from([0, 3, 7, 8, 10, 12]),
)
def test_the_multiple_of_laboratory_tests_is_found_where_it_holds(
    tmp_path_factory: pytest.TempPathFactory, multiple: float, codes: int, exceptions: int
) -> None:
    amounts = dict(list(AMOUNTS.items())[:codes])
    rates = {
        # No exception has the ratio of another.
        code: round(amount * (multiple if at >= exceptions else 3 + 0.11 * at), 2)
        for at, (code, amount) in enumerate(amounts.items())
    }
    db = store_of_labs(tmp_path_factory.mktemp(f"labs{next(NUMBERS)}"), rates, amounts)
    told = {code: amount for code, amount in amounts.items() if amount >= LEAST_AMOUNT}
    explained = sum(is_percent_of(rates[code], multiple, amount) for code, amount in told.items())
    holds = len(told) >= MIN_PRICES and explained >= RULE_SHARE * len(told)
    found = [(one.schedule, one.multiple, one.prices, one.explained) for one in list_other_schedules(db, MARKET)]
    assert found == ([("clfs", multiple, len(told), explained)] if holds else [])
    assert list_other_schedules(db, replace(MARKET, tin=None)) == []
