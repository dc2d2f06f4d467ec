"""Name the specialties that usually perform the services of a family of codes, where Medicare's files are not loaded.

This is general knowledge, coarse on purpose: it orders a list and takes nothing out of it. Where it is known what
specialties bill to Medicare, that goes before it.
"""

from collections.abc import Collection

from core.fields.codes.code_family import HCPCS_SYSTEMS, family_of

_SURGICAL_PLACES = ("Ambulatory surgical center", "Hospital", "Children's hospital", "Critical access hospital")
_IMAGING = ("Radiology", "Imaging center", "Interventional radiology", "Hospital", "Critical access hospital")
_BONES = ("Orthopedic surgery", "Hand surgery", "Spine surgery", "Podiatry", "Sports medicine", *_SURGICAL_PLACES)
_HEART = ("Cardiology", "Interventional cardiology", "Cardiac electrophysiology", "Thoracic surgery")
_DIGESTIVE = ("Gastroenterology", "General surgery", "Colon and rectal surgery", *_SURGICAL_PLACES)
_WOMEN = ("Obstetrics and gynecology", "Gynecologic oncology", "Urogynecology", "Reproductive endocrinology")
_MIND = (
    "Psychiatry", "Child psychiatry", "Psychology", "Counseling", "Social work", "Marriage and family therapy",
    "Psychiatric nurse practitioner", "Mental health center", "Other behavioral health",
)  # fmt: skip

PERFORMING: dict[str, tuple[str, ...]] = {
    "anesthesia": ("Anesthesiology", "Nurse anesthetist", "Pain medicine"),
    "surgery of skin and breast": (
        "Dermatology", "Mohs surgery", "Plastic surgery", "General surgery", "Surgical oncology", *_SURGICAL_PLACES,
    ),
    "surgery of bones and joints": _BONES,
    "surgery of nose, throat, and lungs": ("Otolaryngology", "Pulmonology", "Thoracic surgery", *_SURGICAL_PLACES),
    "surgery of heart and vessels": (
        *_HEART, "Vascular surgery", "Vein medicine", "Interventional radiology", *_SURGICAL_PLACES,
    ),
    "surgery of the digestive tract": _DIGESTIVE,
    "surgery of kidneys and bladder": ("Urology", *_SURGICAL_PLACES),
    "surgery of male organs": ("Urology", *_SURGICAL_PLACES),
    "surgery of female organs": (*_WOMEN, *_SURGICAL_PLACES),
    "maternity care": (
        "Obstetrics and gynecology", "Midwifery", "Maternal-fetal medicine", "Birthing and family planning center",
        "Hospital",
    ),
    "surgery of brain, spine, and nerves": (
        "Neurosurgery", "Spine surgery", "Pain medicine", "Anesthesiology", "Physical medicine and rehabilitation",
        "Orthopedic surgery", *_SURGICAL_PLACES,
    ),
    "surgery of the eye": ("Ophthalmology", *_SURGICAL_PLACES),
    "surgery of the ear": ("Otolaryngology", *_SURGICAL_PLACES),
    "X-ray, CT, and MRI": _IMAGING,
    "guidance, mammography, and bone density": _IMAGING,
    "radiation treatment": ("Radiation oncology", "Oncology center", "Hospital"),
    "nuclear medicine and PET": ("Nuclear medicine", "Cardiology", *_IMAGING),
    "laboratory tests": ("Laboratory", "Pathology", "Hospital"),
    "mental health": _MIND,
    "behavioral health": (*_MIND, "Substance use treatment", "Applied behavior analysis"),
    "dialysis": ("Nephrology", "Dialysis center", "Hospital"),
    "eye exams": ("Ophthalmology", "Optometry"),
    "ear and speech": ("Otolaryngology", "Audiology and hearing aids", "Speech-language pathology"),
    "heart tests and treatment": (*_HEART, "Hospital"),
    "allergy": ("Allergy and immunology", "Otolaryngology"),
    "physical and occupational therapy": (
        "Physical therapy", "Occupational therapy", "Rehabilitation center", "Rehabilitation hospital", "Chiropractic",
        "Speech-language pathology", "Physical medicine and rehabilitation",
    ),
    "acupuncture and manipulation": (
        "Chiropractic", "Acupuncture and naturopathy", "Osteopathic manipulative medicine",
    ),
    "ambulance": ("Ambulance", "Paramedic"),
}  # fmt: skip
"""The specialties of some families. Of the others, such as visits, nearly anybody performs the services."""

_GOODS = (
    "drugs", "drugs and supplies", "supplies", "equipment", "braces and prosthetics", "imaging agents",
    "vaccines and immune globulins", "hospital outpatient items",
)  # fmt: skip
"""Families of what is sold rather than done."""


def list_unfit_families(specialties: Collection[str]) -> list[str]:
    """Return the families of codes that none of these specialties is known by: what others perform, and goods.

    Without a specialty, those are the goods alone.
    """
    by_others = [family for family, performing in PERFORMING.items() if not set(performing) & set(specialties)]
    return [*(by_others if specialties else []), *_GOODS]


def list_performing(code_type: str, code: str) -> tuple[str, ...]:
    """Return the specialties that usually perform a code by its family; none where that says nothing."""
    return PERFORMING.get(family_of(code_type, code), ()) if code_type in HCPCS_SYSTEMS else ()
