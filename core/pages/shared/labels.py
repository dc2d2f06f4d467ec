"""What pages call the filters: one name for each, in forms, facets, and the list of filters that are set."""

FILTER_LABELS = {
    "payer": "Payer",
    "pos": "Place of service",
    "billing_class": "Billing class",
    "modifier": "Modifier",
    "setting": "Setting",
    "negotiated_type": "Rate type",
    "arrangement": "Arrangement",
    "network": "Network",
    "npi": "NPI",
    "tin": "Tax ID",
}
"""By the name of the parameter, in the order in which they are shown."""

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
    return FILTER_LABELS.get(name, name)
