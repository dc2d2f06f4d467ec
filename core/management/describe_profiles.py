"""Say how many providers have a place and a specialty."""

from core.reference.profiles.provider_profiles import ProfileCounts


def describe_profiles(counts: ProfileCounts) -> str:
    """Return one line with how many of the NPIs in use are known to be where, and to be what."""
    parts = {
        "a county": counts.with_county,
        "a metropolitan or micropolitan area": counts.with_area,
        "a payment locality": counts.with_locality,
        "a latitude and longitude": counts.with_point,
        "a specialty": counts.with_specialty,
    }
    known = ", ".join(f"{number:,} {what}" for what, number in parts.items())
    return f"of the {counts.npis:,} NPIs in use, these have {known}"
