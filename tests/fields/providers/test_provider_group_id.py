"""Provider group ids: a definition and its uses meet, however each is written."""

from decimal import Decimal
from typing import Any

import pytest

from core.fields.providers.provider_group_id import parse_provider_group_id


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12", "12"),
        (12, "12"),
        (12.0, "12"),
        (" 12 ", "12"),
        ("690.64470", "690.6447"),
        (Decimal("690.64470"), "690.6447"),
        (690.6447, "690.6447"),
        ("12.0", "12"),
        ("0.50", "0.5"),
        ("-1.50", "-1.5"),
        ("-0.0", "0"),
        ("10.00", "10"),
        ("100", "100"),
    ],
)
def test_a_number_has_one_text(value: Any, expected: str) -> None:
    assert parse_provider_group_id(value) == expected


@pytest.mark.parametrize(
    "text", ["007", "00.50", "01.50", ".50", "12.", "1e3", "1.50e3", "+1.50", "A-1", "1.5.0", "١.50", "1.5٠"]
)
def test_other_text_is_kept(text: str) -> None:
    assert parse_provider_group_id(text) == text


@pytest.mark.parametrize("value", ["", " ", None, True, [], {}])
def test_nothing_is_not_an_id(value: Any) -> None:
    assert parse_provider_group_id(value) is None
