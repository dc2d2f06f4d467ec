"""The market that a question means when it leaves something out."""

from datetime import UTC, datetime

import pytest

from core.pages.shared.market_choice import InvalidChoice, choose_market, choose_months, choose_provider_market
from core.queries import coverage
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.parties.providers import LoadedPeriod
from core.queries.rates import count_rates
from core.store.connection import Snapshot


def test_the_newest_month_is_meant(demo: Snapshot) -> None:
    found = choose_market(Market("", ""), demo).market
    assert (found.state, found.one_month, found.year_month) == ("GA", "2025-08", "")
    assert choose_market(Market("", "2025-07"), demo).market == Market("GA", "2025-07")
    found = choose_market(Market("TX", ""), demo).market
    assert (found.state, count_rates(demo, found)) == ("TX", 0), "what is asked for stays"


def test_a_code_finds_its_system(demo: Snapshot) -> None:
    asked = Market("GA", "2025-08", code="450")
    found = choose_market(asked, demo)
    assert found.market.of_code == Market("GA", "2025-08", "REV", "0450")
    # Emergency rooms: of inpatients and of outpatients.
    assert [one.settings for one in found.classes if one.chosen] == [["hospital outpatient"]]
    assert asked.code_type is None, "the question is not changed"
    mislabeled = choose_market(Market("GA", "2025-08", "HCPCS", "99213"), demo)
    assert mislabeled.market.code_type == "CPT", "where the code is loaded"
    assert (mislabeled.market.billing_class, mislabeled.market.modifier) == ("professional", "none")
    assert not mislabeled.values["billing_class"], "which is no part of what was asked"
    unknown = Market("GA", "2025-08", "HCPCS", "G9999")
    assert choose_market(unknown, demo).market == unknown


def test_a_provider_is_looked_for_where_it_is(demo: Snapshot) -> None:
    periods = [LoadedPeriod("FL", "2025-08", 3), LoadedPeriod("GA", "2025-07", 1)]
    assert choose_provider_market(Market("", ""), demo, periods).market == Market("FL", "2025-08")
    assert choose_provider_market(Market("GA", ""), demo, periods).market == Market("GA", "2025-07")
    assert choose_provider_market(Market("", ""), demo, []).market == Market("", "")
    now = choose_provider_market(Market("GA", ""), demo, [LoadedPeriod("GA", "2025-08", 3), *periods]).market
    assert now == with_latest(demo, Market("GA", "")), "each payer with its newest month"


def test_the_earlier_month_is_the_one_before(demo: Snapshot) -> None:
    loaded = coverage.list_coverage(demo)
    choice = choose_months(Market("", ""), "", demo, loaded)
    assert (choice.market.year_month, choice.earlier_month) == ("2025-08", "2025-07")
    assert choose_months(Market("GA", "2025-07"), "", demo, loaded).earlier_month == ""
    with pytest.raises(InvalidChoice, match="'2025-08' is not before 2025-08"):
        choose_months(Market("GA", "2025-08"), "2025-08", demo, loaded)


def test_the_months_of_a_payer_are_its_own(demo: Snapshot) -> None:
    """The payer's months are older than those of the store, and differ between two states."""
    now = datetime(2025, 9, 1, tzinfo=UTC)
    loaded = [
        coverage.Coverage(state, month, "Payer", "payer", 1, 1, now)
        for month, state in (("2025-06", "GA"), ("2025-05", "FL"), ("2025-04", "GA"), ("2025-03", "FL"))
    ]

    def months(asked: Market, earlier: str = "") -> tuple[str, str, str]:
        choice = choose_months(asked, earlier, demo, loaded)
        return choice.market.state, choice.market.year_month, choice.earlier_month

    assert months(Market("", "", payer="payer")) == ("GA", "2025-06", "2025-04")
    assert months(Market("FL", "", payer="payer")) == ("FL", "2025-05", "2025-03")
    assert months(Market("", "2025-05", payer="payer")) == ("FL", "2025-05", "2025-03")
    assert months(Market("", "", payer="payer"), "2025-05") == ("GA", "2025-06", "2025-05")
    assert months(Market("", "2025-04", payer="payer")) == ("GA", "2025-04", "")
    # The payer's newest month is not later than itself: the store's newest month is compared with it instead.
    assert months(Market("", "", payer="payer"), "2025-06") == ("GA", "2025-08", "2025-06")
    with pytest.raises(InvalidChoice, match="'2025-06' is not before"):
        months(Market("GA", "2025-06", payer="payer"), "2025-06")
