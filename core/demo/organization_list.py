"""A made-up list of organizations and health systems by tax ID, for the demo."""

import csv
from pathlib import Path

from core.demo.payer_files import practices


def write_organizations(directory: Path) -> Path:
    """Write the list and return its path. The practices of one town are an organization, two towns are a system."""
    path = directory / "organizations_demo.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["tin", "name", "organization", "system", "city", "state", "as_of"])
        for practice in practices():
            town = next((town for town in ("Peachtree", "Blue Ridge", "Oconee") if practice.name.startswith(town)), "")
            if town:
                system = "Example Ridge Health System (demo)" if town != "Oconee" else ""
                organization = f"{town} Physicians Group (demo)"
                out.writerow([practice.tin, practice.name, organization, system, "ATLANTA", "GA", "2025-08-01"])
    return path
