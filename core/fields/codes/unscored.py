"""Name the codes and specialties about which Medicare's utilization says nothing.

Medicare covers people of 65 and older and people with disabilities, so its files have hardly any children, pregnancies,
or newborns. That a clinician does not bill such care to Medicare is no sign that it is not performed.
"""

import re

UNSCORED_SPECIALTIES = (
    "Birthing and family planning center",
    "Child psychiatry",
    "Children's hospital",
    "Maternal-fetal medicine",
    "Midwifery",
    "Neonatology",
    "Obstetrics and gynecology",
    "Pediatric cardiology",
    "Pediatric subspecialties",
    "Pediatric surgery",
    "Pediatrics",
    "Reproductive endocrinology",
)
"""Specialties of children, pregnancy, and birth: a group with a member of them is never said to lack evidence."""

UNSPECIFIC_SPECIALTIES = ("Clinic", "Physician group")
"""What the register calls organizations that clinicians bill under: it does not say what is done there."""

UNSCORED_CODES = {
    "obstetrics": "59[0-9]{3}",
    "obstetric and fetal imaging": "768(0[1-9]|1[0-9]|2[0-8])",
    "anesthesia for obstetrics": "019(5[89]|6[0-9])",
    "care of newborns and critically ill children": "99(46[0-9]|47[0-9]|48[0-6])",
    "preventive visits of children": "993(8[1-4]|9[1-4])",
    "immunization of children": "9046[01]",
    "developmental screening of children": "961(10|27)|99188",
}
"""Groups of codes (CPT) of children, pregnancy, and birth, as regular expressions without anchors."""

UNSCORED_CODE_PATTERN = "|".join(f"({pattern})" for pattern in UNSCORED_CODES.values())
"""All of these codes, as a regular expression without anchors."""

_UNSCORED = re.compile(UNSCORED_CODE_PATTERN)


def is_unscored_code(code: str) -> bool:
    """Return whether a code is of children, pregnancy, or birth."""
    return _UNSCORED.fullmatch(code) is not None
