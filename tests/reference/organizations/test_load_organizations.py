"""Lists of organizations: recognized by content, counted in full, and the newest row stays."""

import json
from pathlib import Path

import polars as pl
import pytest

from core.load.load_file import load_file
from core.reference.organizations.load_organizations import LoadedOrganizations, load_organizations
from core.reference.organizations.organization_files import ein_of_price_file, read_organization_files
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.reference.organizations.organization_samples import (
    CCN,
    EIN,
    OTHER_EIN,
    care_compare,
    exempt_list,
    own_list,
    price_files,
    system_list,
)
from tests.reference.places.place_samples import rates_file, write_csv
from tests.stores import table

RATED = ("100000000", "100000001")
"""The tax IDs of the groups that `rates_file` writes."""


def load_rates(store: Store, directory: Path) -> None:
    path = directory / "rates.json"
    path.write_text(json.dumps(rates_file(("1003000126",), ("1588667638",))), encoding="utf-8")
    for source in open_documents(path):
        load_file(store, source, state="GA")


def of_tin(store: Store, tin: str) -> dict[str, str | None]:
    (row,) = table(store, "organization").filter(pl.col("tin_value") == tin).to_dicts()
    return row


def test_a_users_list_names_and_joins_tax_ids_loaded_before_or_after(store: Store, tmp_path: Path) -> None:
    lists = own_list(
        tmp_path / "own.csv",
        (RATED[0], "Elm Clinic", "Elm Partners", "Big Health", "2026-01-31"),
        (f"{RATED[1][:2]}-{RATED[1][2:]}", "Oak Clinic", "Elm Partners", "", ""),
        ("999-99-9999", "A person", "", "", ""),
        ("", "Nobody", "", "", ""),
    )
    loaded = load_organizations(store, [lists])
    (file,) = loaded.files
    assert (file.rows_read, file.kept, dict(file.left_out)) == (4, 2, {"no tax ID": 2})
    load_rates(store, tmp_path)
    rows = [of_tin(store, tin) for tin in RATED]
    assert [row["name"] for row in rows] == ["Elm Clinic", "Oak Clinic"]
    assert {row["organization_id"] for row in rows} == {"elm_partners"}
    assert {row["organization_name"] for row in rows} == {"Elm Partners"}
    assert {(row["system_id"], row["system_source"], row["system_confidence"]) for row in rows} == {
        ("big_health", "user file", "high")
    }


def test_the_newest_row_of_a_tax_id_stays_within_a_file_and_across_loads(store: Store, tmp_path: Path) -> None:
    load_rates(store, tmp_path)
    first = own_list(
        tmp_path / "own.csv",
        (RATED[0], "New", "", "", "2026-03-01"),
        (RATED[0], "Old", "", "", "2026-01-01"),
        (RATED[1], "First", "", "", ""),
        (RATED[1], "Last", "", "", ""),
    )
    loaded = load_organizations(store, [first])
    (file,) = loaded.files
    assert (file.rows_read, file.kept) == (4, 2)
    assert dict(file.left_out) == {"older than another row": 1, "repeated": 1}
    assert [of_tin(store, tin)["name"] for tin in RATED] == ["New", "Last"]
    older = load_organizations(store, [own_list(tmp_path / "own2.csv", (RATED[0], "Older", "", "", "2026-02-01"))])
    assert older.outdated == 1
    assert of_tin(store, RATED[0])["name"] == "New"
    load_organizations(store, [own_list(tmp_path / "own3.csv", (RATED[0], "Newer", "", "", "2026-03-01"))])
    assert of_tin(store, RATED[0])["name"] == "Newer"


