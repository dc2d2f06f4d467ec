"""National Provider Identifiers, by example."""

from typing import Any

import pytest

from core.fields.providers.npi import FIRST_NPI, LAST_NPI, is_npi, means_tin_only, parse_npi


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1912951245, "1912951245"),
        ("1912951245", "1912951245"),
        ("2912951245", "2912951245"),
        (" 1912951245 ", "1912951245"),
        (1912951245.0, "1912951245"),
        ("1912951240", "1912951240"),  # a wrong check digit is kept
        (1000000000, "1000000000"),
        (2999999999, "2999999999"),
    ],
)
def test_an_npi_is_ten_digits_that_begin_with_1_or_2(value: Any, expected: str) -> None:
    assert parse_npi(value) == expected
    assert not means_tin_only(value)


@pytest.mark.parametrize(
    "value",
    [
        999999999, 3000000000, 912951245, "3912951245", "0912951245", "191295124", "19129512450", "1912951245.5", "x",
        1, True, False, [], [1912951245, 1003027533], {}, "191295124x", "1٩12951245", "1912951245 1912951245",
        "1.9E9", "19,1295,1245",
    ],
)  # fmt: skip
def test_anything_else_is_an_invalid_npi(value: Any) -> None:
    assert parse_npi(value) is None
    assert not means_tin_only(value)


@pytest.mark.parametrize("value", ["1912951245.0", "1,912,951,245", "1.912951245E9", [1912951245], [["1912951245"]]])
def test_an_npi_in_the_ways_of_spreadsheets_and_in_a_list_of_one(value: Any) -> None:
    assert parse_npi(value) == "1912951245"


@pytest.mark.parametrize(
    "value", [0, 0.0, "0", " 0 ", "00", "0.0", "0000000000", [0], "", " ", None, "nan", "None", "null", "N/A"]
)
def test_zero_and_blank_mean_that_the_contract_is_with_the_tax_id(value: Any) -> None:
    assert parse_npi(value) is None
    assert means_tin_only(value)


def test_the_range_of_numbers_is_the_pattern() -> None:
    assert is_npi(str(FIRST_NPI))
    assert not is_npi(str(FIRST_NPI - 1))
    assert is_npi(str(LAST_NPI))
    assert not is_npi(str(LAST_NPI + 1))


def test_text_around_an_npi_is_not_an_npi() -> None:
    assert not is_npi(" 1912951245")
    assert not is_npi("1912951245\n")
    assert not is_npi("")
