"""Every figure of a code is that of its rates without likely errors, one by one."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.fields.codes.basket_list import read_basket
from core.fields.codes.code_list import WantedCode
from core.queries.baskets.basket_answer import BasketAnswer, BasketQuestion, answer_basket
from core.queries.baskets.basket_codes import basket_codes
from core.queries.baskets.clinic_answer import ClinicQuestion, answer_clinic
from core.queries.baskets.clinic_rows import Clinic
from core.queries.baskets.wide_tables import list_organization_prices
from core.queries.code_answer import list_middles, spread_by_terms
from core.queries.comparison.left_out import count_left_out
from core.queries.histogram import build_histogram
from core.queries.market.market import Market
from core.queries.market.market_rates import facts_in_memory, market_cache
from core.queries.middle_organization import find_middle_organization
from core.queries.over_time.trend import list_points
from core.queries.parties.organizations import count_totals, list_organizations
from core.queries.parties.shared_contracts import list_contracts
from core.queries.profiles import break_down
from core.queries.rates import list_rates, summarize_rates
from core.queries.rates_against_medicare import list_against_medicare, summarize_against_medicare
from core.queries.side_by_side.payer_comparison import compare_payers
from core.queries.yardstick.medicare import count_outcomes, list_comparisons, summarize_percents
from core.queries.yardstick.medicare_amounts import count_amount_lines, find_amounts
from core.store.connection import Snapshot
from tests.quality.fitted_rates import CODES, HOSPITALS, PHYSICIANS, store_with
from tests.queries import slow
from tests.queries.comparison.fee_schedules import AN_OFFICE_VISIT, Row
from tests.queries.one_market import MARKET, store_of_market, with_fee

CODE = CODES[0]
PAYS = {"professional": PHYSICIANS[CODE], "institutional": HOSPITALS[CODE], None: None}
"""What Medicare pays for the code by class: nothing for a rate whose file states no class."""
PAYERS = ("Example Payer", "Another Payer")
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)

TIMES = st.sampled_from([0, 0.04, 0.19, 0.3, 0.49, 0.5, 0.9, 1.1, 1.3, 1.5, 1.9, 4, 8, 29, 31, 80])


def a_rate(times: float, **change: Any) -> Row:
    row: Row = {**AN_OFFICE_VISIT, "code": CODE, "reporting_entity_name": PAYERS[0], **change}
    return row | {"negotiated_rate": round(times * (PAYS[row["billing_class"]] or 100), 4)}


RATES = st.builds(
    a_rate,
    TIMES,
    billing_class=st.sampled_from(["professional"] * 5 + ["institutional", None]),
    billing_code_modifier=st.sampled_from([""] * 9 + ["26"]),
    negotiated_type=st.sampled_from(["negotiated"] * 9 + ["percentage"]),
    reporting_entity_name=st.sampled_from(PAYERS),
    places=st.sampled_from([["11"], ["11"], []]),
)

AN_ODD_OFFICE_VISIT = [a_rate(times) for times in (0.04, *[1 + step / 30 for step in range(23)])]
"""24 rates, of which one is 4% of Medicare."""


def amount_of(row: Row) -> float | None:
    """Return what Medicare pays, if it prices the rate. A facility's bill for an office is priced by nothing."""
    is_priced = slow.kind(row) == "dollars" and not row["billing_code_modifier"] and row["negotiated_rate"]
    if not is_priced or (row["billing_class"] == "institutional" and row["places"]):
        return None
    return PAYS[row["billing_class"]]


def find_left_out(rates: list[Row], row: Row) -> bool:
    """Return whether figures leave out one of the rates: it is implausible, and beyond the others of its class."""
    others = [
        one["negotiated_rate"]
        for one in rates
        if slow.kind(one) == "dollars"
        and all(one[name] == row[name] for name in ("billing_class", "billing_code_modifier"))
    ]
    amount = amount_of(row)
    if amount is None:
        return False
    is_implausible = not 0.5 <= row["negotiated_rate"] / amount <= 30
    return is_implausible and slow.is_beyond(row["negotiated_rate"], others)


