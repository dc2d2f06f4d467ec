"""A contract's prices that are one percent of Medicare in several areas are said to be that, wherever they stand."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client

from core.pages.shared.words.provider_words import describe_left_out
from core.queries.market.market import Market
from core.queries.parties.groups import ProviderGroup, list_rates_of_group
from core.queries.parties.provider_rates import list_code_rates
from core.queries.parties.provider_summary import list_family_rates, list_provider_payers, summarize_provider
from core.queries.rates_against_medicare import list_against_medicare
from core.queries.yardstick.medicare import list_comparisons
from core.store.connection import Snapshot
from tests.queries.comparison.area_stores import QUERY, SCHEDULES, TIN, VISIT, store_of_areas
from tests.site import Visitor, serving, text_of

RATES = (103.50, 80.50)
"""115% of Atlanta's $90 and of the rest of Georgia's $70."""


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Return a store of a group with two prices that are one percent, and of one with two that are none."""
    rates = [VISIT | {"group": 0, "negotiated_rate": rate} for rate in RATES]
    others = [VISIT | {"group": 5, "negotiated_rate": rate} for rate in (90.0, 81.11)]
    return store_of_areas(tmp_path_factory.mktemp("percent_of_areas"), rates + others, SCHEDULES)


@pytest.fixture
def visitor(db: Snapshot) -> Iterator[Client]:
    with serving(db.root):
        yield Visitor()


def test_the_rates_page_shows_the_percent_in_place_of_each_price_s_own(visitor: Client) -> None:
    shown = visitor.get(f"/rates/?{QUERY}").content.decode()
    in_words = text_of(visitor.get(f"/rates/?{QUERY}"))
    assert (in_words.count("115% in Atlanta"), in_words.count("115% in Rest Of Georgia")) == (1, 1)
    assert shown.count('title="115%: Rest Of Georgia $80.50, Atlanta $103.50"') == 2
    assert "in Atlanta" not in text_of(visitor.get(f"/rates/?{QUERY}&basis=opps"))


def test_both_percents_of_a_rate_are_named(visitor: Client, db: Snapshot) -> None:
    """The contract's percent is one number, and that of the amount which the rate is compared with is another."""
    rates = text_of(visitor.get(f"/rates/?{QUERY}"))
    assert "115% in Rest Of Georgia 89% of the provider’s area" in rates, (
        "the group's own area is Atlanta: $80.50 of $90"
    )
    assert "115% in Atlanta 115%" not in rates, "where they are the same, one is enough"
    medicare = text_of(visitor.get(f"/medicare/?{QUERY}"))
    assert "89% 115% in 2 areas $80.50 $90.00" in medicare
    assert "115% in 2 areas $103.50" not in medicare
    market = Market("GA", "2025-06", "CPT", "99213")
    for listed in (list_against_medicare(db, market, "rate", 10, 0), list_comparisons(db, market, "rate", 10, 0)):
        found = [(one.negotiated_rate, one.contract_percent, one.contract_percent_of, one.area) for one in listed]
        atlanta, other = found[0][3], {rate: (percent, of) for rate, percent, of, _ in found}
        assert other[80.5] == other[103.5] == (1.15, "in 2 areas")
        assert other[90.0] == other[81.11] == (None, None)
        assert atlanta
        assert "ATLANTA" in atlanta.upper()
    for one in list_against_medicare(db, replace(market, basis="opps"), "rate", 10, 0):
        assert (one.contract_percent, one.contract_percent_of) == (None, None)


def test_a_provider_group_shows_the_percent_and_keeps_the_percent_of_each_rate(db: Snapshot) -> None:
    for uid, percent, areas in (("g0", 1.15, "115%: Rest Of Georgia $80.50, Atlanta $103.50"), ("g5", None, None)):
        group = ProviderGroup(uid, "1", "P", "p", "2025-06", "b", [], True, 1, 0, 0, 2, 1)
        rows = list_rates_of_group(db, group, 10, 0)
        assert [(one.percent_of_areas, one.areas) for one in rows] == [(percent, areas)] * 2
        if percent:
            # Each is still compared with the amount of the group's own area.
            assert [one.percent for one in rows] == pytest.approx([80.5 / 90, 103.5 / 90])


def test_a_tax_id_shows_it_where_all_prices_of_a_row_are_one_percent(tmp_path: Path, db: Snapshot) -> None:
    market = Market("GA", "2025-06", tin=TIN)
    (of_both,) = list_code_rates(db, db, market, 10, 0)[1]
    assert (of_both.prices, of_both.percent_of_areas) == (4, None), "the tax ID has the other group's prices too"
    alone = store_of_areas(tmp_path, [VISIT | {"group": 0, "negotiated_rate": rate} for rate in RATES], SCHEDULES)
    (row,) = list_code_rates(alone, alone, market, 10, 0)[1]
    assert (row.percent_of_areas, row.areas) == (1.15, "115%: Rest Of Georgia $80.50, Atlanta $103.50")
    (other,) = list_code_rates(alone, alone, replace(market, basis="opps"), 10, 0)[1]
    assert other.percent_of_areas is None
    # Each price counts with that percent, not with that of the group's own area.
    summary = summarize_provider(alone, alone, market)
    assert (summary.p10, summary.p50, summary.p90, summary.in_areas) == (1.15, 1.15, 1.15, 2)
    (family,) = list_family_rates(alone, alone, market)
    (payer,) = list_provider_payers(alone, alone, market)
    assert family.p50 == payer.p50 == 1.15
    by_schedule = summarize_provider(alone, alone, replace(market, basis="opps"))
    assert by_schedule.in_areas == 0


def test_placeholders_are_in_no_figure_of_a_tax_id(tmp_path: Path) -> None:
    """Each service has a price that is a likely error beside the one that is paid."""
    rates = [VISIT | {"group": 0, "negotiated_rate": rate} for rate in (99.0, 99.0, 1.8, 2.7)]
    db = store_of_areas(tmp_path, rates, SCHEDULES)
    market = Market("GA", "2025-06", tin=TIN)
    summary = summarize_provider(db, db, market)
    assert (summary.rates, summary.compared, summary.odd, summary.below, summary.above) == (4, 4, 2, 2, 0)
    assert [summary.p10, summary.p50, summary.p90] == pytest.approx([1.1] * 3)
    assert summary.odd_p50 == pytest.approx(0.025)
    assert describe_left_out(summary, "Medicare") == (
        "Not counted, as likely errors: 2 below 50% of Medicare (2.5% in the middle), and over 5 times, or "
        "under 1/5 of, the market’s median."
    )
    counted = summarize_provider(db, db, replace(market, implausible="in"))
    assert (counted.odd, describe_left_out(counted, "Medicare")) == (0, "")
    assert counted.p50 == pytest.approx((0.03 + 1.1) / 2)
    only = store_of_areas(tmp_path / "only", rates[2:], SCHEDULES)
    of_odd = summarize_provider(only, only, market)
    assert of_odd.p50 == pytest.approx(0.025), "where all are such, nothing better is known"
    assert describe_left_out(of_odd, "Medicare") == ""


def test_a_clinic_is_compared_where_areas_differ(visitor: Client, db: Snapshot) -> None:
    (row,) = list_code_rates(db, db, Market("GA", "2025-06", tin=TIN), 10, 0)[1]
    # Of four prices the lower one in the middle, which both groups together are paid.
    assert row.p50 == 81.11
    report = visitor.get(f"/clinic/?state=GA&year_month=2025-06&tin={TIN}&codes={row.code}")
    assert report.status_code == 200
