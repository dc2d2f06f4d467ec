"""Small files of each kind that say where ZIP codes are, as the agencies lay them out."""

import csv
from pathlib import Path
from typing import Any

from core.demo.provider_register import HEADER

ZIP5_HEADER = (
    "STATE", "ZIP CODE", "CARRIER", "LOCALITY", "RURAL IND", "LAB CB LOCALITY", "RURAL IND2", "PLUS 4 FLAG",
    "PART B DRUG INDICATOR", "YEAR/QTR",
)  # fmt: skip
LIST1_HEADER = (
    "CBSA Code", "Metropolitan Division Code", "CSA Code", "CBSA Title", "Metropolitan/Micropolitan Statistical Area",
    "Metropolitan Division Title", "CSA Title", "County/County Equivalent", "State Name", "FIPS State Code",
    "FIPS County Code", "Central/Outlying County",
)  # fmt: skip
METRO, MICRO = "Metropolitan Statistical Area", "Micropolitan Statistical Area"

ATLANTA, MACON, RURAL_GEORGIA, MANHATTAN = "30303", "31201", "31792", "10001"
FULTON, BIBB, NEW_YORK, BROOKS = "13121", "13021", "36061", "13027"


def write_csv(path: Path, *rows: tuple[str, ...]) -> Path:
    """Write rows as csv."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def zip5(path: Path, *zips: tuple[str, str, str, str, str, str]) -> Path:
    """Write CMS's ZIP code to carrier locality file: state, ZIP code, carrier, locality, rural, plus-four flag."""
    rows = [
        (state, code, carrier, locality, rural, "Z9", rural, plus_four, "A", "20261")
        for state, code, carrier, locality, rural, plus_four in zips
    ]
    return write_csv(path, ZIP5_HEADER, *rows)


def list1(path: Path, *counties: tuple[str, str, str, str, str]) -> Path:
    """Write the Census Bureau's list: county FIPS, name, CBSA, division, and metropolitan or micropolitan."""
    rows = [
        (cbsa, division, "", "An area", kind, "", "", name, "A state", fips[:2], fips[2:], "Central")
        for fips, name, cbsa, division, kind in counties
    ]
    title = ("List 1. CORE BASED STATISTICAL AREAS (CBSAs)",)
    return write_csv(path, title, LIST1_HEADER, *rows, ("",) * 12, ("Source: the Census Bureau", *[""] * 11))


GAZETTEER_HEADER = ("GEOID", "ALAND", "AWATER", "ALAND_SQMI", "AWATER_SQMI", "INTPTLONG", "INTPTLAT")
POINTS = {
    ATLANTA: (33.752800, -84.390150),
    MACON: (32.809450, -83.613340),
    RURAL_GEORGIA: (30.814170, -83.947170),
    MANHATTAN: (40.750650, -73.997180),
}


def gazetteer(path: Path, points: dict[str, tuple[float, float]]) -> Path:
    """Write the Census Bureau's gazetteer of ZIP code areas: tabs, and a longitude before each latitude."""
    lines = ["\t".join(GAZETTEER_HEADER)]
    lines += [f"{code}\t1\t0\t1.0\t0.0\t{east}\t{north}" for code, (north, east) in points.items()]
    path.write_text("\r\n".join([*lines, "", ""]), encoding="utf-8", newline="")
    return path


def write_places(directory: Path) -> dict[str, Path]:
    """Write files of each kind that agree with each other: Atlanta, Macon, rural Georgia, and Manhattan."""
    return {
        "zip5": zip5(
            directory / "ZIP5_JAN2026.csv",
            ("GA", ATLANTA, "10212", "01", "", "0"),
            ("GA", MACON, "10212", "99", "", "0"),
            ("GA", RURAL_GEORGIA, "10212", "99", "R", "0"),
            ("NY", MANHATTAN, "13202", "01", "", "0"),
        ),
        "list1": list1(
            directory / "list1_2023.csv",
            (FULTON, "Fulton County", "12060", "12054", METRO),
            (BIBB, "Macon-Bibb County", "31420", "", METRO),
            (NEW_YORK, "New York County", "35620", "35614", METRO),
        ),
        "counties": write_csv(
            directory / "zip_county.csv",
            ("zip", "fips", "county", "state"),
            (ATLANTA, FULTON, "Fulton", "GA"),
            (MACON, BIBB, "Bibb", "GA"),
            (RURAL_GEORGIA, BROOKS, "Brooks", "GA"),
            (MANHATTAN, NEW_YORK, "New York", "NY"),
        ),
        "points": gazetteer(directory / "Gaz_zcta_national.txt", POINTS),
        "dmepos": write_csv(
            directory / "DME Rural ZIP Code.csv",
            ("STATE", "DMEPOS RURAL ZIP CODE", "YEAR/QTR"),
            ("GA", RURAL_GEORGIA, "202601"),
        ),
    }


def rates_file(*groups: tuple[str, ...]) -> dict[str, Any]:
    """Return an in-network file of one rate for each group of NPIs; the tax IDs are 100000000, 100000001, and so on."""
    rates = [
        {
            "provider_groups": [{"npi": list(npis), "tin": {"type": "ein", "value": str(100_000_000 + number)}}],
            "negotiated_prices": [
                {
                    "negotiated_type": "negotiated",
                    "negotiated_rate": 100 + number,
                    "billing_class": "professional",
                    "service_code": ["11"],
                    "expiration_date": "9999-12-31",
                }
            ],
        }
        for number, npis in enumerate(groups)
    ]
    item = {
        "negotiation_arrangement": "ffs",
        "name": "visit",
        "description": "visit",
        "billing_code_type": "CPT",
        "billing_code_type_version": "2025",
        "billing_code": "99213",
        "negotiated_rates": rates,
    }
    return {
        "reporting_entity_name": "Example",
        "reporting_entity_type": "issuer",
        "last_updated_on": "2025-08-01",
        "version": "1.0.0",
        "in_network": [item],
    }


def register_of(path: Path, addresses: dict[str, str]) -> Path:
    """Write an NPPES file of persons who practice in these ZIP codes, by NPI."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER, restval="", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        for npi, code in addresses.items():
            writer.writerow(
                {
                    "NPI": npi,
                    "Entity Type Code": "1",
                    "Provider Last Name (Legal Name)": "DOE",
                    "Provider Business Practice Location Address Postal Code": code,
                    "Provider Business Practice Location Address Country Code (If outside U.S.)": "US",
                }
            )
    return path
