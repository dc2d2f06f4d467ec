"""A small physician fee schedule in the layout of the CMS files, for the demo.

The relative values and GPCIs are CMS's own figures for the codes of the demo: RVU25A (January 2025 release) and the CY
2025 GPCI file, cms.gov. Descriptors are left out: those of CPT are copyrighted.
"""

import csv
from pathlib import Path

_RVU_TITLES = [
    ["", "", "2025 National Physician Fee Schedule Relative Value File January Release"],
    ["", "", "Extract of 28 codes for the demo; figures from CMS RVU25A"],
]
_RVU_HEADER = ["HCPCS", "MOD", "DESCRIPTION", "CODE", "PAYMENT", "RVU", "PE RVU", "INDICATOR", "PE RVU", "INDICATOR"]
_RVU_HEADER += ["RVU", "TOTAL", "TOTAL", "IND", "DAYS", "OP", "OP", "OP", "PROC", "SURG", "SURG", "SURG", "SURG"]
_RVU_HEADER += ["BASE", "FACTOR"]

# Code, modifier, status, work, non-facility PE and its NA flag, facility PE and its NA flag, malpractice.
_RVUS = """
10121  - A 2.74 4.82 - 2.42 - 0.39
20610  - A 0.79 1.04 - 0.44 - 0.13
27447  - A 19.60 15.30 NA 15.30 - 3.98
29881  - A 7.03 8.22 NA 8.22 - 1.39
45378  - A 3.26 6.44 - 1.79 - 0.43
45378 53 A 1.63 3.22 - 0.90 - 0.22
45380  - A 3.56 8.79 - 1.93 - 0.47
66984  - A 7.35 8.23 NA 8.23 - 0.55
70450  - A 0.85 2.35 - 2.35 NA 0.05
70450 TC A 0.00 2.04 - 2.04 NA 0.01
70450 26 A 0.85 0.31 - 0.31 - 0.04
70553  - A 2.29 7.26 - 7.26 NA 0.16
70553 TC A 0.00 6.44 - 6.44 NA 0.03
70553 26 A 2.29 0.82 - 0.82 - 0.13
71046  - A 0.22 0.77 - 0.77 NA 0.02
71046 TC A 0.00 0.69 - 0.69 NA 0.01
71046 26 A 0.22 0.08 - 0.08 - 0.01
72148  - A 1.48 4.25 - 4.25 NA 0.09
72148 TC A 0.00 3.71 - 3.71 NA 0.02
72148 26 A 1.48 0.54 - 0.54 - 0.07
73721  - A 1.35 4.75 - 4.75 NA 0.09
73721 TC A 0.00 4.25 - 4.25 NA 0.03
73721 26 A 1.35 0.50 - 0.50 - 0.06
90834  - A 2.45 0.72 - 0.31 - 0.05
90837  - A 3.63 1.06 - 0.45 - 0.08
92507  - A 1.30 0.99 - 0.99 NA 0.03
93000  - A 0.17 0.24 - 0.24 NA 0.02
93306  - A 1.46 4.28 - 4.28 NA 0.07
93306 TC A 0.00 3.76 - 3.76 NA 0.03
93306 26 A 1.46 0.52 - 0.52 - 0.04
97110  - A 0.45 0.43 - 0.43 NA 0.01
97140  - A 0.43 0.40 - 0.40 NA 0.01
99203  - A 1.60 1.61 - 0.69 - 0.16
99204  - A 2.60 2.21 - 1.15 - 0.24
99213  - A 1.30 1.35 - 0.57 - 0.10
99214  - A 1.92 1.80 - 0.83 - 0.15
99215  - A 2.80 2.42 - 1.28 - 0.21
99283  - A 1.60 0.35 NA 0.35 - 0.16
99284  - A 2.74 0.57 NA 0.57 - 0.29
99285  - A 4.00 0.79 NA 0.79 - 0.43
G0439  - A 1.92 1.86 - 1.86 NA 0.13
"""

_GPCIS = [
    ["ADDENDUM E. FINAL CY 2025 GEOGRAPHIC PRACTICE COST INDICES (GPCIs) BY STATE AND MEDICARE LOCALITY (extract)"],
    [],
    ["Medicare Administrative Contractor (MAC)", "State", "Locality Number", "Locality Name",
     "2025 PW GPCI (with 1.0 Floor)", "2025 PE GPCI", "2025 MP GPCI"],
    ["10112", "AL", "00", "ALABAMA", "1", "0.869", "0.575"],
    ["09102", "FL", "03", "FORT LAUDERDALE", "1", "0.998", "1.77"],
    ["09102", "FL", "04", "MIAMI", "1", "1.027", "2.5"],
    ["09102", "FL", "99", "REST OF FLORIDA", "1", "0.94", "1.467"],
    ["10212", "GA", "01", "ATLANTA", "1", "0.997", "1.128"],
    ["10212", "GA", "99", "REST OF GEORGIA", "1", "0.883", "1.125"],
    ["11202", "SC", "01", "SOUTH CAROLINA", "1", "0.913", "0.817"],
]  # fmt: skip


def write_physician_fees(directory: Path, values: str = _RVUS) -> list[Path]:
    """Write the relative value file (`values` in the form above) and the GPCI file. Return their paths."""
    rvu, gpci = directory / "PPRRVU25_JAN_demo.csv", directory / "GPCI2025_demo.csv"
    with rvu.open("w", newline="", encoding="latin-1") as file:
        writer = csv.writer(file)
        writer.writerows([*_RVU_TITLES, _RVU_HEADER])
        for line in values.strip().splitlines():
            code, modifier, status, work, pe, pe_na, facility_pe, facility_na, mp = (
                "" if cell == "-" else cell for cell in line.split()
            )
            row = [code, modifier, "", status, "", work, pe, pe_na, facility_pe, facility_na, mp]
            writer.writerow([*row, *[""] * 13, "32.3465"])
    with gpci.open("w", newline="", encoding="latin-1") as file:
        csv.writer(file).writerows(_GPCIS)
    return [rvu, gpci]
