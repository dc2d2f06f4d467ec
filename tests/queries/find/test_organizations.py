"""Organizations that a search finds: each once, with its rates counted one by one."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fields.codes.code_family import LABORATORY_TESTS, family_of
from core.queries.find import known_providers, organization_rates
from core.queries.find.organizations import FoundOrganization, find_providers
from core.queries.find.search import search_everything
from core.queries.parties.roll_ups import count_rates_of
from core.store.connection import Snapshot
from tests.queries.one_market import A_RATE
from tests.queries.rates_by_month import store_of
from tests.queries.tables import written

ELM, OAK, ASH, JANE = "1003027533", "1295738227", "1457354516", "1912951245"
ELM_2, ELM_3, LABORATORY = "1588667638", "1679576722", "1104959709"
NAMES = {
    ELM: ("organization", "ELM ORTHOPEDICS LLC", "MACON"),
    ELM_2: ("organization", "ELM ORTHOPEDICS, LLC", "MACON"),
    ELM_3: ("organization", "ELM ORTHOPEDICS LLC", "DALTON"),
    OAK: ("organization", "OAK ORTHOPEDICS", "MACON"),
    ASH: ("organization", "OAK ORTHOPEDICS", "DALTON"),
    LABORATORY: ("organization", "ASH ORTHOPEDICS", "MACON"),
    JANE: ("individual", "JANE ORTHOPEDICS", "MACON"),
}
TINS = {("ein", "100000000"): "elm", ("ein", "100000001"): "elm", ("npi", LABORATORY): "ash", ("npi", JANE): "jane"}
CALLED = {"elm": "ELM ORTHOPEDICS LLC", "ash": "ASH ORTHOPEDICS", "jane": "JANE ORTHOPEDICS"}


def store_with(root: Path, groups: list[Any], facts: list[dict[str, Any]]) -> Snapshot:
    """Return a store of rates in the register above."""
    store_of(root, {"2025-08": (groups, facts)})
    people = [
        {"npi": npi, "entity_type": kind, "name": name, "city": city, "state": "GA"}
        for npi, (kind, name, city) in NAMES.items()
    ]
    organizations = [
        {
            "tin_type": kind, "tin_value": value, "name": CALLED[key], "name_source": "irs", "name_confidence": "high",
            "organization_id": key, "organization_name": CALLED[key], "city": "MACON", "state": "GA",
            "organization_source": "same name", "organization_confidence": "medium",
        }
        for (kind, value), key in TINS.items()
    ]  # fmt: skip
    tins = [{"tin_type": kind, "tin_value": value} for kind, value in TINS]
    profiles = [
        {"npi": npi, "entity_type": kind, "city": f"{city}, GA", "state": "GA", "specialty": "Orthopedic surgery"}
        for npi, (kind, _, city) in NAMES.items()
    ]
    return written(
        root, {"dim_npi": people, "organization": organizations, "dim_tin": tins, "provider_profile": profiles}
    )


def facts_of(group: int, **rates: float) -> list[dict[str, Any]]:
    """Return facts of a group by code: c73721=100.0."""
    return [{**A_RATE, "group": group, "code": code[1:], "negotiated_rate": rate} for code, rate in rates.items()]


GROUPS = [
    ({ELM, ELM_2}, {("ein", "100000000")}),
    ({ELM_3}, {("ein", "100000001")}),
    ({OAK, ASH}, set()),
    ({LABORATORY}, {("npi", LABORATORY)}),
    ({JANE}, {("npi", JANE)}),
]


def usual_store(root: Path) -> Snapshot:
    """Return a store in which each provider has some rates."""
    laboratory = facts_of(3, c80053=1.0, c85025=2.0, c80061=3.0, c84443=4.0)
    of_charge = [{**A_RATE, "group": 3, "code": "27447", "negotiated_type": "percentage"}]
    facts = [
        *facts_of(0, c73721=100.0, c27447=1000.0), *facts_of(1, c73721=90.0),
        *facts_of(2, c73721=80.0, c73722=85.0, c99213=9.0), *laboratory, *of_charge, *facts_of(4, c99213=70.0),
    ]  # fmt: skip
    return store_with(root, GROUPS, facts)


def by_name(found: list[FoundOrganization]) -> dict[tuple[str, str | None], FoundOrganization]:
    """Return organizations by name and city."""
    return {(one.organization_name, one.city): one for one in found}


def test_an_organization_is_found_once_with_its_tax_ids_and_look_alikes(tmp_path: Path) -> None:
    db = usual_store(tmp_path)
    found = find_providers(db, "orthopedics", 9)
    assert found.organizations_in_all == len(found.organizations) == 4
    named = by_name(found.organizations)
    elm = named["ELM ORTHOPEDICS LLC", "MACON"]
    assert (elm.organization_id, elm.tins, elm.npis, elm.npi) == ("elm", 2, 3, ELM)
    assert (elm.rates, elm.codes, elm.procedures, elm.rates_state) == (3, 2, 2, "GA")
    assert elm.rates == sum(row.rates for row in count_rates_of(db, "organization", "elm"))
    # Without a tax ID, one name in one town is one organization, and another town is another one.
    oaks = [named["OAK ORTHOPEDICS", city] for city in ("MACON", "DALTON")]
    assert [(one.npis, one.tins) for one in oaks] == [(1, 0), (1, 0)]
    # A person is nobody's organization, although the own NPI is given as a tax ID.
    assert [one.value for one in found.people] == [JANE]


def test_organizations_with_dollar_rates_of_procedures_under_their_own_tax_id_come_first(tmp_path: Path) -> None:
    found = find_providers(usual_store(tmp_path), "orthopedics", 9).organizations
    assert [one.organization_name for one in found] == [
        "ELM ORTHOPEDICS LLC", "OAK ORTHOPEDICS", "OAK ORTHOPEDICS", "ASH ORTHOPEDICS",
    ]  # fmt: skip
    # Four laboratory tests and a percent of the charge are no procedure in dollars.
    assert (found[-1].rates, found[-1].codes, found[-1].procedures) == (5, 5, 0)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("elm", ["ELM ORTHOPEDICS LLC"]),
        ("elm macon", ["ELM ORTHOPEDICS LLC"]),
        ("elm dalton", ["ELM ORTHOPEDICS LLC"]),  # by the NPI there
        ("elmorthopedics", ["ELM ORTHOPEDICS LLC"]),
        ("xyzzy", []),
    ],
)
def test_each_word_is_in_a_name_or_its_town(tmp_path: Path, text: str, names: list[str]) -> None:
    assert [one.organization_name for one in find_providers(usual_store(tmp_path), text, 9).organizations] == names


def test_a_town_alone_is_no_name(tmp_path: Path) -> None:
    assert find_providers(usual_store(tmp_path), "macon", 9).is_empty


def test_a_specialty_and_words_for_an_organization_find_organizations_before_codes(tmp_path: Path) -> None:
    db = usual_store(tmp_path)
    found = search_everything(db, "orthopedic clinic")
    assert found.means_organization
    assert found.organizations[0].organization_name == "ELM ORTHOPEDICS LLC"
    assert [one.value for one in found.local_providers] == [JANE]
    assert (found.organizations_in_all, found.local_in_all) == (4, 1)
    # Of an organization with several towns, the one that is asked for is said.
    in_town = search_everything(db, "orthopedic clinic dalton, GA").organizations
    assert [(one.organization_name, one.city) for one in in_town] == [
        ("ELM ORTHOPEDICS LLC", "DALTON"),
        ("OAK ORTHOPEDICS", "DALTON"),
    ]


def test_words_for_a_setting_and_a_price_beside_a_name(tmp_path: Path) -> None:
    db = usual_store(tmp_path)
    assert search_everything(db, "elm hospital").is_empty, "no hospital has this name"
    found = search_everything(db, "how much does elm charge")
    assert ([one.organization_id for one in found.organizations], found.set_aside) == (["elm"], ())


def test_too_many_names_or_rates_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = find_providers(usual_store(tmp_path), "orthopedics", 9)
    with monkeypatch.context() as patch:
        patch.setattr(known_providers, "MAX_KEPT_NAMES", 3)
        assert find_providers(usual_store(tmp_path / "names"), "orthopedics", 9) == kept
    monkeypatch.setattr(organization_rates, "MAX_COUNTED_RATES", 3)
    uncounted = find_providers(usual_store(tmp_path / "rates"), "orthopedics", 9).organizations
    assert {one.organization_name for one in uncounted} == {one.organization_name for one in kept.organizations}
    assert {one.rates for one in uncounted} == {None}


a_fact = st.fixed_dictionaries(
    {
        "group": st.integers(0, 4),
        "code": st.sampled_from(["73721", "27447", "80053", "L1833", "0450", "99213"]),
        "code_type": st.sampled_from(["CPT", "HCPCS", "REV"]),
        "negotiated_type": st.sampled_from(["negotiated", "percentage"]),
    }
)


@settings(max_examples=5, deadline=None)
@given(
    st.lists(a_fact, max_size=14),
    st.lists(
        st.tuples(st.sets(st.sampled_from([ELM, ELM_2, OAK, ASH])), st.sets(st.sampled_from(sorted(TINS)))),
        min_size=5, max_size=5,
    ),
)  # fmt: skip
def test_rates_and_codes_are_those_counted_one_by_one(changes: list[dict[str, Any]], groups: list[Any]) -> None:
    facts = [{**A_RATE, **change} for change in changes]
    with TemporaryDirectory() as directory:
        db = store_with(Path(directory), groups, facts)
        for one in find_providers(db, "orthopedics", 99).organizations:
            mine = [fact for fact in facts if _has(groups[fact["group"]], one)]
            codes = {(fact["code_type"], fact["code"]) for fact in mine}
            procedures = {
                (fact["code_type"], fact["code"])
                for fact in mine
                if fact["negotiated_type"] == "negotiated" and _is_procedure(fact["code_type"], fact["code"])
            }
            expected = (len(mine), len(codes), len(procedures)) if mine else (None, None, None)
            assert (one.rates, one.codes, one.procedures) == expected


def _has(group: tuple[set[str], set[tuple[str, str]]], one: FoundOrganization) -> bool:
    if one.organization_id:
        return any(TINS[tin] == one.organization_id for tin in group[1])
    return any(NAMES[npi][1:] == (one.organization_name, one.city) for npi in group[0])


def _is_procedure(code_type: str, code: str) -> bool:
    if code_type not in {"CPT", "HCPCS"} or not (code.isdigit() and len(code) == 5):
        return False
    return family_of(code_type, code) != LABORATORY_TESTS
