"""Billing code modifiers, by example."""

import re
from typing import Any

import pytest

from core.fields.codes.modifier import MODIFIER_PATTERN, parse_modifiers


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["tc", "26"], "26,TC"),
        (["26"], "26"),
        ("26", "26"),
        (26, "26"),
        ("TC, 26", "26,TC"),
        ("tc;26", "26,TC"),
        (",26,", "26"),
        ("tc|26", "26,TC"),
        ("TC 26\t53", "26,53,TC"),
        (["26", "26", "tc", "TC"], "26,TC"),
        (["NULL", "26"], "26"),
        (["null"], ""),
        ("null", ""),
        (["26", ""], "26"),
        (["N"], "N"),
        ([""], ""),
        ([], ""),
        ([None], ""),
        (None, ""),
        (5, "5"),
    ],
)
def test_modifiers_are_distinct_sorted_and_joined(value: Any, expected: str) -> None:
    assert parse_modifiers(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("26", True), ("TC", True), ("A", True), ("0123456789", True), ("01234567890", True), ("", False), ("tc", False),
     ("2 6", False), ("26,TC", False), ("2٦", True), ("26'", True), ("2\x00", False)],
)  # fmt: skip
def test_the_pattern_of_one_modifier(text: str, expected: bool) -> None:
    assert (re.fullmatch(MODIFIER_PATTERN, text) is not None) is expected
