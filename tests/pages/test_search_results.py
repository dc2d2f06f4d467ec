"""The page of a search: organizations with their reports, and codes with what their pages say."""

import re
import shutil
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client

from core.pages.formats import write_dollars
from core.pages.shared.answer_cache import AnswerCache
from core.queries.find.middle_rates import MAX_MIDDLES, find_middle_rates
from core.queries.find.search import search_everything
from core.reference.organizations.load_organizations import load_organizations
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.queries.one_market import store_of_market
from tests.queries.tables import written
from tests.reference.organizations.organization_samples import care_compare
from tests.site import Visitor, serving, text_of
from tests.stores import open_snapshot


@pytest.mark.parametrize("text", ["knee", "office visit", "head ct", "piedmont head ct", "physical therapy"])
def test_a_search_and_the_page_it_leads_to_say_the_same(site: Client, demo: Snapshot, text: str) -> None:
    response = site.get("/", {"q": text})
    html = response.content.decode()
    rows = re.findall(r'<li>\s*<a href="(/rates/[^"]*)">.*?</li>', html, re.DOTALL)
    found = search_everything(demo, text)
    middles = find_middle_rates(demo, found.codes, found.context.filters)
    assert len(middles) == min(MAX_MIDDLES, sum(1 for code in found.codes if code.rates)) > 0
    for code in found.codes[:MAX_MIDDLES]:
        middle = middles[code.key]
        (address,) = {
            one for one in rows if f"code={code.code}" in urlsplit(one.replace("&amp;", "&")).query.split("&")
        }
        page = text_of(site.get(address.replace("&amp;", "&"), follow=True))
        said = write_dollars(middle.few_amounts[0] if middle.few_amounts else middle.p50)
        assert said in page
        assert f"{middle.rates:,} rates" in page or middle.rates == 1
        assert said in text_of(response)


def test_an_organization_leads_to_its_page_and_to_its_report(site: Client, demo: Snapshot) -> None:
    one = search_everything(demo, "orthopedic clinic").organizations[0]
    response = site.get("/", {"q": "orthopedic clinic"})
    html, text = response.content.decode(), text_of(response)
    assert f"{one.rates:,} rates for {one.codes:,} codes in Georgia" in text
    by, value = ("npi", one.npi) if not one.tins else ("tin", one.tin)
    assert one.tins < 2
    page, report = f"/{by}/{value}/?state=GA", f"/clinic/?state=GA&amp;{by}={value}"
    assert (html.count(f'href="{page}"'), html.count(f'href="{report}"')) == (1, 1)
    assert f"{one.rates:,} rates for {one.codes:,} codes" in text_of(site.get(page))
    assert site.get(report.replace("&amp;", "&")).status_code == 200
    assert html.count(f">{one.organization_name}<") == 1, "the name comes once"


def test_organizations_come_before_codes_if_the_words_mean_them(site: Client) -> None:
    for text, organizations_first in (("orthopedic clinic", True), ("imaging", True), ("office visit", False)):
        html = site.get("/", {"q": text}).content.decode()
        organizations, codes = html.find("    Organizations"), html.find("<h2>Codes")
        assert (organizations >= 0 and (codes < 0 or organizations < codes)) == organizations_first
        suggested = site.get("/suggest/", {"q": text}).content.decode()
        assert ("<small>Organization</small>" in suggested) == organizations_first


