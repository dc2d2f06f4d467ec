"""Negotiated rates, by example."""

from decimal import Decimal
from typing import Any

import pytest

from core.fields.rate import parse_rate


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12, 12.0),
        ("12", 12.0),
        ("12.50", 12.5),
        ("12.", 12.0),
        (".5", 0.5),
        ("+5", 5.0),
        (" 12 ", 12.0),
        (" 1e2 ", 100.0),
        ("1E+2", 100.0),
        ("1.5e-2", 0.015),
        (Decimal("40.5"), 40.5),
        (40.5, 40.5),
        (0, 0.0),
        ("0", 0.0),
        (-0.0, 0.0),
        ("-0", 0.0),
        ("-0.00", 0.0),
        (Decimal("-0.0"), 0.0),
        (1e16, 1e16),
        ("5e-05", 5e-05),
        (1.7976931348623157e308, 1.7976931348623157e308),
        ([100], 100.0),
        ([["7.5"]], 7.5),
    ],
)
def test_a_rate_is_a_number_or_text_that_is_one(value: Any, expected: float) -> None:
    # Their `repr` is what fact_uid hashes: 0.0 and -0.0 are equal, but not to the hash.
    assert repr(parse_rate(value)) == repr(expected)


@pytest.mark.parametrize(
    "value",
    [
        -1, -0.01, "-1", Decimal("-0.5"), None, "", " ", ".", "e5", "NaN", "nan", "inf", "-inf", "1_000", "1,000", "$5",
        "5 dollars", "5%", "1 2", "1.2.3", "12e", "--1", float("nan"), float("inf"), float("-inf"), Decimal("NaN"),
        Decimal("sNaN"), Decimal("Infinity"), 10**400, "1e999", Decimal("1e999"), True, False, [1, 2], [], {}, b"1",
        "١٢", "1٢", "1e٢",
    ],
)  # fmt: skip
def test_anything_else_is_not_a_rate(value: Any) -> None:
    assert parse_rate(value) is None
