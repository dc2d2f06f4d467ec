"""The pages of an NPI and of a tax ID."""

import re
from pathlib import Path

import pytest
from django.test import Client

from core.demo.payer_files import STATE, write_files
from core.load.load_file import load_file
from core.pages.formats import write_day, write_percent
from core.queries.market.market import Market
from core.queries.parties import provider_rates, provider_summary
from core.reference.nppes.load_register import load_nppes
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.fixture_types import Load
from tests.pages.markets import MONTH, PEACH
from tests.queries.one_market import A_RATE
from tests.queries.rates_by_month import store_of
from tests.queries.tables import written
from tests.rate_files import file_of, item_of
from tests.reference.nppes.registers import CLINIC, PRACTICE, SURGEON, provider, rates, register, write_places
from tests.site import Visitor, csv_rows, serving, tables, text_of
from tests.stores import open_snapshot


def test_an_npi_and_a_tax_id_link_to_each_other(site: Client, demo: Snapshot) -> None:
    npi, tin, name = demo.rows(
        "SELECT npi, tin_value, business_name FROM xref_tin_npi JOIN dim_tin USING (tin_type, tin_value) "
        "WHERE business_name IS NOT NULL ORDER BY npi LIMIT 1"
    )[0]
    of_npi = site.get(f"/npi/{npi}/")
    assert npi in text_of(of_npi)
    assert name in text_of(of_npi)
    of_tin = site.get(f"/tin/{tin}/")
    assert f"{name} tax ID {tin[:2]}-{tin[2:]}" in text_of(of_tin)
    assert npi in text_of(of_tin)
    assert site.get(f"/tin/{tin[:2]}-{tin[2:]}/", follow=False)["Location"] == f"/tin/{tin}/"
    as_asked = site.get(f"/tin/{tin[:2]}-{tin[2:]}/?state=GA&sort=code", follow=False)
    assert as_asked["Location"] == f"/tin/{tin}/?state=GA&sort=code"
    total, rows = provider_rates.list_code_rates(demo, demo, Market("GA", "2025-08", npi=npi), 50, 0)
    assert f"1–50 of {total}" in text_of(of_npi)
    of_codes = next(table for table in tables(of_npi) if table[0][:2] == ["Code", "Payer"])
    assert len(of_codes) == len(rows) + 1


def test_rates_stand_among_organizations_as_in_the_report(store: Store, load: Load) -> None:
    """Six organizations are paid $90 to $140; the second of them is on the page, and $110 is in the middle."""
    references = [
        {"provider_group_id": at, "provider_groups": [{"npi": [int(SURGEON)], "tin": {"type": "ein", "value": tin}}]}
        for at, tin in enumerate(f"58123450{at}" for at in range(6))
    ]
    load(file_of(*(item_of(90 + 10 * at, references=[at]) for at in range(6)), provider_references=references))
    with serving(store.root):
        page = Visitor().get("/tin/581234501/", MONTH)
        (line,) = csv_rows(Visitor().get("/clinic/", {**MONTH, "tin": "581234501", "format": "csv"}))
        (of_file,) = csv_rows(Visitor().get("/tin/581234501/", {**MONTH, "table": "rates", "format": "csv"}))
        (of_api,) = Visitor().get("/api/v1/providers/tin/581234501/rates", MONTH).json()["rows"]
    heads, row = next(table for table in tables(page) if table[0][:1] == ["Code"])
    shown = dict(zip(heads, row, strict=True))
    assert (line["rate"], line["middle"], line["paid_more"]) == ("100.0", "110.0", "4")
    assert [shown[name] for name in ("Rate", "Middle organization", "vs. middle", "Paid more")] == [
        "$100.00", "$110.00", "9.1% below", "4 of 5",
    ]  # fmt: skip
    figures = {"rate": 100.0, "middle": 110.0, "paid_more": 4, "other_organizations": 5}
    assert {name: of_api[name] for name in figures} == figures
    assert {name: float(of_file[name]) for name in figures} == figures
    assert of_api["middle_difference"] == pytest.approx(-0.0909, abs=1e-4)
    assert of_file["name"] == "Office visit, established patient, level 3 of 5", "as the page calls the code"
    assert "1 of 1 line is below what Payer’s middle organization is paid" in text_of(page)
    assert "percentile" not in text_of(page), "of all rates, each organization's would have another place"


