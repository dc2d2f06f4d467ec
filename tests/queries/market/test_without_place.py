"""What a setting leaves out because no place is listed, against a loop over all rates."""

from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path

from core.fields.places.care_setting import SIDES
from core.queries.market.without_place import count_without_place, side_of
from tests.pages.markets import QUERY
from tests.queries.one_market import MARKET, store_of_market
from tests.queries.slow import Everything, matches, settings_of
from tests.site import Visitor, serving, text_of

SETTINGS = ("office", "hospital outpatient", "surgical center", "inpatient", "other place")


def test_rates_without_a_place_that_a_setting_leaves_out(tmp_path: Path) -> None:
    terms = product(
        ("Payer A", "Payer B"), ("professional", "institutional", None), (None, "inpatient", "both"), ([], ["11"])
    )
    changes = [
        {"reporting_entity_name": payer, "billing_class": of_class, "setting": setting, "places": places}
        for payer, of_class, setting, places in terms
    ]
    db = store_of_market(tmp_path, *changes, {"code": "99214", "places": []})
    facts = Everything(db).facts
    for setting, payer in product(SETTINGS, (None, "payer_a")):
        market = replace(MARKET, care_setting=setting, payer=payer)
        left_out = Counter(
            fact["reporting_entity_name"].upper().replace(" ", "_")
            for fact in facts
            if matches(fact, market.without("care_setting")) and not fact["places"] and setting not in settings_of(fact)
        )
        assert {one.reporting_entity_name: one.rates for one in count_without_place(db, market)} == left_out
    assert count_without_place(db, MARKET) == []
    assert [side_of(setting) for setting in SETTINGS] == [SIDES[0], SIDES[1], SIDES[1], SIDES[1], None]
    office = replace(MARKET, care_setting="office", code=None, code_type=None)
    both, one = (count_without_place(db, office, codes) for codes in (["99213", "99214"], ["99214"]))
    assert sum(row.rates for row in both) == sum(row.rates for row in one) + 18
    assert [(row.reporting_entity_name, row.rates) for row in one] == [("PAYER_A", 1)]


def test_pages_say_what_a_setting_leaves_out(tmp_path: Path) -> None:
    unplaced = {"reporting_entity_name": "Payer B", "places": []}
    db = store_of_market(tmp_path, {}, {"places": ["21"]}, unplaced, {**unplaced, "group": 1})
    of_office = {**QUERY, "care_setting": "office"}
    listed = {"state": "GA", "codes": "99213,99214", "care_setting": "office"}
    with serving(db.root):
        for page, query in (
            ("/rates/", of_office),
            ("/payers/", of_office),
            ("/payers/", listed),
            ("/baskets/", listed),
        ):
            shown = text_of(Visitor().get(page, query))
            assert "Left out, because they list no place of service: PAYER_B (2 rates)." in shown, page
        assert "Not among these" not in text_of(Visitor().get("/payers/", of_office)), "said once"
        assert "Professional fee, no modifier (outside facilities)" in text_of(Visitor().get("/payers/", QUERY))
        wider = {**QUERY, "care_setting": "non-facility or unstated"}
        assert "Left out" not in text_of(Visitor().get("/rates/", wider))
        assert "Left out" not in text_of(Visitor().get("/rates/", QUERY))
