"""Registers of providers as files, and the payer's file that names their NPIs."""

import csv
from pathlib import Path
from typing import Any

from core.demo.provider_register import HEADER
from core.store.generations.store import Store
from tests.stores import open_snapshot

SURGEON, CLINIC, STRANGER = "1679576722", "1588667638", "1295738227"
PRACTICE = "Provider Business Practice Location Address "


def rates(*npis: str) -> dict[str, Any]:
    """Return an in-network file of one rate, whose group has these NPIs."""
    price = {"negotiated_type": "negotiated", "negotiated_rate": 10, "billing_class": "professional"}
    groups = [{"npi": list(npis), "tin": {"type": "ein", "value": "123456789"}}]
    return {
        "reporting_entity_name": "Example",
        "reporting_entity_type": "issuer",
        "last_updated_on": "2025-08-01",
        "version": "1.0.0",
        "in_network": [
            {
                "negotiation_arrangement": "ffs",
                "name": "visit",
                "billing_code_type": "CPT",
                "billing_code_type_version": "2025",
                "billing_code": "99213",
                "description": "visit",
                "negotiated_rates": [{"provider_groups": groups, "negotiated_prices": [price]}],
            }
        ],
    }


def provider(npi: str, last: str = "", **more: str) -> dict[str, str]:
    who = {"Entity Type Code": "1", "Provider Last Name (Legal Name)": last} if last else {}
    return {"NPI": npi, **who, **more}


def register(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER, restval="", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    return path


def names(store: Store, table: str = "dim_npi") -> dict[str, str | None]:
    return dict(open_snapshot(store).rows(f"SELECT npi, name FROM {table} ORDER BY npi"))


NAMES = ("NPI", "Provider Other Organization Name", "Provider Other Organization Name Type Code")
SECOND = "Provider Secondary Practice Location Address"
PLACES = (
    "NPI", f"{SECOND}- Address Line 1", f"{SECOND}-  Address Line 2", f"{SECOND} - City Name", f"{SECOND} - State Name",
    f"{SECOND} - Postal Code", f"{SECOND} - Country Code (If outside U.S.)", f"{SECOND} - Telephone Number",
    f"{SECOND} - Telephone Extension", "Provider Practice Location Address - Fax Number",
)  # fmt: skip
"""The columns of CMS's files, with their blanks and hyphens."""


def table(path: Path, titles: tuple[str, ...], *rows: tuple[str, ...]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(titles)
        writer.writerows((*row, *[""] * (len(titles) - len(row))) for row in rows)
    return path


def write_places(directory: Path, npi: str, count: int) -> list[Path]:
    """Write a file of practice locations with that many of one NPI."""
    rows = [(npi, f"{number} B ST", f"STE {number}", "MACON", "GA", "312010002") for number in range(count)]
    return [table(directory / "pl_pfile.csv", PLACES, *rows)]
