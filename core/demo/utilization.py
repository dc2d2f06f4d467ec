"""Write a small file of what clinicians billed to Medicare, in the layout of CMS's file by provider and service.

Everybody in it is made up. A clinician bills some of the codes of the trade, and nobody bills all that a contract has.
"""

import csv
import random
from pathlib import Path

from core.demo.payer_files import npi, practices

YEAR = 2023

_HEADER = ("Rndrng_NPI", "Rndrng_Prvdr_Last_Org_Name", "Rndrng_Prvdr_Ent_Cd", "Rndrng_Prvdr_Type", "HCPCS_Cd",
           "HCPCS_Desc", "Place_Of_Srvc", "Tot_Benes", "Tot_Srvcs")  # fmt: skip
_TRADES = {
    "Family Practice": ("Family Practice", ("99203", "99213", "99214", "93000", "36415", "80053")),
    "Orthopedics": ("Orthopedic Surgery", ("99203", "99213", "99214", "20610", "27447", "29881", "73721")),
    "Imaging": ("Diagnostic Radiology", ("70450", "71046", "73721", "74177")),
    "Cardiology": ("Cardiology", ("99213", "99214", "93000", "93306")),
    "Behavioral Health": ("Clinical Psychologist", ("90834", "90837", "90791")),
}
"""The type of each trade in CMS's words, and the codes that it bills."""

_ELSEWHERE = 60
"""Clinicians of each trade in the rest of the country: enough for the shares of a specialty to mean something."""


def write_utilization(directory: Path) -> Path:
    """Write the file and return its path."""
    rng = random.Random(23)
    path = directory / f"MUP_PHY_demo_D{YEAR % 100}_Prov_Svc.csv"
    at_home = [(number, trade) for practice in practices() for trade in _TRADES if trade in practice.name
               for number in practice.npis]  # fmt: skip
    elsewhere = [(npi(rng), trade) for trade in _TRADES for _ in range(_ELSEWHERE)]
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(_HEADER)
        for number, trade in sorted(at_home + elsewhere):
            words, codes = _TRADES[trade]
            for code in codes:
                if rng.random() < 0.6:
                    patients = rng.randrange(11, 200)
                    out.writerow([number, "DEMO", "I", words, code, "", "O", patients, patients + rng.randrange(100)])
    return path
