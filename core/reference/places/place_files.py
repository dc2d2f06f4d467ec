"""Read what says where a ZIP code is: CMS's ZIP code files, the Census Bureau's areas, and crosswalks such as HUD's."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from core.fields.places.states import FIPS_STATES
from core.reference import recognize
from core.reference.read_counts import ReadCounts
from core.reference.spreadsheets import Sheet, read_sheets
from core.runtime.errors import ReferenceFileError

PLACE_FILES = (
    recognize.ZIP_LOCALITY,
    recognize.DMEPOS_RURAL_ZIP,
    recognize.COUNTY_AREAS,
    recognize.ZIP_POINTS,
    recognize.ZIP_COUNTY,
    recognize.ZIP_CBSA,
)
"""The kinds of files that say where a ZIP code is."""

OUTSIDE_AREAS = "99999"
"""What HUD's crosswalk has in place of an area for addresses outside of all areas."""

_PARTS_OF_STATES = {"EK": "KS", "WK": "KS", "EM": "MO", "WM": "MO"}
"""The states that CMS's ZIP code file has in parts: east and west Kansas and Missouri."""

_RURAL = {"": "urban", "R": "rural", "B": "super rural"}

_NO_ZIP, _REPEATED, _NO_AREA = "no ZIP code", "repeated", "no area or county"
_NO_POINT = "no latitude or longitude"

Point = tuple[float, float]
"""Latitude and longitude in degrees."""


@dataclass(frozen=True)
class ZipLocality:
    """The Medicare payment locality of a ZIP code."""

    state: str
    contractor: str
    locality: str
    by_plus_four: bool
    rural: str
    quarter: str


@dataclass(frozen=True)
class CountyArea:
    """The metropolitan or micropolitan area of a county, from the Census Bureau's list."""

    county: str
    cbsa: str
    division: str | None
    metropolitan: bool
    cbsa_title: str | None = None
    division_title: str | None = None


@dataclass
class Shares:
    """What a crosswalk has for a ZIP code: places, with the shares of its business and of all of its addresses there.

    A crosswalk without shares has None for each.
    """

    business: dict[str, float | None] = field(default_factory=dict)
    all: dict[str, float | None] = field(default_factory=dict)

    def main(self) -> str | None:
        """Return the place with more than half of the ZIP code's business addresses, or the only place there is.

        If the ZIP code has no business address, all addresses count.
        """
        if len(self.all) == 1:
            return next(iter(self.all))
        shares = self.business if any(self.business.values()) else self.all
        return next((place for place, share in shares.items() if share and share > 0.5), None)


@dataclass
class PlaceFiles:
    """The contents of all files given. A kind of file that was not given has None."""

    files: list[ReadCounts] = field(default_factory=list)
    localities: dict[str, ZipLocality] | None = None
    dmepos_rural: set[str] | None = None
    counties: dict[str, CountyArea] | None = None
    zip_counties: list[dict[str, Shares]] = field(default_factory=list)
    """The crosswalks to counties in the order in which they decide: with shares, of one county each, and others."""
    zip_areas: dict[str, Shares] | None = None
    points: dict[str, Point] | None = None
    """The middles of ZIP code areas, from the gazetteer."""
    further_points: dict[str, Point] = field(default_factory=dict)
    """Points of ZIP codes that a crosswalk names. A ZIP code of post office boxes has no area in the gazetteer."""
    county_names: dict[str, str] = field(default_factory=dict)
    """Names of counties by FIPS code, from crosswalks: the list of areas has only the counties of areas."""


def read_place_files(paths: list[Path]) -> PlaceFiles:
    """Read files of PLACE_FILES, recognized by content. Raise ReferenceFileError if one is none, or is damaged."""
    found = PlaceFiles()
    for path in paths:
        seen: set[str] = set()
        for sheet in _sheets(path):
            kind = recognize.kind_of_sheet(sheet)
            if kind is not None:
                seen.add(kind)
            if kind in PLACE_FILES:
                _read_sheet(found, sheet, kind)
        if not seen & set(PLACE_FILES):
            raise ReferenceFileError(f"{path.name}: {recognize.describe_unwanted(seen, PLACE_FILES)}")
    found.zip_counties.sort(key=_decides)
    return found