def test_the_lines_that_the_report_begins_without_are_counted(site: Client, demo: Snapshot) -> None:
    """The report begins with whole services of one class. A page has parts of services as well."""
    ((tin,),) = demo.rows("SELECT min(tin_value) FROM xref_group_tin WHERE tin_type = 'npi'")
    page, report = text_of(site.get(f"/tin/{tin}/")), text_of(site.get(f"/clinic/?state=GA&tin={tin}"))
    below = r"of (\d+) lines (?:is|are) below what"
    apart = re.search(r"(\d+) of these lines have a modifier or another billing class", page)
    assert apart
    assert int(re.findall(below, page)[0]) - int(apart[1]) == int(re.findall(below, report)[0])


def test_a_provider_is_answered_first_then_sorted_and_searched(site: Client, demo: Snapshot) -> None:
    ((npi,),) = demo.rows("SELECT min(npi) FROM xref_tin_npi")
    market = Market("GA", "2025-08", npi=npi)
    summary = provider_summary.summarize_provider(demo, demo, market)
    page = site.get(f"/npi/{npi}/")
    text = text_of(page).replace(" ,", ",").replace(" ;", ";")
    said = f"{summary.payers} payers, {summary.rates:,} rates for {summary.codes} codes; {write_percent(summary.p50)}"
    assert said in text
    assert text.index(said) < text.index("By family of codes") < text.index("Rates in Georgia")
    assert "Percent of Medicare by family of codes" in page.content.decode()
    by_schedule = site.get(f"/npi/{npi}/", {"yardstick": "compensation"}).content.decode()
    assert "Percent of Medicare by family of codes" not in by_schedule
    assert "Percent of the workers’ compensation schedule of Georgia by family of codes" in by_schedule
    # The table can be sorted by links, and says how it is sorted.
    by_percent = site.get(f"/npi/{npi}/?sort=-percent").content.decode()
    assert by_percent.count('aria-sort="') == 1
    assert re.search(r'aria-sort="descending"><a href="[^"]*sort=percent#rows"[^>]*>% of Medicare ↓</a>', by_percent)
    # A family or words show fewer rows, and the filters stay.
    families = provider_summary.list_family_rates(demo, demo, market)
    one = families[0]
    found = site.get(f"/npi/{npi}/", {"family": one.family, "sort": "-p50"})
    codes = {row["code"] for row in csv_rows(site.get(f"/npi/{npi}/", {"family": one.family, "format": "csv"}))}
    assert len(codes) == one.codes
    assert f'value="{one.family}" selected' in found.content.decode()
    assert "sort=-p50" in found.content.decode()
    visits = csv_rows(site.get(f"/npi/{npi}/", {"q": "office visit", "format": "csv"}))
    assert {row["family"] for row in visits} == {"visits and consultations"}
    assert "No rates of this provider match these filters" in text_of(site.get(f"/npi/{npi}/", {"q": "zzzz"}))


def test_what_all_rows_say_is_said_once_above_them(site: Client, demo: Snapshot) -> None:
    ((npi,),) = demo.rows("SELECT min(npi) FROM xref_tin_npi")
    narrow = {"payer": PEACH, "billing_class": "professional", "modifier": "none"}
    page = site.get(f"/npi/{npi}/", narrow)
    of_codes = next(table for table in tables(page) if table[0][:1] == ["Code"])
    assert len(of_codes) > 2
    assert {"Payer", "Class", "Modifier"}.isdisjoint(of_codes[0])
    assert "Example Peach Health Plan; professional fee; no modifier." in " ".join(text_of(page).split())
    every = next(table for table in tables(site.get(f"/npi/{npi}/")) if table[0][:1] == ["Code"])
    assert every[0][1] == "Payer", "it has rates of several"


def test_a_heading_says_what_a_number_is(site: Client, demo: Snapshot) -> None:
    ((npi,),) = demo.rows("SELECT min(npi) FROM dim_npi WHERE name IS NOT NULL")
    assert f"<small>NPI {npi}</small></h1>" in site.get(f"/npi/{npi}/").content.decode()
    for (tin,) in demo.rows("SELECT tin_value FROM named_tin WHERE tin_type = 'ein' AND business_name IS NULL LIMIT 1"):
        assert f"<h1>Tax ID {tin[:2]}-{tin[2:]}</h1>" in site.get(f"/tin/{tin}/").content.decode()


