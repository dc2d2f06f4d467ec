"""Rates that go through each step together are loaded like rates that are looked at one by one."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.load.load_sizes import LoadSizes
from tests.load.expected import assert_loaded_as_by_the_slow_reader
from tests.rate_files import file_of, item_of

terms: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"negotiated_type": "negotiated", "billing_class": "professional", "service_code": ["11"]},
        {"negotiated_type": "percentage", "billing_class": "professional", "service_code": ["11", "22"]},
        {"negotiated_type": "negotiated", "billing_class": "institutional", "expiration_date": "soon"},
    ]
)
amounts = st.one_of(
    st.floats(0, 1e6).map(lambda number: round(number, 2)),
    st.sampled_from([0, -0.0, -1, -1, None, "12.50", "x", float("nan"), float("inf"), {"negotiated_rate": 1}]),
)


@st.composite
def prices(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a price whose rate comes first, in the middle, or last."""
    fields: list[tuple[str, Any]] = list(draw(terms).items())
    fields.insert(draw(st.sampled_from([0, 0, 0, 0, 1, 3])), ("negotiated_rate", draw(amounts)))
    return dict(fields)


references = [[1], [1], [1], [1, 2], [1, 2], [2, 3], [3, 3], [1, 2, 3, 4], [], ["A"]]
rates = st.fixed_dictionaries(
    {
        "provider_references": st.sampled_from(references),
        "negotiated_prices": st.lists(prices(), min_size=1, max_size=1) | st.lists(prices(), max_size=2),
    }
)
items = st.fixed_dictionaries(
    {
        "negotiation_arrangement": st.sampled_from(["ffs", "ffs", "bundle"]),
        "billing_code_type": st.sampled_from(["CPT", "CPT", "CPT", "RC", None]),
        "billing_code": st.sampled_from(["99213", "99214", "450", "450", "", "9" * 80]),
        "name": st.sampled_from(["Visit", "", None]),
        "description": st.sampled_from(["Office visit", "a\tb", None]),
        "negotiated_rates": st.lists(rates, min_size=1, max_size=2),
    }
)


@settings(max_examples=5)
@given(st.lists(items, min_size=20, max_size=40), st.sampled_from([200, 600, 1 << 20]))
def test_plain_and_odd_rates_side_by_side(drawn: list[Any], chunk: int) -> None:
    """In chunks after the first, the texts of most prices are known, so most items are plain."""
    content = json.dumps(file_of(*drawn), separators=(",", ":")).encode()
    assert_loaded_as_by_the_slow_reader(content, LoadSizes(chunk_bytes=chunk, groups_per_row=3, run_prices=9))


def test_odd_rates_among_plain_ones() -> None:
    """The same prices come three times, so the second and third time only what is odd is looked at by itself."""
    odd = [-1, None, "x", float("nan"), float("inf"), "12.50", -0.0, {"negotiated_rate": 1}]
    lists: list[Any] = [[1], [1, 2], [1, 2, 3, 4, 5], [], [3, 3], ["A"]]
    found = [
        item_of(5, amount, 7, references=references, code=str(10_000 + number))
        for number, amount in enumerate([*odd, 1, 2])
        for references in lists
    ]
    content = json.dumps(file_of(*found, *found, *found), separators=(",", ":")).encode()
    assert_loaded_as_by_the_slow_reader(content, LoadSizes(chunk_bytes=600, groups_per_row=3))
