"""Pages of an organization, a health system, and health plans."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from core.demo.organization_list import write_organizations
from core.demo.payer_files import practices
from core.reference.organizations.load_organizations import load_organizations
from core.store.generations.store import Store
from tests.pages.markets import QUERY
from tests.site import Visitor, csv_rows, json_rows, serving, tables, text_of
from tests.stores import copy_store

ORGANIZATION, SYSTEM = "peachtree_physicians_group_demo", "example_ridge_health_system_demo"
PLAN = "hios_12345ga001_group_example_choice_ppo_demo"


@pytest.fixture(scope="module")
def rolled_up_root(demo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("rolled-up")
    copy_store(demo_root, directory / "data")
    store = Store(directory / "data")
    load_organizations(store, [write_organizations(directory)])
    return store.root


@pytest.fixture
def rolled_up(rolled_up_root: Path) -> Iterator[Client]:
    with serving(rolled_up_root):
        yield Visitor()


def test_an_organization_has_its_tax_ids_system_and_rates(rolled_up: Client) -> None:
    page = rolled_up.get(f"/organization/{ORGANIZATION}/")
    assert "Peachtree Physicians Group (demo)" in text_of(page)
    assert "Part of Example Ridge Health System (demo)" in text_of(page)
    tins = csv_rows(rolled_up.get(f"/organization/{ORGANIZATION}/?format=csv"))
    peachtree = {practice.tin for practice in practices() if practice.name.startswith("Peachtree")}
    assert {row["tin_value"] for row in tins} == peachtree
    assert {row["organization_confidence"] for row in tins} == {"high"}
    by_tin = rolled_up.get(f"/organization/ein_{min(peachtree)}/")
    assert by_tin.redirect_chain == [(f"/organization/{ORGANIZATION}/", 302)]
    assert rolled_up.get("/organization/nobody/").status_code == 404


def test_a_system_has_its_organizations_and_each_rate_once(rolled_up: Client) -> None:
    page = rolled_up.get(f"/system/{SYSTEM}/")
    assert "2 organizations and 6 tax IDs" in text_of(page)
    rates = json_rows(rolled_up.get(f"/system/{SYSTEM}/?table=rates&format=json"))
    in_market = rolled_up.get("/rates/", {**QUERY, "system": SYSTEM})
    assert "Health system: Example Ridge Health System (demo)" in text_of(in_market)
    assert sum(row["rates"] for row in rates if row["year_month"] == "2025-08") > 0
    organizations = json_rows(rolled_up.get(f"/system/{SYSTEM}/?format=json"))
    assert [row["tins"] for row in organizations] == [3, 3]
    assert rolled_up.get("/system/nobody/").status_code == 404


def test_a_plan_has_its_files_networks_and_rates(rolled_up: Client) -> None:
    assert "Example Choice PPO (demo)" in text_of(rolled_up.get("/plans/?q=choice+ppo"))
    page = rolled_up.get(f"/plan/{PLAN}/")
    assert "Networks: Example Choice , Example Select" in text_of(page) or "Example Select" in text_of(page)
    files = json_rows(rolled_up.get(f"/plan/{PLAN}/?format=json"))
    assert [(row["year_month"], row["plans"]) for row in files] == [("2025-08", 1), ("2025-07", 1)]
    listed = rolled_up.get("/rates/", {**QUERY, "plan": PLAN})
    assert "1 plan" in text_of(listed)
    assert all("Savannah" in row[1] for row in tables(listed)[-1][1:])
    assert rolled_up.get("/plan/nothing/").status_code == 404


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
