"""What pages, the API and notebooks say of a payer whose labels are overruled, and how one chooses another schedule."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

import beaconpoint
from core.pages.formats import write_dollars, write_fee
from core.pages.shared.words.change_words import name_terms
from core.quality.fit_record import update_fits
from core.queries.comparison.overruled_labels import OverruledLabel, list_overruled_labels
from core.queries.market.market import Market
from core.queries.over_time.changes import OfTerms
from core.runtime.errors import BeaconError
from core.store.generations.store import Store
from tests.quality.fitted_rates import HOSPITALS, PHYSICIANS, rates_of, store_with
from tests.site import Visitor, json_rows, serving, text_of
from tests.stores import open_snapshot

QUERY = {"state": "GA", "year_month": "2025-06"}
CODE, ANOTHER_CODE = list(PHYSICIANS)[:2]
NPI, TIN, OTHER_NPI, OTHER_TIN = "1234567893", "123456789", "1245319599", "987654321"

PAGES = (
    f"/rates/?code={CODE}", f"/medicare/?code={CODE}", f"/trend/?code={CODE}",
    f"/places/?code={CODE}", f"/specialties/?code={CODE}", f"/baskets/?codes={CODE},{ANOTHER_CODE}",
    f"/npi/{NPI}/", f"/tin/{TIN}/", f"/clinic/?tin={TIN}&codes={CODE}",
)  # fmt: skip
"""The pages with a percent of Medicare or its amounts, each with a question about rates whose label is overruled."""

OF_OTHERS = (
    f"/rates/?code={ANOTHER_CODE}&billing_class=professional", "/medicare/?payer=other_payer",
    f"/places/?code={ANOTHER_CODE}&billing_class=professional", f"/trend/?code={ANOTHER_CODE}&payer=other_payer",
    f"/baskets/?codes={ANOTHER_CODE}&billing_class=professional", f"/npi/{OTHER_NPI}/", f"/tin/{OTHER_TIN}/",
    f"/clinic/?tin={OTHER_TIN}&codes={ANOTHER_CODE}&billing_class=professional",
)  # fmt: skip
"""Questions about rates whose label is right, of the same month."""


@pytest.fixture(scope="module")
def mislabeled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store whose payer labels physicians' rates institutional."""
    rates = rates_of(PHYSICIANS, 1.28, 0.3, billing_class="institutional", places=[])
    # Another class, whose label is right.
    rates.append(
        {**rates[1], "billing_class": "professional", "places": ["11"], "reporting_entity_name": "Other Payer"}
    )
    rates = [{**rate, "pg_uid": f"of {rate.get('reporting_entity_name', 'Example Payer')}"} for rate in rates]
    payer = {"reporting_entity_name_raw": "Example Payer", "payer_slug": "example_payer"}
    other = {"reporting_entity_name_raw": "Other Payer", "payer_slug": "other_payer"}
    groups = {"of Example Payer": (NPI, TIN), "of Other Payer": (OTHER_NPI, OTHER_TIN)}
    in_month = {"year_month": "2025-06", "payer_slug": "example_payer"}
    db = store_with(
        tmp_path_factory.mktemp("mislabeled"), rates,
        dim_payer_bridge=[payer, other],
        dim_reporting_entity=[
            {"payer_slug": one["payer_slug"], "reporting_entity_name": one["reporting_entity_name_raw"]}
            for one in (payer, other)
        ],
        dim_npi=[
            {"npi": npi, "name": "A clinic", "state": "GA", "taxonomy_code": "207X00000X"} for npi in (NPI, OTHER_NPI)
        ],
        dim_tin=[{"tin_type": "ein", "tin_value": tin} for tin in (TIN, OTHER_TIN)],
        xref_group_npi=[{**in_month, "pg_uid": uid, "npi": npi} for uid, (npi, _) in groups.items()],
        xref_group_tin=[
            {**in_month, "pg_uid": uid, "tin_type": "ein", "tin_value": tin} for uid, (_, tin) in groups.items()
        ],
        dim_code=[{"code_type": "CPT", "code": code, "name": code} for code in PHYSICIANS],
        dim_batch=[
            {"batch_id": "b", "state": "GA", "year_month": "2025-06", "reporting_entity_name": "Example Payer",
             "payer_slug": "example_payer", "rows_added": len(rates) - 1},
            {"batch_id": "c", "state": "GA", "year_month": "2025-06", "reporting_entity_name": "Other Payer",
             "payer_slug": "other_payer", "rows_added": 1},
        ],
    )  # fmt: skip
    update_fits(Store(db.root), db)
    return db.root


