"""Searches that a consultant typed: a clinic with a service, a specialty with a town and a service, a payer's plans."""

from pathlib import Path
from typing import Any

import pytest

from core.queries.find.own_rates import find_own_rates
from core.queries.find.search import search_everything
from core.queries.find.search_results import SearchResults
from core.store.connection import Snapshot
from tests.queries.one_market import A_RATE
from tests.queries.rates_by_month import store_of
from tests.queries.tables import written
from tests.site import Visitor, serving, text_of

CLINICS = {
    "100000001": ("LONE STAR ORTHOPEDICS OF MACON 50", "MACON", "Orthopedic surgery"),
    "100000002": ("LONE STAR ORTHOPEDICS OF DALTON 34", "DALTON", "Orthopedic surgery"),
    "100000003": ("LONE STAR ORTHOPEDICS OF DALTON 35", "DALTON", "Orthopedic surgery"),
    "100000004": ("GULF ORTHOPEDICS OF DALTON 77", "DALTON", "Orthopedic surgery"),
    "100000005": ("HILL COUNTRY HEALTH SYSTEM OF MACON 19", "MACON", "Hospital"),
    "100000006": ("TRINITY RADIOLOGY OF DALTON 3", "DALTON", "Radiology"),
    "100000007": ("PECAN RADIOLOGY OF DALTON 4", "MACON", "Radiology"),
}
NPIS = ["1003027533", "1295738227", "1457354516", "1912951245", "1588667638", "1679576722", "1104959709"]
CODES = {
    "73721": "Knee MRI", "99213": "Office visit", "29881": "Knee arthroscopy", "74177": "CT abdomen and pelvis",
    "74176": "CT abdomen and pelvis", "74150": "CT abdomen", "99497": "Advance care plan", "97153": "Autism plan",
    "L1833": "Knee brace orthopedic", "3112F": "CT or MRI in an imaging center", "90959": "Dialysis 19 years",
    "S9083": "Urgent care center",
}  # fmt: skip
RATES = {
    0: [("73721", 239.5), ("73721", 258.83), ("73721", 258.84), ("73721", 310.6), ("99213", 70.0)],
    1: [("73721", 580.71)],
    2: [("99213", 80.0)],
    3: [("73721", 310.38), ("99213", 144.35)],
    4: [("99213", 111.18), ("29881", 500.0), ("99497", 60.0), ("97153", 20.0), ("90959", 300.0)],
    5: [("74177", 300.0), ("74176", 200.0), ("74176", 201.0), ("74150", 150.0), ("3112F", 0.01)],
    6: [("L1833", 400.0), ("S9083", 120.0), ("73721", 200.0)],
}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    root = tmp_path_factory.mktemp("clinics")
    groups: list[Any] = [({npi}, {("ein", tin)}) for npi, tin in zip(NPIS, CLINICS, strict=True)]
    facts = [
        {**A_RATE, "reporting_entity_name": "Evry Health", "group": group, "code": code, "negotiated_rate": rate}
        for group, rates in RATES.items()
        for code, rate in rates
    ]
    store_of(root, {"2025-08": (groups, facts)})
    by_npi = dict(zip(NPIS, CLINICS.values(), strict=True))
    organizations = [
        {
            "tin_type": "ein", "tin_value": tin, "name": name, "name_source": "irs", "name_confidence": "high",
            "organization_id": f"of {tin}", "organization_name": name, "city": "MACON", "state": "GA",
            "organization_source": "same name", "organization_confidence": "medium",
        }
        for tin, (name, _, _) in CLINICS.items()
    ]  # fmt: skip
    return written(
        root,
        {
            "dim_code": [{"code_type": "CPT", "code": code, "name": name} for code, name in CODES.items()],
            "dim_npi": [
                {"npi": npi, "entity_type": "organization", "name": name, "city": city, "state": "GA"}
                for npi, (name, city, _) in by_npi.items()
            ],
            "organization": organizations,
            "dim_tin": [{"tin_type": "ein", "tin_value": tin} for tin in CLINICS],
            "provider_profile": [
                {"npi": npi, "entity_type": "organization", "city": f"{city}, GA", "state": "GA", "specialty": kind}
                for npi, (_, city, kind) in by_npi.items()
            ],
            "xref_batch_plan": [
                {"batch_id": "evry_health 2025-08", "state": "GA", "plan_name": "Evry Group", "plan_id_type": "hios",
                 "plan_id": "12345", "plan_market_type": "group"},
            ],
        },
    )  # fmt: skip


def own_rates(db: Snapshot, found: SearchResults) -> dict[str, tuple[str, float, int]]:
    """Return the code, price, and number of prices of each organization that has one, by its tax ID."""
    rows = find_own_rates(db, found.of_name, found.codes, found.context.filters)
    return {one.tin: (one.code, one.price, one.prices) for one in rows}


LONE_STAR = {"100000001": ("73721", 258.83, 4), "100000002": ("73721", 580.71, 1)}


