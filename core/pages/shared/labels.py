"""What pages call a filter and a fee schedule."""

from core.queries.rules.market import FILTERS

_SCHEDULE_LABELS = {
    "medicare_prof": "Physician fee schedule (MPFS)",
    "opps": "Hospital outpatient (OPPS)",
    "asc": "Ambulatory surgical center (ASC)",
    "wcfs": "Workers’ compensation",
}


def schedule_label(kind: str) -> str:
    """Return the name of a fee schedule."""
    return _SCHEDULE_LABELS.get(kind, kind)


def filter_label(name: str) -> str:
    """Return what pages call a filter."""
    return FILTERS[name].label if name in FILTERS else name
