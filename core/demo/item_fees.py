"""Small schedules of labs, drugs, equipment, and nutrition in the layout of the CMS files, for the demo.

The figures are CMS's own for the codes of the demo: CLFS 2025 Q1, the ASP pricing file of January 2025 as updated on
March 7, and DMEPOS and PEN of January 2025, cms.gov. Descriptors are left out: those of CPT are copyrighted.
"""

import csv
from pathlib import Path

# Code, modifier, indicator, dollars.
_LABS = """
36415 -  N 00009.09
80053 -  N 00010.56
80053 QW N 00010.56
80061 -  N 00013.39
80061 QW N 00013.39
83036 -  N 00009.71
83036 QW N 00009.71
84443 -  N 00016.80
85025 -  N 00007.77
87880 -  N 16.53
87880 QW N 16.53
0020M -  L 00000.00
"""

# Code, what one unit is, dollars per unit, the patient's share in percent.
_DRUGS = """
90658 0.5_ML      21.858 0.000
A9606 1_microCurie N/A   20.000
J0585 1_UNIT       6.471 20.000
J0897 1_MG        27.656 18.237
J1100 1_MG         0.108 20.000
J1885 15_MG        0.751 20.000
J3301 10_MG        0.898 20.000
J9271 1_MG        57.603 20.000
"""

STATES = ("AL", "FL", "GA", "SC")

# Code, two modifiers, jurisdiction, category, and for each of STATES the non-rural and the rural amount.
_EQUIPMENT = """
A4253 NU -  D IN   8.32   0.00   8.32   0.00   8.32   0.00   8.32   0.00
A7030 NU -  D IN 107.65 173.95 107.65 173.95 107.65 173.95 107.65 173.95
E0143 NU -  D IN  59.29 103.95  59.29  99.61  59.29  98.65  59.29  95.15
E0143 RR -  D IN   5.93  14.21   5.93  16.16   5.93  14.21   5.93  14.21
E0143 UE -  D IN  44.46  76.18  44.46  76.08  44.46  73.98  44.46  71.37
E0601 RR -  D CR  50.58  94.93  50.58  84.80  50.58  94.93  50.58  94.93
E0950 NU KE D IN   0.00 121.55   0.00 110.79   0.00 110.79   0.00 110.79
E1390 RR -  D OX  97.57 173.32  97.57 173.32  97.57 173.32  97.57 173.32
L1833 -  -  D PO 541.68 727.46 541.68 727.46 541.68 727.46 541.68 727.46
V2786 -  -  D PO   0.00   0.00   0.00   0.00   0.00   0.00   0.00   0.00
"""

_NUTRITION = """
B4150 -  -  - -    0.47   0.70   0.47   0.70   0.47   0.70   0.47   0.70
B4164 -  -  - -   24.66   0.00  24.66   0.00  24.66   0.00  24.66   0.00
B9002 NU -  - -  798.00 1,213.23 798.00 1,213.23 798.00 1,213.23 798.00 1,213.23
B9002 RR -  - -   79.80 118.83  79.80 118.83  79.80 118.83  79.80 118.83
"""

Grid = list[list[str]]
"""The rows of a table."""


def write_item_fees(directory: Path) -> dict[str, list[Path]]:
    """Write the files of January 2025. Return their paths by kind of benchmark."""
    tables = {
        "CLFS 2025 Q1V1 demo.csv": lab_table(_LABS),
        "Jan 2025 ASP Pricing File demo.csv": drug_table(_DRUGS),
        "DMEPOS_JAN_demo.csv": equipment_table(_EQUIPMENT),
        "DMEPEN_JAN_demo.csv": nutrition_table(_NUTRITION),
    }
    paths = [directory / name for name in tables]
    for path, rows in zip(paths, tables.values(), strict=True):
        with path.open("w", newline="", encoding="cp1252") as file:
            csv.writer(file).writerows(rows)
    return {"clfs": paths[:1], "asp": paths[1:2], "dmepos": paths[2:]}


def lab_table(labs: str = _LABS, effective: str = "20250101") -> Grid:
    """Return a laboratory fee schedule of rows in the form above."""
    titles = ["YEAR", "HCPCS", "MOD", "EFF_DATE", "INDICATOR", "RATE", "SHORTDESC", "LONGDESC", "EXTENDED LONGDESC"]
    rows = [
        [effective[:4], code, modifier, effective, indicator, rate, "", "", ""]
        for code, modifier, indicator, rate in _lines(labs)
    ]
    notice = "A notice of rights,\xa0with commas, in one cell."
    return [[f"{effective[:4]} Clinical Diagnostic Laboratory Fee Schedule (extract)"], [notice], [], titles, *rows]


def drug_table(drugs: str = _DRUGS, period: str = "January 1, 2025 through March 31, 2025") -> Grid:
    """Return an ASP pricing file of rows in the form above."""
    titles = ["HCPCS Code", "Short Description", "HCPCS Code Dosage", "Payment Limit", "Co-insurance Percentage"]
    titles += ["Vaccine AWP%", "Vaccine Limit", "Blood AWP%", "Blood limit", "Clotting Factor", "Notes", ""]
    rows = [
        [code, "", dosage.replace("_", " "), limit, share, "", "", "", "", "", "", ""]
        for code, dosage, limit, share in _lines(drugs)
    ]
    head = [["Payment Allowance Limits for Medicare Part B Drugs (extract)"], [], [f"Effective {period}"], []]
    return [*head, ["Note 1: limits are based on 3Q24 ASP data."], [], titles, *rows]


def equipment_table(equipment: str = _EQUIPMENT, month: str = "January 2025") -> Grid:
    """Return a DMEPOS fee schedule of rows in the form above."""
    titles = ["HCPCS", "Mod", "Mod2", "JURIS", "CATG", "Ceiling", "Floor"]
    titles += [f"{state} ({area})" for state in STATES for area in ("NR", "R")]
    rows = [[*line[:5], "0.00", "0.00", *line[5:], ""] for line in _lines(equipment)]
    return [["Durable Medical Equipment,"], [f"{month} Fee Schedule"], [], [*titles, "Description"], *rows]


def nutrition_table(nutrition: str = _NUTRITION, month: str = "January 2025") -> Grid:
    """Return a PEN fee schedule, whose header is written in another way."""
    titles = ["HCPCS", "MOD", "MOD2", *(f"{state}({area})" for state in STATES for area in ("NR", "R")), "Desc"]
    rows = [[*line[:3], *line[5:], ""] for line in _lines(nutrition)]
    return [["Parenteral and Enteral Nutrition (PEN) Fee Schedule"], [f"{month} Fee Schedule"], [], titles, *rows]


def _lines(table: str) -> Grid:
    return [["" if cell == "-" else cell for cell in line.split()] for line in table.strip().splitlines()]
