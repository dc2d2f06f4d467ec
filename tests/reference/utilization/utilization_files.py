"""Make files of utilization in the columns of several years, and tell slowly what loading them must leave."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

NEW = ("Rndrng_NPI", "Rndrng_Prvdr_Last_Org_Name", "Rndrng_Prvdr_Ent_Cd", "Rndrng_Prvdr_Type", "HCPCS_Cd",
       "HCPCS_Desc", "Place_Of_Srvc", "Tot_Benes", "Tot_Srvcs")  # fmt: skip
OLD = ("npi", "nppes_provider_last_org_name", "nppes_entity_code", "provider_type", "hcpcs_code",
       "hcpcs_description", "place_of_service", "bene_unique_cnt", "line_srvc_cnt")  # fmt: skip
WORDS = ("National Provider Identifier", "Last Name/Organization Name of the Provider",
         "Entity Type of the Provider", "Provider Type", "HCPCS Code", "HCPCS Description", "Place of Service",
         "Number of Medicare Beneficiaries", "Number of Services")  # fmt: skip
GEOGRAPHY = ("Rndrng_Prvdr_Geo_Lvl", "Rndrng_Prvdr_Geo_Cd", "Rndrng_Prvdr_Geo_Desc", "HCPCS_Cd", "Place_Of_Srvc",
             "Tot_Rndrng_Prvdrs", "Tot_Benes", "Tot_Srvcs")  # fmt: skip
"""The titles of CMS's files: since 2019, up to 2018, on the former data site, and by geography."""

Use = tuple[str, str, str, str, int, float]
"""NPI, provider type, code, place (F or O), beneficiaries, services."""


def write_uses(path: Path, uses: Iterable[Use], titles: Sequence[str] = NEW, delimiter: str = ",") -> Path:
    """Write a file by provider and service."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, delimiter=delimiter)
        out.writerow(titles)
        for npi, words, code, place, beneficiaries, services in uses:
            entity = "O" if words == "Ambulatory Surgical Center" else "I"
            out.writerow([npi, "Doe, Jane", entity, words, code, "a, b", place, beneficiaries, services])
    return path


def write_geography(path: Path, rows: Iterable[Sequence[Any]]) -> Path:
    """Write a file by geography and service."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(GEOGRAPHY)
        out.writerows(rows)
    return path


def newest_uses(loads: Iterable[tuple[int, Iterable[Use]]]) -> dict[tuple[str, str, str], tuple[int, float, int]]:
    """Return what stays of loads in order, each with its year: beneficiaries, services, year by code, NPI, place."""
    kept: dict[tuple[str, str], tuple[int, dict[str, tuple[int, float]]]] = {}
    for year, uses in loads:
        of_load: dict[tuple[str, str], dict[str, tuple[int, float]]] = {}
        for npi, _, code, place, beneficiaries, services in uses:
            of_load.setdefault((code, npi), {})[place] = (beneficiaries, services)
        for key, places in of_load.items():
            if key not in kept or kept[key][0] <= year:
                kept[key] = (year, places)
    names = {"F": "facility", "O": "office"}
    return {
        (code, npi, names[place]): (*numbers, year)
        for (code, npi), (year, places) in kept.items()
        for place, numbers in places.items()
    }


def specialty_shares(
    kept: Iterable[tuple[str, str, str]], specialty_of: Mapping[str, str | None]
) -> dict[tuple[str, str], tuple[int, float]]:
    """Return clinicians and share by code and specialty, of rows by code, NPI and place."""
    pairs = {(code, npi) for code, npi, _ in kept}
    found = {}
    for code, specialty in {(code, specialty_of[npi]) for code, npi in pairs}:
        if specialty:
            billing = sum(one == code and specialty_of[npi] == specialty for one, npi in pairs)
            found[code, specialty] = (billing, billing / list(specialty_of.values()).count(specialty))
    return found
