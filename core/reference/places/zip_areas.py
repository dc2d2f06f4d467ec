"""Find the county and the wage area of a ZIP code.

Medicare's wage index has a value for each metropolitan area, for each division of the thirteen areas that have some,
and for the rest of each state. A county belongs to one of these; a ZIP code may lie in several counties.
"""

from dataclasses import dataclass

from core.fields.places.states import FIPS_STATES
from core.reference.places.place_files import CountyArea, PlaceFiles

_OLD_CONNECTICUT = frozenset(f"09{number:03}" for number in range(1, 16, 2))
"""Connecticut's eight counties. The Census Bureau's list has its nine planning regions, which cut through these."""


@dataclass(frozen=True)
class ZipArea:
    """The county of a ZIP code and its areas, as far as they are known: the columns of dim_zip of these names."""

    county_fips: str | None = None
    county: str | None = None
    cbsa: str | None = None
    division: str | None = None
    wage_area: str | None = None
    cbsa_title: str | None = None
    division_title: str | None = None


class AreaFinder:
    """Find ZIP codes' areas from the files that are given."""

    def __init__(self, files: PlaceFiles) -> None:
        self._counties = files.counties or {}
        self._zip_counties = files.zip_counties
        self._zip_areas = files.zip_areas or {}
        self._metropolitan = {area.cbsa for area in self._counties.values() if area.metropolitan}
        self._titles = {area.cbsa: area.cbsa_title for area in self._counties.values()}
        self._county_names = files.county_names
        self._divided = {area.cbsa for area in self._counties.values() if area.division}

    @property
    def zips(self) -> set[str]:
        """Return the ZIP codes that the crosswalks have."""
        return {*self._zip_areas, *(code for crosswalk in self._zip_counties for code in crosswalk)}

    def find(self, code: str, state: str | None) -> ZipArea:
        """Return the areas of a ZIP code in a state."""
        county = self._county(code)
        if county is not None:
            area = self._counties.get(county)
            wage_area = self.wage_area_of_county(county) or self._wage_area_of_addresses(code, state)
            if area is None:
                # The old counties of Connecticut are in no list, but their addresses are in areas.
                cbsa = self._main_area(code) if county in _OLD_CONNECTICUT else None
                name, title = self._county_names.get(county), self._titles.get(cbsa or "")
                return ZipArea(county, name, cbsa, wage_area=wage_area, cbsa_title=title)
            return ZipArea(
                county, area.county, area.cbsa, area.division, wage_area, area.cbsa_title, area.division_title
            )
        # A ZIP code in several counties of one area is in that area.
        counties = {
            fips for crosswalk in self._zip_counties for fips in (crosswalk[code].all if code in crosswalk else ())
        }
        wage_area = _only({self.wage_area_of_county(fips) for fips in counties})
        cbsa = self._main_area(code) or _only({self._cbsa_of_county(fips) for fips in counties})
        return ZipArea(
            cbsa=cbsa,
            wage_area=wage_area or self._wage_area_of_addresses(code, state),
            cbsa_title=self._titles.get(cbsa or ""),
        )

    def wage_area_of_county(self, fips: str) -> str | None:
        """Return a county's wage area, or None if it is not known."""
        area = self._counties.get(fips)
        if area is None and fips in _OLD_CONNECTICUT:
            return None
        # The list has only the counties that are in some area.
        return _wage_area(area) or FIPS_STATES.get(fips[:2])

    def _cbsa_of_county(self, fips: str) -> str | None:
        area = self._counties.get(fips)
        return area.cbsa if area else None

    def _county(self, code: str) -> str | None:
        """Return the ZIP code's county by the first crosswalk that decides."""
        for crosswalk in self._zip_counties:
            county = crosswalk[code].main() if code in crosswalk else None
            if county is not None:
                return county
        return None

    def _main_area(self, code: str) -> str | None:
        """Return the area of the list with more than half of the ZIP code's addresses: metropolitan or micropolitan."""
        shares = self._zip_areas.get(code)
        area = shares.main() if shares else None
        return area if area in self._titles else None

    def _wage_area_of_addresses(self, code: str, state: str | None) -> str | None:
        """Return the wage area that has more than half of the ZIP code's addresses."""
        shares = self._zip_areas.get(code)
        area = shares.main() if shares else None
        if area is None or area in self._divided:
            return None
        return area if area in self._metropolitan else state


def _only(values: set[str | None]) -> str | None:
    """Return the value of a set of one."""
    return next(iter(values)) if len(values) == 1 else None


def _wage_area(area: CountyArea | None) -> str | None:
    """Return the code of a county's metropolitan division or area, or None outside of these."""
    if area is None or not area.metropolitan:
        return None
    return area.division or area.cbsa
