"""The market that a question means when it leaves something out."""

import pytest

from core.pages.shared.market_choice import InvalidChoice, choose_market, choose_months, choose_provider_market
from core.queries import coverage
from core.queries.providers import LoadedPeriod
from core.queries.rules.market import Market
from core.store.connection import Snapshot


def test_the_newest_month_is_meant(demo: Snapshot) -> None:
    assert choose_market(Market("", ""), demo).market == Market("GA", "2025-08")
    assert choose_market(Market("", "2025-07"), demo).market == Market("GA", "2025-07")
    assert choose_market(Market("TX", ""), demo).market == Market("TX", "2025-08"), "what is asked for stays"


def test_a_code_finds_its_system(demo: Snapshot) -> None:
    asked = Market("GA", "2025-08", code="450")
    assert choose_market(asked, demo).market == Market("GA", "2025-08", "REV", "0450")
    assert asked.code_type is None, "the question is not changed"


def test_a_provider_is_looked_for_where_it_is() -> None:
    periods = [LoadedPeriod("FL", "2025-08", 3), LoadedPeriod("GA", "2025-07", 1)]
    assert choose_provider_market(Market("", ""), periods).market == Market("FL", "2025-08")
    assert choose_provider_market(Market("GA", ""), periods).market == Market("GA", "2025-07")
    assert choose_provider_market(Market("", ""), []).market == Market("", "")


def test_the_earlier_month_is_the_one_before(demo: Snapshot) -> None:
    loaded = coverage.list_coverage(demo)
    choice = choose_months(Market("", ""), "", demo, loaded)
    assert (choice.market.year_month, choice.earlier_month) == ("2025-08", "2025-07")
    assert choose_months(Market("GA", "2025-07"), "", demo, loaded).earlier_month == ""
    with pytest.raises(InvalidChoice, match="'2025-08' is not before 2025-08"):
        choose_months(Market("GA", "2025-08"), "2025-08", demo, loaded)
