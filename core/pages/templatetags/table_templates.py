"""The templates of tables with many rows, in Jinja2, with the same filters and links as the other templates.

Django's templates take 7 ms for a table of fifty rates, Jinja2's 1.5. See docs/decisions/0063-quick-tables.md.
"""

from typing import Any

from django.template.defaultfilters import capfirst, pluralize, truncatechars
from jinja2 import Environment, pass_context

from core.pages.formats import write_rank
from core.pages.templatetags import figures

FILTERS = {"capfirst": capfirst, "pluralize": pluralize, "truncatechars": truncatechars}
"""The filters of Django's that tables use."""


def table_environment(**options: Any) -> Environment:
    """Return the environment of tables: the filters and tags of `figures` as filters and functions."""
    # A line that is only a tag leaves no blank line in each of a thousand rows.
    environment = Environment(**{**options, "trim_blocks": True, "lstrip_blocks": True})  # noqa: S701 - Django escapes
    environment.filters.update(
        {**FILTERS, **figures.FIGURES, "places": figures.places, "dated_month": figures.dated_month}
    )
    of_context = (
        figures.here,
        figures.having,
        figures.month_of_payer,
        figures.date_range,
        figures.provider_page,
        figures.rates_of,
        figures.sort_link,
        figures.sort_head,
    )
    environment.globals.update({tag.__name__: pass_context(tag) for tag in of_context})
    environment.globals.update(to=figures.to, column_heads=figures.column_heads, rank=write_rank)
    return environment
