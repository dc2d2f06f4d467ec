"""The answer on top of a code's page equals what is computed from its rates one by one."""

import re
from collections import defaultdict
from html import unescape
from pathlib import Path

import pytest

from core.pages.formats import write_dollars
from core.pages.shared.words.answer_words import describe_terms
from core.queries.code_answer import AnswerSpread, answer_code, spread_by_terms
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.rates_against_medicare import list_against_medicare
from core.queries.yardstick import medicare
from core.store.connection import Snapshot
from tests.quality.fitted_rates import CODES, PHYSICIANS, store_with
from tests.queries import slow
from tests.queries.comparison.fee_schedules import AN_OFFICE_VISIT, differing
from tests.site import Visitor, serving, text_of


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
        assert_odd_left_out(spread, of_spread, [row.negotiated_rate for row in rates[None, *spread.terms]])
        assert spread.percent_p50 == (pytest.approx(slow.percentile(percents, 0.5)) if percents else None)
    answer = answer_code(found)
    if answer:
        assert answer.everybody.rates == max(row.rates for row in found)
        assert sum(row.rates for row in answer.payers) == answer.everybody.rates
    with market_cache(placed, market, areas="area" not in filters) as cached:
        assert spread_by_terms(cached, market) == found


def assert_odd_left_out(spread: AnswerSpread, rows: list[medicare.Comparison], others: list[float]) -> None:
    within = [row.negotiated_rate for row in rows if row.percent is None or 0.5 <= row.percent <= 30]
    left = slow.without_far(within, others)
    assert spread.implausible == len(rows) - len(within)
    assert spread.far_from_others == len(within) - len(left)
    figures = (spread.plausible_lowest, spread.plausible_highest, spread.plausible_mean)
    assert figures == ((min(left), max(left), pytest.approx(slow.mean(left))) if left else (None, None, None))


def test_an_implausible_rate_is_left_out_of_the_extremes_and_the_mean(tmp_path: Path) -> None:
    first, second = CODES[:2]
    paid = {first: 1.2, second: 1.0}
    rates = [
        differing(AN_OFFICE_VISIT, {"code": code, "negotiated_rate": PHYSICIANS[code] * multiple * times})
        for code, multiple in paid.items()
        for times in (0.01, 1.0, 1.5, 100.0)
    ]
    db = store_with(tmp_path, rates)
    for code, multiple in paid.items():
        market = Market("GA", "2025-06", "CPT", code)
        (spread, *_) = spread_by_terms(db, market)
        compared = medicare.list_comparisons(db, market, "rate", 10, 0)
        assert_odd_left_out(spread, compared, [row.negotiated_rate for row in compared])
        assert (spread.rates, spread.implausible) == (4, 2)
        assert spread.p50 == pytest.approx(PHYSICIANS[code] * multiple * 1.25), "medians have all rates"
        with serving(db.root):
            shown = Visitor().get("/rates/", {"state": "GA", "code": code, "area": "state"})
            assert shown.content.decode().count('<small class="odd">implausible</small>') >= 4
            assert "2 rates are implausible, below 50% or above 3,000% of Medicare" in text_of(shown)
            (link,) = re.findall(r'href="([^"]*implausible=out[^"]*)">Leave them out', shown.content.decode())
            without = Visitor().get(unescape(link))
            spreads = text_of(without).partition("Median % of Medicare")[2].partition("Download")[0]
            assert "implausible rates, below 50%" in spreads
            assert write_dollars(spread.plausible_lowest) in spreads
            assert write_dollars(spread.plausible_mean) in spreads
            assert write_dollars(spread.lowest) not in spreads
            assert write_dollars(spread.p50) in spreads


FAR = [30.0, 31.0, 33.0, 35.0, 36.0, 38.0, 40.0, 42.0, 44.0, 7.0, 210.0, 184.5, 37.0]
"""Rates of 2 codes: their median is $37, so that $7 and $210 are far from the others, and $184.50 is not."""


def test_a_rate_far_from_the_others_is_marked_and_left_out_with_one_click(tmp_path: Path) -> None:
    code, few = CODES[0], CODES[3]
    rates = [differing(AN_OFFICE_VISIT, {"code": code, "negotiated_rate": amount}) for amount in FAR]
    rates += [differing(AN_OFFICE_VISIT, {"code": few, "negotiated_rate": amount}) for amount in FAR[-9:]]
    db = store_with(tmp_path, rates)
    (spread, *_) = spread_by_terms(db, Market("GA", "2025-06", "CPT", few))
    assert (spread.rates, spread.far_from_others) == (9, 0), "nine are too few"
    market = Market("GA", "2025-06", "CPT", code)
    together, of_payer = spread_by_terms(db, market)
    for one in (together, of_payer):
        assert one.p50 == 37, "medians have all rates"
        assert one.far_from_others + one.implausible == 2
        assert (one.lowest, one.highest, one.plausible_lowest, one.plausible_highest) == (7, 210, 30, 184.5)
    far = {row.negotiated_rate for row in list_against_medicare(db, market, "rate", 20, 0) if row.far_from_others}
    assert far == {7, 210}
    with serving(db.root):
        shown = Visitor().get("/rates/", {"state": "GA", "code": code, "area": "state"})
        assert "far from the others: over five times the median of" in text_of(shown)
        rows = shown.content.decode().partition("All rates</h2>")[2]
        assert rows.count("far from the others") == 2
        (link,) = re.findall(r'href="([^"]*implausible=out[^"]*)">Leave', shown.content.decode())
        without = text_of(Visitor().get(unescape(link))).partition("Median % of Medicare")[2].partition("Download")[0]
        assert "$184.50" in without
        assert "$210.00" not in without


def test_terms_in_words() -> None:
    assert describe_terms("professional", "", {"26", "none"}) == (
        "the professional fee, the reading and the technical part together"
    )
    assert describe_terms("professional", "", {"none"}) == "the professional fee"
    assert describe_terms("professional", "26", {"26"}) == "the professional fee, the reading alone (modifier 26)"
    assert describe_terms(None, "50,LT", ()) == "billing class not stated, with modifier 50 and LT"
    sides = ["non-facility or unstated"], ["facility or unstated"], ["office", "inpatient"]
    assert [describe_terms("institutional", "", (), side) for side in sides] == [
        "the facility fee outside facilities", "the facility fee in facilities",
        "the facility fee in an office or as an inpatient",
    ]  # fmt: skip
