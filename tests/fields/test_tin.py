"""Tax identification numbers, by example."""

from typing import Any

import pytest

from core.fields.tin import is_tin, parse_tin, possible_tins, remove_tin_marks


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("ein", "123456789", ("ein", "123456789")),
        ("ein", "12-3456789", ("ein", "123456789")),
        ("EIN", " 12 3456789 ", ("ein", "123456789")),
        ("EIN", 3456789, ("ein", "003456789")),
        ("ein", "3456789", ("ein", "003456789")),
        ("ein", "1912951245", ("ein", "1912951245")),
        ("EIN", "1912951245", ("ein", "1912951245")),
        ("npi", "1912951245", ("npi", "1912951245")),
        (" NPI ", 1912951245, ("npi", "1912951245")),
        ("npi", "3456789", ("npi", "3456789")),
        # An unknown type: the number decides.
        (None, "1912951245", ("npi", "1912951245")),
        (None, "2912951245", ("npi", "2912951245")),
        (None, "3912951245", ("ein", "3912951245")),
        (None, "191295124", ("ein", "191295124")),
        (None, "29129512450", ("ein", "29129512450")),
        ("tin", "1912951245", ("npi", "1912951245")),
        ("tin", "123456789", ("ein", "123456789")),
        ("", 1, ("ein", "000000001")),
        (["ein"], "123456789", ("ein", "123456789")),
        ({}, "1912951245", ("npi", "1912951245")),
        (1, "1912951245", ("npi", "1912951245")),
    ],
)
def test_a_tax_id_with_its_type(kind: Any, value: Any, expected: tuple[str, str]) -> None:
    assert parse_tin(kind, value) == expected


@pytest.mark.parametrize("value", ["XX-XXX", "", " ", "-", None, [], [123456789], {}, True, "١٢٣٤٥٦٧٨٩"])
def test_a_value_without_a_digit_is_not_a_tax_id(value: Any) -> None:
    assert parse_tin("ein", value) is None
    assert parse_tin(None, value) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12-3456789", {"123456789"}),
        ("123456789", {"123456789"}),
        ("3456789", {"003456789", "3456789"}),
        ("1912951245", {"1912951245"}),
        ("none", set()),
    ],
)
def test_what_a_tax_id_may_be_in_the_store(text: str, expected: set[str]) -> None:
    assert possible_tins(text) == expected


def test_a_tax_id_as_users_write_it() -> None:
    assert remove_tin_marks(" 12-345 6789\t") == "123456789"
    assert remove_tin_marks("12.3456789") == "12.3456789"
    accepted = [n for n in range(14) if is_tin("1" * n)]
    assert accepted == [9, 10]
    assert not is_tin("12345678x")
    assert not is_tin("12345678٩")
    assert not is_tin("123456789\n")
