"""Places of service, by example."""

import re
from typing import Any

import pytest

from core.fields.places.place_of_service import EVERY_PLACE, PLACE_PATTERN, PLACES, parse_places


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["22", "11"], ("11", "22")),
        (["11", "1", 2], ("01", "02", "11")),
        ("11", ("11",)),
        (11, ("11",)),
        (1, ("01",)),
        (11.0, ("11",)),
        (0, ("00",)),
        (["11", "11", 11], ("11",)),
        ([" 11 "], ("11",)),
        # Several in one text.
        ("11|22", ("11", "22")),
        ("11, 22", ("11", "22")),
        ("22;11", ("11", "22")),
        ("11 22\t23\n24", ("11", "22", "23", "24")),
        ("['11','22']", ("11", "22")),
        ('["11","22"]', ("11", "22")),
        (["11|22", "23"], ("11", "22", "23")),
        # What says nothing.
        (["n", "u", "l", "l"], ()),
        (["N", "U", "L", "L", "11"], ("11",)),
        ("null", ()),
        (["NULL", "11"], ("11",)),
        ([None, "", " ", []], ()),
        (None, ()),
        ("", ()),
        # What is not two digits is kept.
        (["cstm-00"], ("CSTM-00",)),
        (["telehealth"], ("TELEHEALTH",)),
        (["111", "1a"], ("111", "1A")),
        ("١", ("١",)),
    ],
)
def test_places_are_two_digits_distinct_and_sorted(value: Any, expected: tuple[str, ...]) -> None:
    assert parse_places(value) == expected


def test_the_pattern_of_one_place() -> None:
    matching = [
        text
        for text in ("11", "00", "1", "111", "CSTM-00", "OFFICE", "1X", "1x", "", "11,22", "1 1", "١١")
        if _matches(text)
    ]
    assert matching == ["11", "00", "111", "CSTM-00", "OFFICE", "1X", "١١"]
    assert EVERY_PLACE == "CSTM-00"
    assert all(_matches(place) for place in PLACES)


def _matches(text: str) -> bool:
    return re.fullmatch(PLACE_PATTERN, text) is not None
