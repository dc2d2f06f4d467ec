"""The tax ID by which a provider group is called, everywhere: the first by number of those whose name is known."""


def first_named(column: str, name: str = "shown_name") -> str:
    """Return SQL of a column of the tax ID by which the rows of a group are called; `name` is null without a name."""
    # Rows whose value is null are left out by min_by: a name has to be of the tax ID that stands beside it.
    return f"min_by({{'value': {column}}}, {{'unnamed': {name} IS NULL, 'tin': tin_value, 'type': tin_type}}).value"


def first_named_order(name: str = "business_name") -> str:
    """Return the same rule as the terms of ORDER BY."""
    return f"{name} IS NULL, tin_value, tin_type"