def test_a_provider_is_described_from_the_registry(site: Client, demo: Snapshot, store: Store, tmp_path: Path) -> None:
    person = demo.rows("SELECT npi, name FROM dim_npi WHERE credential = 'MD' AND deactivated_on IS NULL ORDER BY npi")[
        0
    ]
    page = text_of(site.get(f"/npi/{person[0]}/"))
    assert re.search(
        rf"{person[1]} NPI {person[0]} Individual, MD: .* \(demo\) \d+ MAIN ST \(DEMO\), .*, GA 3\d{{4}}-\d{{4}}", page
    )
    clinic = demo.rows("SELECT npi, name FROM dim_npi WHERE entity_type = 'organization' ORDER BY npi")[0]
    assert re.search(rf"{clinic[1]} NPI {clinic[0]} Organization: ", text_of(site.get(f"/npi/{clinic[0]}/")))
    ((gone, day),) = demo.rows("SELECT npi, deactivated_on FROM dim_npi WHERE deactivated_on IS NOT NULL")
    assert f"Deactivated {write_day(day)}." in text_of(site.get(f"/npi/{gone}/"))
    ((unknown,),) = demo.rows("SELECT npi FROM dim_npi WHERE name IS NULL")
    assert "what is loaded of the national provider registry (NPPES) does not list it" in text_of(
        site.get(f"/npi/{unknown}/")
    )
    load_file(store, open_documents(write_files(tmp_path)[0])[0], STATE)
    with serving(store.root):
        ((any_npi,),) = open_snapshot(store).rows("SELECT min(npi) FROM dim_npi")
        assert "Names and specialties from the national provider registry (NPPES) are not available yet" in text_of(
            site.get(f"/npi/{any_npi}/")
        )


@pytest.mark.parametrize(
    ("address", "status", "message"),
    [
        ("/npi/2999999999/", 404, "No loaded rate lists the NPI 2999999999"),
        ("/npi/123/", 400, "'123' is not an NPI: 10 digits, starting with 1 or 2"),
        ("/tin/999999999/", 404, "No loaded rate lists the tax ID 999999999"),
        ("/tin/abc/", 400, "'abc' is not a tax ID"),
        ("/nothing/", 404, "/nothing/ does not exist on this site"),
    ],
)
def test_a_missing_page_says_what_is_missing(site: Client, address: str, status: int, message: str) -> None:
    response = site.get(address)
    assert response.status_code == status
    assert message in text_of(response)


def test_an_npi_that_is_only_billed_under_leads_to_its_page_as_a_tax_id(tmp_path: Path) -> None:
    root = store_of(tmp_path, {"2025-08": ([(set(), {("npi", SURGEON)})], [A_RATE])}).root
    written(root, {"dim_tin": [{"tin_type": "npi", "tin_value": SURGEON}]})
    with serving(root):
        response = Visitor().get(f"/npi/{SURGEON}/", {"state": "GA"}, follow=False)
        assert (response.status_code, response["Location"]) == (302, f"/tin/{SURGEON}/?state=GA")
        assert Visitor().get(response["Location"]).status_code == 200


def test_names_and_addresses_of_the_registry_are_shown_whole(store: Store, load: Load, tmp_path: Path) -> None:
    surgeon = provider(
        SURGEON,
        "WIEBE",
        **{
            "Provider First Name": "ANN",
            "Provider Middle Name": "LEE",
            "Provider Name Suffix Text": "JR.",
            "Provider Other Last Name": "DAY",
            "Provider Other First Name": "ANN",
            "Provider Other Last Name Type Code": "1",
            "Provider First Line Business Practice Location Address": "1 A ST",
            "Provider Second Line Business Practice Location Address": "STE 9",
            PRACTICE + "City Name": "MACON",
            PRACTICE + "State Name": "GA",
            PRACTICE + "Postal Code": "312010002",
            "Last Update Date": "11/12/2025",
        },
    )
    load(rates(SURGEON, CLINIC))
    load_nppes(store, [register(tmp_path / "n.csv", surgeon), *write_places(tmp_path, SURGEON, 25)])
    with serving(store.root):
        response = Visitor().get(f"/npi/{SURGEON}/")
        rows = csv_rows(Visitor().get(f"/npi/{SURGEON}/", {"table": "locations", "format": "csv"}))
        other = text_of(Visitor().get(f"/npi/{CLINIC}/"))
        found = text_of(Visitor().get("/", {"q": "ann day"}))
    shown = text_of(response)
    assert "ANN LEE WIEBE JR." in shown
    assert "1 A ST, STE 9, MACON, GA 31201-0002" in shown
    assert "Former name ANN DAY" in shown
    assert "Registry entry of Nov 12, 2025" in shown
    assert "25 other practice locations" in shown
    assert "0 B ST, STE 0, MACON, GA" in shown
    assert "19 B ST" in shown
    assert "20 B ST" not in shown
    assert "The download has all 25." in shown
    assert [row["address"] for row in rows] == [f"{number} B ST" for number in range(25)]
    assert "practice location" not in other
    assert f"NPI {SURGEON}, also ANN DAY" in found
