"""The pages by place and by specialty, and the filters by provider on other pages."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client

from core.pages import places
from core.pages.code_pages.rates import FilterChoices, facets_to_show
from core.pages.shared import page as shared_page
from core.pages.shared.answer_cache import AnswerCache
from core.pages.shared.state_places import divide_by_state
from core.queries.classes.rate_classes import choose_class
from core.queries.facets import Choice
from core.queries.market.market import Market
from core.queries.profiles import Breakdown, Contrast, break_down
from core.store.connection import Snapshot
from tests.site import csv_rows, text_of

MARKET = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "99213"}


def test_places_are_on_a_map_and_in_a_table(placed_site: Client, placed: Snapshot) -> None:
    page = placed_site.get("/places/", MARKET).content.decode()
    totals, rows = break_down(placed, choose_class(placed, Market(**MARKET)).market, "county")
    drawing = page.split('<svg class="map" role="img"')[1].split("</svg>")[0]
    assert len(re.findall('<circle class="color-[1-5]"', drawing)) == len(rows) == 12
    assert "Median percent of Medicare by county in Georgia" in drawing
    assert 'class="shape" d="M' in drawing
    words = text_of(placed_site.get("/places/", MARKET))
    assert f"{totals.rates} rates in dollars for {totals.groups} provider groups" in words
    assert "A rate is in a place if any provider of its group practices there." in words
    for row in rows:
        assert row.label in words
    assert "<script" not in drawing
    assert "style=" not in drawing


def contrast_of(rows: list[Breakdown], by: str = "county", everywhere: int = 3) -> Callable[..., Contrast | None]:
    """Return a question whose answer is that these rows were compared, the first with the highest median."""
    counted = [row.rates for row in rows]
    found = Contrast(
        [row for row in rows if row.p50 == rows[0].p50], rows[-1:], compared=len(rows), rates=5, everywhere=everywhere,
        fewest=min(counted), most=max(counted),
    )  # fmt: skip
    return lambda db, market, of, shown: found if of == by else None


def test_places_that_differ_by_little_have_no_map(
    placed_site: Client, placed: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_page, "ANSWERS", AnswerCache(0))
    row = break_down(placed, choose_class(placed, Market(**MARKET)).market, "county")[1][0]
    alike = [replace(row, p50=1648.1), replace(row, p50=1572.21)]
    monkeypatch.setattr(places, "contrast", contrast_of(alike))
    page = placed_site.get("/places/", MARKET)
    words = text_of(page)
    assert "No difference worth naming : $1,572.21 to $1,648.10 in the middle of 2 counties, because they have" in words
    assert "3 of the 5 rates are in both" in words
    assert '<svg class="map"' not in page.content.decode()
    monkeypatch.setattr(places, "contrast", contrast_of(alike, everywhere=2))
    assert "provider groups: " not in text_of(placed_site.get("/places/", MARKET))


def test_places_begin_with_the_highest_and_the_lowest(
    placed_site: Client, placed: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_page, "ANSWERS", AnswerCache(0))
    totals, counties = break_down(placed, choose_class(placed, Market(**MARKET)).market, "county")
    row = replace(counties[0], rates=9)
    dear = replace(row, label="Bibb County, GA", p50=150.0, percent=1.5)
    cheap = replace(row, label="Fulton County, GA", p50=90.0, percent=None)
    monkeypatch.setattr(places, "contrast", contrast_of([dear, cheap]))
    page = placed_site.get("/places/", MARKET)
    assert "Highest median: Bibb County, GA $150.00 , 150% of Medicare; lowest: Fulton County, GA $90.00 ." in (
        text_of(page)
    )
    shown = page.content.decode()
    assert 'class="legend"' in shown
    assert shown.index('<table class="') < shown.index('<svg class="map"'), "the map is beside the table"
    assert "with at least 5 rates: 9 of the" in text_of(page)
    as_dear = replace(dear, label="Cobb County, GA", rates=7)
    monkeypatch.setattr(places, "contrast", contrast_of([dear, as_dear, cheap]))
    page = placed_site.get("/places/", MARKET)
    assert "Highest median: Bibb County, GA and Cobb County, GA , $150.00 , 150% of Medicare" in text_of(page)
    assert "7 to 9 of the 50 are in each, and a rate may be in several." in text_of(page)
    monkeypatch.setattr(places, "contrast", contrast_of([dear]))
    assert (
        "Of the counties, only Bibb County, GA has 5 of these rates or more: $150.00 in the middle, 150% of Medicare"
        in (text_of(placed_site.get("/places/", MARKET)))
    )
    monkeypatch.setattr(places, "contrast", lambda *asked: None)
    assert "have fewer than 5 of these rates: too few to compare" in text_of(placed_site.get("/places/", MARKET))
    rows = [replace(cheap, latitude=None), replace(as_dear), replace(cheap, label="Cobb County, GA")]
    for some, alike in ((rows, "2 of them"), ([rows[0], rows[2]], "all of them")):
        monkeypatch.setattr(places, "break_down", lambda *asked, some=some: (totals, some))
        page = placed_site.get("/places/", MARKET)
        assert f"too few to compare , and {alike} have the same median, $90.00 ." in text_of(page)
        assert '<svg class="map"' not in page.content.decode()


def test_places_of_other_states_are_folded(placed_site: Client, placed: Snapshot) -> None:
    rows = break_down(placed, choose_class(placed, Market(**MARKET)).market, "county")[1]
    given = [replace(rows[0], label=label) for label in ("Fulton County, GA", "Bexar County, TX", "30303")]
    given += [
        replace(rows[0], label="Chattanooga, TN-GA"),
        replace(rows[0], label="Dallas-Plano-Irving, TX (division)"),
    ]
    own, elsewhere = divide_by_state(given, "GA")
    assert [row.label for row in own] == ["Fulton County, GA", "30303", "Chattanooga, TN-GA"]
    assert [row.label for row in elsewhere] == ["Bexar County, TX", "Dallas-Plano-Irving, TX (division)"]
    assert divide_by_state(given[1:2], "GA") == (given[1:2], []), "something is shown"
    assert "Providers in other states" not in text_of(placed_site.get("/places/", MARKET))


def test_the_map_can_show_medians_and_zip_codes(placed_site: Client) -> None:
    page = placed_site.get("/places/", {**MARKET, "by": "zip", "color": "median"}).content.decode()
    assert "Median rate by ZIP code in Georgia" in page
    assert "30303, GA: $" in page
    # A city has no point: its page has the map of the counties.
    page = placed_site.get("/places/", {**MARKET, "by": "city"}).content.decode()
    assert "Median percent of Medicare by county in Georgia" in page
    assert ">Atlanta, GA</a>" in page


def test_a_row_leads_to_its_rates(placed_site: Client, placed: Snapshot) -> None:
    for address, name in (("/places/", "county"), ("/specialties/", "specialty")):
        page = placed_site.get(address, MARKET).content.decode()
        row = break_down(placed, choose_class(placed, Market(**MARKET)).market, name)[1][0]
        link = next(one for one in re.findall(r'href="(/rates/[^"]*)"', page) if f"{name}={row.value}" in one)
        assert f"{name}={row.value}" in link
        shown = text_of(placed_site.get(link.replace("&amp;", "&")))
        assert f"{row.rates} rates for" in shown
        assert f": {row.label} ✕" in shown


def test_specialties_are_charted_and_listed(placed_site: Client) -> None:
    words = text_of(placed_site.get("/specialties/", MARKET))
    for name in ("Cardiology", "Hospital", "Orthopedic surgery", "Individuals and organizations"):
        assert name in words


@pytest.mark.parametrize(
    ("address", "table", "rows"), [("/places/", "places", 12), ("/specialties/", "specialties", 5),
                                   ("/specialties/", "entities", 2)]
)  # fmt: skip
def test_tables_are_files(placed_site: Client, address: str, table: str, rows: int) -> None:
    response = placed_site.get(address, {**MARKET, "table": table, "format": "csv"})
    lines = b"".join(response.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("value,label,rates,groups,p10")
    assert len(lines) == rows + 1


def test_facets_by_provider_are_on_the_page_of_a_code(placed_site: Client) -> None:
    words = text_of(placed_site.get("/rates/", MARKET))
    for label in ("Specialty", "Individual or organization", "County", "Metropolitan area", "City", "ZIP code"):
        assert label in words
    near = text_of(placed_site.get("/rates/", {**MARKET, "near": "30303,10"}))
    assert "Near: 10 miles of 30303 ✕" in near


def test_cities_of_other_states_are_apart_in_the_filters() -> None:
    dallas, atlanta, macon = (
        Choice("city", name.upper(), name, rates, False)
        for name, rates in (("Dallas, TX", 7), ("Atlanta, GA", 5), ("Macon, GA", 2))
    )
    counted = {"care_setting": [], "city": [dallas, atlanta, macon]}
    assert facets_to_show(counted, (), Market("GA", "2025-08")) == [
        FilterChoices("City", "city", [atlanta, macon], [dallas])
    ]
    assert facets_to_show(counted, (), Market("FL", "2025-08"))[0].choices == [dallas, atlanta, macon]


def test_places_with_the_same_rates_are_folded_after_the_first() -> None:
    counts = {"22": 9, "21": 7, "24": 7, "11": 7, "02": 7, "12": 7, "23": 7, "19": 3}
    places = [Choice("pos", code, code, n, code == "12") for code, n in counts.items()]
    [facet] = facets_to_show({"care_setting": [], "pos": places}, (), Market("GA", "2025-08"))
    assert [one.value for one in facet.first] == ["22", "21", "24", "11", "12", "19"], "and what is chosen"
    assert [one.value for one in facet.more] == ["02", "23"]
    assert facet.more_words == "2 more with the same 7 rates"
    many = [Choice("payer", f"p{n}", f"P{n}", 7, False) for n in range(10)]
    [payers] = facets_to_show({"care_setting": [], "payer": many}, (), Market("GA", "2025-08"))
    assert (len(payers.first), payers.more_words) == (8, "2 more"), "only places are alike by habit"


def test_a_place_and_miles_are_two_boxes_and_one_value_of_addresses(placed_site: Client) -> None:
    sent = placed_site.get("/organizations/", {**MARKET, "near": "Macon", "miles": "10"})
    assert sent.request["QUERY_STRING"].endswith("near=MACON%2C+GA%2C10"), "the page is at its canonical address"
    page = sent
    assert "Near: 10 miles of Macon, GA ✕" in text_of(page)
    assert 'name="miles"' in page.content.decode()
    of_city, of_zip = (
        csv_rows(placed_site.get("/organizations/", {**MARKET, "near": near, "format": "csv"}))
        for near in ("MACON, GA,10", "31201,10")
    )
    assert of_city
    assert of_city == of_zip
    assert not csv_rows(placed_site.get("/organizations/", {**MARKET, "near": "NOWHERE, GA,10", "format": "csv"}))


def test_an_unknown_place_is_refused_with_what_is_expected(placed_site: Client) -> None:
    for name, value, expected in (
        ("near", "30303,900", "a ZIP code, a city with its state, or an NPI, such as 30303,25"),
        ("county", "Fulton", "a county&#x27;s FIPS code: five digits, such as 13121"),
        ("specialty", "Wizardry", "a specialty, such as Cardiology"),
    ):
        response = placed_site.get("/rates/", {**MARKET, name: value})
        assert response.status_code == 400
        assert expected in response.content.decode()


def test_without_places_the_page_says_so(site: Client) -> None:
    words = text_of(site.get("/places/", MARKET))
    assert "No place of these providers is known." in words


def test_the_api_has_the_same_rows(placed_site: Client, placed: Snapshot) -> None:
    for address, by in (("places", "county"), ("specialties", "specialty"), ("specialties/entities", "entity")):
        answer = placed_site.get(f"/api/v1/{address}", MARKET).json()
        totals, rows = break_down(placed, choose_class(placed, Market(**MARKET)).market, by)
        assert answer["totals"] == vars(totals)
        assert answer["rows"] == [vars(row) for row in rows]


def test_specialties_that_usually_perform_a_code_come_first(
    placed_site: Client, placed: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_page, "ANSWERS", AnswerCache(0))
    monkeypatch.setattr(places, "find_performing", lambda db, market: ("Orthopedic surgery", "Cardiology"))
    words = text_of(placed_site.get("/specialties/", MARKET))
    assert "2 specialties that usually perform it" in words
    assert "Hardly any of their clinicians bill" not in words, "Medicare's files are not loaded"
    shown = placed_site.get("/specialties/", MARKET).content.decode().partition("<main")[2]
    first, seldom = shown.split("Specialties that seldom perform it")
    rows = break_down(placed, choose_class(placed, Market(**MARKET)).market, "specialty")[1]
    assert len(rows) > 3
    for row in rows:
        is_usual = row.value in {"Orthopedic surgery", "Cardiology"}
        assert (f">{row.label}</a>" in first) == is_usual
        assert (f">{row.label}</a>" in seldom) != is_usual
        assert (f">{row.label}</text>" in first) == is_usual, "the chart has the same specialties"
    names = [name for name in re.findall(r">([^<]*)</text>", first) if name in {"Orthopedic surgery", "Cardiology"}]
    assert names == ["Orthopedic surgery", "Cardiology"], "in the order of those that perform it"
    monkeypatch.setattr(places, "find_performing", lambda db, market: ())
    assert "seldom perform it" not in text_of(placed_site.get("/specialties/", MARKET)), "nothing says which"
