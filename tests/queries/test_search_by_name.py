"""Providers found by their names, whatever accents, marks and blanks the register or the visitor writes."""

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.load.load_file import load_file
from core.queries.find.search import search_everything
from core.queries.rules.folded_names import fold_name, folded_sql
from core.reference.nppes.load_register import load_nppes
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.reference.nppes.registers import provider, rates, register
from tests.stores import open_snapshot

OTHER = "Provider Other Organization Name"
FIRST, MIDDLE, SUFFIX = "Provider First Name", "Provider Middle Name", "Provider Name Suffix Text"
PEOPLE = {
    "1679576722": provider("1679576722", "GARCÍA-LÓPEZ", **{FIRST: "JOSÉ", MIDDLE: "LUIS"}),
    "1588667638": provider("1588667638", "O'BRIEN", **{FIRST: "ANN", SUFFIX: "III"}),
    "1295738227": provider("1295738227", "O BRIEN", **{FIRST: "BOB"}),
    "1003027533": {"NPI": "1003027533", "Entity Type Code": "2",
                   "Provider Organization Name (Legal Business Name)": "HOLDINGS 12, LLC",
                   OTHER: "ST. MARY'S CLINIC", f"{OTHER} Type Code": "3"},
    "1912951245": provider("1912951245", "NOBRI", **{FIRST: "ENRICO"}),
    "1457354516": provider("1457354516", "D’ANGELO-MÜLLER", **{FIRST: "ZOË"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    directory = tmp_path_factory.mktemp("names")
    store = Store(directory / "data")
    path = directory / "rates.json"
    path.write_text(json.dumps(rates(*PEOPLE)))
    load_file(store, open_documents(path)[0], "GA")
    names = directory / "othername_pfile.csv"
    with names.open("w", newline="") as file:
        csv.writer(file).writerows([("NPI", OTHER, f"{OTHER} Type Code"), ("1003027533", "PEACHTREE IMAGING", "3")])
    load_nppes(store, [register(directory / "n.csv", *PEOPLE.values()), names])
    return open_snapshot(store)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Jose Garcia", ["1679576722"]),
        ("garcia lopez", ["1679576722"]),
        ("GARCIALOPEZ", ["1679576722"]),
        ("garcía-lópez josé", ["1679576722"]),
        ("jose luis", ["1679576722"]),
        ("OBrien", ["1588667638", "1295738227"]),
        ("o'brien", ["1588667638", "1295738227"]),
        ("O Brien ann", ["1588667638"]),
        ("obrien iii", ["1588667638"]),
        ("st marys", ["1003027533"]),
        ("Saint", []),
        ("peachtree", ["1003027533"]),
        ("holdings 12", ["1003027533"]),
        ("dangelo muller zoe", ["1457354516"]),
        ("Muller", ["1457354516"]),
        ("co nobri", ["1912951245"]),
        ("conobri", []),  # two names that only together make the word
        ("' -", []),
        ("o", []),
    ],
)
def test_a_provider_is_found(db: Snapshot, text: str, found: list[str]) -> None:
    said = search_everything(db, text)
    assert [*(one.npi for one in said.organizations), *(one.value for one in said.providers)] == found


def test_the_other_name_that_was_found_is_told(db: Snapshot) -> None:
    for text, other in (("peachtree", "PEACHTREE IMAGING"), ("marys", "ST. MARY'S CLINIC"), ("holdings", None)):
        (one,) = search_everything(db, text).organizations
        assert (one.organization_name, one.other_name) == ("HOLDINGS 12, LLC", other)


def test_a_tax_id_is_found_by_an_inferred_name_which_says_so(db: Snapshot) -> None:
    (one,) = search_everything(db, "holdings").organizations
    assert (one.tin, one.organization_name, one.name_inferred) == ("123456789", "HOLDINGS 12, LLC", True)


@given(st.text(st.characters(max_codepoint=0x24F, exclude_categories=["Cc"]), max_size=12))
def test_python_and_sql_fold_alike(demo: Snapshot, text: str) -> None:
    ((found,),) = demo.rows(f"SELECT {folded_sql('$text')}", {"text": text})
    assert found == fold_name(text)
