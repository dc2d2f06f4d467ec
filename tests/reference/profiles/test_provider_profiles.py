"""Profiles of providers and groups: against a slow reference, and in any order of loads."""

import csv
import itertools
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.demo.provider_register import HEADER
from core.load.load_file import load_file
from core.reference.nppes.load_register import load_nppes
from core.reference.places.load_places import load_places
from core.reference.profiles.provider_profiles import put_all_profiles, put_profiles
from core.store.generations.store import Store
from core.store.schema.tables import DIM_NPI, DIM_ZIP, GROUP_PROFILE, PROVIDER_PROFILE, XREF_GROUP_NPI
from core.store.writer_connection import connect_for_writing
from core.tic.source import open_documents
from tests.reference.places.place_samples import ATLANTA, BROOKS, FULTON, RURAL_GEORGIA, rates_file, write_places
from tests.reference.places.store_rows import write_rows
from tests.reference.profiles import profile_reference
from tests.stores import table

HEART, CLINIC, UNKNOWN, ABROAD = "1679576722", "1588667638", "1295738227", "1003000126"
PRACTICE = "Provider Business Practice Location Address"
PROVIDERS = (
    (HEART, "1", "207RC0000X", "Atlanta", "GA", "303031234"),
    (CLINIC, "2", "261QM1300X", "QUITMAN", "GA", RURAL_GEORGIA),
    (ABROAD, "1", "", "BERLIN", "BERLIN", ATLANTA),
)


