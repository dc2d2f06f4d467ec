"""Tax identification numbers, by example."""

from decimal import Decimal
from typing import Any

import pytest

from core.fields.providers.tin import is_tin, parse_tin, possible_tins, remove_tin_marks, tin_problem


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


@pytest.mark.parametrize(
    "value",
    [
        "123456789.0", 123456789.0, Decimal("123456789.0"), "1.23456789E8", "1.23456789e+08", "123,456,789",
        "12-3456789.0", "12\u20133456789", "123 456 789", [123456789], ["12-3456789"],
    ],
)  # fmt: skip
def test_a_tax_id_in_the_ways_of_spreadsheets(value: Any) -> None:
    assert parse_tin("ein", value) == ("ein", "123456789")


@pytest.mark.parametrize("kind", ["ein", "EIN", "npi", None, "tin", "ssn"])
@pytest.mark.parametrize(
    "value",
    [
        "", " ", "-", None, [], {}, 0, "0", "000000000", "0000000000", "00-0000000", "000-00-0000", "0.0", "N/A", "nan",
        "None", "null", "#N/A", ["0"],
    ],
)  # fmt: skip
def test_a_placeholder_says_that_no_tax_id_is_known(kind: str | None, value: Any) -> None:
    assert parse_tin(kind, value) is None
    assert tin_problem(kind, value) is None


@pytest.mark.parametrize(
    "value",
    [
        "XX-XXX", "unknown", True, "١٢٣٤٥٦٧٨٩", "123456789.5", "1.2E8", "-123456789", "EIN 12-3456789", "12.3456789",
        [123456789, 987654321], "999999999", "99-9999999", 9999999999, "12,34,56789",
    ],
)  # fmt: skip
def test_what_is_not_a_plain_number_is_not_a_tax_id(value: Any) -> None:
    assert parse_tin("ein", value) is None
    assert parse_tin(None, value) is None
    assert tin_problem("ein", value) == "invalid_tin"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ssn", "123-45-6789"),
        ("SSN", "123456789"),
        (" Ssn ", 123456789),
        ("itin", "912-78-1234"),
        ("ITIN", "912781234"),
        ("social_security_number", "123456789"),
        ("Social Security Number", "12-3456789"),
        (["ssn"], "123456789"),
        ("ein", "123-45-6789"),
        (None, "123-45-6789"),
        ("npi", "123-45-6789"),
        ("ein", " 123 45 6789 "),
        ("ein", "123\u201345\u20136789"),
        ("ein", "SSN: 123-45-6789"),
        ("ein", "***-**-6789"),
        ("ein", "XXX-XX-6789"),
    ],
)
def test_the_number_of_a_person_is_withheld(kind: Any, value: Any) -> None:
    assert parse_tin(kind, value) is None
    assert tin_problem(kind, value) == "personal_tin"


@pytest.mark.parametrize("value", ["12-3456789", "1234-56-789", "0123-45-6789", "12-345-6789"])
def test_other_groups_of_digits_are_not_a_person_s_number(value: str) -> None:
    assert tin_problem("ein", value) != "personal_tin"
    assert parse_tin("ein", value) == ("ein", value.replace("-", ""))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12-3456789", {"123456789"}),
        ("123456789", {"123456789"}),
        ("3456789", {"003456789", "3456789"}),
        ("1912951245", {"1912951245"}),
        ("none", set()),
        ("000000000", set()),
        ("123-45-6789", set()),
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
