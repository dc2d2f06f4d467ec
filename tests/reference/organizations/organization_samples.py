"""Small lists of organizations of each kind, as their publishers lay them out."""

import json
from pathlib import Path

from tests.reference.places.place_samples import write_csv

EIN, OTHER_EIN = "581954432", "042104691"
CCN = "110010"


def own_list(path: Path, *rows: tuple[str, ...]) -> Path:
    """Write a user's list: tin, name, organization, system, as_of."""
    return write_csv(path, ("tin", "name", "organization", "system", "as_of"), *rows)


def exempt_list(path: Path, *rows: tuple[str, str]) -> Path:
    """Write the IRS's list: EIN and name; all are in Macon."""
    header = ("EIN", "NAME", "ICO", "STREET", "CITY", "STATE", "ZIP", "GROUP", "SUBSECTION", "NTEE_CD")
    return write_csv(path, header, *[(ein, name, "", "1 ELM ST", "MACON", "GA", "31201-1234", "0000", "03", "E22")
                                     for ein, name in rows])  # fmt: skip


def care_compare(path: Path, *rows: tuple[str, str], city: str = "MACON", state: str = "GA") -> Path:
    """Write CMS's list: CCN and name; all are in one city."""
    header = ("Facility ID", "Facility Name", "Address", "City/Town", "State", "ZIP Code", "Hospital Type")
    return write_csv(path, header, *[(*row, "1 ELM ST", city, state, "31201", "Acute Care Hospitals") for row in rows])


def system_list(path: Path, *rows: tuple[str, str, str]) -> Path:
    """Write AHRQ's list: CCN, hospital, and system; all are in Macon."""
    header = ("compendium_hospital_id", "ccn", "hospital_name", "hospital_street", "hospital_city", "hospital_state",
              "hospital_zip", "acutehosp_flag", "health_sys_id", "health_sys_name", "health_sys_city",
              "health_sys_state")  # fmt: skip
    return write_csv(path, header, *[
        ("CHSP1", ccn, name, "1 Elm St", "Macon", "GA", "31201", "1", system and "HSI1", system, system and "Macon",
         system and "GA") for ccn, name, system in rows
    ])  # fmt: skip


def price_files(path: Path, *rows: tuple[str, str, str]) -> Path:
    """Write a list of price files as JSON: CCN, hospital, and address."""
    objects = [{"ccn": ccn, "hospital_name": name, "file_url": address} for ccn, name, address in rows]
    path.write_text(json.dumps(objects), encoding="utf-8")
    return path