def _sheets(path: Path) -> Iterator[Sheet]:
    if not _is_parquet(path):
        yield from read_sheets(path)
        return
    try:
        frame = pl.read_parquet(io.BytesIO(path.read_bytes()))
        plain = frame.select(pl.col(pl.String), pl.col(pl.Int64, pl.Float64).cast(pl.String)).fill_null("")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ReferenceFileError(
            f"{path.name}: this Parquet file cannot be read ({error}); download it again"
        ) from None
    yield Sheet(path, "", "", [plain.columns, *map(list, plain.iter_rows())])


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False  # reading its sheets says why


def _decides(crosswalk: dict[str, Shares]) -> int:
    """Return the rank of a crosswalk to counties: one with shares comes first, then one that has one county each."""
    if any(share for shares in crosswalk.values() for share in shares.all.values()):
        return 0
    return 1 if all(len(shares.all) == 1 for shares in crosswalk.values()) else 2


class _TitledRows:
    """The rows of a sheet below its header, by column title."""

    def __init__(self, sheet: Sheet, kind: str) -> None:
        self.sheet = sheet
        self._header = recognize.find_header(sheet.rows, kind) or 0
        self._titles = [recognize.normalize_title(cell) for cell in sheet.rows[self._header]]

    def column(self, *names: str) -> int | None:
        """Return the position of the first of the columns that is there, by its whole title or a part of it."""
        for name in names:
            for n, title in enumerate(self._titles):
                if title == name:
                    return n
        return next((n for name in names for n, title in enumerate(self._titles) if name in title), None)

    def cells(self, *columns: int | None) -> Iterator[list[str]]:
        """Yield the cells of these columns in each row that is not blank; empty texts where there is no such column."""
        for row in self.sheet.rows[self._header + 1 :]:
            if any(row):
                yield ["" if n is None or n >= len(row) else row[n] for n in columns]


def _read_sheet(found: PlaceFiles, sheet: Sheet, kind: str) -> None:
    rows = _TitledRows(sheet, kind)
    file = ReadCounts(sheet.name, kind)
    if kind == recognize.ZIP_LOCALITY:
        found.localities = _read_localities(rows, file)
    elif kind == recognize.DMEPOS_RURAL_ZIP:
        found.dmepos_rural = _read_dmepos_rural(rows, file)
    elif kind == recognize.COUNTY_AREAS:
        found.counties = _read_counties(rows, file)
    elif kind == recognize.ZIP_POINTS:
        found.points = _read_points(rows, file)
    else:
        crosswalk = _read_crosswalk(rows, file, found)
        if file.kind == recognize.ZIP_CBSA:
            found.zip_areas = crosswalk
        else:
            found.zip_counties.append(crosswalk)
    if not file.kept:
        raise ReferenceFileError(f"{sheet.name}: {recognize.FILE_KINDS[kind].name} without a row that can be read")
    found.files.append(file)


def zip_code(text: str) -> str | None:
    """Return a ZIP code's five digits, with the zeros that a spreadsheet dropped, or None."""
    match = re.fullmatch(r"(\d{3,5})(?:-?\d{4})?", text.strip())
    return match[1].zfill(5) if match else None


def _read_localities(rows: _TitledRows, file: ReadCounts) -> dict[str, ZipLocality]:
    columns = [
        rows.column(name)
        for name in ("ZIP CODE", "STATE", "CARRIER", "LOCALITY", "PLUS 4 FLAG", "RURAL IND", "YEAR/QTR")
    ]
    found: dict[str, ZipLocality] = {}
    for cell, state, contractor, locality, plus_four, rural, quarter in rows.cells(*columns):
        code = zip_code(cell)
        if code is None or not (contractor.isdigit() and locality.isdigit()):
            file.left_out[_NO_ZIP] += 1
        elif code in found:
            file.left_out[_REPEATED] += 1
        else:
            found[code] = ZipLocality(
                state=_PARTS_OF_STATES.get(state, state),
                contractor=contractor.zfill(5),
                locality=locality.zfill(2),
                by_plus_four=plus_four.strip() in {"1", "1.0", "Y"},
                rural=_RURAL.get(rural, "urban"),
                quarter=re.sub(r"^(20\d\d)(\d)$", r"\1Q\2", quarter),
            )
    file.kept = len(found)
    return found


def _read_dmepos_rural(rows: _TitledRows, file: ReadCounts) -> set[str]:
    found: set[str] = set()
    for (cell,) in rows.cells(rows.column("RURAL ZIP")):
        code = zip_code(cell)
        if code is None or code in found:
            file.left_out[_REPEATED if code else _NO_ZIP] += 1
        else:
            found.add(code)
    file.kept = len(found)
    return found


