"""The areas of a provider group, slowly and obviously: count each value, and take the one of more than half."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any


def shared_value(values: Sequence[Any]) -> Any:
    """Return the value that more than half of the values are, or None."""
    for value, times in Counter(values).items():
        if value is not None and 2 * times > len(values):
            return value
    return None


def group_area(
    npis: Sequence[str], zip_of: Mapping[str, str | None], zips: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a group's areas from its NPIs, each NPI's ZIP code, and the rows of dim_zip."""
    rows = [zips.get(zip_of.get(npi) or "", {}) for npi in npis]
    localities = [
        None if row.get("locality_by_plus_four") or not row.get("locality") else (row["contractor"], row["locality"])
        for row in rows
    ]
    contractor, locality = shared_value(localities) or (None, None)
    wage_area, rural = (shared_value([row.get(name) for row in rows]) for name in ("wage_area", "dmepos_rural"))
    side = {True: "rural", False: "urban", None: ""}[rural]
    return {
        "contractor": contractor,
        "locality": locality,
        "wage_area": wage_area,
        "dmepos_rural": rural,
        "area": "/".join((contractor or "", locality or "", wage_area or "", side)),
    }
