"""What a text names without any loaded rate is said, and does not hide what else the text names."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries.find.search import search_everything
from core.reference.organizations.load_organizations import load_organizations
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.reference.organizations.organization_samples import care_compare
from tests.stores import open_snapshot


@pytest.fixture(scope="module")
def known(placed_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Return the demo's data with places and a list of hospitals of other states."""
    directory = tmp_path_factory.mktemp("known")
    shutil.copytree(placed_root, directory / "data", symlinks=True)
    store = Store(directory / "data")
    texas = care_compare(directory / "tx.csv", ("450001", "EXAMPLE PARKSIDE MEDICAL CTR"), city="HOUSTON", state="TX")
    florida = care_compare(directory / "fl.csv", ("100001", "EXAMPLE PINE REGIONAL"), city="PALATKA", state="FL")
    load_organizations(store, [texas, florida])
    return open_snapshot(store)


@pytest.mark.parametrize(
    ("text", "payer", "place", "words", "codes"),
    [
        ("head ct houston", None, "Houston, TX", "", {"70450"}),
        ("head ct palatka fl", None, "Palatka, FL", "", {"70450"}),
        ("70450 houston", None, "Houston, TX", "", {"70450"}),
        ("head ct xyzzy", None, None, "xyzzy", {"70450"}),
        ("70450 xyzzy", None, None, "xyzzy", {"70450"}),
        ("70450 99999", None, None, "99999", {"70450"}),
        ("aetna head ct", "aetna", None, "", {"70450"}),
        ("bcbs tx", "bcbs", None, "", set()),
        ("cardiologist houston", None, "Houston, TX", "", set()),
        # Nothing is set aside where everything is known.
        ("head ct", None, None, "", {"70450"}),
        ("piedmont 70450-26 ga", None, None, "", {"70450"}),
        ("", None, None, "", None),
    ],
)
def test_what_is_not_loaded_is_said_and_the_rest_is_found(
    known: Snapshot, text: str, payer: str | None, place: str | None, words: str, codes: set[str] | None
) -> None:
    found = search_everything(known, text)
    said = found.not_loaded
    assert (said.payer, said.place, said.words) == (payer, place, words)
    assert codes is None or codes <= {one.code for one in found.codes}
    assert codes or codes is None or not found.codes


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("parkside hospital", ["EXAMPLE PARKSIDE MEDICAL CTR"]),
        ("parkside medical center houston", ["EXAMPLE PARKSIDE MEDICAL CTR"]),
        ("example regional", ["EXAMPLE PARKSIDE MEDICAL CTR", "EXAMPLE PINE REGIONAL"]),
        ("parkside dallas", []),
    ],
)
def test_a_hospital_without_rates_is_named(known: Snapshot, text: str, names: list[str]) -> None:
    found = search_everything(known, text)
    assert [one.name for one in found.not_loaded.hospitals] == (names if found.is_empty else [])
    assert not names or not found.codes


@given(
    st.lists(
        st.sampled_from(["head", "ct", "houston", "aetna", "xyzzy", "70450", "fl", "piedmont"]), max_size=4, unique=True
    )
)
def test_a_text_says_what_it_finds_or_what_is_missing(known: Snapshot, words: list[str]) -> None:
    found = search_everything(known, " ".join(words))
    missing = found.not_loaded
    assert missing.payer == ("aetna" if "aetna" in words else None) or "piedmont" in words
    assert missing.place is None or "houston" in words
    # Beside a payer that is loaded, another one is a word that nothing has.
    assert set(missing.words.split()) <= {"xyzzy", "houston", *(["aetna"] if "piedmont" in words else [])}


@pytest.mark.parametrize(
    ("text", "program", "codes"),
    [
        ("medicare advantage", "Medicare Advantage", set()),
        ("medicare advantage rates", "Medicare Advantage Rates", set()),
        ("medicaid head ct", "Medicaid", {"70450"}),
        ("medicare supplement head ct", "Medicare Supplement", {"70450"}),
    ],
)
def test_a_public_program_is_no_payer(known: Snapshot, text: str, program: str, codes: set[str]) -> None:
    found = search_everything(known, text)
    said = found.not_loaded
    assert (said.payer, said.program, said.words) == (None, program, "")
    assert codes <= {one.code for one in found.codes}
    assert codes or not found.codes