def _read_counties(rows: _TitledRows, file: ReadCounts) -> dict[str, CountyArea]:
    columns = [
        rows.column(name)
        for name in (
            "FIPS STATE CODE", "FIPS COUNTY CODE", "COUNTY/COUNTY EQUIVALENT", "CBSA CODE",
            "METROPOLITAN DIVISION CODE", "METROPOLITAN/MICROPOLITAN STATISTICAL AREA", "CBSA TITLE",
            "METROPOLITAN DIVISION TITLE",
        )
    ]  # fmt: skip
    found: dict[str, CountyArea] = {}
    for state, county, name, cbsa, division, kind, title, division_title in rows.cells(*columns):
        fips = state.rjust(2, "0") + county.rjust(3, "0")
        if not re.fullmatch(r"\d{5}", cbsa) or not county or fips[:2] not in FIPS_STATES:
            file.left_out[_NO_AREA] += 1  # notes below the table
        elif fips in found:
            file.left_out[_REPEATED] += 1
        else:
            found[fips] = CountyArea(
                name, cbsa, division or None, kind.upper().startswith("METRO"), title or None, division_title or None
            )
    file.kept = len(found)
    return found


def _read_points(rows: _TitledRows, file: ReadCounts) -> dict[str, Point]:
    """Return the middle of each ZIP code area. Columns are found by name: editions differ in their order."""
    found: dict[str, Point] = {}
    for cell, latitude, longitude in rows.cells(*map(rows.column, ("GEOID", "INTPTLAT", "INTPTLONG"))):
        code, point = zip_code(cell), _point(latitude, longitude)
        if code is None or point is None:
            file.left_out[_NO_POINT if code else _NO_ZIP] += 1
        elif code in found:
            file.left_out[_REPEATED] += 1
        else:
            found[code] = point
    file.kept = len(found)
    return found


def _point(latitude: str, longitude: str) -> Point | None:
    """Return a point, or None if the texts are not numbers of degrees."""
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        return None
    return (north, east) if -90 <= north <= 90 and -180 <= east <= 180 else None


def _read_names_and_points(rows: _TitledRows, found: PlaceFiles) -> None:
    """Read what a crosswalk to counties may say besides: names of counties, and points of ZIP codes."""
    exact = {title: rows.column(title) for title in ("ZIP", "COUNTY_FIPS", "FIPS", "COUNTY", "LAT", "LON")}
    fips = exact["COUNTY_FIPS"] if exact["COUNTY_FIPS"] is not None else exact["FIPS"]
    for cell, county, name, latitude, longitude in rows.cells(
        exact["ZIP"], fips, exact["COUNTY"], exact["LAT"], exact["LON"]
    ):
        if county.isdigit() and name and not name.isdigit():
            found.county_names.setdefault(county.zfill(5), name)
        code, point = zip_code(cell), _point(latitude, longitude)
        if code and point:
            found.further_points.setdefault(code, point)


def _read_crosswalk(rows: _TitledRows, file: ReadCounts, read: PlaceFiles) -> dict[str, Shares]:
    """Return a crosswalk's places of each ZIP code, and say in `file.kind` whether they are counties or areas."""
    if file.kind == recognize.ZIP_COUNTY:
        _read_names_and_points(rows, read)
    place = (
        rows.column("CBSA")
        if file.kind == recognize.ZIP_CBSA
        else rows.column("COUNTY_FIPS", "FIPS", "GEOID", "COUNTY")
    )
    cells = list(rows.cells(rows.column("ZIP"), place, rows.column("BUS_RATIO"), rows.column("TOT_RATIO")))
    if any(code == OUTSIDE_AREAS for _, code, _, _ in cells):
        file.kind = recognize.ZIP_CBSA  # a column GEOID, with areas in it
    found: dict[str, Shares] = {}
    for cell, code, business, total in cells:
        zip5 = zip_code(cell)
        digits = code.zfill(5) if code.isdigit() else ""
        if zip5 is None or len(digits) != 5:
            file.left_out[_NO_AREA if zip5 else _NO_ZIP] += 1
            continue
        shares = found.setdefault(zip5, Shares())
        if digits in shares.all:
            file.left_out[_REPEATED] += 1
            continue
        file.kept += 1
        try:
            shares.business[digits] = float(business) if business else None
            shares.all[digits] = float(total) if total else None
        except ValueError:
            raise ReferenceFileError(
                f"{rows.sheet.name}: ZIP code {zip5}: {business!r} or {total!r} is not a share; expected 0 to 1"
            ) from None
    return found