@pytest.fixture
def site(mislabeled: Path) -> Iterator[Client]:
    with serving(mislabeled):
        yield Visitor()


@pytest.fixture
def label(mislabeled: Path) -> OverruledLabel:
    (found,) = list_overruled_labels(open_snapshot(Store(mislabeled)), Market("GA", "2025-06"))
    return found


@pytest.mark.parametrize(("page", "is_overruled"), [(f"/tin/{TIN}/", True), (f"/tin/{OTHER_TIN}/", False)])
def test_rates_of_a_provider_say_that_the_class_is_the_file_s_word(
    mislabeled: Path, page: str, is_overruled: bool
) -> None:
    with serving(mislabeled):
        shown = text_of(Visitor().get(page, QUERY))
    assert ("labeled facility fee" in shown) == is_overruled
    assert "labeled professional fee" not in shown


def test_a_page_says_so_and_offers_the_other_schedule(site: Client, label: OverruledLabel) -> None:
    response = site.get("/medicare/", {**QUERY, "payer": "example_payer"})
    shown = text_of(response)
    assert label.sentence in shown
    assert "Compare with OPPS instead" in shown
    assert "basis=opps" in response.content.decode()
    assert "Physician fee outside facilities" in shown
    assert "chosen by fit" in shown or "chosen because the rates of this payer fit this schedule" in shown
    # The answer on top does not call a physician's fee a facility's bill.
    for page in ("/rates/", "/report/"):
        of_code = text_of(site.get(page, {**QUERY, "code_type": "CPT", "code": CODE}))
        assert "the professional fee" in of_code
        assert label.short in of_code
        assert "the facility fee" not in of_code


def test_a_label_is_called_one_wherever_rates_of_a_code_state_their_class(site: Client) -> None:
    for page in ("/trend/", "/medicare/", "/rates/"):
        shown = text_of(site.get(page, {**QUERY, "code_type": "CPT", "code": CODE}))
        rows = shown.replace("Facility fee: what a hospital", "").replace("as facility fees", "")
        assert "labeled facility fee" in rows.lower()
        assert not re.search(r"(?<!labeled )\bfacility fee (none|no modifier)", rows), page
    assert write_fee("institutional", "professional") == "labeled facility fee"
    assert write_fee("institutional", "institutional") == write_fee("institutional") == "facility fee"
    assert write_fee("both", "professional") == "professional and facility fee"
    terms: dict[str, Any] = {"setting": None, "place": "outpatient", "severity_of_illness": None, "modifier": "26"}
    assert (
        name_terms(OfTerms("institutional", **terms), "professional")
        == "professional fee, labeled facility fee, modifier 26"
    )
    assert name_terms(OfTerms("institutional", **terms), "") == "facility fee, outpatient, modifier 26"
    assert name_terms(OfTerms(None, **terms), "") == "class not stated, outpatient, modifier 26"


@pytest.mark.in_turns(4)
@pytest.mark.parametrize("address", PAGES)
def test_each_page_with_percents_says_so_and_offers_the_other_schedule(
    site: Client, label: OverruledLabel, address: str
) -> None:
    page = site.get(in_month(address))
    assert text_of(page).count(label.sentence) == 1
    link = link_called("Compare with OPPS instead", page)
    assert "basis=opps" in link
    switched = site.get(link)
    assert label.sentence not in text_of(switched)
    assert text_of(switched).count("All rates are compared with OPPS, whatever billing class they state.") == 1
    back = link_called("Compare each rate with the schedule that it belongs to", switched)
    assert text_of(site.get(back)).count(label.sentence) == 1
    # What one does next keeps the schedule.
    shown = switched.content.decode()
    for form in re.findall(r'<form class="market".*?</form>', shown, re.DOTALL):
        assert re.search(r'<input[^>]* name="basis" value="opps"|<option value="opps" selected>', form)
    main = re.sub(r'<p class="applied">.*?</p>|<section class="cite.*?</section>', "", shown, flags=re.DOTALL)
    followed = re.findall(r'href="(/(?:rates|npi|tin|medicare)/[^"]*|[^"]*format=[^"]*)"', main)
    assert [unescape(one) for one in followed if "basis=opps" not in one and "?" in one] in ([], [back])