def register(path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER, restval="", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        for npi, entity, taxonomy, city, state, postal_code in PROVIDERS:
            name = "Provider Last Name (Legal Name)" if entity == "1" else (
                "Provider Organization Name (Legal Business Name)"
            )  # fmt: skip
            writer.writerow(
                {
                    "NPI": npi, "Entity Type Code": entity, name: "DOE",
                    "Healthcare Provider Taxonomy Code_1": taxonomy,
                    "Healthcare Provider Primary Taxonomy Switch_1": "Y" if taxonomy else "",
                    f"{PRACTICE} City Name": city, f"{PRACTICE} State Name": state,
                    f"{PRACTICE} Postal Code": postal_code,
                }
            )  # fmt: skip
    return path


@pytest.mark.in_turns(2)
@pytest.mark.parametrize("order", list(itertools.permutations(("places", "register", "rates"))))
def test_providers_have_their_profiles_in_any_order_of_loads(
    store: Store, tmp_path: Path, order: tuple[str, ...]
) -> None:
    places, npidata, rates = list(write_places(tmp_path).values()), register(tmp_path / "npidata.csv"), "rates.json"
    (tmp_path / rates).write_text(json.dumps(rates_file((HEART, CLINIC, UNKNOWN), (UNKNOWN,), (ABROAD, HEART))))
    for step in order:
        if step == "places":
            loaded = load_places(store, places)
        elif step == "register":
            load_nppes(store, [npidata], everything=True)
        else:
            load_file(store, open_documents(tmp_path / rates)[0], "GA")
    rows = {row["npi"]: row for row in table(store, "provider_profile").to_dicts()}
    assert set(rows) == {HEART, CLINIC, ABROAD}
    assert rows[HEART] == {
        "npi": HEART, "entity_type": "individual", "specialty": "Cardiology", "zip": ATLANTA, "city": "ATLANTA, GA",
        "state": "GA", "county_fips": FULTON, "county": "Fulton County", "cbsa": "12060", "cbsa_title": "An area",
        "division": "12054", "division_title": None, "contractor": "10212", "locality": "01", "latitude": 33.7528,
        "longitude": -84.39015,
    }  # fmt: skip
    assert (rows[CLINIC]["specialty"], rows[CLINIC]["county_fips"], rows[CLINIC]["county"]) == (
        "Clinic",
        BROOKS,
        "Brooks",
    )
    assert (rows[CLINIC]["cbsa"], rows[CLINIC]["locality"]) == (None, "99")
    # A postal code of another country is no ZIP code.
    assert (rows[ABROAD]["zip"], rows[ABROAD]["city"], rows[ABROAD]["county_fips"]) == (None, "BERLIN", None)
    groups = table(store, "group_profile")
    assert sorted(groups.select("zip", "specialty", "npis").rows()) == [
        ("", "", 1), (ATLANTA, "Cardiology", 1), (ATLANTA, "Cardiology", 1), (RURAL_GEORGIA, "Clinic", 1),
    ]  # fmt: skip
    # Another state of the same file has the same groups.
    load_file(store, open_documents(tmp_path / rates)[0], "AL")
    assert table(store, "group_profile").equals(groups)
    loaded = load_places(store, places)
    assert (loaded.providers.npis, loaded.providers.with_county, loaded.providers.with_specialty) == (4, 2, 2)
    assert (loaded.with_county, loaded.with_area, loaded.with_point) == (4, 3, 4)


NPIS = [f"10000000{n:02}" for n in range(6)]
ZIPS = ["30303", "31201", "10001"]
zip_rows = st.lists(
    st.fixed_dictionaries(
        {
            "zip": st.sampled_from(ZIPS),
            "county_fips": st.sampled_from(["13121", "13021", None]),
            "cbsa": st.sampled_from(["12060", None]),
            "contractor": st.just("10212"),
            "locality": st.sampled_from(["01", "99"]),
            "locality_by_plus_four": st.booleans(),
            "latitude": st.sampled_from([33.75, None]),
        }
    ),
    unique_by=lambda row: row["zip"],
)
providers = st.fixed_dictionaries(
    {
        "entity_type": st.sampled_from(["individual", "organization", None]),
        "taxonomy_code": st.sampled_from(["207R00000X", "207RC0000X", "ZZZ", None]),
        "city": st.sampled_from(["Macon", "ATLANTA", None]),
        "state": st.sampled_from(["GA", "BAYERN", None]),
        "postal_code": st.sampled_from([*ZIPS, "303031234", "99999", None]),
    }
)
members = st.dictionaries(st.sampled_from("abcd"), st.lists(st.sampled_from(NPIS), min_size=1, unique=True))


@settings(max_examples=4)
@given(zip_rows, st.lists(providers, min_size=len(NPIS), max_size=len(NPIS)), members)
def test_profiles_are_those_of_the_reference(
    zips: list[dict[str, Any]], who: list[dict[str, Any]], groups: dict[str, list[str]]
) -> None:
    rows = [{**dict.fromkeys(DIM_NPI.names), "npi": npi, **one} for npi, one in zip(NPIS, who, strict=True)]
    by_zip = {row["zip"]: row for row in zips}
    expected = [one for row in rows if (one := profile_reference.profile(row, by_zip))]
    profiles = {one["npi"]: one for one in expected}
    expected_groups = {group: profile_reference.group_profile(npis, profiles) for group, npis in groups.items()}
    pairs = [
        {"year_month": "2025-08", "payer_slug": "p", "pg_uid": group, "npi": npi}
        for group, npis in groups.items()
        for npi in npis
    ]
    with TemporaryDirectory() as directory:
        store = Store(Path(directory))
        write_rows(store, {DIM_ZIP.name: zips, DIM_NPI.name: rows, XREF_GROUP_NPI.name: pairs})
        for whole in (True, False):
            with store.write() as transaction:
                connection = connect_for_writing(transaction.work)
                if whole:
                    put_all_profiles(connection, transaction)
                else:
                    schema = dict.fromkeys(XREF_GROUP_NPI.names, pl.String)
                    connection.register("new_pairs", pl.DataFrame(pairs or None, schema=schema))
                    put_profiles(connection, transaction, "new_pairs")
                connection.close()
                transaction.commit()
            written = {row["npi"]: row for row in table(store, PROVIDER_PROFILE.name).to_dicts()}
            named = {npi for npis in groups.values() for npi in npis}
            assert written == {npi: one for npi, one in profiles.items() if whole or npi in named}
            found: dict[str, dict[tuple[str, ...], int]] = {group: {} for group in groups}
            for row in table(store, GROUP_PROFILE.name).to_dicts():
                found[row["pg_uid"]][row["zip"], row["city"], row["specialty"], row["entity_type"]] = row["npis"]
            assert found == expected_groups
            write_rows(store, {PROVIDER_PROFILE.name: [], GROUP_PROFILE.name: []})
