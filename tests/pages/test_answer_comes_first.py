"""Where a code has no rates, and where a payer has its own state, the page says what there is before it asks."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from core.load.load_file import load_file
from core.pages.shared import page
from core.pages.shared.answer_cache import AnswerCache
from core.queries.find import not_loaded
from core.queries.find.named_things import named_things
from core.queries.find.search import search_everything
from core.queries.rules.folded_names import fold_name
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from core.vocabulary.find_services import is_service_word
from tests.built_once import BuiltOnce
from tests.reference.nppes import registers
from tests.site import Visitor, csv_rows, serving, text_of


@pytest.fixture
def two_states(built_once: BuiltOnce, tmp_path: Path) -> Iterator[Client]:
    """Serve a store with a payer in Texas, whose file is the newest, and another payer in Ohio."""

    def build(directory: Path) -> None:
        for payer, state, month, code in (
            ("Of Texas", "TX", "2025-11", "99213"),
            ("Of Ohio", "OH", "2022-06", "88305"),
        ):
            content = registers.rates(registers.SURGEON) | {"reporting_entity_name": payer}
            content["in_network"][0]["billing_code"] = code
            file = tmp_path / f"{state}.json"
            file.write_text(json.dumps(content), encoding="utf-8")
            load_file(Store(directory), open_documents(file)[0], state, year_month=month)

    with serving(built_once.get("payers_of_two_states", build)):
        yield Visitor()


@pytest.mark.parametrize("name", ["rates", "organizations", "medicare", "places", "specialties"])
def test_no_rates_are_said_above_the_filters(two_states: Client, name: str) -> None:
    html = two_states.get(f"/{name}/?state=OH&code=99213").content.decode()
    assert html.index("<strong>No rates") < html.index("code, and filters" if name != "rates" else "and other filters")
    assert "<details open>" not in html.partition('class="folds"')[2].partition("</form>")[0]
    assert "median <strong></strong>" not in html


def test_no_earlier_month_is_said_above_the_filters(two_states: Client) -> None:
    html = two_states.get("/changes/?state=OH").content.decode()
    assert html.index("No month before") < html.index("Months, payer, code, and filters")


def test_a_payer_is_asked_about_in_a_state_where_it_has_rates(two_states: Client) -> None:
    for address in ("/payers/?payer=of_ohio", "/payers/?state=TX&payer=of_ohio", "/rates/?code=88305&payer=of_ohio"):
        shown = two_states.get(address)
        html = shown.content.decode()
        assert "Ohio" in text_of(shown)
        assert "state=OH" in html
        assert "state=TX" not in html.replace('/?state=TX">', ""), address
        assert "state Ohio" in html, "the citation"
    rows = csv_rows(two_states.get("/payers/?payer=of_ohio&table=codes&format=csv"))
    assert [row["code"] for row in rows] == ["88305"]
    assert "In Texas" in text_of(two_states.get("/payers/?payer=of_texas"))
    assert "Of Texas" in text_of(two_states.get("/payers/"))


@pytest.mark.parametrize("asked", ["office visit&state=OH", "office visit ohio"])
def test_a_search_in_a_state_answers_for_it(two_states: Client, asked: str) -> None:
    response = two_states.get(f"/?q={asked}")
    shown, html = text_of(response), response.content.decode()
    assert "No rates for this code are loaded in Ohio. There are rates in Texas : what is paid there" in shown
    assert "no rates in Ohio; 1 in Texas" in shown
    assert "$" not in shown.partition("Cite, share")[0]
    assert shown.index("No rates for this code") < shown.index("CPT 99213")
    assert 'href="/rates/?state=OH&amp;code_type=CPT&amp;code=99213"' in html
    assert 'href="/rates/?state=TX&amp;code_type=CPT&amp;code=99213"' in html


@pytest.mark.parametrize("asked", ["office visit&state=TX", "office visit"])
def test_a_search_where_there_are_rates_names_no_other_state(two_states: Client, asked: str) -> None:
    shown = text_of(two_states.get(f"/?q={asked}"))
    assert "No rates" not in shown
    assert "in Texas: the professional fee" in shown


def test_a_payer_that_is_named_counts_in_its_own_state(two_states: Client) -> None:
    both = two_states.get("/rates/?code=88305&payer=of_ohio")
    assert "is paid" in text_of(both)
    assert "No rates for CPT 88305 in Texas" in text_of(two_states.get("/rates/?state=TX&code=88305&payer=of_ohio"))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("medicare rates", "/medicare/"),
        ("medicare 99213 texas", "/medicare/?state=TX&code=99213"),
        ("workers comp georgia 99213", "/compensation/?state=GA&code=99213"),
        ("workers' compensation fee schedule texas", "/compensation/?state=TX"),
    ],
)
def test_words_that_name_a_page_lead_there(two_states: Client, text: str, address: str) -> None:
    response = two_states.get("/", {"q": text}, follow=False)
    assert (response.status_code, response["Location"]) == (302, address)


def test_a_service_beside_the_name_of_a_page_is_found(two_states: Client) -> None:
    for text, link in (
        ("medicare office visit", "/medicare/?state=TX&amp;code_type=CPT&amp;code=99213"),
        ("workers comp office visit", "/compensation/?state=TX&amp;code_type=CPT&amp;code=99213"),
    ):
        response = two_states.get("/", {"q": text})
        assert f'<a href="{link}">' in response.content.decode()
        assert "CPT 99213" in text_of(response)
        assert "of the payer you call" not in text_of(response)


def test_a_price_is_left_out_and_said_to_be(two_states: Client) -> None:
    shown = text_of(two_states.get("/", {"q": "office visit under $300"}))
    assert "Rates are not searched by amount: “under $300” was left out." in shown
    assert "CPT 99213" in shown
    assert "Nothing that is loaded is called" not in shown


def test_a_name_beside_a_code_is_not_called_unknown_above_itself(site: Client, demo: Snapshot) -> None:
    name = next(one for one in names_of_organizations(demo) if len(one.split()) > 2)
    response = site.get("/", {"q": f"{name} 99213"}, follow=False)
    assert response.status_code == 200
    shown = text_of(response)
    assert "Nothing that is loaded is called" not in shown
    assert name in shown
    assert "CPT 99213" in shown
    unknown = text_of(site.get("/", {"q": f"{name} Xyzzyqux 99213"}))
    assert "Nothing that is loaded is called" in unknown
    assert "Xyzzyqux”." in unknown


def test_a_name_that_may_be_a_town_finds_both(site: Client, demo: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = next(one for one in names_of_organizations(demo) if len(one.split()) > 2).split()[:2]
    # Another test may have asked for it with the towns of the demo.
    monkeypatch.setattr(page, "ANSWERS", AnswerCache(0))
    monkeypatch.setattr(not_loaded, "_hospital_cities", lambda _: {first.upper(): ["GA"]})
    for text in (f"{first} knee MRI", f"{first} {second} knee MRI"):
        found = search_everything(demo, text)
        assert {fold_name(one.organization_name).split()[0] for one in found.organizations} == {fold_name(first)}
        assert found.codes[0].code == "73721"
        shown = text_of(site.get("/", {"q": text}))
        assert found.organizations[0].organization_name in shown
        assert "73721" in shown


def names_of_organizations(demo: Snapshot) -> list[str]:
    """Return the names of organizations that bill under a tax ID, none of which begins with a service or a town."""
    rows = demo.rows("SELECT DISTINCT business_name FROM named_tin WHERE business_name IS NOT NULL")
    first, towns = {name: name.split()[0] for (name,) in rows}, set(named_things(demo).cities)
    return sorted(name for name, word in first.items() if not is_service_word(word) and word.upper() not in towns)