def a_store(root: Path, rates: list[Row]) -> Snapshot:
    bridge = [{"reporting_entity_name_raw": name, "payer_slug": name.lower().replace(" ", "_")} for name in PAYERS]
    return store_with(root, rates, dim_payer_bridge=bridge)


def percentiles(values: list[float]) -> Any:
    return pytest.approx([slow.percentile(values, share) for share in SHARES])


def assert_middle(rates: int, p50: float, values: list[float]) -> None:
    assert rates == len(values)
    assert p50 == pytest.approx(slow.percentile(values, 0.5))


def assert_figures(db: Snapshot, market: Market, rates: list[Row]) -> None:
    """Assert that all figures are of the same rates: those of the market that are not left out."""
    asked = [one for one in rates if market.payer in {None, one["reporting_entity_name"].lower().replace(" ", "_")}]
    counted = [one for one in asked if market.implausible or not find_left_out(rates, one)]
    dollars = [one for one in counted if slow.kind(one) == "dollars"]
    amounts: dict[Any, list[float]] = defaultdict(list)
    for one in dollars:
        terms = one["billing_class"], one["billing_code_modifier"]
        amounts[None, *terms].append(one["negotiated_rate"])
        amounts[one["reporting_entity_name"], *terms].append(one["negotiated_rate"])
    spreads = {(row.reporting_entity_name, *row.terms): row for row in spread_by_terms(db, market)}
    assert spreads.keys() == amounts.keys()
    for key, row in spreads.items():
        values = amounts[key]
        assert (row.rates, row.lowest, row.highest) == (len(values), min(values), max(values))
        assert row.percentiles == percentiles(values)
        assert row.mean == pytest.approx(slow.mean(values))
        left_out = [
            one for one in asked
            if find_left_out(rates, one) and key[0] in {None, one["reporting_entity_name"]}
            and (one["billing_class"], one["billing_code_modifier"]) == key[1:]
        ]  # fmt: skip
        assert row.left_out == (0 if market.implausible else len(left_out))
    for middle in list_middles(db, market):
        assert_middle(middle.rates, middle.p50, amounts[None, middle.billing_class, middle.modifier])
    summaries = summarize_rates(db, market)
    assert sum(summary.rates for summary in summaries) == len(counted)
    for summary in summaries:
        if summary.kind == "dollars":
            of_summary = amounts[summary.reporting_entity_name, summary.billing_class, summary.modifier]
            assert_middle(summary.rates, summary.p50, of_summary)
    for point in list_points(db, market) if db.market_values is None else []:
        assert_middle(point.rates, point.p50, amounts[point.reporting_entity_name, *point.terms])
    above_zero = [one["negotiated_rate"] for one in dollars if one["negotiated_rate"]]
    histogram = build_histogram(db, market)
    assert histogram.below + histogram.above + sum(one.rates for one in histogram.bins) == len(above_zero)
    assert histogram.lowest == min(above_zero, default=None)
    percents: dict[str, list[float]] = defaultdict(list)
    for one in dollars:
        if amount := amount_of(one):
            percents[one["reporting_entity_name"]].append(one["negotiated_rate"] / amount)
    of_payers = {row.reporting_entity_name: row for row in summarize_percents(db, market)}
    assert of_payers.keys() == percents.keys()
    for payer, spread in of_payers.items():
        assert (spread.rates, [spread.p10, spread.p25, spread.p50, spread.p75, spread.p90]) == (
            len(percents[payer]), percentiles(percents[payer])
        )  # fmt: skip
    outcomes = count_outcomes(db, market)
    compared = sum(map(len, percents.values()))
    assert (outcomes.total, outcomes.compared) == (len(counted), compared)
    amounts_of_code = find_amounts(db, market)
    assert sum(line.rates for line in count_amount_lines(amounts_of_code)) == compared
    terms_of_rates = {(one["billing_class"], one["billing_code_modifier"]) for one in asked}
    assert {(terms.billing_class, terms.modifier) for terms in amounts_of_code} == terms_of_rates, "of lists too"
    assert count_left_out(db, market) == sum(find_left_out(rates, one) for one in asked)


