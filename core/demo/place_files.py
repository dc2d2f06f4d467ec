"""Small files that say where ZIP codes of Georgia are, in the layouts of CMS, the Census Bureau, and HUD, for the demo.

ZIP codes, counties, areas, localities, and coordinates are facts. The practices that the demo puts there are made up.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DemoCity:
    """A ZIP code of Georgia, and where it is."""

    city: str
    zip: str
    locality: str
    county_fips: str
    county: str
    cbsa: str
    division: str
    latitude: float
    longitude: float


CITIES = (
    DemoCity("ATLANTA", "30303", "01", "13121", "Fulton County", "12060", "12054", 33.753259, -84.389953),
    DemoCity("MACON", "31201", "99", "13021", "Bibb County", "31420", "", 32.804382, -83.617554),
    DemoCity("SAVANNAH", "31401", "99", "13051", "Chatham County", "42340", "", 32.074679, -81.088261),
    DemoCity("DALTON", "30720", "99", "13313", "Whitfield County", "19140", "", 34.733644, -85.000824),
    DemoCity("ATLANTA", "30342", "01", "13121", "Fulton County", "12060", "12054", 33.882179, -84.375289),
    DemoCity("MARIETTA", "30060", "01", "13067", "Cobb County", "12060", "31924", 33.926431, -84.541629),
    DemoCity("ATHENS", "30601", "99", "13059", "Clarke County", "12020", "", 34.001592, -83.344913),
    DemoCity("AUGUSTA", "30901", "99", "13245", "Richmond County", "12260", "", 33.43722, -81.956157),
    DemoCity("COLUMBUS", "31901", "99", "13215", "Muscogee County", "17980", "", 32.465313, -84.980285),
    DemoCity("ALBANY", "31701", "99", "13095", "Dougherty County", "10500", "", 31.552695, -84.159214),
    DemoCity("BRUNSWICK", "31520", "99", "13127", "Glynn County", "15260", "", 31.180919, -81.493973),
    DemoCity("GAINESVILLE", "30501", "99", "13139", "Hall County", "23580", "", 34.318834, -83.815174),
    DemoCity("THOMASVILLE", "31792", "99", "13275", "Thomas County", "45620", "", 30.770798, -84.043704),
    DemoCity("DUBLIN", "31021", "99", "13175", "Laurens County", "20140", "", 32.493414, -82.943064),
)  # fmt: skip
"""Where the demo's providers practice. The first four are those of the first version of the demo."""

_AREAS = {
    "10500": "Albany, GA",
    "12020": "Athens-Clarke County, GA",
    "12060": "Atlanta-Sandy Springs-Roswell, GA",
    "12260": "Augusta-Richmond County, GA-SC",
    "15260": "Brunswick-St. Simons, GA",
    "17980": "Columbus, GA-AL",
    "19140": "Dalton, GA",
    "20140": "Dublin, GA",
    "23580": "Gainesville, GA",
    "31420": "Macon-Bibb County, GA",
    "42340": "Savannah, GA",
    "45620": "Thomasville, GA",
}
_MICROPOLITAN = {"45620", "20140"}
_DIVISIONS = {"12054": "Atlanta-Sandy Springs-Roswell, GA", "31924": "Marietta, GA"}


def write_place_files(directory: Path) -> list[Path]:
    """Write CMS's ZIP codes and localities, the Census Bureau's areas and gazetteer, and a crosswalk to counties."""
    return [
        _write(
            directory / "ZIP5_demo.csv",
            ("STATE", "ZIP CODE", "CARRIER", "LOCALITY", "RURAL IND", "LAB CB LOCALITY", "RURAL IND2", "PLUS 4 FLAG",
             "PART B DRUG INDICATOR", "YEAR/QTR"),
            (("GA", one.zip, "10212", one.locality, "", "Z9", "", "0", "A", "20253") for one in CITIES),
        ),
        _write(
            directory / "list1_demo.csv",
            ("CBSA Code", "Metropolitan Division Code", "CSA Code", "CBSA Title",
             "Metropolitan/Micropolitan Statistical Area", "Metropolitan Division Title", "CSA Title",
             "County/County Equivalent", "State Name", "FIPS State Code", "FIPS County Code",
             "Central/Outlying County"),
            (
                (one.cbsa, one.division, "", _AREAS[one.cbsa],
                 f"{'Micro' if one.cbsa in _MICROPOLITAN else 'Metro'}politan Statistical Area",
                 _DIVISIONS.get(one.division, ""), "", one.county, "Georgia", one.county_fips[:2],
                 one.county_fips[2:], "Central")
                for one in {city.county_fips: city for city in CITIES}.values()
            ),
        ),
        _write(
            directory / "zip_county_demo.csv",
            ("zip", "fips", "county", "state"),
            ((one.zip, one.county_fips, one.county, "GA") for one in CITIES),
        ),
        _write(
            directory / "Gaz_zcta_demo.csv",
            ("GEOID", "ALAND", "AWATER", "ALAND_SQMI", "AWATER_SQMI", "INTPTLAT", "INTPTLONG"),
            ((one.zip, "0", "0", "0", "0", one.latitude, one.longitude) for one in CITIES),
        ),
    ]  # fmt: skip


def _write(path: Path, header: Iterable[str], lines: Iterable[Iterable[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(lines)
    return path
