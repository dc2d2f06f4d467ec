"""The answer on top of a code's page equals what is computed from its rates one by one."""

import re
from collections import defaultdict
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from core.pages.formats import write_dollars, write_percent
from core.pages.shared.words.answer_words import describe_terms
from core.queries.code_answer import AnswerSpread, answer_code, spread_by_terms
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.rates_against_medicare import list_against_medicare
from core.queries.yardstick import medicare
from core.store.connection import Snapshot
from tests.quality.fitted_rates import CODES, PHYSICIANS, schedules, store_with
from tests.queries import slow
from tests.queries.comparison.fee_schedules import AN_OFFICE_VISIT, differing
from tests.site import Visitor, serving, text_of


@pytest.mark.parametrize("code", ["99213", "70450", "97110"])
@pytest.mark.parametrize("filters", [{}, {"billing_class": "professional", "area": "state"}, {"modifier": "26"}])
def test_spreads_are_those_of_the_single_rates(placed: Snapshot, code: str, filters: dict[str, str]) -> None:
    market = Market("GA", "2025-08", "CPT", code, **filters)
    rates: dict[tuple[str | None, str | None, str], list[medicare.Comparison]] = defaultdict(list)
    for row in medicare.list_comparisons(placed, market, "rate", 10_000, 0):
        if row.kind == "dollars" and not row.left_out:
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
        assert_odd_marked(spread, of_spread, [row.negotiated_rate for row in rates[None, *spread.terms]])
        assert spread.percent_p50 == (pytest.approx(slow.percentile(percents, 0.5)) if percents else None)
    answer = answer_code(found)
    if answer:
        assert answer.everybody.rates == max(row.rates for row in found)
        assert sum(row.rates for row in answer.payers) == answer.everybody.rates
    with market_cache(placed, market, areas="area" not in filters) as cached:
        assert spread_by_terms(cached, market) == found


def assert_odd_marked(spread: AnswerSpread, rows: list[medicare.Comparison], others: list[float]) -> None:
    within = [row.negotiated_rate for row in rows if row.percent is None or 0.5 <= row.percent <= 30]
    left = slow.without_far(within, others)
    assert spread.implausible == len(rows) - len(within)
    assert spread.far_from_others == len(within) - len(left)
    figures = (spread.plausible_lowest, spread.plausible_highest, spread.plausible_mean)
    assert figures == ((min(left), max(left), pytest.approx(slow.mean(left))) if left else (None, None, None))


def test_the_page_says_once_what_is_left_out_and_counts_it_with_one_click(tmp_path: Path) -> None:
    """Of 24 rates of an office visit, one is 5% of Medicare."""
    code = CODES[0]
    counted = [1.05, 1.11, *[1.2 + step / 50 for step in range(21)]]
    rates = [
        differing(AN_OFFICE_VISIT, {"code": code, "negotiated_rate": round(PHYSICIANS[code] * times, 2)})
        for times in (0.05, *counted)
    ]
    db = store_with(tmp_path, rates)
    market = Market("GA", "2025-06", "CPT", code)
    (without, *_), (within, *_) = spread_by_terms(db, market), spread_by_terms(db, replace(market, implausible="in"))
    assert (without.rates, without.left_out, within.rates, within.left_out) == (23, 1, 24, 0)
    assert (without.p10 / within.p10, without.percent_p50) != (1, within.percent_p50)
    with serving(db.root):
        for path in ("/rates/", "/report/", "/medicare/"):
            shown = Visitor().get(path, {"state": "GA", "code": code, "area": "state"})
            text = text_of(shown)
            assert text.count("left out of all figures") == 1, path
            assert "1 more rate is left out of all figures, as a likely error of the file: below 50%" in text
            said = write_percent if path == "/medicare/" else write_dollars
            middle = (without.percent_p50, within.percent_p50) if path == "/medicare/" else (without.p50, within.p50)
            assert said(middle[0]) in text
            (link,) = re.findall(r'href="([^"]*implausible=in[^"]*)">Count it', shown.content.decode())
            everything = text_of(Visitor().get(unescape(link)))
            assert "1 of these rates is a likely error of the file, counted in all figures" in everything
            assert said(middle[1]) in everything
        out = Visitor().get("/rates/", {"state": "GA", "code": code, "area": "state", "implausible": "out"})
        text = text_of(out)
        assert "half of the 23 rates" in text
        assert "left out of all figures" in text
        assert "implausible=out" not in out.content.decode().partition("<main")[2].partition("Cite")[0]
        rows = text.partition("All rates")[2]
        assert "5.0% implausible" in rows
        assert "left out" in rows


FAR = [30.0, 31.0, 33.0, 35.0, 36.0, 38.0, 40.0, 42.0, 44.0, 7.0, 210.0, 184.5, 37.0]
"""Rates of a code that is $27: their median is $37, $7 is implausible and far from the others, $210 only far."""


def test_a_rate_far_from_the_others_is_marked_and_counts_if_it_is_plausible(tmp_path: Path) -> None:
    code, few = CODES[0], CODES[3]
    fees = {"physicians": {code: 27.0, few: 27.0}}
    rates = [differing(AN_OFFICE_VISIT, {"code": code, "negotiated_rate": amount}) for amount in FAR]
    rates += [differing(AN_OFFICE_VISIT, {"code": few, "negotiated_rate": amount}) for amount in FAR[-3:]]
    db = store_with(tmp_path, rates, schedules(**fees))
    (spread, *_) = spread_by_terms(db, Market("GA", "2025-06", "CPT", few))
    assert (spread.rates, spread.far_from_others) == (3, 0), "three are too few"
    market = Market("GA", "2025-06", "CPT", code)
    for one in spread_by_terms(db, market):
        assert (one.rates, one.left_out, one.far_from_others, one.implausible) == (12, 1, 1, 0)
        assert (one.lowest, one.highest, one.plausible_lowest, one.plausible_highest) == (30, 210, 30, 184.5)
    marked = {row.negotiated_rate: row.left_out for row in list_against_medicare(db, market, "rate", 20, 0)
              if row.far_from_others}  # fmt: skip
    assert marked == {7: True, 210: False}
    with serving(db.root):
        shown = Visitor().get("/rates/", {"state": "GA", "code": code, "area": "state"})
        assert "1 rate is far from the others: over five times the median of" in text_of(shown)
        rows = shown.content.decode().partition("All rates</h2>")[2]
        assert rows.count("far from the others") == 2
        assert rows.count("left out") == 1


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