def test_of_many_people_of_a_specialty_only_their_number_is_told(
    site: Client, demo: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "orthopedic clinic"
    every = search_everything(demo, text)
    assert every.local_in_all == len(every.local_providers) > 1
    assert f">{every.local_providers[0].name}<" in site.get("/", {"q": text}).content.decode()
    monkeypatch.setattr("core.pages.search_results.search_everything", partial(search_everything, limit=1))
    monkeypatch.setattr("core.pages.shared.page.ANSWERS", AnswerCache(0))
    few = site.get("/", {"q": text})
    assert f"{every.local_in_all} people in orthopedic surgery have rates as well" in text_of(few)
    assert f">{every.local_providers[0].name}<" not in few.content.decode()


def test_the_settings_that_were_set_aside_are_links(site: Client, demo: Snapshot) -> None:
    text = "head ct cost hospital or office"
    assert search_everything(demo, text).set_aside == ("hospital outpatient", "office")
    response = site.get("/", {"q": text})
    assert "Found without the words that say where or how much." in text_of(response)
    links = re.findall(r'href="(/rates/[^"]*care_setting=[^"]*)"', response.content.decode())
    middles = find_middle_rates(demo, search_everything(demo, text).codes)
    assert bool(links) == bool(next(iter(middles.values())).divided_by)
    for one in links:
        assert "has no rates" not in text_of(site.get(one.replace("&amp;", "&")))


def test_an_npi_leads_to_its_report(site: Client, demo: Snapshot) -> None:
    ((npi,),) = demo.rows("SELECT min(npi) FROM group_by_npi")
    html = site.get(f"/npi/{npi}/").content.decode()
    (report,) = {one for one in re.findall(r'href="(/clinic/[^"]*)"', html) if f"npi={npi}" in one}
    assert site.get(report.replace("&amp;", "&")).status_code == 200


def test_a_number_leads_to_its_provider_in_the_state_that_was_chosen(site: Client, demo: Snapshot) -> None:
    ((npi,),) = demo.rows("SELECT min(npi) FROM xref_tin_npi")
    for chosen in ({}, {"state": "GA"}):
        response = site.get("/", {"q": npi, **chosen}, follow=False)
        assert (response.status_code, response["Location"]) == (302, f"/npi/{npi}/" + ("?state=GA" if chosen else ""))


def test_a_search_that_names_settings_has_the_price_of_each(tmp_path: Path) -> None:
    """Of a payer that states no place, nothing says whether its price is for a facility."""
    code = {"code": "45378"}
    rates = [
        {**code, "negotiated_rate": rate, "places": [place], "group": group}
        for group in (0, 1)
        for rate, place in ((400.0 + group, "11"), (200.0 + group, "21"))
    ]
    unstated = {**code, "reporting_entity_name": "Payer B", "negotiated_rate": 390.0, "places": []}
    db = store_of_market(tmp_path, *rates, unstated)
    fee = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", **code, "medicare_prof_rate": 300.0}
    index = {"dim_code": [{"code_type": "CPT", **code, "name": "Colonoscopy"}]}
    schedule = {"bench_medicare_prof": [{**fee, "facility_rate": 150.0}]}
    in_facilities = "the professional fee in facilities"
    for tables, said in (
        (index, f"$201.00 in the middle of 3 rates: {in_facilities}"),
        (schedule, f"$200.50 in the middle of 2 rates of PAYER_A: {in_facilities}; PAYER_B states no place"),
    ):
        written(db.root, tables)
        with serving(db.root):
            shown = text_of(Visitor().get("/", {"q": "colonoscopy hospital or office", "state": "GA"}))
        assert said in shown
        assert shown.count("Not like with like: outside facilities, one fee pays for the room") == 1


def test_codes_whose_rates_are_none_in_dollars_come_last(tmp_path: Path) -> None:
    """A list of colonoscopies does not begin with the one that has no price."""
    percentages = {"code": "45378", "negotiated_type": "percentage", "negotiated_rate": 60.0}
    db = store_of_market(
        tmp_path, percentages, {**percentages, "group": 1}, {"code": "45380", "negotiated_rate": 400.0}
    )
    names = {"45378": "Colonoscopy", "45380": "Colonoscopy with biopsy"}
    written(db.root, {"dim_code": [{"code_type": "CPT", "code": code, "name": name} for code, name in names.items()]})
    with serving(db.root):
        shown = text_of(Visitor().get("/", {"q": "colonoscopy", "state": "GA"}))
        program = text_of(Visitor().get("/", {"q": "medicare advantage"}))
    found = re.findall(r"CPT (453[0-9]{2})", shown)
    assert found.index("45380") < found.index("45378")
    assert "2 rates in GA, none in dollars" in shown
    assert "Medicare Advantage is not a payer, and its rates are not in these files" in program


def test_a_clinic_that_is_named_like_a_town_is_not_looked_for_there(placed_root: Path, tmp_path: Path) -> None:
    shutil.copytree(placed_root, tmp_path / "data", symlinks=True)
    store = Store(tmp_path / "data")
    [(name,)] = open_snapshot(store).rows(
        """SELECT min(organization_name) FROM organization WHERE organization_name NOT ILIKE '%hospital%'
           AND len(string_split(organization_name, ' ')) >= 3"""
    )
    town = name.split()[0]
    load_organizations(store, [care_compare(tmp_path / "tx.csv", ("450001", "A HOSPITAL"), city=town, state="TX")])
    with serving(store.root):
        clinic = text_of(Visitor().get("/", {"q": f"{name} head ct"}))
        in_town = text_of(Visitor().get("/", {"q": f"{town} head ct"}))
    said = f"No provider of the loaded rates is known to practice in {town.title()}"
    assert said not in clinic
    assert clinic.index("Organizations") < clinic.index("CPT 70450")
    assert said in in_town