def in_month(address: str, **parameters: str) -> str:
    """Return an address with the state and month of the store, and further parameters."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode({**QUERY, **parameters})}"


def link_called(words: str, page: Any) -> str:
    (address,) = re.findall(rf'<a href="([^"]*)">{words}</a>', page.content.decode())
    return unescape(address)


@pytest.mark.in_turns(3)
@pytest.mark.parametrize("address", OF_OTHERS)
def test_a_page_about_other_rates_does_not_say_so(site: Client, label: OverruledLabel, address: str) -> None:
    shown = text_of(site.get(in_month(address)))
    assert "Other Payer" in shown or "professional" in shown.lower()
    assert label.sentence not in shown


def test_payers_stand_side_by_side_whatever_their_labels(site: Client, label: OverruledLabel) -> None:
    code = {**QUERY, "code_type": "CPT", "code": ANOTHER_CODE}
    for page in ("/rates/", "/payers/", "/report/"):
        shown = text_of(site.get(page, code))
        assert re.search(r"Example Payer \(labeled facility fee(, by rates)?\)", shown), "in the chart"
        assert "Other Payer" in shown
    compared = site.get("/payers/", code)
    assert "Professional fee, no modifier" in text_of(compared)
    assert re.search(r"All payers together\s+\$\S+ the market\s+149%\s+(–\s+){6}2\s", text_of(compared))
    assert re.search(r"Example Payer\s.*labeled facility fee", text_of(compared))
    assert text_of(compared).count("% of Medicare") == 1
    listed = text_of(site.get("/payers/", {**QUERY, "codes": f"{CODE},{ANOTHER_CODE}"}))
    assert "professional fee" in listed
    assert "labeled facility fee" in listed
    basket = text_of(site.get("/baskets/", {**QUERY, "codes": f"{CODE},{ANOTHER_CODE}"}))
    assert "is the only payer" not in basket
    assert re.search(r"Example Payer\s+labeled facility fee", basket)
    assert label.sentence in basket
    # What the file states can still be asked for.
    stated = text_of(site.get("/payers/", {**code, "billing_class": "professional"}))
    assert "Example Payer" not in stated.partition("Median vs.")[2]
    rows = site.get("/api/v1/rates", code).json()
    assert rows["market"]["billing_class"] == "like professional"
    assert {row["billing_class"] for row in rows["rows"]} == {"professional", "institutional"}


def test_a_professional_s_rate_without_a_place_is_of_no_setting(site: Client) -> None:
    """Whatever its label: a hospital need not list places, but this is no hospital's bill, which nobody prices."""
    code = {**QUERY, "code_type": "CPT", "code": ANOTHER_CODE}
    shown = text_of(site.get("/rates/", code))
    assert "Not stated: 1 rate that lists no place of service, and may hold in any setting." in shown
    assert "No facility prices are loaded for this code" in shown
    for setting in ("office", "hospital outpatient", "surgical center"):
        page = site.get("/rates/", {**code, "care_setting": setting})
        assert "Left out, because they list no place of service: Example Payer (1 rate)." in text_of(page), setting
        alone = text_of(site.get(link_called("see them alone", page)))
        assert "1 rate for 1 provider group" in alone
    # Of a filtered market, nobody knows; and no hospital is paid apart for a code without an amount of OPPS or ASC.
    assert "No facility prices" not in text_of(site.get("/rates/", {**code, "payer": "other_payer"}))
    with_facility = {**QUERY, "code_type": "CPT", "code": "99213"}
    assert "No facility prices" not in text_of(site.get("/rates/", with_facility))


def test_the_page_of_the_payer_leads_to_its_rates_by_the_other_schedule(site: Client, label: OverruledLabel) -> None:
    page = site.get("/payers/", {**QUERY, "payer": "example_payer"})
    assert label.sentence in text_of(page)
    link = link_called("Compare with OPPS instead", page)
    assert link == "/medicare/?state=GA&year_month=2025-06&payer=example_payer&basis=opps"
    assert label.sentence not in text_of(site.get("/payers/", {**QUERY, "payer": "other_payer"}))


def test_what_is_pasted_is_not_lost_to_the_switch(site: Client, label: OverruledLabel) -> None:
    shown = site.post("/clinic/", {**QUERY, "npis": NPI, "lines": f"code\n{CODE}\n"})
    assert label.sentence in text_of(shown)
    assert "Compare with OPPS instead" not in text_of(shown), "what is pasted is in no address"


def test_no_label_is_overruled_for_who_measures_by_the_state_s_schedule(site: Client, label: OverruledLabel) -> None:
    for address in (f"/rates/?code={CODE}", f"/npi/{NPI}/", f"/places/?code={CODE}"):
        assert label.sentence not in text_of(site.get(in_month(address, yardstick="compensation")))


