"""CMS's files of utilization are told by their columns, and rows that cannot be read are counted."""

import zipfile
from pathlib import Path

import polars as pl
import pytest

from core.reference.utilization.utilization_csv import (
    BY_GEOGRAPHY,
    BY_PROVIDER,
    UtilizationCounts,
    find_utilization_files,
    read_rows,
)
from core.runtime.errors import ReferenceFileError
from tests.reference.utilization.utilization_files import NEW, OLD, WORDS, write_geography, write_uses

USES = [
    ("1003011404", "Dermatology", "17311", "O", 125, 182),
    ("1003013384", "Ambulatory Surgical Center", "17311", "F", 11, 11.5),
]


def read(path: Path, year: int | None = None) -> tuple[pl.DataFrame, UtilizationCounts]:
    counts = UtilizationCounts()
    (file,) = find_utilization_files(path, year)
    return pl.concat(list(read_rows(file, counts))), counts


@pytest.mark.parametrize("titles", [NEW, OLD, WORDS])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_all_years_columns_read_alike(tmp_path: Path, titles: tuple[str, ...], delimiter: str) -> None:
    rows, counts = read(write_uses(tmp_path / "PUF_CY2017.txt", USES, titles, delimiter))
    assert (counts.rows_read, counts.kept, dict(counts.rejected)) == (2, 2, {})
    assert rows.rows() == [
        (1003011404, "Dermatology", "individual", "17311", "office", 182.0, 125),
        (1003013384, "Ambulatory Surgical Center", "organization", "17311", "facility", 11.5, 11),
    ]


def test_rows_that_cannot_be_read_are_counted_by_reason(tmp_path: Path) -> None:
    path = tmp_path / "D23.csv"
    write_uses(
        path,
        [
            *USES,
            ("0000000001", "", "", "", 0, 0),  # the copyright notice of 2012
            ("1.003013384", "Cardiology", "93000", "O", 12, 12),
            ("1003013384", "Cardiology", "930", "O", 12, 12),  # 00930, an anesthesia code
            ("1003013384", "Cardiology", "", "O", 12, 12),
            ("1003013384", "Cardiology", "9300000", "O", 12, 12),
            ("1003013384", "Cardiology", "93000", "X", 12, 12),
        ],
    )
    with path.open("a") as file:
        file.write('1003013384,x,I,Cardiology,93000,d,O,*,12\r\n1003013384,x,I,Cardiology,93000,d,O,12,"1,234.5"\r\n')
        file.write("1003013384,too,few\r\n")
    rows, counts = read(path)
    assert counts.rejected == {
        "notice": 1, "invalid_npi": 1, "invalid_code": 2, "invalid_place": 1, "invalid_number": 1, "columns": 1,
    }  # fmt: skip
    assert counts.rows_read == 11 == counts.kept + counts.rejected.total()
    assert rows["code"].to_list() == ["17311", "17311", "00930", "93000"]
    assert rows["services"].to_list() == [182, 11.5, 12, 1234.5]


def test_geography_has_states_by_name_or_number(tmp_path: Path) -> None:
    path = write_geography(
        tmp_path / "MUP_PHY_R25_P05_V20_D23_Geo.csv",
        [
            ("National", "", "National", "64624", "F", 3963, 12985, 22612),
            ("State", "6", "California", "64624", "O", 50, 900, 1000),
            ("State", "36", "", "64624", "O", 12, 90, 100.5),
            ("State", "9E", "Foreign Country", "64624", "O", 12, 90, 100),
        ],
    )
    rows, counts = read(path)
    assert [(row[0], row[3]) for row in rows.rows()] == [("US", 3963), ("CA", 50), ("NY", 12)]
    assert counts.rejected == {"other_area": 1}


@pytest.mark.parametrize(
    ("name", "said", "year"),
    [
        ("MUP_PHY_R25_P05_V20_D23_Prov_Svc.csv", None, 2023),
        ("MUP_PHY_RY21_P04_V10_Dy19_Prov_Svc.csv", None, 2019),
        ("Medicare_Provider_Util_Payment_PUF_CY2017.csv", 2017, 2017),
        ("Medicare_by_Provider_and_Service_2021.csv", None, 2021),
        ("download.csv", 2022, 2022),
        ("2025-05-01_export_2023.csv", 2023, 2023),
    ],
)
def test_the_year_is_in_the_name_or_said(tmp_path: Path, name: str, said: int | None, year: int) -> None:
    assert find_utilization_files(write_uses(tmp_path / name, USES), said)[0].year == year


@pytest.mark.parametrize(
    ("name", "said", "complaint"),
    [
        ("download.csv", None, "download.csv: which year the services are of is not in the file and not in its name"),
        ("2025-05-01_export_2023.csv", None, "say it with --year"),
        ("MUP_D23.csv", 2021, "the name says 2023, --year says 2021"),
        ("download.csv", 23, "--year 23: expected a year from 2012 on"),
    ],
)
def test_a_year_that_is_not_known_or_contradicts_is_refused(
    tmp_path: Path, name: str, said: int | None, complaint: str
) -> None:
    with pytest.raises(ReferenceFileError, match=complaint):
        find_utilization_files(write_uses(tmp_path / name, USES), said)


def test_a_zip_file_may_have_both_kinds(tmp_path: Path) -> None:
    path = tmp_path / "utilization.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(write_uses(tmp_path / "a.csv", USES), "in/MUP_D22_Prov_Svc.csv")
        archive.write(write_geography(tmp_path / "b.csv", []), "in/MUP_D22_Geo.csv")
        archive.writestr("in/readme.txt", "Hello, world")
    found = find_utilization_files(path)
    assert [(file.kind, file.year) for file in found] == [(BY_PROVIDER, 2022), (BY_GEOGRAPHY, 2022)]
    counts = UtilizationCounts()
    assert sum(map(len, read_rows(found[0], counts))) == counts.kept == 2


def test_other_files_and_files_cut_short_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "hospitals_2023.csv"
    other.write_text("Rndrng_Prvdr_CCN,DRG_Cd,Tot_Dschrgs\n020017,469,14\n")
    with pytest.raises(ReferenceFileError, match=r"hospitals_2023\.csv: not CMS's Medicare Physician & Other Pract"):
        find_utilization_files(other)
    cut = write_uses(tmp_path / "cut_2023.csv", USES)
    cut.write_bytes(cut.read_bytes()[:-12])
    with pytest.raises(ReferenceFileError, match="ends within a row; the file was cut short"):
        read(cut)
    with pytest.raises(ReferenceFileError, match="cannot be read: No such file"):
        find_utilization_files(tmp_path / "none_2023.csv")


def test_the_samples_of_cms_are_read_whole(shared: Path) -> None:
    for name, year, rows in (
        ("Medicare_Physician_Other_Practitioners_by_Provider_and_Service_2021.csv", None, 8938),
        ("sample_mup_phy_provider_service_2023.csv", None, 37),
        ("Filtered_RF_Geography_Service.csv", 2023, 790),
    ):
        _, counts = read(shared / "utilization" / name, year)
        assert (counts.rows_read, counts.kept) == (rows, rows)
