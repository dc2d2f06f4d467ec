"""The changes of a code are of one of the classes that its other pages show, and say which have any."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from core.store.connection import Snapshot
from tests.queries.one_market import A_RATE
from tests.queries.rates_by_month import store_of
from tests.site import Visitor, serving, text_of

GROUPS: list[Any] = [(set(), {("ein", f"10000000{number}")}) for number in range(1, 6)]
OUTSIDE, INSIDE = {"places": ["11"]}, {"places": ["21"]}
CODE = {"state": "GA", "code": "99213"}
EMPTY = "Nothing to compare: no payer has rates of this class in both July 2025 and August 2025. There are changes of: "


def store_with(root: Path, more: list[dict[str, Any]]) -> Snapshot:
    """Return a store in which Payer A has rates outside facilities in two months, and `more` is in the later one."""
    months = {
        month: [{**A_RATE, **OUTSIDE, "group": group, "negotiated_rate": amount + group} for group in range(2)]
        for month, amount in (("2025-07", 100.0), ("2025-08", 110.0))
    }
    return store_of(root, {"2025-07": (GROUPS, months["2025-07"]), "2025-08": (GROUPS, months["2025-08"] + more)})


@pytest.fixture
def client(tmp_path: Path) -> Any:
    # Payer B has more rates, in facilities, of one month: the code's other pages open with them.
    inside = [{**A_RATE, **INSIDE, "reporting_entity_name": "Payer B", "group": group, "negotiated_rate": 70.0 + group}
              for group in range(5)]  # fmt: skip
    with serving(store_with(tmp_path, inside).root):
        yield Visitor()


def test_a_class_without_changes_is_not_what_the_tab_opens_with(client: Visitor) -> None:
    assert 'aria-current="true">\n    Professional fee, in facilities' in client.get("/rates/", CODE).content.decode()
    shown = client.get("/changes/", CODE)
    assert 'aria-current="true">\n    Professional fee, outside facilities' in shown.content.decode()
    assert (
        "No payer has rates of “Professional fee, in facilities”, which the other pages of this code open with, in "
        "both months. So these are changes of another class." in text_of(shown)
    )
    assert "Of 2 organizations that PAYER_A pays in both" in text_of(shown)


def test_a_class_without_changes_says_where_there_are_some(client: Visitor) -> None:
    asked = {"billing_class": "professional", "modifier": "none"}
    inside = client.get("/changes/", {**CODE, **asked, "care_setting": "facility or unstated"})
    assert EMPTY + "Professional fee, outside facilities" in text_of(inside)
    assert 'aria-current="true">\n    Professional fee, in facilities' in inside.content.decode()
    (link,) = re.findall(
        r'<li><a href="([^"]*)">Professional fee, outside facilities</a></li>', inside.content.decode()
    )
    assert "Of 2 organizations that PAYER_A pays in both" in text_of(client.get(unescape(link)))
    outside = text_of(client.get("/changes/", {**CODE, **asked, "care_setting": "non-facility or unstated"}))
    assert "Of 2 organizations that PAYER_A pays in both" in outside
    assert "which the other pages of this code open with" not in outside


def test_a_code_of_one_class_has_no_choice_of_classes(tmp_path: Path) -> None:
    with serving(store_with(tmp_path, []).root):
        shown = Visitor().get("/changes/", CODE)
    assert 'aria-label="Classes of rates"' not in shown.content.decode()
    assert "Of 2 organizations that PAYER_A pays in both" in text_of(shown)
