"""The tabs of a code's classes: the parts of a scan are in front, and a label is not an own class."""

from dataclasses import replace
from pathlib import Path

from django.template.loader import render_to_string
from django.test import RequestFactory

from core.fields.places.care_setting import SIDES
from core.pages.shared.words.labels import class_in_short, class_label, class_tabs, is_as_labeled
from core.queries.classes.rate_classes import RateClass, choose_class
from tests.queries.one_market import MARKET, store_of_market, with_overruled

LIKE = "like professional"


def of_class(billing_class: str, modifier: str, side: str, rates: int, *, chosen: bool = False) -> RateClass:
    return RateClass(billing_class, modifier, side, [side], 1, rates, rates, 0, chosen, "professional")


WHOLE = [of_class(LIKE, "none", SIDES[0], 33, chosen=True), of_class(LIKE, "none", SIDES[1], 33)]
LABELED = [of_class("professional", "none", side, 7) for side in SIDES]
PARTS = [of_class("professional", modifier, side, 7) for modifier in ("26", "TC") for side in SIDES]
OTHERS = [of_class("professional", modifier, SIDES[0], 9) for modifier in ("LT", "RT", "50", "52")]


def test_the_reading_and_the_technical_part_have_tabs_at_once() -> None:
    tabs = class_tabs([*WHOLE, *OTHERS, *LABELED, *PARTS])
    shown = [(one.modifier, one.care_setting) for one in tabs.first]
    assert shown == [
        ("none", SIDES[0]), ("none", SIDES[1]), ("LT", SIDES[0]), ("RT", SIDES[0]), ("26", SIDES[1]), ("TC", SIDES[0]),
    ]  # fmt: skip


def test_only_a_class_that_is_measured_otherwise_is_as_labeled() -> None:
    """The readings of 73721 have one label alone, although the whole has two."""
    every = [*WHOLE, *LABELED, *PARTS]
    assert [is_as_labeled(one, every) for one in every] == [False] * 2 + [True] * 2 + [False] * 4
    assert class_label(PARTS[1], every) == "Professional fee, reading only (26), in facilities"
    assert class_in_short(PARTS[1]) == "reading only (26), in facilities"


def test_the_classes_of_a_payer_whose_label_is_overruled_keep_their_readings_in_front(tmp_path: Path) -> None:
    rates = [
        {"places": places, "billing_code_modifier": modifier, "group": 1}
        for places in (["11"], ["21"]) for modifier in ("", "26")
    ]  # fmt: skip
    mislabeled = {"reporting_entity_name": "Payer B", "billing_class": "institutional", "places": []}
    db = with_overruled(store_of_market(tmp_path, *rates, mislabeled), ("Payer B", "institutional", "unstated"))
    tabs = class_tabs(choose_class(db, MARKET).classes)
    assert [one.modifier for one in tabs.first] == ["none", "none", "26", "26"]


def test_the_whole_of_a_scan_in_facilities_has_no_figure_and_leads_to_its_reading() -> None:
    whole = of_class(LIKE, "none", SIDES[1], 33, chosen=True)
    inside = [of_class(LIKE, "none", SIDES[0], 33), whole]

    def render(classes: list[RateClass], template: str) -> str:
        request = RequestFactory().get("/rates/")
        context = {"classes": classes, "market": MARKET, "has_parts": True, "parameters": {}, "path": "/rates/"}
        context |= {"answer": "an answer", "whole_in_facilities": whole, "code": None, "titles": {}}
        return " ".join(render_to_string(f"partials/{template}.html", context, request).split())

    page = render([*inside, *PARTS], "answer")
    assert "In facilities, <strong>nobody bills the whole</strong>" in page
    assert "$" not in page
    assert "%" not in page.replace("%20", "")
    link = page.split("and the physician")[1]
    assert "care_setting=facility+or+unstated" in link
    assert "modifier=26" in link
    assert "which has no rates here" in render(inside, "answer")
    assert "not billed" in render(inside, "class_tabs")
    others = [of_class(LIKE, "none", SIDES[0], 33, chosen=True), replace(whole, chosen=False)]
    assert class_tabs(others, has_parts=True).others == [replace(whole, chosen=False)]
    assert class_tabs(others).others == []


def test_a_page_says_why_it_does_not_open_where_the_service_is_usually_rendered() -> None:
    def render(setting: str | None, *, opens_elsewhere: bool, usually_inside: bool = True) -> str:
        request = RequestFactory().get("/rates/")
        market = replace(MARKET, care_setting=setting)
        context = {"classes": WHOLE, "market": market, "parameters": {}, "path": "/rates/"}
        context |= {"opens_elsewhere": opens_elsewhere, "usually_inside": usually_inside}
        return " ".join(render_to_string("partials/class_tabs.html", context, request).split())

    order = [one.care_setting for one in class_tabs(WHOLE, usually_inside=True).first]
    assert order == list(reversed(SIDES)), "the usual setting first"
    outside, inside = SIDES
    assert "Too few of the rates here are for facilities" in render(outside, opens_elsewhere=True)
    assert "These rates state no place" in render(None, opens_elsewhere=True)
    asked = render(outside, opens_elsewhere=False)
    assert "care_setting=facility+or+unstated" in asked.split("Usually done in facilities")[1], "it leads there"
    assert "Usually done" not in render(inside, opens_elsewhere=False)
    assert "Usually done" not in render(outside, opens_elsewhere=False, usually_inside=False)


def test_tabs_say_how_many_rates_state_no_place() -> None:
    """They are outside facilities, where a page of payers has named them already."""
    outside, inside = WHOLE
    market = replace(MARKET, billing_class=LIKE, modifier="none", care_setting=SIDES[1])
    context = {"classes": [replace(outside, placeless=29), inside], "market": market, "parameters": {}, "path": "/"}
    for unplaced in ([], ["Payer A"]):
        page = render_to_string(
            "partials/class_tabs.html", {**context, "unplaced": unplaced}, RequestFactory().get("/")
        )
        assert ("29 rates that state no place" in page) == (not unplaced)
