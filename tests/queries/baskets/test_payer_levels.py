"""A payer's figures by specialty are those of the baskets, and its codes stand against the market."""

import statistics
from dataclasses import replace

import pytest

from core.fields.codes.basket_list import read_basket
from core.pages.shared.words.basket_words import explain_no_index, explain_no_percent
from core.queries import coverage
from core.queries.baskets.basket_answer import BasketQuestion, answer_basket
from core.queries.baskets.basket_codes import basket_codes, codes_of_named
from core.queries.baskets.payer_levels import SpecialtyIndex, list_payer_levels
from core.queries.market.market import Market
from core.store.connection import Snapshot
from core.vocabulary.baskets import named_baskets

AUGUST = Market("GA", "2025-08")


@pytest.mark.in_turns(4, of="answers of many pages")
def test_a_specialty_has_the_index_of_its_basket(demo: Snapshot) -> None:
    found = 0
    for slug, _ in coverage.list_payers(demo):
        levels = list_payer_levels(demo, AUGUST, slug)
        assert levels
        by_basket = {one.basket: one for one in levels.specialties}
        for key, basket in named_baskets().items():
            answer = answer_basket(demo, BasketQuestion(levels.market, codes_of_named(demo, basket), basket))
            of_payer = next((one for one in answer.indexes if one.payer_slug == slug), None)
            assert (key in by_basket) == (of_payer is not None)
            if of_payer is not None:
                one = by_basket[key]
                assert one.percent == (None if of_payer.percent is None else pytest.approx(of_payer.percent))
                assert one.index == (None if of_payer.index is None else pytest.approx(of_payer.index))
                for name in ("codes", "codes_of_basket", "compared", "placed", "coverage", "placed_coverage"):
                    assert getattr(one, name) == pytest.approx(getattr(of_payer, name))
                # The same reasons in the same words.
                assert explain_no_index(one) == explain_no_index(of_payer)
                assert explain_no_percent(one) == explain_no_percent(of_payer)
                found += 1
    assert found > 10


def test_a_payer_s_codes_are_those_that_others_have_too_and_the_lowest_come_first(demo: Snapshot) -> None:
    ((slug, _), *_) = coverage.list_payers(demo)
    levels = list_payer_levels(demo, AUGUST, slug)
    assert levels
    differences = [one.against_others for one in levels.codes if one.against_others is not None]
    assert differences == sorted(differences)
    assert len(differences) == len(levels.codes)
    assert differences
    assert all(one.payer_slug == slug and one.market_rates > one.rates for one in levels.codes)
    assert all(one.difference == pytest.approx(one.price / one.market - 1) for one in levels.codes)
    codes = basket_codes(demo, read_basket(",".join(one.code for one in levels.codes)))
    every = answer_basket(demo, BasketQuestion(levels.market, codes)).named_medians({})
    for one in levels.codes:
        others = [other.price for other in every if other.code == one.code and other.payer_slug != slug]
        assert one.others == pytest.approx(statistics.median(others))
        assert one.against_others == pytest.approx(one.price / statistics.median(others) - 1)
    assert {*levels.others} == {name for other, name in coverage.list_payers(demo) if other != slug}


def test_a_payer_alone_has_no_market(demo: Snapshot) -> None:
    ((slug, _), *_) = coverage.list_payers(demo)
    levels = list_payer_levels(demo, replace(AUGUST, payer=slug), slug)
    assert levels
    assert levels.specialties
    assert {one.index for one in levels.specialties} == {None}
    assert levels.codes == []


def test_a_market_of_too_many_rates_is_not_asked(demo: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    ((slug, _), *_) = coverage.list_payers(demo)
    monkeypatch.setattr(demo, "limits", replace(demo.limits, whole_rates=1))
    assert list_payer_levels(demo, AUGUST, slug) is None


def test_a_missing_percent_says_what_is_not_stated_and_weighs_only_what_is_weighed() -> None:
    """Of 35 codes that weigh the same, the payer states no place for 18 that are usually done in facilities."""
    of_same = SpecialtyIndex("a", "A", None, 18, 0, None, 1.0, 17 / 35, 35, 35)
    said = "states no place for 18 codes usually done in facilities: 17 of 35 codes are left"
    assert explain_no_percent(of_same) == said
    assert explain_no_percent(replace(of_same, placed_coverage=0.3)) == said.replace(
        "codes are left", "codes (30% by weight) are left"
    )
    priced = replace(of_same, unplaced=0, codes=17)
    assert explain_no_percent(priced) == "prices only 17 of 35 codes"
    assert explain_no_percent(replace(of_same, placed_coverage=0.9)) == "has no amount to compare with"
    assert explain_no_percent(replace(of_same, percent=1.2)) == ""
    lone = replace(of_same, unlike=18, coverage=17 / 35)
    assert explain_no_index(lone) == "only 17 of 35 codes can be compared with other payers"
    assert explain_no_index(replace(lone, coverage=0.2)).startswith("only 17 of 35 codes (20% by weight) can be")
