"""The class that a rate is measured as: the one that its file states, or the other one where that label is overruled.

The stated class of a rate never changes. A filter or a line of a comparison may be by the measured class instead: its
value is then `like professional` or `like institutional`.
"""

from core.store.schema.fit_tables import SCHEDULE_FIT, SURGICAL_CENTER_GROUP
from core.store.schema.ids import pos_set_id
from core.store.views import SURGICAL_CENTER_PAYEE

SURGICAL_CENTER, UNSTATED, OTHER = "surgical center", "unstated", "other"
"""The sets of places whose label is judged apart: place 24 alone, none, and any other."""

OTHER_CLASS = {"professional": "institutional", "institutional": "professional"}
"""The class that a label may have been mistaken for."""

_LIKE = "like "

LIKE_CLASSES = tuple(f"{_LIKE}{one}" for one in OTHER_CLASS)
"""Values of the filter by billing class that select by the measured class."""


def like_class(measured: str) -> str:
    """Return the value of the filter that selects the rates measured as a class."""
    return f"{_LIKE}{measured}"


def class_of_like(billing_class: str | None) -> str | None:
    """Return the class that one of LIKE_CLASSES is about, and any other value as it is."""
    return billing_class.removeprefix(_LIKE) if billing_class else billing_class


def places_sql(place_set: str) -> str:
    """Return SQL of which of the three sets of places the id of a set belongs to."""
    return f"""CASE {place_set} WHEN '{pos_set_id(["24"])}' THEN '{SURGICAL_CENTER}'
                   WHEN '{pos_set_id([])}' THEN '{UNSTATED}' ELSE '{OTHER}' END"""


def other_class_sql(billing_class: str) -> str:
    """Return SQL of the other class; null for neither of the two."""
    cases = " ".join(f"WHEN '{one}' THEN '{other}'" for one, other in OTHER_CLASS.items())
    return f"CASE {billing_class} {cases} END"


def _is_overruled_sql(at_center: str) -> str:
    # A surgical center's rates are compared with ASC because of who is paid, whatever the payer's other rates fit.
    return f"""((f.reporting_entity_name, f.state, f.year_month, f.billing_class, {places_sql("f.pos_set_id")}) IN (
                    SELECT (reporting_entity_name, state, year_month, billing_class, places)
                    FROM {SCHEDULE_FIT.name} WHERE chosen AND NOT of_label)
                AND NOT ({at_center}))"""


def _measured_sql(at_center: str) -> str:
    return f"if({_is_overruled_sql(at_center)}, {other_class_sql('f.billing_class')}, f.billing_class)"


MEASURED_CLASS_SQL = _measured_sql(f"f.payee = '{SURGICAL_CENTER_PAYEE}'")
"""SQL of the measured class of a rate AS f that has a `payee`, see payee_sql; null if its class is not stated."""

MEASURED_CLASS_OF_FACT = _measured_sql(f"""
    (f.billing_class <> 'professional' OR f.pos_set_id = '{pos_set_id(["24"])}')
    AND f.pg_uid IN (SELECT pg_uid FROM {SURGICAL_CENTER_GROUP.name})""")
"""The same SQL for a fact AS f, which has a provider group instead."""


def like_sql(measured: str) -> str:
    """Return SQL of what like_class returns; `measured` is SQL of the class."""
    return f"'{_LIKE}' || {measured}"
