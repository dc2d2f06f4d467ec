"""Settings in four words: the rule in SQL equals the rule said slowly, and the filter selects what it says."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from core.fields.places.care_setting import SETTING_OF_PLACE, SIDES, place_rank
from core.fields.places.place_of_service import PLACES
from core.queries import rates
from core.queries.facets import count_choices
from core.queries.market.market_rates import market_cache
from core.queries.rules.rate_kinds import FACILITY_PLACES, MACROS, NON_FACILITY_PLACES, STATED_CARE
from tests.pages.markets import QUERY
from tests.queries.one_market import MARKET, store_of_market
from tests.queries.slow_settings import settings_slowly, sides_slowly
from tests.site import text_of

DB = duckdb.connect()
for macro in MACROS:
    DB.execute(macro)


@given(
    code_type=st.sampled_from(["CPT", "RC", "MS-DRG", "APR-DRG"]),
    setting=st.sampled_from([None, "inpatient", "outpatient", "both", "other"]),
    billing_class=st.sampled_from([None, "professional", "institutional", "both"]),
    places=st.lists(st.sampled_from([*PLACES, "CSTM-00", "XX"]), max_size=4, unique=True),
    at_center=st.booleans(),
    placeless=st.booleans(),
)
def test_the_settings_of_a_rate(
    code_type: str,
    setting: str | None,
    billing_class: str | None,
    places: list[str],
    at_center: bool,
    placeless: bool,
) -> None:
    stated, found, sides = DB.execute(
        """SELECT stated_care($code_type, $setting, $billing_class, $at_center, $placeless) AS stated,
                  care_settings(stated, $places::VARCHAR[], place_settings($places::VARCHAR[])),
                  care_sides(stated, $places::VARCHAR[])""",
        {
            "code_type": code_type,
            "setting": setting,
            "billing_class": billing_class,
            "places": places,
            "at_center": at_center,
            "placeless": placeless and not places,
        },
    ).fetchone() or ("", [], [])
    assert stated in STATED_CARE
    assert len(found) == len(set(found)), "a rate counts once in a setting"
    assert set(found) == settings_slowly(code_type, setting, billing_class, places, at_center=at_center)
    assert len(sides) == len(set(sides))
    outside = placeless and billing_class not in {"institutional", "both"}
    assert set(sides) == sides_slowly(code_type, setting, places, outside_without_places=outside)


def test_the_filter_selects_and_its_choices_count(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {"places": ["11"]},
        {"places": ["11", "22"], "negotiated_rate": 20.0},
        {"places": ["24"], "setting": "both"},
        {"places": ["21"], "setting": "outpatient"},
        {"places": [], "billing_class": "institutional"},
        {"places": [], "billing_class": "professional"},
        {"places": ["12", "41"]},
        {"places": ["11"], "setting": "inpatient"},
    ]
    db = store_of_market(tmp_path, *changes)
    belongs = [
        settings_slowly("CPT", one.get("setting"), one.get("billing_class", "professional"), one["places"])
        for one in changes
    ]
    expected = {name: sum(name in one for one in belongs) for name in {name for one in belongs for name in one}}
    for name, number in expected.items():
        market = MARKET.__class__(**{**vars(MARKET), "care_setting": name})
        assert rates.count_market(db, market).rates == number, name
        with market_cache(db, market) as cached:
            assert sum(row.rates for row in rates.summarize_rates(cached, market)) == number
            choices = count_choices(cached, market)["care_setting"]
        assert {choice.value: choice.rates for choice in choices} == expected
        assert [choice.value for choice in choices if choice.chosen] == [name]
    for side in SIDES:
        market = MARKET.__class__(**{**vars(MARKET), "care_setting": side})
        number = sum(side in sides_slowly("CPT", one.get("setting"), one["places"]) for one in changes)
        assert rates.count_market(db, market).rates == number
        with market_cache(db, market) as cached:
            choices = count_choices(cached, market)["care_setting"]
        assert {choice.value: choice.rates for choice in choices} == {**expected, side: number}


def test_the_setting_is_the_first_filter_of_the_page(site: Client) -> None:
    page = site.get("/rates/", {**QUERY, "code": "70450", "classes": "all"})
    facets = page.content.decode().split('class="facets"')[1]
    assert facets.index(">Setting<") < facets.index(">Place of service<") < facets.index(">Payer<")
    only = site.get("/rates/", {**QUERY, "care_setting": "office"})
    assert "Setting: office" in text_of(only)
    api = site.get("/api/v1/rates", {**QUERY, "care_setting": "office", "limit": 1000}).json()
    assert api["rows"]
    assert all({"CSTM-00", *(p for p, s in SETTING_OF_PLACE.items() if s == "office")} & set(row["service_codes"])
               for row in api["rows"])  # fmt: skip


def test_common_places_come_first() -> None:
    assert sorted(["01", "19", "99", "11", "22"], key=place_rank) == ["11", "22", "19", "01", "99"]


@pytest.mark.parametrize("place", sorted(SETTING_OF_PLACE))
def test_only_places_of_the_code_set_have_a_setting(place: str) -> None:
    assert place in PLACES
    assert (place in NON_FACILITY_PLACES) == (SETTING_OF_PLACE[place] == "office")
    assert (place in FACILITY_PLACES) == (SETTING_OF_PLACE[place] != "office")
