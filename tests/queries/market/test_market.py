"""A filter is declared once; what must still name it has the same names."""

from core.python_api.arguments import Filters
from core.queries.facets import count_choices
from core.queries.market.market import Market
from core.queries.market.market_filters import AREA, BASIS, CLASSES, FILTERS, IMPLAUSIBLE, MARKET_PARAMETERS, YARDSTICK
from core.store.connection import Snapshot


def test_a_market_has_a_field_for_each_parameter_in_their_order() -> None:
    assert tuple(Market.__dataclass_fields__) == (*MARKET_PARAMETERS, "latest")


def test_python_takes_every_filter() -> None:
    assert tuple(Filters.__annotations__) == (*FILTERS, BASIS, AREA, CLASSES, YARDSTICK, IMPLAUSIBLE)


def test_a_filter_has_a_column_of_the_fact_or_a_table_of_groups() -> None:
    assert all(bool(one.column) != bool(one.group_table) for one in FILTERS.values())


def test_choices_are_counted_for_every_filter_with_a_column(demo: Snapshot) -> None:
    choices = count_choices(demo, Market("GA", "2025-08", "CPT", "99213"))
    assert list(choices) == [name for name, one in FILTERS.items() if one.column]
