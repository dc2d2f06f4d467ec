"""Every question's answer against the slow one, on the demo and on files of every shape."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.load.load_file import load_file
from core.load.rate_filters import RateFilter
from core.queries import coverage
from core.queries.facets import count_choices
from core.queries.find import codes
from core.queries.histogram import build_histogram
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache, percent_cache
from core.queries.yardstick import medicare
from core.store import keyed_rows
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.store.market import market_facts
from core.tic.source import open_documents
from tests.queries.answers import a_market, assert_all_answers, assert_facets, assert_histogram, assert_medicare
from tests.queries.slow import Everything
from tests.stores import open_snapshot


@given(data=st.data())
def test_choices_of_each_filter_against_the_slow_answer(
    demo: Snapshot, everything: Everything, data: st.DataObject
) -> None:
    market = data.draw(a_market(everything))
    assert_facets(demo, everything, market)
    assert_histogram(demo, everything, market)


@given(data=st.data())
def test_choices_of_each_filter_on_odd_rates(odd: Snapshot, odd_everything: Everything, data: st.DataObject) -> None:
    everything = odd_everything
    market = data.draw(a_market(everything))
    assert_facets(odd, everything, market)
    assert_histogram(odd, everything, market)


@pytest.mark.in_turns(4, of="answers of many pages")
@given(data=st.data())
def test_answers_from_memory_are_the_same(odd: Snapshot, odd_everything: Everything, data: st.DataObject) -> None:
    everything = odd_everything
    market = data.draw(a_market(everything))
    with market_cache(odd, market) as cached:
        assert_all_answers(cached, everything, market)
        assert {name: set(choices) for name, choices in count_choices(cached, market).items()} == {
            name: set(choices) for name, choices in count_choices(odd, market).items()
        }
        assert build_histogram(cached, market) == build_histogram(odd, market)


@settings(max_examples=4)
@given(data=st.data())
def test_a_market_without_a_code_is_compared_once(
    odd: Snapshot, odd_everything: Everything, data: st.DataObject
) -> None:
    market = data.draw(a_market(odd_everything)).without("code", "code_type", "npi", "tin")
    by_uid = {fact["fact_uid"]: fact for fact in odd_everything.of(market)}
    with percent_cache(odd, market) as once:
        assert_medicare(once, odd_everything, market, by_uid)
        for yardstick in (medicare.MEDICARE, medicare.COMPENSATION):
            assert medicare.count_outcomes(once, market, yardstick) == medicare.count_outcomes(odd, market, yardstick)
            assert medicare.summarize_percents(once, market, yardstick) == medicare.summarize_percents(
                odd, market, yardstick
            )


def test_all_questions_of_a_market_find_what_one_comparison_made(odd: Snapshot) -> None:
    db = open_snapshot(Store(odd.root))
    market = Market("TX", "2025-11")
    with percent_cache(db, market) as once:
        medicare.list_comparisons(once, market, "percent", 5, 0)
        made = db.markets.size
        medicare.summarize_percents(once, market)
        medicare.count_outcomes(once, market, medicare.COMPENSATION)
    assert made == 1 == db.markets.size
    with percent_cache(db, market) as later:
        medicare.list_comparisons(later, market, "-rate", 5, 5)
    assert db.markets.size == 1


def test_schedules_are_asked_for_the_codes_of_a_market_only(odd: Snapshot, odd_everything: Everything) -> None:
    """A payer without rates, as of a misspelled address, would be compared with all rows of all schedules."""
    market = Market("GA", "2025-08")
    codes = {fact["code"] for fact in odd_everything.of(market)}
    for asked, of_rates in ((market, codes), (replace(market, payer="nobody"), set())):
        _, parameters = medicare.compare_terms(odd, asked)
        assert {one for one in parameters["codes"].split("\n") if len(one) > 3} == {o for o in of_rates if len(o) > 3}
        assert medicare.count_outcomes(odd, asked).total == len(odd_everything.of(asked))


@pytest.mark.in_turns(4, of="answers of many pages")
@settings(max_examples=4)
@given(data=st.data())
def test_answers_from_the_files_alone_are_the_same(
    odd: Snapshot, odd_everything: Everything, data: st.DataObject
) -> None:
    everything = odd_everything
    market = data.draw(a_market(everything))
    with pytest.MonkeyPatch.context() as patch:
        # Too many rows to be kept in memory: every question reads the files.
        patch.setattr(market_facts, "MAX_ROWS", -1)
        patch.setattr(keyed_rows, "MAX_ROWS", -1)
        db = open_snapshot(Store(odd.root))
        assert_all_answers(db, everything, market)
        assert_facets(db, everything, market)
        with market_cache(db, market) as cached:
            assert cached.code_values is None
            assert_all_answers(cached, everything, market)


@settings(max_examples=4)
@given(data=st.data())
def test_answers_on_the_demo(demo: Snapshot, everything: Everything, data: st.DataObject) -> None:
    assert_all_answers(demo, everything, data.draw(a_market(everything)))


@settings(max_examples=4)
@given(data=st.data())
def test_answers_on_odd_rates(odd: Snapshot, odd_everything: Everything, data: st.DataObject) -> None:
    assert_all_answers(odd, odd_everything, data.draw(a_market(odd_everything)))


def test_what_is_loaded(demo: Snapshot) -> None:
    rows = coverage.list_coverage(demo)
    facts = Everything(demo).facts
    assert sum(row.rates for row in rows) == len(facts)
    for row in rows:
        mine = [
            f
            for f in facts
            if (f["year_month"], f["reporting_entity_name"]) == (row.year_month, row.reporting_entity_name)
        ]
        assert (row.rates, row.files, row.state) == (len(mine), 1, "GA")
    assert [(period.year_month, period.payers) for period in coverage.list_periods(demo)] == [
        ("2025-08", 3),
        ("2025-07", 3),
    ]
    busiest = codes.list_busiest_codes(demo, Market("GA", "2025-08"), 3)
    assert [code.rates for code in busiest] == sorted((code.rates for code in busiest), reverse=True)


@pytest.mark.in_turns(3, of="real payers")
def test_both_evry_months_and_healthscope_together(shared: Path) -> None:
    """The numbers of pages on real data, from the slow answers: two months of one payer and another payer."""
    with TemporaryDirectory() as directory:
        store = Store(Path(directory))
        # The slow answers take minutes for all codes.
        few = RateFilter(codes=("99213", "70553", "0001A", "73721", "0450"))
        for name in ("2025-01-06_Evry-Health", "2025-06-23_Evry-Health", "2023-02-01_HealthSCOPE"):
            source = open_documents(shared / "tic" / "payers" / f"{name}_in-network-rates.json.gz")[0]
            load_file(store, source, "TX", only=few)
        db = open_snapshot(store)
        everything = Everything(db)
        assert len(everything.facts) == 219
        for month, code in (("2025-01", "99213"), ("2025-06", "70553"), ("2023-02", "99213"), ("2023-02", "0001A")):
            assert_all_answers(db, everything, Market("TX", month, "CPT", code))
            assert_histogram(db, everything, Market("TX", month, "CPT", code))
            assert_all_answers(db, everything, Market("TX", month, "CPT", code, pos="11", modifier="none"))