@pytest.mark.parametrize(
    ("asked", "rules"),
    [
        ({}, {"institutional": "fit", "professional": "class"}),
        ({"basis": "opps"}, {"institutional": "visitor", "professional": "visitor"}),
    ],
)
def test_every_rate_says_which_rule_chose(
    site: Client, mislabeled: Path, asked: dict[str, str], rules: dict[str, str]
) -> None:
    every = {**QUERY, "code_type": "CPT", "code": ANOTHER_CODE, "classes": "all", **asked}
    found = [site.get(f"/api/v1/{resource}", every).json()["rows"] for resource in ("rates", "medicare")]
    found += [json_rows(site.get(f"/{page}/", {**every, "format": "json"})) for page in ("rates", "medicare")]
    store = beaconpoint.open_store(mislabeled)
    found.append(store.medicare("GA", "2025-06", ANOTHER_CODE, classes="all", **asked).rows(named=True))  # type: ignore[arg-type]
    for rows in found:
        assert {row["billing_class"]: row["rule"] for row in rows} == rules


def test_a_visitor_compares_with_the_schedule_that_he_asks_for(site: Client, label: OverruledLabel) -> None:
    response = site.get("/medicare/", QUERY | {"basis": "opps"})
    shown = text_of(response)
    assert label.sentence not in shown
    assert "All rates are compared with OPPS, whatever billing class they state." in shown
    assert "hysician fee outside facilities" not in shown
    assert "Medicare schedule: OPPS ✕" in shown
    assert site.get("/medicare/", QUERY | {"basis": "clfs"}).status_code == 400


def test_the_rates_of_a_code_have_the_amount_that_is_asked_for(site: Client) -> None:
    code = {"code_type": "CPT", "code": CODE}
    for basis, amount in (("", PHYSICIANS[CODE]), ("mpfs", PHYSICIANS[CODE]), ("opps", HOSPITALS[CODE])):
        answer = site.get("/api/v1/medicare", QUERY | code | ({"basis": basis} if basis else {})).json()
        (row,) = answer["rows"]
        assert row["medicare"] == pytest.approx(amount)
        assert row["rule"] == ("visitor" if basis else "fit")
        assert answer["market"]["basis"] == (basis or None)
        assert write_dollars(amount) in text_of(site.get("/rates/", QUERY | code | {"basis": basis}, follow=True))


def test_the_api_lists_the_evidence(site: Client, label: OverruledLabel) -> None:
    (row,) = site.get("/api/v1/medicare/labels", QUERY).json()["rows"]
    assert row == vars(label)
    assert site.get("/api/v1/medicare/labels", QUERY | {"payer": "another"}).json()["rows"] == []
    assert site.get("/api/v1/medicare", QUERY | {"basis": "clfs"}).status_code == 400
    assert site.get("/api/v1/organizations", QUERY | {"code": CODE, "basis": "opps"}).status_code == 400


def test_a_notebook_asks_for_a_schedule_and_for_the_evidence(mislabeled: Path, label: OverruledLabel) -> None:
    store = beaconpoint.open_store(mislabeled)
    assert store.overruled_labels("GA", "2025-06").rows(named=True) == [vars(label)]
    assert store.overruled_labels("GA", "2025-06", payer="Another").is_empty()
    amounts = {
        basis: store.medicare("GA", "2025-06", CODE, basis=basis)["medicare"].to_list() for basis in ("OPPS", "mpfs")
    }
    assert amounts == {"OPPS": [HOSPITALS[CODE]], "mpfs": [PHYSICIANS[CODE]]}
    with pytest.raises(BeaconError, match="basis: 'x' is unknown; expected one of mpfs, opps, asc"):
        store.medicare("GA", "2025-06", CODE, basis="x")


def test_a_taxonomy_code_is_not_shown_as_a_word(site: Client) -> None:
    """The list of taxonomies is not loaded: nothing is said instead."""
    assert "207X00000X" not in text_of(site.get(in_month(f"/npi/{NPI}/")))


def test_the_classes_of_files_are_folded_and_named_as_labeled(site: Client) -> None:
    page = site.get(in_month(f"/rates/?code_type=CPT&code={ANOTHER_CODE}")).content.decode()
    front, _, folded = page.partition('aria-label="Classes of rates"')[2].partition("</nav>")[0].partition("<details>")
    assert text_of_markup(front) == "Professional fee 2 All classes"
    assert "Professional fee (as labeled) 1 Facility fee (as labeled) 1" in text_of_markup(folded)


def text_of_markup(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]*>|^[^<>]*>", " ", markup).split())
