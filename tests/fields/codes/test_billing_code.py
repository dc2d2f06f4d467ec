"""Billing codes and their code systems, by example."""

import re
from typing import Any

import pytest

from core.fields.codes.billing_code import (
    HCPCS_CODE_PATTERN,
    code_spellings,
    code_system_by_shape,
    medicare_code_system,
    padded_codes,
    parse_code,
    parse_code_system,
    restore_leading_zeros,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("RC", "REV"),
        (" rc", "REV"),
        ("REV", "REV"),
        ("ms-drg", "MS-DRG"),
        ("RCC", "RCC"),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_a_code_system_is_upper_case_and_rc_is_rev(value: Any, expected: str | None) -> None:
    assert parse_code_system(value) == expected


@pytest.mark.parametrize(
    ("system", "value", "expected"),
    [
        ("REV", "450", "0450"),
        ("REV", 45, "0045"),
        ("REV", "0450", "0450"),
        ("REV", "00450", "00450"),
        ("REV", "45X", "45X"),
        ("REV", "٤٥", "٤٥"),
        ("MS-DRG", "1", "001"),
        ("MS-DRG", "470", "470"),
        ("MS-DRG", "0470", "0470"),
        ("CPT", "213", "213"),
        ("RC", "450", "450"),
        ("", "450", "450"),
        ("CPT", " 0001f ", "0001F"),
        ("CPT", 99213.0, "99213"),
        ("REV", "", None),
        ("REV", None, None),
    ],
)
def test_a_code_is_padded_where_its_system_asks_for_it(system: str, value: Any, expected: str | None) -> None:
    assert parse_code(system, value) == expected


@pytest.mark.parametrize(
    ("code", "padded"),
    [
        ("39", {"MS-DRG": "039", "REV": "0039"}),
        ("450", {"REV": "0450"}),
        ("0450", {}),
        ("99213", {}),
        ("G0439", {}),
        ("", {}),
    ],
)
def test_a_code_of_an_unknown_system_may_be_written_with_zeros(code: str, padded: dict[str, str]) -> None:
    assert padded_codes(code) == padded
    assert list(padded_codes(code)) == sorted(padded)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("39", ("0039", "039", "39")),
        (" 450 ", ("0450", "450")),
        ("g0439", ("G0439",)),
        ("", ()),
    ],
)
def test_every_spelling_of_a_code(value: str, expected: tuple[str, ...]) -> None:
    assert code_spellings(value) == expected


def test_the_zeros_that_a_spreadsheet_takes_off_are_restored() -> None:
    assert restore_leading_zeros("100") == "00100"
    assert restore_leading_zeros("00100") == "00100"
    assert restore_leading_zeros("J1885") == "J1885"
    assert restore_leading_zeros("123456") == "123456"


def test_the_pattern_of_a_hcpcs_code() -> None:
    matching = [c for c in ("99213", "0001F", "J1885", "j1885", "9921", "992133", "99 13") if _is_hcpcs(c)]
    assert matching == ["99213", "0001F", "J1885"]


def _is_hcpcs(code: str) -> bool:
    return re.fullmatch(HCPCS_CODE_PATTERN, code) is not None


@pytest.mark.parametrize(
    ("code", "by_shape", "in_medicare_file"),
    [
        ("99213", "CPT", "CPT"),
        ("00100", "CPT", "CPT"),
        ("0001F", "CPT", "CPT"),
        ("0042T", "CPT", "CPT"),
        ("9999Z", "CPT", "CPT"),
        ("0001A", "CPT", "CPT"),
        ("D0120", "CDT", "HCPCS"),
        ("D9999", "CDT", "HCPCS"),
        ("A0021", "HCPCS", "HCPCS"),
        ("C9999", "HCPCS", "HCPCS"),
        ("E0100", "HCPCS", "HCPCS"),
        ("G0439", "HCPCS", "HCPCS"),
        ("V5364", "HCPCS", "HCPCS"),
        ("W0001", None, "HCPCS"),
        ("Z9999", None, "HCPCS"),
        ("DA120", None, "HCPCS"),
        ("G043X", None, "HCPCS"),
        ("NOTES", None, "HCPCS"),
        ("9921", None, "HCPCS"),
        ("992133", None, "HCPCS"),
        ("D01200", None, "HCPCS"),
        ("A00210", None, "HCPCS"),
        ("A002", None, "HCPCS"),
        ("99213 ", None, "HCPCS"),
        ("0001f", None, "HCPCS"),
        ("a0021", None, "HCPCS"),
        ("", None, "HCPCS"),
    ],
)
def test_the_system_of_a_five_character_code(code: str, by_shape: str | None, in_medicare_file: str) -> None:
    assert code_system_by_shape(code) == by_shape
    assert medicare_code_system(code) == in_medicare_file
