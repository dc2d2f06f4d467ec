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
        assert_implausible_left_out(spread, of_spread)
        assert spread.percent_p50 == (pytest.approx(slow.percentile(percents, 0.5)) if percents else None)
    answer = answer_code(found)
    if answer:
        assert answer.everybody.rates == max(row.rates for row in found)
        assert sum(row.rates for row in answer.payers) == answer.everybody.rates
    with market_cache(placed, market, areas="area" not in filters) as cached:
        assert spread_by_terms(cached, market) == found


def assert_implausible_left_out(spread: AnswerSpread, rows: list[medicare.Comparison]) -> None:
    left = [row.negotiated_rate for row in rows if row.percent is None or 0.5 <= row.percent <= 30]
    assert spread.implausible == len(rows) - len(left)
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
        assert_implausible_left_out(spread, medicare.list_comparisons(db, market, "rate", 10, 0))
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
