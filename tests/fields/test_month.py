"""The month of a file, and months as users write them."""

from typing import Any

import pytest

from core.fields.month import is_month, parse_month


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2025-08-01", "2025-08"),
        ("2025-06-30T23:59:59-05:00", "2025-06"),
        ("2/4/2026", "2026-02"),
        (20261231, "2026-12"),
        ("2026-02", "2026-02"),
        (" 2026-02 ", "2026-02"),
        # The edges of the century.
        ("2000-01-01", "2000-01"),
        ("2000-01", "2000-01"),
        ("2099-12-31", "2099-12"),
        ("2099-12", "2099-12"),
        ("1999-12-31", None),
        ("1999-12", None),
        ("2100-01-01", None),
        ("2100-01", None),
        ("0001-01-01", None),
        ("0000-05", None),
        ("0000-05-01", None),
        ("2026-13", None),
        ("2026-00", None),
        ("2026-02-30", None),
        ("2026-2", None),
        ("202602", None),
        ("2026", None),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_the_month_of_last_updated_on(value: Any, expected: str | None) -> None:
    assert parse_month(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((f"2025-{month:02}", 1 <= month <= 12) for month in range(14)),
        ("2000-01", True),
        ("2099-12", True),
        ("1999-12", False),
        ("2100-01", False),
        ("2025-8", False),
        ("2025-080", False),
        ("2025/08", False),
        (" 2025-08", False),
        ("2025-08\n", False),
        ("2025-٠8", False),
        ("", False),
    ],
)
def test_a_month_as_users_write_it(text: str, expected: bool) -> None:
    assert is_month(text) is expected
