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
