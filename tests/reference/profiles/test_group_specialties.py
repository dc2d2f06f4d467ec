"""The specialties of provider groups' members, against a slow reference."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fields.codes.unscored import UNSCORED_SPECIALTIES, is_unscored_code
from core.fields.providers.specialty import find_specialty
from core.reference.profiles.group_specialties import put_all_group_specialties, put_group_specialties
from core.store.generations.store import Store
from core.store.schema.tables import DIM_NPI, GROUP_SPECIALTY, UTILIZATION_PROVIDER, XREF_GROUP_NPI
from core.store.writer_connection import connect_for_writing
from tests.reference.places.store_rows import write_rows
from tests.stores import table

NPIS = [f"10000000{n:02}" for n in range(6)]
SURGEON, CHILD_DOCTOR, SPINE, PRACTICE, UNKNOWN = "207X00000X", "208000000X", "207XS0117X", "193200000X", "99XX"

registered = st.dictionaries(
    st.sampled_from(NPIS),
    st.tuples(
        st.sampled_from([SURGEON, CHILD_DOCTOR, SPINE, PRACTICE, UNKNOWN, None]),
        st.sampled_from(["individual", "organization"]),
    ),
)
billing = st.dictionaries(st.sampled_from(NPIS), st.sampled_from(["Cardiology", "Clinic", "Other physicians", None]))
members = st.dictionaries(st.sampled_from("abcd"), st.lists(st.sampled_from(NPIS), min_size=1, unique=True))


def specialty(taxonomy: str | None, billed: str | None) -> str:
    """Return the specialty of a member, slowly and obviously."""
    found = find_specialty(taxonomy) if taxonomy else None
    found = "Orthopedic surgery" if found == "Spine surgery" else found
    if found in UNSCORED_SPECIALTIES:
        return found or ""
    if billed and billed not in {"Clinic", "Other physicians", "Physician group"}:
        return billed
    return found or billed or ""


def expected_rows(
    groups: dict[str, list[str]], registered: dict[str, tuple[str | None, str]], billing: dict[str, str | None]
) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for group, npis in groups.items():
        of = {npi: specialty(registered.get(npi, (None, ""))[0], billing.get(npi)) for npi in npis}
        # A member of whom no specialty is known is not known to be a person either.
        people = [npi for npi in npis if of[npi] and registered.get(npi, (None, "individual"))[1] == "individual"]
        for npi in npis:
            if not (people and npi not in people and of[npi] in {"Clinic", "Physician group"}):
                found[group, of[npi]] = found.get((group, of[npi]), 0) + 1
    return found


@settings(max_examples=5, deadline=None)
@given(registered, billing, members)
def test_a_group_has_its_members_specialties(
    registered: dict[str, tuple[str | None, str]], billing: dict[str, str | None], groups: dict[str, list[str]]
) -> None:
    pairs = [
        {"year_month": "2025-08", "payer_slug": "p", "pg_uid": group, "npi": npi}
        for group, npis in groups.items()
        for npi in npis
    ]
    rows: dict[str, list[dict[str, Any]]] = {
        DIM_NPI.name: [
            {"npi": npi, "taxonomy_code": code, "entity_type": kind}
            for npi in NPIS
            for code, kind in [registered.get(npi, (None, None))]
        ],
        UTILIZATION_PROVIDER.name: [
            {"npi": npi, "specialty": words, "entity_type": "individual"} for npi, words in billing.items()
        ],
        XREF_GROUP_NPI.name: pairs,
    }  # fmt: skip
    expected = expected_rows(groups, registered, billing)
    if not any(specialty(registered.get(npi, (None,))[0], billing.get(npi)) for npi in NPIS):
        expected = {}  # nothing is known of anybody
    with TemporaryDirectory() as directory:
        store = Store(Path(directory))
        write_rows(store, rows)
        for whole in (True, False):
            with store.write() as transaction:
                connection = connect_for_writing(transaction.work)
                if whole:
                    put_all_group_specialties(connection, transaction)
                else:
                    new = pl.DataFrame(pairs or None, schema=dict.fromkeys(XREF_GROUP_NPI.names, pl.String))
                    connection.register("new_pairs", new)
                    put_group_specialties(connection, transaction, "new_pairs")
                connection.close()
                transaction.commit()
            found = table(store, GROUP_SPECIALTY.name)
            if whole or expected == {} or any(of for _, of in expected):
                assert {(group, of): npis for _, _, group, of, npis in found.rows()} == expected
            write_rows(store, {GROUP_SPECIALTY.name: []})


def test_codes_of_children_and_pregnancy_are_unscored() -> None:
    unscored = ["59400", "59510", "76805", "01967", "99460", "99468", "99381", "99394", "90460", "96110"]
    scored = ["58300", "76700", "76830", "01990", "99213", "99385", "99395", "90471", "96112", "J1100", "17311", "590"]
    assert [code for code in unscored if not is_unscored_code(code)] == []
    assert [code for code in scored if is_unscored_code(code)] == []
