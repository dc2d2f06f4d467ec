"""NPPES's files of other names and of practice locations, in the store."""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from core.demo.provider_register import HEADER
from core.reference.nppes.load_register import load_nppes
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.reference.nppes.registers import (
    CLINIC,
    NAMES,
    PLACES,
    STRANGER,
    SURGEON,
    provider,
    rates,
    register,
    table,
)
from tests.stores import open_snapshot


def other_names(store: Store) -> list[tuple[Any, ...]]:
    return open_snapshot(store).rows("SELECT npi, position, other_name, other_name_kind FROM npi_other_name")


@pytest.mark.parametrize("everything", [False, True])
def test_they_come_with_the_zip_file_of_the_register(
    store: Store, load: Load, tmp_path: Path, everything: bool
) -> None:
    load(rates(CLINIC))
    files = [
        register(tmp_path / "npidata_pfile_20050523-20251109.csv", provider(CLINIC, "PILCHER")),
        table(
            tmp_path / "othername_pfile_20050523-20251109.csv", NAMES,
            (CLINIC, "SMILE", "3"), (STRANGER, "DAY CARE", "4"), (CLINIC, "GRIN", "5"), (CLINIC, "SMILE", "3"),
            (CLINIC, "<UNAVAIL>", "3"), ("123", "NO NPI", "3"),
        ),
        table(
            tmp_path / "pl_pfile_20050523-20251109.csv", PLACES,
            (CLINIC, "2 B ST", "STE 9", "MACON", "Georgia", "2138", "US", "4785550100"), (CLINIC, "1 A ST"),
        ),
        table(tmp_path / "npidata_pfile_20050523-20251109_fileheader.csv", HEADER),
        table(tmp_path / "endpoint_pfile_20050523-20251109.csv", ("NPI", "Endpoint Type")),
    ]  # fmt: skip
    packed = tmp_path / "NPPES_Data_Dissemination_November_2025_V2.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
    loaded = load_nppes(store, [packed], everything=everything)
    counts = loaded.further["other names"]
    left = 0 if everything else 1
    assert (counts.rows_read, counts.kept, counts.not_in_use) == (6, 4 - left, left)
    assert counts.rejected == {"blank": 1, "invalid_npi": 1}
    strangers = [(STRANGER, 1, "DAY CARE", "former legal business name")] if everything else []
    mine = [(CLINIC, 1, "SMILE", "doing business as"), (CLINIC, 2, "GRIN", "other name")]
    assert other_names(store) == sorted([*mine, *strangers])
    places = open_snapshot(store).rows("SELECT * EXCLUDE (as_of) FROM npi_location")
    assert places == [
        (CLINIC, 1, "2 B ST", "STE 9", "MACON", "GA", "02138", "4785550100"),
        (CLINIC, 2, "1 A ST", None, None, None, None, None),
    ]
    before = [open_snapshot(store).rows(f"FROM {name}") for name in ("npi_other_name", "npi_location")]
    load_nppes(store, [packed])
    assert [open_snapshot(store).rows(f"FROM {name}") for name in ("npi_other_name", "npi_location")] == before


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_the_newest_file_that_lists_an_npi_wins(
    store: Store, load: Load, tmp_path: Path, newest_first: bool, apart: bool
) -> None:
    load(rates(CLINIC, SURGEON))
    monthly = table(
        tmp_path / "othername_pfile_20050523-20251109.csv", NAMES, (CLINIC, "OLD", "3"), (SURGEON, "STAYS", "3")
    )
    weekly = table(tmp_path / "othername_pfile_20251110-20251116.csv", NAMES, (CLINIC, "NEW", "3"))
    files = [weekly, monthly] if newest_first else [monthly, weekly]
    for some in [[file] for file in files] if apart else [files]:
        load_nppes(store, some)
    assert [row[2] for row in other_names(store)] == ["NEW", "STAYS"]


def test_of_files_without_a_date_the_last_wins(store: Store, load: Load, tmp_path: Path) -> None:
    load(rates(CLINIC))
    for name in ("B", "A"):
        load_nppes(store, [table(tmp_path / f"{name}.csv", NAMES, (CLINIC, name, "3"))])
    assert [row[2] for row in other_names(store)] == ["A"]


def test_a_file_that_does_not_fit_is_told(store: Store, load: Load, tmp_path: Path) -> None:
    load(rates(CLINIC))
    short = table(tmp_path / "pl.csv", PLACES[:5], (CLINIC, "2 B ST"))
    with pytest.raises(ReferenceFileError, match=r"pl\.csv: not the NPPES file as CMS publishes it: it has no column"):
        load_nppes(store, [short])
    assert other_names(store) == []