@pytest.mark.parametrize(
    ("text", "named", "paid"),
    [
        ("Lone Star Orthopedics knee MRI", 3, LONE_STAR),
        ("Lone Star Orthopedics 73721", 3, LONE_STAR),
        ("knee mri at lone star orthopedics", 3, LONE_STAR),
        ("lone star ortho knee mri", 3, LONE_STAR),
        ("Lone Star knee MRI", 3, LONE_STAR),
        ("lone star orthopedics dalton knee mri", 2, {"100000002": ("73721", 580.71, 1)}),
        ("lone star orthopedics of macon 50 73721", 1, {"100000001": ("73721", 258.83, 4)}),
        ("CPT 73721 lone star orthopedics of macon 50, GA", 1, {"100000001": ("73721", 258.83, 4)}),
        ("Gulf Orthopedics office visit", 1, {"100000004": ("99213", 144.35, 1)}),
        ("gulf orthopedics of dalton 77 knee mri", 1, {"100000004": ("73721", 310.38, 1)}),
        ("Hill Country Health System Of Macon 19 office visit", 1, {"100000005": ("99213", 111.18, 1)}),
        # Without such a rate, the organization is found none the less.
        ("lone star orthopedics of dalton 35 knee mri", 1, {}),
    ],
)
def test_a_clinic_and_a_service_find_the_clinics_own_rate(
    db: Snapshot, text: str, named: int, paid: dict[str, tuple[str, float, int]]
) -> None:
    found = search_everything(db, text)
    assert (len(found.of_name), found.organizations_in_all, found.means_organization) == (named, named, True)
    assert not found.not_loaded.says_something
    assert found.codes[0].code not in {"L1833", "90959"}
    assert own_rates(db, found) == paid


def test_words_that_name_no_organization_are_said_to_name_nothing(db: Snapshot) -> None:
    found = search_everything(db, "lone moon knee mri")
    assert (found.of_name, found.not_loaded.words, found.codes[0].code) == ((), "lone moon", "73721")
    for text in ("knee mri", "orthopedics knee mri", "dalton knee mri", "evry knee mri", "office visit", "lone star"):
        assert not search_everything(db, text).of_name


def test_a_specialty_a_town_and_a_service_are_told_apart(db: Snapshot) -> None:
    found = search_everything(db, "orthopedic surgeon dalton knee arthroscopy")
    assert (found.context.specialty, found.context.city) == ("Orthopedic surgery", "DALTON, GA")
    assert (found.codes[0].code, found.not_loaded.words, found.means_organization) == ("29881", "", False)
    assert {one.city for one in found.organizations} == {"DALTON"}
    # Words of a service that are a specialty's as well stay together.
    assert search_everything(db, "office visit").context.specialty is None


def test_imaging_centers_are_radiologists_where_none_is_known(db: Snapshot) -> None:
    found = search_everything(db, "imaging center dalton")
    assert ([one.key for one in found.baskets], found.codes) == (["imaging"], [])
    assert [one.organization_name for one in found.organizations] == ["TRINITY RADIOLOGY OF DALTON 3"]


@pytest.mark.parametrize("text", ["evry health plan", "evry health group plan", "plans of evry"])
def test_a_payers_plans_are_no_service(db: Snapshot, text: str) -> None:
    found = search_everything(db, text)
    assert (found.codes, [one.plan_name for one in found.plans], found.plans_of) == ([], ["Evry Group"], "evry_health")
    assert search_everything(db, "evry advance care plan").codes[0].code == "99497"


def test_organizations_in_a_town_are_of_the_town(db: Snapshot) -> None:
    """PECAN RADIOLOGY OF DALTON is in Macon, and the town of a clinic's NPI comes before that of its tax ID."""
    for text in ("73721 dalton", "dalton"):
        found = search_everything(db, text)
        assert {(one.tin, one.city) for one in found.organizations} == {
            (tin, "DALTON") for tin, (_, city, _) in CLINICS.items() if city == "DALTON"
        }


def test_the_commonest_codes_come_first(db: Snapshot) -> None:
    assert [one.code for one in search_everything(db, "CT abdomen dalton").codes][:3] == ["74177", "74176", "74150"]
    assert [one.code for one in search_everything(db, "urgent care").codes][:2] == ["99213", "S9083"]


def test_the_page_shows_each_clinics_rate_and_the_payers_plans(db: Snapshot) -> None:
    with serving(db.root):
        shown = text_of(Visitor().get("/", {"q": "Lone Star Orthopedics knee MRI"}))
        plans = Visitor().get("/", {"q": "evry health plan"}, follow=False)
        listed = text_of(Visitor().get("/plans/", {"payer": "evry_health"}))
        nobody = text_of(Visitor().get("/plans/", {"payer": "nobody"}))
        answer = Visitor().get("/api/v1/search", {"q": "gulf orthopedics knee mri"}).json()
    assert "2 of 3 organizations of this name have a rate in dollars for 73721" in shown
    assert "$239.50 to $310.60 for 73721 at EVRY_HEALTH: 4 prices, of areas or contracts" in shown
    assert "$580.71 for 73721 at EVRY_HEALTH" in shown
    assert "OF DALTON 35" not in shown
    assert shown.index("to $310.60 for 73721") < shown.index("CPT 73721")
    assert plans["Location"] == "/plans/?payer=evry_health"
    assert "Evry Group" in listed
    assert "Evry Group" not in nobody
    assert [(one["tin"], one["price"]) for one in answer["own_rates"]] == [("100000004", 310.38)]


def test_without_the_names_in_memory_nothing_is_named_by_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.queries.find.names_in_text.MAX_KEPT_NAMES", 0)
    store_of(tmp_path, {"2025-08": ([({NPIS[0]}, {("ein", "100000001")})], [{**A_RATE}])})
    tins = [{"tin_type": "ein", "tin_value": "100000001", "business_name": "LONE STAR"}]
    assert not search_everything(written(tmp_path, {"dim_tin": tins}), "lone star office visit").of_name
