"""No field rule raises, whatever the JSON contains in its place."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.codes.billing_code import code_spellings, parse_code, parse_code_system
from core.fields.codes.modifier import parse_modifiers
from core.fields.dates import parse_date, parse_expiration
from core.fields.month import parse_month
from core.fields.places.place_of_service import parse_places
from core.fields.providers.npi import means_tin_only, parse_npi
from core.fields.providers.provider_group_id import parse_provider_group_id
from core.fields.providers.tin import parse_tin
from core.fields.rate import parse_rate
from core.fields.texts.text import as_list, parse_lower, parse_text, parse_upper

RULES: tuple[Callable[[Any], Any], ...] = (
    as_list, code_spellings, means_tin_only, parse_code_system, parse_date, parse_expiration, parse_lower,
    parse_modifiers, parse_month, parse_npi, parse_places, parse_provider_group_id, parse_rate, parse_text, parse_upper,
)  # fmt: skip

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(anything)
def test_no_rule_raises(value: Any) -> None:
    for rule in RULES:
        rule(value)
    parse_code("REV", value)
    parse_tin(value, value)


@pytest.mark.parametrize(
    "text",
    [
        "0000-05",
        "0000-05-01",
        "00000501",
        "5/1/0000",
        "9999-99-99",
        "2025-00-00",
        "0/0/2025",
        "1e999999999",
        "9" * 5000,
    ],
)
def test_no_rule_raises_for_odd_dates_and_numbers(text: str) -> None:
    for rule in RULES:
        rule(text)
