"""Say which state a Medicare administrative contractor's number is for."""

_STATES = {
    "01112": "CA", "01182": "CA", "01212": "HI", "01312": "NV", "02102": "AK", "02202": "ID", "02302": "OR",
    "02402": "WA", "03102": "AZ", "03202": "MT", "03302": "ND", "03402": "SD", "03502": "UT", "03602": "WY",
    "04112": "CO", "04212": "NM", "04312": "OK", "04412": "TX", "05102": "IA", "05202": "KS", "05302": "MO",
    "05402": "NE", "06102": "IL", "06202": "MN", "06302": "WI", "07102": "AR", "07202": "LA", "07302": "MS",
    "08102": "IN", "08202": "MI", "09102": "FL", "09202": "PR", "10112": "AL", "10212": "GA", "10312": "TN",
    "11202": "SC", "11302": "VA", "11402": "WV", "11502": "NC", "12102": "DE", "12202": "DC", "12302": "MD",
    "12402": "NJ", "12502": "PA", "13102": "CT", "13202": "NY", "13282": "NY", "13292": "NY", "14112": "ME",
    "14212": "MA", "14312": "NH", "14412": "RI", "14512": "VT", "15102": "KY", "15202": "OH",
}  # fmt: skip
"""Source: the GPCI file of 2025 (contractors as of November 2023)."""

_OTHER_STATES = {("09202", "50"): "VI"}
"""Localities in another state than the rest of their contractor's."""


def state_of_locality(contractor: str, locality: str) -> str | None:
    """Return the state of a contractor's locality, or None for a contractor that is not known."""
    return _OTHER_STATES.get((contractor, locality)) or _STATES.get(contractor)
