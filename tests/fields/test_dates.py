"""Dates and expiration dates, by example."""

from datetime import date
from typing import Any

import pytest

from core.fields.dates import parse_date, parse_expiration


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2025-08-01", date(2025, 8, 1)),
        (" 2025-08-01 ", date(2025, 8, 1)),
        ("2025-06-23T00:00:00-05:00", date(2025, 6, 23)),
        ("2025-06-30T23:59:59-05:00", date(2025, 6, 30)),
        ("2025/8/1", date(2025, 8, 1)),
        ("2025-8-1", date(2025, 8, 1)),
        ("20250801", date(2025, 8, 1)),
        ("20250801T000000", date(2025, 8, 1)),
        (20250801, date(2025, 8, 1)),
        ("2/4/2026", date(2026, 2, 4)),
        ("02-04-2026", date(2026, 2, 4)),
        ("12/31/2026 00:00", date(2026, 12, 31)),
        ("0001-01-01", date(1, 1, 1)),
    ],
)
def test_a_date_in_each_way_that_payers_write_it(value: Any, expected: date) -> None:
    assert parse_date(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "2025-02-30", "13/1/2025", "31/12/2025", "2025-08-011", "202508011", "2/4/20266", "2/4/26", "25-08-01",
        "2025-08", "on 2025-08-01", "0000-05-01", "٢٠٢٥-08-01", "2025-0٨-01", "2025080١", "٢/4/2025", "August 2025", "",
        None, True, [20250801, 20250802], [],
    ],
)  # fmt: skip
def test_anything_else_is_not_a_date(value: Any) -> None:
    assert parse_date(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12/31/2025", "2025-12-31"),
        ("2025-07-01T00:00:00Z", "2025-07-01"),
        ("9999-12-31", None),
        ("9999-12-31T00:00:00", None),
        ("12/31/9999", None),
        ("9999-12-30", "9999-12-30"),
        ("9998-12-31", "9998-12-31"),
        ("9999-11-30", "9999-11-30"),
        ("never", None),
        (None, None),
    ],
)
def test_an_expiration_date(value: Any, expected: str | None) -> None:
    assert parse_expiration(value) == expected
