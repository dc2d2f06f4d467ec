"""The profiles of providers and groups, slowly and obviously: look up each NPI in each table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from core.fields.places.states import STATES
from core.fields.providers.specialty import find_specialty

Row = Mapping[str, Any]
OF_ZIP = (
    "county_fips", "county", "cbsa", "cbsa_title", "division", "division_title", "contractor", "locality", "latitude",
    "longitude",
)  # fmt: skip


def profile(provider: Row, zips: Mapping[str, Row]) -> dict[str, Any] | None:
    """Return a provider's profile from its row of dim_npi and the rows of dim_zip, or None if nothing is known."""
    state = provider["state"] if provider["state"] in STATES else None
    code = provider["postal_code"][:5] if state and provider["postal_code"] else None
    place = zips.get(code or "", {})
    found = {name: place.get(name) for name in OF_ZIP}
    if place.get("locality_by_plus_four"):
        found["contractor"] = found["locality"] = None
    city = provider["city"] and provider["city"].upper() + (f", {state}" if state else "")
    taxonomy = provider["taxonomy_code"]
    entity, specialty = provider["entity_type"], find_specialty(taxonomy) if taxonomy else None
    if not any((entity, specialty, code, city)):
        return None
    return {
        "npi": provider["npi"], "entity_type": entity, "specialty": specialty, "zip": code, "city": city,
        "state": state, **found,
    }  # fmt: skip


def group_profile(npis: Sequence[str], profiles: Mapping[str, Row]) -> Counter[tuple[str, str, str, str]]:
    """Return how many NPIs of a group have each combination of ZIP code, city, specialty, and entity type."""
    return Counter(
        (one["zip"] or "", one["city"] or "", one["specialty"] or "", one["entity_type"] or "")
        for npi in npis
        if (one := profiles.get(npi)) is not None
    )