def assert_listed(db: Snapshot, market: Market, rates: list[Row]) -> None:
    """Assert that lists have every rate, those that are left out with their mark."""
    expected = sorted((one["negotiated_rate"], find_left_out(rates, one)) for one in rates)
    for listed in (list_rates, list_against_medicare, list_comparisons):
        assert sorted((row.negotiated_rate, row.left_out) for row in listed(db, market, "rate", 100, 0)) == expected


@pytest.mark.in_turns(4, of="answers of many pages")
@settings(max_examples=8)
@given(st.lists(RATES, min_size=8, max_size=24), st.sampled_from([{}, {"payer": "example_payer"}]))
@example(AN_ODD_OFFICE_VISIT, {})
@example([a_rate(0.04), *[a_rate(1.5, reporting_entity_name="Another Payer")] * 12], {"payer": "example_payer"})
def test_all_figures_are_of_the_rates_that_are_not_left_out(rates: list[Row], filters: dict[str, str]) -> None:
    with TemporaryDirectory() as root:
        db = a_store(Path(root), rates)
        market = Market("GA", "2025-06", "CPT", CODE, **filters)
        assert_listed(db, market.without("payer"), rates)
        assert_figures(db, market, rates)
        for asked in (market, replace(market, implausible="in")):
            with market_cache(db, asked) as cached:
                assert_figures(cached, asked, rates)
        with facts_in_memory(db, market.without("payer")) as memory:
            expected = sorted((one["negotiated_rate"], find_left_out(rates, one)) for one in rates)
            listed = list_rates(memory, market.without("payer"), "rate", 100, 0)
            assert sorted((row.negotiated_rate, row.left_out) for row in listed) == expected


def test_one_rate_that_nobody_can_mean_moves_no_figure(tmp_path: Path) -> None:
    """The figures of 24 rates of which one is 4% of Medicare are those of the 23 others."""
    db, without = (
        a_store(tmp_path / name, some)
        for name, some in (("all", AN_ODD_OFFICE_VISIT), ("without", AN_ODD_OFFICE_VISIT[1:]))
    )
    market = Market("GA", "2025-06", "CPT", CODE)
    for ask in (list_middles, summarize_rates, build_histogram, summarize_percents, list_points):
        assert ask(db, market) == ask(without, market)
    spreads = spread_by_terms(db, market)
    assert [row.left_out for row in spreads] == [1, 1]
    assert [replace(row, left_out=0) for row in spreads] == spread_by_terms(without, market)
    assert [(row.rates, row.left_out) for row in summarize_against_medicare(db, market)] == [(23, 1)]
    counted = replace(market, implausible="in")
    assert spread_by_terms(db, counted)[0].rates == 24
    assert spread_by_terms(db, counted)[0].lowest == AN_ODD_OFFICE_VISIT[0]["negotiated_rate"]


def test_a_part_of_the_rates_below_half_of_medicare_is_not_left_out(tmp_path: Path) -> None:
    """A payer may mean prices below half of Medicare: 6 of 30 rates at 45% stay, and one at 4% does not."""
    rates = [a_rate(0.45)] * 6 + [a_rate(1.2)] * 23 + [a_rate(0.04)]
    db = a_store(tmp_path, rates)
    together, _ = spread_by_terms(db, Market("GA", "2025-06", "CPT", CODE))
    assert (together.rates, together.left_out, together.implausible) == (29, 1, 6)


def test_nothing_is_left_out_without_an_amount_of_medicare(tmp_path: Path) -> None:
    """Also of a few rates, one that Medicare's amount and the others speak against is left out."""
    few, unpriced = CODE, "29999"
    rates = [a_rate(0.04, code=few), *[a_rate(1.3, code=few)] * 3]
    rates += [a_rate(0.04, code=unpriced), *[a_rate(1.3, code=unpriced)] * 20]
    db = a_store(tmp_path, rates)
    for code, counted, left_out in ((few, 3, 1), (unpriced, 21, 0)):
        together, _ = spread_by_terms(db, Market("GA", "2025-06", "CPT", code))
        assert (together.rates, together.left_out) == (counted, left_out)


