"""Load where ZIP codes are into the store, and the areas of provider groups that follow from it."""

from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import polars as pl

from core.fields.places.states import FIPS_STATES
from core.reference.places.group_areas import put_all_group_areas
from core.reference.places.place_files import PlaceFiles, read_place_files
from core.reference.places.zip_areas import AreaFinder, ZipArea
from core.reference.profiles.provider_profiles import ProfileCounts, count_profiles, put_all_profiles
from core.reference.read_counts import ReadCounts
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.schema.tables import DIM_GROUP_AREA, DIM_PROVIDER_GROUP, DIM_ZIP
from core.store.sql import current_rows, stored_rows
from core.store.writer_connection import connect_for_writing

_LOCALITY_COLUMNS = ("contractor", "locality", "locality_by_plus_four", "rural", "zip_quarter")
_AREA_COLUMNS = tuple(ZipArea.__dataclass_fields__)


@dataclass(frozen=True)
class LoadedPlaces:
    """What was read, and what the store now knows of ZIP codes and provider groups."""

    files: tuple[ReadCounts, ...]
    zips: int
    with_locality: int
    """ZIP codes that are in one payment locality."""
    by_plus_four: int
    """ZIP codes whose locality depends on the last four digits."""
    with_wage_area: int
    with_county: int
    with_area: int
    """ZIP codes in a metropolitan or micropolitan area."""
    with_point: int
    """ZIP codes with a latitude and longitude."""
    providers: ProfileCounts
    groups: int
    """Provider groups in the store."""
    groups_with_locality: int
    groups_with_wage_area: int


def load_places(store: Store, paths: list[Path]) -> LoadedPlaces:
    """Load files that say where ZIP codes are, recognized by content, in any order.

    What the files are about replaces what the store has of it; the rest stays. Raise ReferenceFileError or StoreError
    if that fails; the store is then unchanged.
    """
    files = read_place_files(paths)
    _require_areas(files)
    with store.write() as transaction:
        connection = connect_for_writing(transaction.work)
        try:
            _put_zips(connection, transaction, files)
            put_all_group_areas(connection, transaction)
            put_all_profiles(connection, transaction)
            loaded = _count(connection, transaction, files)
        finally:
            connection.close()
        transaction.commit()
    return loaded


def _require_areas(files: PlaceFiles) -> None:
    """Raise ReferenceFileError if files are given that say something only together with another."""
    crosswalks = bool(files.zip_counties or files.zip_areas)
    if crosswalks and files.counties is None:
        raise ReferenceFileError(
            "crosswalks of ZIP codes, but not the Census Bureau's list of metropolitan areas (list1_….xlsx): give "
            "both; the wage index is by metropolitan area"
        )
    if files.counties is not None and not crosswalks:
        raise ReferenceFileError(
            "the Census Bureau's list of metropolitan areas, but no crosswalk of ZIP codes and counties: give both, as "
            "addresses have ZIP codes"
        )


def _put_zips(connection: duckdb.DuckDBPyConnection, transaction: Transaction, files: PlaceFiles) -> None:
    """Put dim_zip into the store: columns of which no file was given keep their values."""
    before = {
        row["zip"]: row
        for row in connection.sql(f"FROM {stored_rows(transaction, DIM_ZIP)}").to_arrow_table().to_pylist()
    }
    finder = AreaFinder(files) if files.counties is not None else None
    points = {**files.further_points, **(files.points or {})}
    # A crosswalk's points alone make no row: among them are those of post offices of the armed forces overseas.
    known = (before, files.localities, files.dmepos_rural, finder.zips if finder else None, files.points)
    codes = {code for some in known for code in some or ()}
    rows = []
    for code in sorted(codes):
        row = {**dict.fromkeys(DIM_ZIP.names), **before.get(code, {}), "zip": code}
        if files.localities is not None:
            row.update(dict.fromkeys(_LOCALITY_COLUMNS))
            found = files.localities.get(code)
            if found:
                row.update(
                    state=found.state,
                    contractor=found.contractor,
                    locality=found.locality,
                    locality_by_plus_four=found.by_plus_four,
                    rural=found.rural,
                    zip_quarter=found.quarter,
                )
        if files.dmepos_rural is not None:
            row["dmepos_rural"] = code in files.dmepos_rural
        if finder:
            area = finder.find(code, row["state"])
            row.update(asdict(area))
            row["state"] = row["state"] or (area.county_fips and FIPS_STATES.get(area.county_fips[:2]))
        if code in points:
            row["latitude"], row["longitude"] = points[code]
        elif files.points is not None:
            row["latitude"] = row["longitude"] = None
        rows.append(row)
    frame = pl.DataFrame(rows, schema={name: _POLARS[column.type] for name, column in _COLUMNS.items()})
    path = transaction.new_file(DIM_ZIP.name)
    transaction.put(DIM_ZIP.name, path, write_table(path, DIM_ZIP, [frame.to_arrow().cast(DIM_ZIP.arrow)]))


_COLUMNS = {column.name: column for column in DIM_ZIP.columns}
_POLARS = {"text": pl.String, "flag": pl.Boolean, "number": pl.Float64}


def _count(connection: duckdb.DuckDBPyConnection, transaction: Transaction, files: PlaceFiles) -> LoadedPlaces:
    zips = current_rows(transaction, DIM_ZIP) or stored_rows(transaction, DIM_ZIP)
    areas = current_rows(transaction, DIM_GROUP_AREA) or stored_rows(transaction, DIM_GROUP_AREA)
    ((every, with_locality, by_plus_four, with_wage_area, with_county, with_area, with_point),) = connection.execute(
        f"""SELECT count(*), count(locality) FILTER (NOT locality_by_plus_four),
                   count(*) FILTER (locality_by_plus_four), count(wage_area), count(county_fips), count(cbsa),
                   count(latitude) FROM {zips}"""
    ).fetchall()
    ((in_locality, in_wage_area),) = connection.execute(
        f"SELECT count(locality), count(wage_area) FROM {areas}"
    ).fetchall()
    return LoadedPlaces(
        files=tuple(files.files),
        zips=every,
        with_locality=with_locality,
        by_plus_four=by_plus_four,
        with_wage_area=with_wage_area,
        with_county=with_county,
        with_area=with_area,
        with_point=with_point,
        providers=count_profiles(connection, transaction),
        groups=transaction.base.rows(DIM_PROVIDER_GROUP.name),
        groups_with_locality=in_locality,
        groups_with_wage_area=in_wage_area,
    )
