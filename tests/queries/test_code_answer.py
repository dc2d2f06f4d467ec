"""The answer on top of a code's page equals what is computed from its rates one by one."""

from collections import defaultdict

import pytest

from core.pages.shared.words.answer_words import describe_terms
from core.queries.code_answer import answer_code, spread_by_terms
from core.queries.rules.market import Market, market_cache
from core.queries.yardstick import medicare
from core.store.connection import Snapshot
from tests.queries import slow


@pytest.mark.parametrize("code", ["99213", "70450", "97110"])
@pytest.mark.parametrize("filters", [{}, {"billing_class": "professional", "area": "state"}, {"modifier": "26"}])
def test_spreads_are_those_of_the_single_rates(placed: Snapshot, code: str, filters: dict[str, str]) -> None:
    market = Market("GA", "2025-08", "CPT", code, **filters)
    rates: dict[tuple[str | None, str | None, str], list[medicare.Comparison]] = defaultdict(list)
    for row in medicare.list_comparisons(placed, market, "rate", 10_000, 0):
        if row.kind == "dollars":
            rates[None, row.billing_class, row.modifier].append(row)
            rates[row.reporting_entity_name, row.billing_class, row.modifier].append(row)
    found = spread_by_terms(placed, market)
    assert len(found) == len(rates)
    for spread in found:
        of_spread = rates[spread.reporting_entity_name, *spread.terms]
        dollars = [row.negotiated_rate for row in of_spread]
        percents = [row.percent for row in of_spread if row.percent is not None]
        assert (spread.rates, spread.lowest, spread.highest) == (len(dollars), min(dollars), max(dollars))
        assert spread.percentiles == pytest.approx([slow.percentile(dollars, p) for p in (0.1, 0.25, 0.5, 0.75, 0.9)])
        assert spread.compared == len(percents)
        assert spread.percent_p50 == (pytest.approx(slow.percentile(percents, 0.5)) if percents else None)
    answer = answer_code(found)
    if answer:
        assert answer.everybody.rates == max(row.rates for row in found)
        assert sum(row.rates for row in answer.payers) == answer.everybody.rates
    with market_cache(placed, market, areas="area" not in filters) as cached:
        assert spread_by_terms(cached, market) == found


def test_terms_in_words() -> None:
    assert describe_terms("professional", "", {"26", "none"}) == "professional and technical together"
    assert describe_terms("professional", "", {"none"}) == "a professional’s bill"
    assert describe_terms("professional", "26", {"26"}) == "a professional’s bill, the reading alone (modifier 26)"
    assert describe_terms(None, "50,LT", ()) == "billing class not stated, with modifier 50 and LT"
