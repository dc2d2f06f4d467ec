"""The services that workers' compensation pays for most: what an injured worker is usually treated with."""

from functools import cache

from core.vocabulary.baskets import named_baskets

OFFICE_VISITS = ("99213", "99214", "99203", "99204", "99212", "99202", "99215", "99205", "99211")
"""Visits of an established and of a new patient, the usual levels first."""

INJECTIONS = ("20610", "20611", "20605", "20600", "20550", "20552", "20553", "62321", "62323", "64483", "64493")
"""Injections into joints, tendons, and the spine."""


@cache
def list_usual_codes() -> tuple[str, ...]:
    """Return the codes, usual first: office visits, physical therapy, imaging, injections, orthopedic surgery."""
    named = named_baskets()
    groups = (
        OFFICE_VISITS,
        named["physical_therapy"].codes,
        named["imaging"].codes,
        INJECTIONS,
        named["orthopedics"].codes,
    )
    return tuple(dict.fromkeys(code for group in groups for code in group))
