"""Small outpatient and surgical-center addenda and a wage index in the layout of the CMS files, for the demo.

The figures are CMS's own for the codes of the demo: Addendum B of the CY 2025 final rule, ASC Addenda AA and BB of
October 2025, and the wage index of 2026, cms.gov. They are dated January 2025 here, so that they are in force in
the demo's months. Descriptors are left out: those of CPT are copyrighted.
"""

import csv
from pathlib import Path

_ADDENDUM_B = """
10121 J1 5072 18.1704 $1,620.24
20610 T 5441 3.3105 $295.19
27447 J1 5115 144.2970 $12,866.82
29881 J1 5113 36.3872 $3,244.61
45378 T 5311 10.2245 $911.71
45380 T 5312 13.2230 $1,179.08
66984 J1 5491 25.5776 $2,280.73
70450 Q3 5522 1.1926 $106.34
70553 Q3 5572 4.0051 $357.13
71046 Q3 5521 0.9874 $88.05
72148 Q3 5523 2.7108 $241.72
73721 Q3 5523 2.7108 $241.72
90834 Q3 5823 1.8019 $160.67
90837 Q3 5823 1.8019 $160.67
92507 A - - -
93000 M - - -
93306 S 5524 6.1490 $548.30
97110 A - - -
97140 A - - -
99203 B - - -
99204 B - - -
99213 B - - -
99214 B - - -
99215 B - - -
99283 J2 5023 3.1052 $276.89
99284 J2 5024 4.7754 $425.82
99285 J2 5025 6.8757 $613.10
G0439 A - - -
"""

_ADDENDUM_AA = """
10121 A2 12.9024 $708.28
20610 P3 - $33.64
27447 J8 168.6055 $9,255.60
29881 A2 28.767 $1,579.16
45378 A2 8.9164 $489.47
45380 A2 11.5304 $632.96
66984 A2 22.1206 $1,214.31
"""

_ADDENDUM_BB = """
70450 Z2 1.033 $56.71
70553 Z2 3.511 $192.74
71046 Z3 - $22.32
72148 Z3 - $120.01
73721 Z2 2.3732 $130.28
"""

_AREAS = (
    ("11", "GEORGIA", "0.7364"),
    ("42", "SOUTH CAROLINA", "0.8184"),
    ("10500", "Albany, GA", "0.9504"),
    ("12020", "Athens-Clarke County, GA", "0.8652"),
    ("12054", "Atlanta-Sandy Springs-Roswell, GA", "0.9986"),
    ("12260", "Augusta-Richmond County, GA-SC", "0.7916"),
    ("16700", "Charleston-North Charleston, SC", "0.8747"),
    ("42340", "Savannah, GA", "0.8220"),
)


def write_hospital_fees(directory: Path, addendum_b: str = _ADDENDUM_B) -> dict[str, list[Path]]:
    """Write the files, Addendum B in the form above. Return their paths by kind of benchmark."""
    files = {name: directory / f"{name}.csv" for name in ("Addendum_B_demo", "AA_demo", "BB_demo", "wage_index_demo")}
    b, aa, bb, wages = files.values()
    title = ["Addendum B.-- OPPS Payment by HCPCS Code for CY 2025 (extract)"]
    _write(b, title, "SI APC Relative_Weight Payment_Rate", addendum_b)
    columns = "January_2025_Payment_Indicator January_2025_Payment_Weight January_2025_Payment_Rate"
    _write(aa, ["Addendum AA -- Subject to Multiple Procedure Discounting (extract)"], columns, _ADDENDUM_AA)
    _write(bb, ["Addendum BB -- ASC Covered Ancillary Services (extract)"], columns, _ADDENDUM_BB)
    with wages.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("CBSA", "CBSA Name", "WI26"), *_AREAS])
    return {"opps": [b, wages], "asc": [aa, bb, wages]}


def _write(path: Path, titles: list[str], columns: str, table: str) -> None:
    header = ["HCPCS Code", *(name.replace("_", " ") for name in columns.split())]
    rows = [["" if cell == "-" else cell for cell in line.split()] for line in table.strip().splitlines()]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([titles, header, *rows])
