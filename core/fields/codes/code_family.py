"""Families of billing codes by their numbers: what sort of service a code is, in words of our own.

CPT and HCPCS number codes by what they are for: surgery by part of the body, imaging by its technique. A family is a
range of numbers, so every code has one, even one that nobody has described.
"""

from bisect import bisect_right
from functools import cache

OTHER_CODES = "other codes"
INPATIENT_STAYS = "inpatient stays"
HOSPITAL_DEPARTMENTS = "hospital departments"
DENTAL_CARE = "dental care"
LABORATORY_TESTS = "laboratory tests"
NEW_TECHNOLOGY = "new technology"
QUALITY_MEASURES = "quality measures"

FIRST_CODES = (
    ("00000", "anesthesia"),
    ("10004", "surgery of skin and breast"),
    ("20005", "surgery of bones and joints"),
    ("30000", "surgery of nose, throat, and lungs"),
    ("33016", "surgery of heart and vessels"),
    ("38100", "surgery of blood, lymph, and chest"),
    ("40490", "surgery of the digestive tract"),
    ("50010", "surgery of kidneys and bladder"),
    ("54000", "surgery of male organs"),
    ("56405", "surgery of female organs"),
    ("59000", "maternity care"),
    ("60000", "surgery of glands"),
    ("61000", "surgery of brain, spine, and nerves"),
    ("65091", "surgery of the eye"),
    ("69000", "surgery of the ear"),
    ("70010", "X-ray, CT, and MRI"),
    ("76506", "ultrasound"),
    ("77001", "guidance, mammography, and bone density"),
    ("77261", "radiation treatment"),
    ("78012", "nuclear medicine and PET"),
    ("80047", LABORATORY_TESTS),
    ("90281", "vaccines and immune globulins"),
    ("90785", "mental health"),
    ("90935", "dialysis"),
    ("91010", "digestive tests"),
    ("92002", "eye exams"),
    ("92502", "ear and speech"),
    ("92920", "heart tests and treatment"),
    ("93875", "vessel tests"),
    ("94002", "lung tests and breathing"),
    ("95004", "allergy"),
    ("95249", "nerve, muscle, and sleep tests"),
    ("96105", "assessments"),
    ("96360", "infusions and injections"),
    ("96567", "skin treatment"),
    ("97010", "physical and occupational therapy"),
    ("97802", "nutrition"),
    ("97810", "acupuncture and manipulation"),
    ("98960", "other services"),
    ("99202", "visits and consultations"),
    ("99500", "home services"),
    ("A0000", "ambulance"),
    ("A2000", "supplies"),
    ("A9500", "imaging agents"),
    ("B0000", "supplies"),
    ("C0000", "hospital outpatient items"),
    ("D0000", DENTAL_CARE),
    ("E0000", "equipment"),
    ("G0000", "Medicare’s own services"),
    ("H0000", "behavioral health"),
    ("J0000", "drugs"),
    ("K0000", "equipment"),
    ("L0000", "braces and prosthetics"),
    ("M0000", "other services"),
    ("P0000", LABORATORY_TESTS),
    ("Q0000", "drugs and supplies"),
    ("R0000", "other services"),
    ("S0000", "payers’ own services"),
    ("T0000", "payers’ own services"),
    ("U0000", LABORATORY_TESTS),
    ("V0000", "vision and hearing"),
    ("W0000", "payers’ own services"),
)
"""The first code of each family of CPT and HCPCS, in their order: digits sort before letters."""

CODE_SUFFIXES = {
    "A": "vaccines and immune globulins",
    "F": QUALITY_MEASURES,
    "M": LABORATORY_TESTS,
    "T": NEW_TECHNOLOGY,
    "U": LABORATORY_TESTS,
}
"""The families of CPT codes of four digits and a letter, by the letter: 0042T."""

OTHER_SYSTEMS = {
    "MS-DRG": INPATIENT_STAYS,
    "DRG": INPATIENT_STAYS,
    "APR-DRG": INPATIENT_STAYS,
    "REV": HOSPITAL_DEPARTMENTS,
    "CDT": DENTAL_CARE,
}
"""The families of code systems besides CPT and HCPCS."""

HCPCS_SYSTEMS = ("CPT", "HCPCS")

_STARTS = [first for first, _ in FIRST_CODES]


@cache
def list_families() -> tuple[str, ...]:
    """Return the names of all families, in the order of their first codes."""
    every = [name for _, name in FIRST_CODES]
    return tuple(dict.fromkeys((*every, *CODE_SUFFIXES.values(), *OTHER_SYSTEMS.values(), OTHER_CODES)))


def family_of(code_type: str, code: str) -> str:
    """Return the family of a billing code."""
    if code_type not in HCPCS_SYSTEMS:
        return OTHER_SYSTEMS.get(code_type, OTHER_CODES)
    if len(code) != len("99213") or not code[1:4].isdigit():
        return OTHER_CODES
    if code[0].isdigit() and code[4] in CODE_SUFFIXES:
        return CODE_SUFFIXES[code[4]]
    return FIRST_CODES[bisect_right(_STARTS, code) - 1][1]
