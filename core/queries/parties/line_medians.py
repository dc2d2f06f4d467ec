"""The median of each code's rates of one kind, class and modifier in a state and month, which others stand beside."""

from dataclasses import replace

from core.queries.rules.percentiles import median
from core.store.connection import Snapshot
from core.store.lookup_sql import lookup_rows
from core.store.schema import lookups

LINE = ("code_type", "code", "kind", "billing_class", "modifier")
"""What the rates that may be compared have in common."""

MEDIAN_OF_LINE = f"{median('negotiated_rate')} AS median, count(*) AS rates"


def lines_of(facts: str) -> str:
    """Return SQL of facts (`facts` is SQL of them) with the columns of their line."""
    return f"""(SELECT *, rate_kind(negotiated_type, negotiation_arrangement) AS kind,
                     billing_code_modifier AS modifier
              FROM {facts})"""


LINE_MEDIAN = replace(
    lookups.LINE_MEDIAN,
    query=f"""SELECT state, year_month, {", ".join(LINE)}, {MEDIAN_OF_LINE} FROM {lines_of("{fact_rate}")}
              GROUP BY state, year_month, {", ".join(LINE)}""",
)

STORED_LOOKUPS = tuple(LINE_MEDIAN if one.name == LINE_MEDIAN.name else one for one in lookups.LOOKUPS)
"""All lookups with their queries."""


def line_medians(db: Snapshot) -> str:
    """Return SQL of the medians of all lines. The rows of some codes are found by them, stored or not."""
    return f"({lookup_rows(LINE_MEDIAN, db.root, db.manifest)})"