@pytest.mark.in_turns(4, of="answers of many pages")
def test_payers_organizations_places_and_baskets_are_without_it_too(tmp_path: Path) -> None:
    """Every answer about 23 rates, of which one cannot be meant, is the answer of a store without it."""
    others = [{"negotiated_rate": 95.0 + 7 * at, "group": at % 2, "reporting_entity_name": f"Payer {'AB'[at % 3 == 0]}"}
              for at in range(22)]  # fmt: skip
    with_it = with_fee(store_of_market(tmp_path / "all", *others, {"negotiated_rate": 4.22}), 86.34)
    without = with_fee(store_of_market(tmp_path / "without", *others), 86.34)

    def ask(db: Snapshot, **asked: str) -> list[Any]:
        market = replace(MARKET, modifier="none", **asked)
        basket = BasketQuestion(
            replace(market, code_type=None, code=None), basket_codes(db, read_basket(MARKET.code or ""))
        )
        with market_cache(db, market) as cached:
            organization = find_middle_organization(cached, market)
        return [
            compare_payers(db, market, [WantedCode("CPT", MARKET.code or "")], None)[0],
            [replace(one, errors=0) for one in answer_basket(db, basket).medians],
            organization,
            replace(count_totals(db, market), dollars=0),
            list_organizations(db, market, "rates", 9, 0),
            [vars(row) | {"parties": ()} for row in list_contracts(db, market, "p50", 9, 0).rows],
            break_down(db, market, "county")[0],
            spread_by_terms(db, market)[0].p50,
        ]

    def ask_basket(db: Snapshot, **asked: str) -> BasketAnswer:
        codes = basket_codes(db, read_basket(MARKET.code or ""))
        return answer_basket(db, BasketQuestion(replace(MARKET, code_type=None, code=None, **asked), codes))

    assert [ask_basket(db, **asked).errors for db in (with_it, without) for asked in ({}, {"implausible": "in"})] == [
        1, 1, 0, 0,
    ]  # fmt: skip
    expected = ask(without)
    assert [*map(repr, ask(with_it)[:-1])] == [*map(repr, expected[:-1])]
    assert ask(with_it)[-1] == expected[-1]
    counted = ask(with_it, implausible="in")
    differing = [one != other for one, other in zip(counted, expected, strict=True)]
    assert differing.count(True) >= 6, "in all of them, if it is asked in"


@pytest.mark.parametrize("filters", [{"payer": "payer_b"}, {"tin": "100000003"}])
def test_the_others_of_many_codes_are_all_rates_of_the_state(tmp_path: Path, filters: dict[str, str]) -> None:
    """Where most rates that a filter leaves are errors, the honest ones would be far from the middle of these."""
    others = [{"negotiated_rate": 95.0 + 7 * at, "group": at % 2} for at in range(12)]
    own = [{"negotiated_rate": rate, "group": 3, "reporting_entity_name": "Payer B"}
           for rate in (4.22, 4.5, 4.8, 90.0, 92.0)]  # fmt: skip
    db = with_fee(store_of_market(tmp_path, *others, *own), 86.34)
    market = replace(MARKET, modifier="none", **filters)
    (page,) = (row for row in spread_by_terms(db, market) if row.reporting_entity_name)
    assert (page.rates, page.p50, page.left_out) == (2, 91.0, 3)
    codes = basket_codes(db, read_basket(MARKET.code or ""))
    of_list = market.without("code_type", "code")
    basket = answer_basket(db, BasketQuestion(of_list, codes))
    assert ([(one.rates, one.p50) for one in basket.medians], basket.errors) == ([(2, 91.0)] * 2, 3)
    assert [one.price for one in list_organization_prices(db, basket)] == [90.0]
    spreads = compare_payers(db, of_list, [WantedCode("CPT", MARKET.code or "")], None)[0]
    assert [(row.rates, row.p50) for row in spreads if row.payer_slug == "payer_b"] == [(2, 91.0)]
    clinic = answer_clinic(db, ClinicQuestion(of_list.without("tin"), Clinic(None, "100000003", ()), codes=codes)).found
    assert [(row.rates, row.rate, row.odd_prices) for row in clinic.rows if row.rate] == [(2, 90.0, 3)]
    assert clinic.errors == 3
    counted = answer_basket(db, BasketQuestion(replace(of_list, implausible="in"), codes))
    assert ([(one.rates, one.p50) for one in counted.medians], counted.errors) == ([(5, 4.8)] * 2, 3)
