"""The agencies' files on ZIP codes: told by content, every row accounted for, wrong files named."""

from pathlib import Path

import polars as pl
import pytest

from core.reference import recognize
from core.reference.places.place_files import CountyArea, ZipLocality, read_place_files, zip_code
from core.runtime.errors import ReferenceFileError
from tests.reference.places.place_samples import METRO, MICRO, list1, write_csv, zip5


def test_localities_are_read_with_lost_zeros_and_parts_of_states(tmp_path: Path) -> None:
    path = zip5(
        tmp_path / "anything.csv",
        ("AK", "99501", "2102", "1", "", "0"),
        ("EK", "66002", "05202", "00", "B", "1"),
        ("EK", "66002", "05202", "00", "B", "1"),
        ("", "TOTAL", "", "", "", ""),
    )
    found = read_place_files([path])
    assert found.localities == {
        "99501": ZipLocality("AK", "02102", "01", by_plus_four=False, rural="urban", quarter="2026Q1"),
        "66002": ZipLocality("KS", "05202", "00", by_plus_four=True, rural="super rural", quarter="2026Q1"),
    }
    (file,) = found.files
    assert (file.kind, file.rows_read, file.kept, dict(file.left_out)) == (
        recognize.ZIP_LOCALITY, 4, 2, {"repeated": 1, "no ZIP code": 1},
    )  # fmt: skip


def test_counties_are_read_without_the_notes_below_the_table(tmp_path: Path) -> None:
    path = list1(
        tmp_path / "list1.csv",
        ("01001", "Autauga County", "33860", "", METRO),
        ("36061", "New York County", "35620", "35614", METRO),
        ("46013", "Brown County", "10100", "", MICRO),
    )
    found = read_place_files([path])
    assert found.counties == {
        "01001": CountyArea("Autauga County", "33860", None, metropolitan=True, cbsa_title="An area"),
        "36061": CountyArea("New York County", "35620", "35614", metropolitan=True, cbsa_title="An area"),
        "46013": CountyArea("Brown County", "10100", None, metropolitan=False, cbsa_title="An area"),
    }
    assert (found.files[0].rows_read, found.files[0].kept) == (4, 3)


def test_a_crosswalk_s_column_geoid_is_of_areas_if_some_addresses_are_outside_of_all(tmp_path: Path) -> None:
    header = ("zip", "geoid", "res_ratio", "bus_ratio", "oth_ratio", "tot_ratio")
    areas = write_csv(
        tmp_path / "a.csv", header, ("721", "41980", "1", "1", "1", "1"), ("99553", "99999", "1", "1", "1", "1")
    )
    counties = write_csv(tmp_path / "c.csv", header, ("721", "72127", "1", "1", "1", "1"))
    found = read_place_files([areas, counties])
    assert found.zip_areas is not None
    assert {code: shares.main() for code, shares in found.zip_areas.items()} == {"00721": "41980", "99553": "99999"}
    assert [{code: shares.main() for code, shares in one.items()} for one in found.zip_counties] == [{"00721": "72127"}]


@pytest.mark.parametrize(
    ("rows", "main"),
    [
        ([("13121", "0.4", "0.9"), ("13089", "0.6", "0.1")], "13089"),  # businesses decide
        ([("13121", "0", "0.9"), ("13089", "0", "0.1")], "13121"),  # there are none: all addresses
        ([("13121", "0.5", "0.9"), ("13089", "0.5", "0.1")], None),  # half is not more than half
        ([("13121", "0.1", "0.1")], "13121"),  # the only one
    ],
)
def test_a_zip_code_is_where_more_than_half_of_its_business_addresses_are(
    tmp_path: Path, rows: list[tuple[str, str, str]], main: str | None
) -> None:
    path = write_csv(
        tmp_path / "hud.csv", ("ZIP", "COUNTY", "BUS_RATIO", "TOT_RATIO"), *(("30303", *row) for row in rows)
    )
    (crosswalk,) = read_place_files([path]).zip_counties
    assert crosswalk["30303"].main() == main


def test_crosswalks_with_shares_decide_first_then_those_of_one_county_each(tmp_path: Path) -> None:
    several = write_csv(tmp_path / "1.csv", ("zip", "fips"), ("30303", "13121"), ("30303", "13089"))
    pl.DataFrame({"zip": ["30303"], "county_fips": ["13121"], "lat": [33.7]}).write_parquet(tmp_path / "2.parquet")
    shares = write_csv(
        tmp_path / "3.csv", ("ZIP", "COUNTY", "BUS_RATIO", "TOT_RATIO"), ("30303", "13089", "0.7", "0.7"),
        ("30303", "13121", "0.3", "0.3"),
    )  # fmt: skip
    found = read_place_files([several, tmp_path / "2.parquet", shares])
    assert [crosswalk["30303"].main() for crosswalk in found.zip_counties] == ["13089", "13121", None]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("30303", "30303"),
        ("501", "00501"),
        ("30303-1234", "30303"),
        ("303031234", "30303"),
        ("H3Z 2Y7", None),
        ("", None),
    ],
)
def test_zip_codes(text: str, code: str | None) -> None:
    assert zip_code(text) == code


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([("CBSA", "CBSA Name", "WI26"), ("11", "GEORGIA", "0.7")], "this is a wage index file"),
        ([("a", "b", "c"), ("1", "2", "3")], "not a file of a known kind"),
        ([("STATE", "ZIP CODE", "CARRIER", "LOCALITY")], "without a row that can be read"),
        ([("ZIP", "COUNTY", "TOT_RATIO"), ("30303", "13121", "much")], "'much' is not a share"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, rows: list[tuple[str, ...]], problem: str) -> None:
    path = write_csv(tmp_path / "file.csv", *rows)
    with pytest.raises(ReferenceFileError, match=problem) as error:
        read_place_files([path])
    assert "\n" not in str(error.value)
    assert "file.csv" in str(error.value)


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zips.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(ReferenceFileError, match=r"zips.parquet: this Parquet file cannot be read"):
        read_place_files([tmp_path / "zips.parquet"])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReferenceFileError, match="cannot be read"):
        read_place_files([tmp_path / "none.csv"])
