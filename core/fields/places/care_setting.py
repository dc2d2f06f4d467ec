"""Settings of care in four words, and which places of service each stands for.

Places are CMS's public code set. Those that are none of the four (a home, an ambulance, a nursing facility, a
laboratory, telehealth) are other places.
"""

from collections.abc import Collection

from core.fields.places.place_of_service import PLACES

OFFICE, HOSPITAL_OUTPATIENT, SURGICAL_CENTER, INPATIENT = (
    "office", "hospital outpatient", "surgical center", "inpatient",
)  # fmt: skip
FOUR_SETTINGS = (OFFICE, HOSPITAL_OUTPATIENT, SURGICAL_CENTER, INPATIENT)

OTHER_PLACE = "other place"
"""What a rate belongs to whose places are none of the four settings."""

NON_FACILITY_OR_UNSTATED, FACILITY_OR_UNSTATED = "non-facility or unstated", "facility or unstated"
SIDES = (NON_FACILITY_OR_UNSTATED, FACILITY_OR_UNSTATED)
"""The two sides of a professional's rates: all but those for facilities alone, and all but those for other places.

Payers pay a professional less in a facility, which has a bill of its own, and list such places apart. A rate for places
of both sides, or for no stated place, is on both.
"""

HOSPITALS = (HOSPITAL_OUTPATIENT, INPATIENT)


def is_surgical_center(settings: Collection[str]) -> bool:
    """Return whether a facility's rates with these settings hold in surgical centers, and in no hospital."""
    return SURGICAL_CENTER in settings and not set(HOSPITALS).intersection(settings)


PLACES_OF = {
    # Offices and clinics that are not part of a hospital. The clinics 05 to 08 are left out: payers add them to lists
    # of offices and to lists of facilities alike, so they say nothing.
    OFFICE: ("11", "17", "20", "49", "50", "57", "58", "60", "62", "65", "71", "72"),
    HOSPITAL_OUTPATIENT: ("19", "22", "23", "52"),
    SURGICAL_CENTER: ("24",),
    INPATIENT: ("21", "51", "61"),
}
"""The places that have one of the four settings."""

SETTING_OF_PLACE = {place: setting for setting, places in PLACES_OF.items() for place in places}
"""The setting of each place that has one of the four."""

PLACE_OF_SETTING = {OFFICE: "11", HOSPITAL_OUTPATIENT: "22", SURGICAL_CENTER: "24", INPATIENT: "21"}
"""The usual place of each setting: where a rate that is looked at in the setting is rendered."""

PLACE_OF_SIDE = {
    NON_FACILITY_OR_UNSTATED: PLACE_OF_SETTING[OFFICE],
    FACILITY_OR_UNSTATED: PLACE_OF_SETTING[HOSPITAL_OUTPATIENT],
}
"""The usual place of each side of a professional's rates."""

COMMON_PLACES = ("11", "22", "21", "24", "23", "19", "20", "49", "12", "81")
"""The places that most services are rendered in, most common first. Equal counts are shown in this order."""


def place_rank(place: str) -> tuple[int, int]:
    """Return what sorts places by how common they are, and the rarer ones by number."""
    common = COMMON_PLACES.index(place) if place in COMMON_PLACES else len(COMMON_PLACES)
    return common, list(PLACES).index(place) if place in PLACES else len(PLACES)
