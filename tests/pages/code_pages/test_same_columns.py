"""Columns that say the same in each row are said once, and no others."""

from hypothesis import given
from hypothesis import strategies as st

from core.pages.code_pages.same_columns import find_same_columns
from core.queries.rates import list_rates
from core.store.connection import Snapshot
from tests.pages.markets import MARKET

_READ_OFF = {
    "type": ("negotiated_type", "negotiation_arrangement", "additional_information", "billing_code_type_version"),
    "expires": ("expiration_date",),
    "source": ("source",),
}


@given(st.sets(st.integers(0, 40), max_size=6))
def test_a_column_is_said_once_if_it_is_the_same_in_all_rows(demo: Snapshot, chosen: set[int]) -> None:
    every = list_rates(demo, MARKET, "rate", 41, 0)
    rows = [row for number, row in enumerate(every) if number in chosen]
    same = find_same_columns(rows)
    for name, fields in _READ_OFF.items():
        alike = len({tuple(getattr(row, field) for field in fields) for row in rows}) == 1
        assert (name in same) == (alike and len(rows) > 1)
