"""A small register of providers in the layout of NPPES, and a taxonomy in NUCC's, for the demo.

Everybody in it is made up. Taxonomy codes are real; their words are our own, as NUCC's are copyrighted.
"""

import csv
import random
from pathlib import Path

from core.demo.payer_files import practices
from core.demo.place_files import CITIES

_OTHER = "Other Provider Identifier"
HEADER = (
    "NPI", "Entity Type Code", "Replacement NPI", "Employer Identification Number (EIN)",
    "Provider Organization Name (Legal Business Name)", "Provider Last Name (Legal Name)", "Provider First Name",
    "Provider Middle Name", "Provider Name Prefix Text", "Provider Name Suffix Text", "Provider Credential Text",
    "Provider Other Organization Name", "Provider Other Organization Name Type Code", "Provider Other Last Name",
    "Provider Other First Name", "Provider Other Middle Name", "Provider Other Name Prefix Text",
    "Provider Other Name Suffix Text", "Provider Other Credential Text", "Provider Other Last Name Type Code",
    *(
        f"Provider {line}{place} Address{part}"
        for place in ("Business Mailing", "Business Practice Location")
        for line, part in (
            ("First Line ", ""), ("Second Line ", ""), ("", " City Name"), ("", " State Name"), ("", " Postal Code"),
            ("", " Country Code (If outside U.S.)"), ("", " Telephone Number"), ("", " Fax Number"),
        )
    ),
    "Provider Enumeration Date", "Last Update Date", "NPI Deactivation Reason Code", "NPI Deactivation Date",
    "NPI Reactivation Date", "Provider Sex Code", "Authorized Official Last Name", "Authorized Official First Name",
    "Authorized Official Middle Name", "Authorized Official Title or Position",
    "Authorized Official Telephone Number",
    *(
        f"{name}_{n}"
        for n in range(1, 16)
        for name in (
            "Healthcare Provider Taxonomy Code", "Provider License Number", "Provider License Number State Code",
            "Healthcare Provider Primary Taxonomy Switch",
        )
    ),
    *(f"{_OTHER}{part}_{n}" for n in range(1, 51) for part in ("", " Type Code", " State", " Issuer")),
    "Is Sole Proprietor", "Is Organization Subpart", "Parent Organization LBN", "Parent Organization TIN",
    "Authorized Official Name Prefix Text", "Authorized Official Name Suffix Text",
    "Authorized Official Credential Text",
    *(f"Healthcare Provider Taxonomy Group_{n}" for n in range(1, 16)),
    "Certification Date",
)  # fmt: skip
"""The columns of NPPES's file."""

_PLACE = "Provider Business Practice Location Address"
_TAXONOMIES = {
    "207Q00000X": ("Doctors", "Family doctor", "Family Practice"),
    "207X00000X": ("Doctors", "Bone and joint surgeon", "Orthopedics"),
    "2085R0202X": ("Doctors", "Radiologist", "Imaging"),
    "207RC0000X": ("Doctors", "Heart doctor", "Cardiology"),
    "103T00000X": ("Behavioral health", "Psychologist", "Behavioral Health"),
    "282N00000X": ("Hospitals", "General hospital", "Medical Center"),
}
"""Code, grouping and words, and the trade of the demo's practices it goes with."""
_FIRST = ("AVERY", "BLAIR", "CASEY", "DEVON", "EMERSON", "FINLEY", "HARPER", "JORDAN", "MORGAN", "QUINN", "RILEY")
_LAST = ("ALDER", "BIRCH", "CEDAR", "HAZEL", "LAUREL", "LINDEN", "MAPLE", "POPLAR", "ROWAN", "SORREL", "WILLOW")
_CITIES = tuple((one.city, f"{one.zip}{number:04}") for number, one in enumerate(CITIES, start=1))
"""Cities with nine-digit ZIP codes. Further addresses are in the first four."""


_SECOND = "Provider Secondary Practice Location Address"


def write_further_files(directory: Path) -> list[Path]:
    """Write the files of other names and of practice locations, and return their paths. Half of the practices have."""
    names, places = directory / "othername_pfile_demo.csv", directory / "pl_pfile_demo.csv"
    organizations = [(practice.npis[0], practice.name.upper()) for practice in practices()[::2]]
    with names.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, quoting=csv.QUOTE_ALL)
        out.writerow(["NPI", "Provider Other Organization Name", "Provider Other Organization Name Type Code"])
        out.writerows((npi, f"{name.removesuffix(' (DEMO)')} PARTNERS (DEMO)", "3") for npi, name in organizations)
    with places.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, quoting=csv.QUOTE_ALL)
        parts = ("- Address Line 1", "-  Address Line 2", " - City Name", " - State Name", " - Postal Code",
                 " - Country Code (If outside U.S.)", " - Telephone Number", " - Telephone Extension")  # fmt: skip
        titles = [f"{_SECOND}{part}" for part in parts]
        out.writerow(["NPI", *titles, "Provider Practice Location Address - Fax Number"])
        for (npi, _), (city, postal_code) in zip(organizations, _CITIES[:4] * len(organizations), strict=False):
            out.writerow([npi, "200 OAK AVE (DEMO)", "STE 4", city, "GA", postal_code, "US", "", "", ""])
    return [names, places]


def write_register(directory: Path) -> list[Path]:
    """Write both files and return their paths. One NPI of the rates is not in the register, one is deactivated."""
    rng = random.Random(11)
    register, taxonomy = directory / "npidata_pfile_demo.csv", directory / "nucc_taxonomy_demo.csv"
    rows = []
    for position, practice in enumerate(practices()):
        code = next(code for code, (*_, trade) in _TAXONOMIES.items() if trade in practice.name)
        rng.choice(_CITIES[:4])  # so that names stay those of earlier versions of the demo
        # Practices of several providers have a second office: a group may be in two counties.
        offices = _CITIES[position % len(_CITIES)], _CITIES[(5 * position + 3) % len(_CITIES)]
        for number, npi in enumerate(practice.npis):
            organization = practice.hospital or number == 0
            city, postal_code = offices[number > 3 and not practice.hospital]
            name = practice.name.removesuffix(" (demo)").upper()
            first, last = rng.choice(_FIRST), rng.choice(_LAST)
            who = {"Provider Organization Name (Legal Business Name)": name}
            if not organization:
                who = {"Provider Last Name (Legal Name)": last, "Provider First Name": first}
                who["Provider Credential Text"] = "PSYD" if code.startswith("103") else "MD"
            rows.append({
                "NPI": npi, "Entity Type Code": "2" if organization else "1", **who,
                "Provider First Line Business Practice Location Address": f"{rng.randrange(1, 999)} MAIN ST (DEMO)",
                f"{_PLACE} City Name": city, f"{_PLACE} State Name": "GA", f"{_PLACE} Postal Code": postal_code,
                f"{_PLACE} Country Code (If outside U.S.)": "US", "Last Update Date": "05/01/2025",
                "Healthcare Provider Taxonomy Code_1": code, "Healthcare Provider Primary Taxonomy Switch_1": "Y",
            })  # fmt: skip
    rows.pop()
    rows[1]["NPI Deactivation Date"] = "03/31/2025"
    with register.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER, restval="", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    with taxonomy.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["Code", "Grouping", "Classification", "Specialization", "Definition", "Display Name", "Section"])
        for code, (grouping, words, _) in _TAXONOMIES.items():
            out.writerow([code, grouping, words, "", "", f"{words} (demo)", ""])
    return [register, taxonomy]
