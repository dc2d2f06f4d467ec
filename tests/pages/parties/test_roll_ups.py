"""Pages of an organization, a health system, and health plans."""

import re
from collections import defaultdict
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from statistics import median

import pytest
from django.test import Client

from core.demo.organization_list import write_organizations
from core.demo.payer_files import practices
from core.pages.formats import write_dollars, write_percent
from core.pages.parties.levels_of_payer import find_levels
from core.queries.market.market import Market
from core.queries.parties import roll_ups
from core.queries.payers.plans import find_which_name_plans
from core.reference.organizations.load_organizations import load_organizations
from core.reference.utilization.load_utilization import load_utilization
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.vocabulary.services import FAMILIAR_CODES
from tests.pages.markets import QUERY
from tests.reference.utilization.utilization_files import Use, write_uses
from tests.site import Visitor, csv_rows, json_rows, serving, tables, text_of
from tests.stores import copy_store, open_snapshot

ORGANIZATION, SYSTEM = "peachtree_physicians_group_demo", "example_ridge_health_system_demo"
PLAN = "hios_12345ga001_group_example_choice_ppo_demo"


@pytest.fixture(scope="module")
def rolled_up_root(demo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("rolled-up")
    copy_store(demo_root, directory / "data")
    store = Store(directory / "data")
    load_organizations(store, [write_organizations(directory)])
    uses: list[Use] = [(npi, "Cardiology", "99213", "O", 20, 25) for npi in sorted(_members())]
    load_utilization(store, [write_uses(directory / "uses_2023.csv", uses)])
    return store.root


def _members() -> set[str]:
    """Return the NPIs of the organization, some of which are under two of its tax IDs."""
    return {npi for practice in practices() if practice.name.startswith("Peachtree") for npi in practice.npis}


@pytest.fixture
def rolled_up(rolled_up_root: Path) -> Iterator[Client]:
    with serving(rolled_up_root):
        yield Visitor()


def test_an_organization_has_its_tax_ids_system_and_rates(rolled_up: Client) -> None:
    page = rolled_up.get(f"/organization/{ORGANIZATION}/")
    assert "Peachtree Physicians Group (demo)" in text_of(page)
    assert "Part of Example Ridge Health System (demo)" in text_of(page)
    tins = csv_rows(rolled_up.get(f"/organization/{ORGANIZATION}/?table=tins&format=csv"))
    peachtree = {practice.tin for practice in practices() if practice.name.startswith("Peachtree")}
    assert {row["tin_value"] for row in tins} == peachtree
    assert {row["organization_confidence"] for row in tins} == {"high"}
    by_tin = rolled_up.get(f"/organization/ein_{min(peachtree)}/")
    assert by_tin.redirect_chain == [(f"/organization/{ORGANIZATION}/", 302)]
    in_georgia = rolled_up.get(f"/organization/ein_{min(peachtree)}/", {"state": "GA"})
    assert in_georgia.redirect_chain == [(f"/organization/{ORGANIZATION}/?state=GA", 302)]
    assert rolled_up.get("/organization/nobody/").status_code == 404


def test_a_system_has_its_organizations_and_each_rate_once(rolled_up: Client) -> None:
    page = rolled_up.get(f"/system/{SYSTEM}/")
    assert "2 organizations and 6 tax IDs" in text_of(page)
    rates = json_rows(rolled_up.get(f"/system/{SYSTEM}/?table=periods&format=json"))
    in_market = rolled_up.get("/rates/", {**QUERY, "system": SYSTEM})
    assert "Health system: Example Ridge Health System (demo)" in text_of(in_market)
    assert sum(row["rates"] for row in rates if row["year_month"] == "2025-08") > 0
    organizations = json_rows(rolled_up.get(f"/system/{SYSTEM}/?table=organizations&format=json"))
    assert [row["tins"] for row in organizations] == [3, 3]
    assert rolled_up.get("/system/nobody/").status_code == 404


@pytest.mark.parametrize("level", ["organization", "system"])
def test_what_all_tax_ids_are_paid_is_summed_up_with_each_rate_once(rolled_up: Client, level: str) -> None:
    key = {"organization": ORGANIZATION, "system": SYSTEM}[level]
    address = f"/{level}/{key}/?state=GA&year_month=2025-08"
    (summary,) = [rolled_up.get(f"/api/v1/{level}s/{key}/summary?state=GA&year_month=2025-08").json()["summary"]]
    # The reference lists the rates of the market one by one.
    every = rolled_up.get(f"/api/v1/medicare?state=GA&year_month=2025-08&{level}={key}&limit=1000").json()
    percents = [row["percent"] for row in every["rows"] if row["percent"] is not None]
    assert (summary["rates"], summary["compared"]) == (len(every["rows"]), len(percents))
    assert summary["odd"] == 0, "what is implausible here is not far from what others are paid"
    assert summary["p50"] == pytest.approx(median(percents))
    page = rolled_up.get(address)
    assert f"{summary['rates']:,} rates for {summary['codes']} codes" in text_of(page)
    by_code = json_rows(rolled_up.get(f"{address}&format=json"))
    families = json_rows(rolled_up.get(f"{address}&table=families&format=json"))
    payers = json_rows(rolled_up.get(f"{address}&table=payers&format=json"))
    assert {sum(row["rates"] for row in table) for table in (by_code, families, payers)} == {summary["rates"]}
    listed = rolled_up.get(f"/api/v1/{level}s/{key}/rates?state=GA&year_month=2025-08&limit=1000").json()["rows"]
    assert [row["rates"] for row in listed] == [row["rates"] for row in by_code]


@pytest.mark.parametrize("path", [f"organization/{ORGANIZATION}", f"system/{SYSTEM}"])
def test_its_files_say_what_percents_are_of(rolled_up: Client, path: str) -> None:
    by_code = csv_rows(rolled_up.get(f"/{path}/?state=GA&year_month=2025-08&yardstick=compensation&format=csv"))
    assert {row["yardstick"] for row in by_code} == {"compensation"}


def test_what_its_members_bill_to_medicare_counts_each_member_once(rolled_up: Client) -> None:
    for path in (f"organizations/{ORGANIZATION}", f"systems/{SYSTEM}"):
        address = f"/api/v1/{path}/rates?state=GA&year_month=2025-08&code=99213"
        assert {row["services"] for row in rolled_up.get(address).json()["rows"]} == {25 * len(_members())}


def test_its_codes_lead_to_its_own_rates(rolled_up: Client) -> None:
    page = rolled_up.get(f"/organization/{ORGANIZATION}/?state=GA&year_month=2025-08").content.decode()
    addresses = [unescape(one) for one in re.findall(r'href="(/rates/[^"]*)"', page)]
    (first, *_) = [one for one in addresses if f"organization={ORGANIZATION}" in one]
    row, *_ = json_rows(rolled_up.get(f"/organization/{ORGANIZATION}/?state=GA&year_month=2025-08&format=json"))
    assert len(json_rows(rolled_up.get(f"{first}&format=json"))) == row["rates"]
    assert f"/clinic/?state=GA&amp;year_month=2025-08&amp;organization={ORGANIZATION}" in page


def test_a_citation_names_whom_the_page_is_about(rolled_up: Client) -> None:
    tin = next(practice.tin for practice in practices() if practice.name.startswith("Peachtree"))
    cited = {path: text_of(rolled_up.get(path)) for path in (f"/organization/{ORGANIZATION}/", f"/tin/{tin}/")}
    assert (
        "Rates of an organization, Peachtree Physicians Group (demo); state Georgia"
        in cited[f"/organization/{ORGANIZATION}/"]
    )
    assert f"{tin[:2]}-{tin[2:]}; state Georgia" in cited[f"/tin/{tin}/"]


def test_the_key_of_a_tax_id_finds_the_summary_of_its_organization(rolled_up: Client) -> None:
    tin = next(practice.tin for practice in practices() if practice.name.startswith("Peachtree"))
    by_tin, by_key = (
        rolled_up.get(f"/api/v1/organizations/{key}/summary").json()["summary"] for key in (f"ein_{tin}", ORGANIZATION)
    )
    assert by_tin == by_key


def test_an_organization_with_too_many_rates_has_its_codes(rolled_up: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll_ups, "MAX_COMPARED", 5)
    address = (
        f"/organization/{ORGANIZATION}/?state=GA&year_month=2025-08&area=state"  # no other test has kept this page
    )
    page = rolled_up.get(address)
    assert "It has too many rates here to compare all of them at once" in text_of(page)
    assert "Rates from lowest to highest" in text_of(page)
    assert rolled_up.get(f"{address}&format=json").status_code == 400
    refused = rolled_up.get(f"/api/v1/organizations/{ORGANIZATION}/rates?state=GA&year_month=2025-08")
    assert (refused.status_code, refused.json()["title"]) == (400, "Query too broad")
    one_code = rolled_up.get(f"/api/v1/organizations/{ORGANIZATION}/rates?state=GA&year_month=2025-08&code=99213")
    assert one_code.json()["rows"]


def test_a_plan_has_its_files_networks_and_rates(rolled_up: Client) -> None:
    assert "Example Choice PPO (demo)" in text_of(rolled_up.get("/plans/?q=choice+ppo"))
    page = rolled_up.get(f"/plan/{PLAN}/")
    assert "Networks: Example Choice , Example Select" in text_of(page) or "Example Select" in text_of(page)
    files = json_rows(rolled_up.get(f"/plan/{PLAN}/?format=json"))
    assert [(row["year_month"], row["plans"]) for row in files] == [("2025-08", 1), ("2025-07", 1)]
    market = {"state": "GA", "year_month": "2025-08", "plan": PLAN}
    rates = json_rows(rolled_up.get("/medicare/", {**market, "format": "json"}))
    codes = {(row["code_type"], row["code"]) for row in rates}
    assert f"In Georgia, August 2025: {len(rates):,} rates for {len(codes)} codes of Example Savannah" in text_of(page)
    listed = rolled_up.get("/rates/", {**QUERY, "plan": PLAN})
    assert "1 plan" in text_of(listed)
    assert all("Savannah" in row[1] for row in tables(listed)[-1][1:])
    assert rolled_up.get("/plan/nothing/").status_code == 404


def test_a_plan_of_one_payer_says_what_the_payer_pays(rolled_up: Client, rolled_up_root: Path) -> None:
    db = open_snapshot(Store(rolled_up_root))
    ((payer,),) = db.rows(
        "SELECT DISTINCT payer_slug FROM dim_batch JOIN plan_file USING (batch_id) WHERE plan_key = $key", {"key": PLAN}
    )
    page = rolled_up.get(f"/plan/{PLAN}/")
    levels = find_levels(db, Market("GA", "2025-08", payer=payer))
    assert levels.specialties
    shown = text_of(page)
    for one in levels.specialties:
        assert f"{one.title} {write_percent(one.percent)}" in shown
    for row in levels.codes:
        if row.code in FAMILIAR_CODES:
            assert f"{write_dollars(row.price)} {write_percent(row.percent)}" in shown
    # The figures are those of the payer's page.
    of_payer = text_of(rolled_up.get("/payers/", {"payer": payer}))
    assert f"{levels.specialties[0].title} {write_percent(levels.specialties[0].percent)}" in of_payer


def test_plans_are_listed_with_what_is_loaded_of_them(rolled_up: Client) -> None:
    page = rolled_up.get("/plans/?q=choice+ppo")
    (table,) = tables(page)
    assert table[0] == ["Plan", "Payer", "Networks", "Newest month", "Rates", "Files", "See"]
    (of_august,) = [
        row for row in json_rows(rolled_up.get(f"/plan/{PLAN}/?format=json")) if row["year_month"] == "2025-08"
    ]
    (row,) = table[1:]
    assert " ".join(row[0].split()).startswith("Example Choice PPO (demo) HIOS 12345GA001 · group market · sponsor")
    assert row[1:4] == [of_august["reporting_entity_name"], ", ".join(of_august["networks"]), "August 2025, Georgia"]
    assert row[4:] == [f"{of_august['rates']:,}", "2", "Rates · Medicare"]
    for path in ("rates", "medicare"):
        assert f'href="/{path}/?state=GA&amp;year_month=2025-08&amp;plan={PLAN}"' in page.content.decode()


def test_the_list_of_plans_names_the_payers_that_name_none(rolled_up: Client, demo: Snapshot) -> None:
    named = {
        payer
        for (payer,) in demo.rows(
            "SELECT DISTINCT reporting_entity_name FROM dim_batch JOIN plan_file USING (batch_id)"
        )
    }
    every = {payer for (payer,) in demo.rows("SELECT DISTINCT reporting_entity_name FROM dim_batch")}
    assert find_which_name_plans(demo) == {payer: payer in named for payer in every}
    text = text_of(rolled_up.get("/plans/"))
    lead, _, rest = text.partition(" rates. " if every - named else ". ")
    assert all(payer in lead for payer in every), lead
    assert rest
    assert "not say which plans" not in text_of(rolled_up.get("/plans/?q=nothing+such"))


def test_a_tax_id_says_where_its_name_is_from(rolled_up: Client) -> None:
    tin = next(practice.tin for practice in practices() if practice.name.startswith("Peachtree"))
    page = text_of(rolled_up.get(f"/tin/{tin}/"))
    assert "Name from a list loaded for this site." in page
    assert "Organization: Peachtree Physicians Group (demo)" in page


def test_the_api_has_organizations_systems_and_plans(rolled_up: Client) -> None:
    found = rolled_up.get(f"/api/v1/organizations/{ORGANIZATION}").json()
    assert found["organization"]["tins"] == 3
    assert rolled_up.get(f"/api/v1/organizations/{ORGANIZATION}/tins").json()["rows"][0]["name_source"] == "user file"
    assert rolled_up.get(f"/api/v1/systems/{SYSTEM}").json()["system"]["organizations"] == 2
    assert len(rolled_up.get(f"/api/v1/systems/{SYSTEM}/organizations").json()["rows"]) == 2
    assert [row["plan_key"] for row in rolled_up.get("/api/v1/plans?q=choice").json()["rows"]] == [PLAN]
    assert len(rolled_up.get(f"/api/v1/plans/{PLAN}/files").json()["rows"]) == 2
    for path in ("organizations/nobody", "systems/nobody", "plans/nothing/files"):
        assert rolled_up.get(f"/api/v1/{path}").status_code == 404


def test_without_a_code_the_largest_organizations_are_listed(rolled_up: Client, rolled_up_root: Path) -> None:
    page = rolled_up.get("/organizations/", {"state": "GA"})
    shown = text_of(page)
    assert (
        shown.index("Find an organization")
        < shown.index("Largest organizations")
        < shown.index("Enter another billing code")
    )
    db = open_snapshot(Store(rolled_up_root))
    [listed] = [one for one in tables(page) if one[0][0] == "Organization"]
    npis: defaultdict[str, set[str]] = defaultdict(set)
    tins: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    names: dict[str, str] = {}
    people = db.rows("SELECT tin_type, tin_value, npi FROM xref_tin_npi")
    for kind, value, key, name in db.rows(
        "SELECT tin_type, tin_value, organization_id, organization_name FROM named_tin WHERE state = 'GA'"
    ):
        if key and name:
            names[key] = name
            tins[key].add((kind, value))
            npis[key] |= {npi for *tin, npi in people if tin == [kind, value]}
    slow = sorted(names, key=lambda key: (-len(npis[key]), names[key], key))[:50]
    assert [(row[0], row[2], row[3]) for row in listed[1:]] == [
        (names[key], f"{len(npis[key])}", f"{len(tins[key])}") for key in slow
    ]
    assert f'href="/organization/{slow[0]}/"' in page.content.decode()
    assert rolled_up.get("/organizations/", {"state": "GA", "format": "json"}).status_code == 400