def test_hospitals_are_joined_with_tax_ids_by_the_names_of_price_files(store: Store, tmp_path: Path) -> None:
    load_rates(store, tmp_path)
    loaded = load_organizations(
        store,
        [
            care_compare(tmp_path / "hospitals.csv", (CCN, "ELM HOSPITAL"), ("11001F", "OAK VA"), ("", "NO NUMBER")),
            system_list(tmp_path / "systems.csv", (CCN, "Elm Hospital", "Big Health"), ("", "Unnumbered", "")),
            price_files(
                tmp_path / "ga.json",
                (CCN, "ELM HOSPITAL", f"https://example.org/{RATED[0]}_elm_standardcharges.csv"),
                ("110011", "NO EIN", "https://example.org/download?id=1"),
            ),
            exempt_list(tmp_path / "eo_ga.csv", (RATED[1], "OAK FOUNDATION")),
        ],
    )
    assert [(file.rows_read, file.kept) for file in loaded.files] == [(3, 2), (2, 1), (2, 1), (1, 1)]
    assert loaded.hospitals == 2
    elm, oak = (of_tin(store, tin) for tin in RATED)
    assert (elm["name"], elm["name_source"], elm["name_confidence"]) == ("ELM HOSPITAL", "hospital list", "medium")
    assert (elm["system_name"], elm["system_id"], elm["system_source"]) == ("Big Health", "big_health_ga", "ahrq")
    assert (oak["name"], oak["name_source"], oak["city"], oak["state"]) == ("OAK FOUNDATION", "irs", "MACON", "GA")


def test_several_hospitals_of_one_tax_id_do_not_name_it(store: Store, tmp_path: Path) -> None:
    load_rates(store, tmp_path)
    address = f"https://example.org/{RATED[0]}_standardcharges.csv"
    load_organizations(store, [price_files(tmp_path / "a.json", (CCN, "ELM", address), ("110011", "OAK", address))])
    assert of_tin(store, RATED[0])["name"] is None


def test_a_newer_list_of_systems_takes_a_hospital_out_of_its_system(store: Store, tmp_path: Path) -> None:
    load_rates(store, tmp_path)
    prices = price_files(tmp_path / "a.json", (CCN, "ELM", f"https://x.org/{RATED[0]}_elm.csv"))
    load_organizations(store, [prices, system_list(tmp_path / "s2018.csv", (CCN, "Elm", "Big Health"))])
    assert of_tin(store, RATED[0])["system_name"] == "Big Health"
    load_organizations(store, [system_list(tmp_path / "s2023.csv", (CCN, "Elm", ""))])
    assert of_tin(store, RATED[0])["system_name"] is None


@pytest.mark.parametrize(
    ("address", "ein"),
    [
        (f"https://example.org/{EIN}_elm_standardcharges.csv", EIN),
        ("https://example.org/58-1954432_elm.csv?download=1", EIN),
        (f"https://example.org/{EIN}-1295789907_elm.csv", EIN),
        ("https://example.org/20240919_1415_581729544_elm.csv", "581729544"),
        ("https://example.org/731662763%20elm.csv", "731662763"),
        ("https://example.org/acute/454145507-elm_standardcharges/", "454145507"),
        ("042104691_elm.json", OTHER_EIN),
        ("https://example.org/1295789907_elm.csv", None),
        ("https://example.org/elm.csv?ein=581954432", None),
        ("https://example.org/", None),
    ],
)
def test_the_name_of_a_price_file_has_the_ein(address: str, ein: str | None) -> None:
    assert ein_of_price_file(address) == ein


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b\n1,2\n", "not a file of a known kind; expected a list of organizations by tax ID"),
        (
            "health_sys_id,health_sys_name,health_sys_city\nHSI1,Big,Macon\n",
            "AHRQ's list of health systems (not loaded",
        ),
        ("[1, 2]", "expected a list of JSON objects"),
        ("[{", "not JSON"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=r"^list\.csv: ") as raised:
        read_organization_files([path])
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_spreadsheets_lost_zeros_come_back(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "own.csv", ("EIN", "Name"), ("42104691", "Elm"))
    hospitals = care_compare(tmp_path / "hospitals.csv", ("10001", "SOUTH"))
    found = read_organization_files([path, hospitals])
    assert [key[1] for key in found.listed] == [OTHER_EIN]
    assert list(found.hospitals) == ["010001"]


def test_without_files_the_roll_up_is_made_anew(store: Store, tmp_path: Path) -> None:
    load_rates(store, tmp_path)
    loaded = load_organizations(store, [])
    assert isinstance(loaded, LoadedOrganizations)
    assert (loaded.tins, loaded.named, loaded.organizations) == (2, 0, 2)
    assert of_tin(store, RATED[0])["organization_id"] == f"ein_{RATED[0]}"
