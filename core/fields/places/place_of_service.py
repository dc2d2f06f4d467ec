"""Places of service: the two-digit codes of CMS's public code set, and what they mean.

Source: CMS, Place of Service Code Set (cms.gov), in the public domain.
"""

import re
from typing import Any

from core.fields.texts.text import iterate_texts, says_nothing

EVERY_PLACE = "CSTM-00"
"""What a payer writes for a rate that applies in every place."""

_OTHER = r"""\s\x00-\x1f\x7f-\x9fa-z,;|'"\[\]"""
PLACE_PATTERN = f"[0-9]{{2,}}|[0-9]*[^0-9{_OTHER}][^{_OTHER}]*"
"""One place of service, as a regular expression without anchors; to be put in parentheses. The standard ones are two
digits and EVERY_PLACE, but whatever a payer publishes between two separators is one."""

_SEPARATORS = re.compile(r"""[\s,;|'"\[\]]+""")
# Some software takes a null apart into its letters: ["n", "u", "l"].
_NO_PLACES = frozenset(("", "NULL", "N", "U", "L"))
_NUMBER = re.compile(r"([0-9]+)(\.0+)?")

PLACES = {
    "01": "Pharmacy",
    "02": "Telehealth, not at the patient's home",
    "03": "School",
    "04": "Homeless shelter",
    "05": "Indian Health Service, free-standing",
    "06": "Indian Health Service, provider-based",
    "07": "Tribal 638, free-standing",
    "08": "Tribal 638, provider-based",
    "09": "Prison or correctional facility",
    "10": "Telehealth, at the patient's home",
    "11": "Office",
    "12": "Home",
    "13": "Assisted living facility",
    "14": "Group home",
    "15": "Mobile unit",
    "16": "Temporary lodging",
    "17": "Walk-in retail health clinic",
    "18": "Place of employment worksite",
    "19": "Outpatient hospital, off campus",
    "20": "Urgent care facility",
    "21": "Inpatient hospital",
    "22": "Outpatient hospital, on campus",
    "23": "Emergency room, hospital",
    "24": "Ambulatory surgical center",
    "25": "Birthing center",
    "26": "Military treatment facility",
    "27": "Outreach site or street",
    "31": "Skilled nursing facility",
    "32": "Nursing facility",
    "33": "Custodial care facility",
    "34": "Hospice",
    "41": "Ambulance, land",
    "42": "Ambulance, air or water",
    "49": "Independent clinic",
    "50": "Federally qualified health center",
    "51": "Inpatient psychiatric facility",
    "52": "Psychiatric facility, partial hospitalization",
    "53": "Community mental health center",
    "54": "Intermediate care facility",
    "55": "Residential substance abuse treatment",
    "56": "Psychiatric residential treatment center",
    "57": "Non-residential substance abuse treatment",
    "58": "Non-residential opioid treatment",
    "60": "Mass immunization center",
    "61": "Inpatient rehabilitation facility",
    "62": "Outpatient rehabilitation facility",
    "65": "End-stage renal disease treatment",
    "66": "Programs of all-inclusive care for the elderly",
    "71": "Public health clinic",
    "72": "Rural health clinic",
    "81": "Independent laboratory",
    "99": "Other place of service",
}


def parse_places(value: Any) -> tuple[str, ...]:
    """Return places of service: two digits each, distinct and sorted. `value` is a list or a scalar.

    Null, blank and the letters of a null that some software took apart (`['n','u','l']`) are dropped. Text with several
    codes, such as "11, 22" or "['11','22']", is split. Anything else is kept as it is, in upper case.
    """
    found: set[str] = set()
    for scalar in iterate_texts(value):
        found.update(_SEPARATORS.split(scalar.upper()))
    return tuple(sorted({_pad_place(token) for token in found - _NO_PLACES if not says_nothing(token)}))


def _pad_place(place: str) -> str:
    """Return a number as two digits, without the fraction that a spreadsheet added, and other text unchanged."""
    match = _NUMBER.fullmatch(place)
    return match[1].zfill(2) if match else place
