"""Text, numbers and lists as payers write them, by example."""

from decimal import Decimal
from typing import Any

import pytest

from core.fields.texts.text import (
    as_list,
    is_digits,
    iterate_texts,
    parse_lower,
    parse_text,
    parse_upper,
    parse_whole_number,
    write_number,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12, "12"),
        (12.0, "12"),
        (Decimal("12.000"), "12"),
        (Decimal("690.64470"), "690.6447"),
        (1e3, "1000"),
        (Decimal("1E+3"), "1000"),
        (1200, "1200"),
        (Decimal(1200), "1200"),
        (0.1, "0.1"),
        (5e-05, "0.00005"),
        (1e16, "10000000000000000"),
        (Decimal("-1.50"), "-1.5"),
        (0, "0"),
        (0.0, "0"),
        (-0.0, "0"),
        (Decimal("-0.00"), "0"),
        (-7, "-7"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_a_number_has_one_text(value: Any, expected: str) -> None:
    assert write_number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**4095 - 1, str(2**4095 - 1)),
        (2**4095, f"{Decimal(2**4095):e}"),
        (-(2**4095), f"{Decimal(-(2**4095)):e}"),
        (Decimal("1E+400"), "1" + "0" * 400),
        (Decimal("1E+401"), "1e+401"),
        (Decimal("1E-400"), "0." + "0" * 399 + "1"),
        (Decimal("1E-401"), "1e-401"),
        (Decimal("1E+5000"), "1e+5000"),
        (Decimal("NaN"), "nan"),
        (float("inf"), "infinity"),
    ],
)
def test_a_number_too_long_to_write_out_stays_in_scientific_notation(value: Any, expected: str) -> None:
    assert write_number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Peach Health ", "Peach Health"),
        ("", None),
        (" \t\n", None),
        ("0", "0"),
        (0, "0"),
        (12.5, "12.5"),
        (Decimal("12.50"), "12.5"),
        (True, None),
        (False, None),
        (None, None),
        ([], None),
        ([" a "], "a"),
        ([[12.50]], "12.5"),
        (["a", "b"], None),
        ([True], None),
        ({"a": 1}, None),
        ("nan", None),
        (" NaN ", None),
        ("None", None),
        ("NULL", None),
        ("n/a", None),
        ("#N/A", None),
        ("<NA>", None),
        (["nan"], None),
        ("nano", "nano"),
        ("None of these", "None of these"),
        ("NA", "NA"),
    ],
)
def test_a_scalar_is_trimmed_text(value: Any, expected: str | None) -> None:
    assert parse_text(value) == expected


def test_case_is_changed_after_trimming() -> None:
    assert parse_lower(" FFS ") == "ffs"
    assert parse_upper(" ffs ") == "FFS"
    assert parse_lower(26) == parse_upper(26) == "26"
    assert parse_lower(" ") is None
    assert parse_upper(None) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("123456789", "123456789"),
        ("123456789.0", "123456789"),
        ("123456789.", "123456789"),
        ("123,456,789", "123456789"),
        ("123,456,789.00", "123456789"),
        ("1.23456789E8", "123456789"),
        ("1.23456789e+08", "123456789"),
        ("1.2E8", None),
        ("1.23457E+08", None),
        ("123456789.5", None),
        ("12,34", None),
        ("-1", None),
        ("1 2", None),
        ("", None),
        ("x", None),
        ("١٢", None),
    ],
)
def test_a_whole_number_as_a_spreadsheet_writes_it(text: str, expected: str | None) -> None:
    assert parse_whole_number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0123456789", True), ("", False), ("12 3", False), ("-1", False), ("1.0", False), ("١٢", False), ("²", False)],
)
def test_digits_are_those_of_ascii(text: str, expected: bool) -> None:
    assert is_digits(text) is expected


def test_a_scalar_in_place_of_a_list_is_a_list_of_one() -> None:
    listed = ["11", 22]
    assert as_list(listed) is listed
    assert as_list([]) == []
    assert as_list(None) == []
    assert as_list("11") == ["11"]
    assert as_list(0) == [0]
    assert as_list({"npi": 1}) == [{"npi": 1}]


def test_the_texts_of_a_list_are_those_of_its_scalars() -> None:
    assert list(iterate_texts([" 11 ", None, "", 22, True, ["33"], {}, "nan", "11"])) == ["11", "22", "33", "11"]
    assert list(iterate_texts("11")) == ["11"]
    assert list(iterate_texts(None)) == []
