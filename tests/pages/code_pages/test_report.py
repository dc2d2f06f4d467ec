"""The report of a code on one sheet."""

import html
import re
from pathlib import Path
from typing import Any

from django.test import Client

from core.pages.formats import write_dollars, write_percent
from core.queries.classes.rate_classes import choose_class
from core.queries.code_answer import spread_by_terms
from core.queries.market.market import Market
from core.queries.parties.shared_contracts import list_contracts
from core.store.connection import Snapshot
from tests.pages.markets import MONTH
from tests.queries.one_market import A_RATE
from tests.queries.rates_by_month import store_of
from tests.queries.tables import written
from tests.site import Visitor, csv_rows, serving, tables, text_of

NPIS = ["1912951245", "1003027533", "1234567893", "1245319599"]

QUERY = {**MONTH, "code_type": "CPT", "code": "70450", "billing_class": "professional", "modifier": "none"}


def test_a_report_has_the_answer_its_payers_sources_and_citation(site: Client, demo: Snapshot) -> None:
    market = choose_class(demo, Market("GA", "2025-08", "CPT", "70450")).market
    everybody, *payers = spread_by_terms(demo, market)
    response = site.get("/report/", QUERY)
    (table,) = tables(response)
    assert [(row[1], row[4], row[7]) for row in table[1:]] == [
        (str(one.rates), write_dollars(one.p50), write_percent(one.percent_p50))
        for one in [everybody, *sorted(payers, key=lambda one: (-one.rates, one.reporting_entity_name or ""))]
    ]
    shown = text_of(response)
    assert f"is paid {write_dollars(everybody.p50)} in the middle" in shown
    assert "2025-08-01_peach_in-network-rates.json.gz, of Aug 1, 2025" in shown
    assert f"generation {demo.manifest.generation} of " in shown
    rows = csv_rows(site.get("/report/", {**QUERY, "format": "csv"}))
    assert len(rows) == 1 + len(payers)


def test_a_report_can_measure_by_the_schedule(site: Client) -> None:
    shown = text_of(site.get("/report/", {**QUERY, "yardstick": "compensation"}))
    assert "Schedule amounts: workers’ compensation, professional $195.00." in shown
    assert "Median % of schedule" in shown
    assert "One-page report" in text_of(site.get("/rates/", QUERY))


def test_a_report_says_who_is_paid_best_and_what_changed_last(site: Client, demo: Snapshot) -> None:
    """It has the figures of the pages that it leads to, and neither the tabs nor the notices of the page of rates."""
    market = choose_class(demo, Market("GA", "2025-08", "CPT", "70450")).market
    response = site.get("/report/", QUERY)
    page = response.content.decode()
    shown = " ".join(text_of(response).split())
    for order, words in (("-p50", "by a contract’s price in the middle: "), ("p50", "The least: ")):
        (first, *_) = list_contracts(demo, market, order, 1, 0).rows
        named, amount, _ = shown.split(words)[1].partition(write_dollars(first.p50))
        assert named.startswith((first.leading.business_name or first.leading.tin_value)[:40])
        assert amount
        assert "$" not in named, "it is the first that is named"
    told = [html.unescape(one) for one in re.findall(r'href="([^"]+)">These changes<', page)]
    assert told
    for address in told:
        changed = " ".join(text_of(site.get(address)).split())
        sentence = changed[changed.index("Of ") :].split(" for CPT")[0].removeprefix("Of ")
        middle = changed.split("the median change is ")[1].split(" ")[0]
        assert f"of {sentence}, " in shown
        assert f"the median change is {middle} " in shown.split(sentence)[1]
    assert "Median against the month before" not in shown
    assert 'class="classes"' not in page
    assert 'class="label-note"' not in page
    assert "Cite, share, or follow" not in page


def test_a_report_leads_with_the_change_of_the_same_contracts(tmp_path: Path) -> None:
    """The median of all rates falls because a cheap contract is new; who was there before is paid more."""
    groups: list[Any] = [({NPIS[0]}, {("ein", "100000001")}), ({NPIS[1]}, {("ein", "100000002")})]
    earlier = [{**A_RATE, "negotiated_rate": 100.0}]
    later = [{**A_RATE, "negotiated_rate": 110.0}, {**A_RATE, "group": 1, "negotiated_rate": 20.0}]
    db = store_of(tmp_path, {"2025-01": (groups[:1], earlier), "2025-06": (groups, later)})
    asked = {"state": "GA", "code": "99213"}
    with serving(db.root):
        report, trend = (" ".join(text_of(Visitor().get(page, asked)).split()) for page in ("/report/", "/trend/"))
    same = (
        "f 1 organization that PAYER_A pays in both January 2025 and June 2025, 1 is paid more; "
        "the median change is +10%."
    )
    assert same in report
    assert same in trend
    assert "−35%" not in report
    assert trend.index(same) < trend.index("The median of all rates of Payer A is $100.00 (1 rate) in January 2025")
    assert trend.index("The line joins the medians of all rates of a month, whoever is in it") < trend.index("−35%")


def store_of_knees(root: Path, *performers: tuple[float, str]) -> Path:
    """Return a store with a contract for each rate, of a tax ID with one NPI of the specialty."""
    groups: list[Any] = [({NPIS[i]}, {("ein", f"10000000{i}")}) for i in range(len(performers))]
    rates = [{**A_RATE, "code": "27447", "group": i, "negotiated_rate": rate} for i, (rate, _) in enumerate(performers)]
    db = store_of(root, {"2025-08": (groups, rates)})
    key = {"year_month": "2025-08", "payer_slug": "payer_a"}
    known: dict[str, list[dict[str, Any]]] = {"provider_profile": [], "group_profile": [], "xref_tin_npi": []}
    for i, (_, specialty) in enumerate(performers):
        known["provider_profile"].append({"npi": NPIS[i], "specialty": specialty, "entity_type": "organization"})
        known["group_profile"].append(
            {**key, "pg_uid": f"payer_a 2025-08 {i}", "zip": "", "city": "", "specialty": specialty,
             "entity_type": "organization", "npis": 1}
        )  # fmt: skip
        known["xref_tin_npi"].append({**key, "tin_type": "ein", "tin_value": f"10000000{i}", "npi": NPIS[i]})
    return written(db.root, known).root


def test_a_report_names_no_organization_of_another_state_and_the_table_says_which_are(tmp_path: Path) -> None:
    surgeon = "Orthopedic surgery"
    root = store_of_knees(tmp_path, (50, surgeon), (30, surgeon), (10, surgeon), (5, surgeon))
    places = [("DENVER", "CO"), ("ATLANTA", "GA"), ("MACON", "GA"), (None, None)]
    written(root, {"dim_npi": [
        {"npi": NPIS[i], "city": city, "state": state} for i, (city, state) in enumerate(places)
    ]})  # fmt: skip
    asked = {"state": "GA", "code": "27447"}
    with serving(root):
        report = " ".join(text_of(Visitor().get("/report/", asked)).split())
        table = " ".join(text_of(Visitor().get("/organizations/", asked)).split())
    assert "by a contract’s price in the middle: Tax ID 10-0000001 $30.00 The least: Tax ID 10-0000003 $5.00" in report
    assert "10-0000000" not in report
    assert table.count("practices in") == 1
    assert "practices in Denver, CO" in table


def test_a_report_names_only_organizations_that_are_likely_to_perform_it(tmp_path: Path) -> None:
    """A physical therapist has the highest and the lowest rate of a knee replacement."""
    asked = {"state": "GA", "code": "27447"}
    therapist, surgeon = "Physical therapy", "Orthopedic surgery"
    with serving(store_of_knees(tmp_path / "some", (50, therapist), (30, surgeon), (10, surgeon), (5, therapist))):
        shown = " ".join(text_of(Visitor().get("/report/", asked)).split())
        table = " ".join(text_of(Visitor().get("/organizations/", {**asked, "sort": "-p50"})).split())
    usual = "a provider of a specialty that usually performs it"
    parts = [f"With {usual}", "$30.00", "$10.00", f"Without {usual}, sorted among themselves", "$50.00", "$5.00"]
    places = [table.index(one, table.index(parts[0])) for one in parts]
    assert places == sorted(places), "each part of the table is sorted as its arrow says"
    assert "Of 4 contracts, 2 have somebody of a specialty that usually performs it (Orthopedic surgery" in shown
    assert "by a contract’s price in the middle: Tax ID 10-0000001 $30.00 The least: Tax ID 10-0000002 $10.00" in shown
    assert "10-0000000" not in shown
    assert "10-0000003" not in shown
    with serving(store_of_knees(tmp_path / "none", (50, therapist), (5, therapist))):
        shown = " ".join(text_of(Visitor().get("/report/", asked)).split())
    assert "Nobody with these rates has a specialty that usually performs it" in shown
    assert "10-000000" not in shown
