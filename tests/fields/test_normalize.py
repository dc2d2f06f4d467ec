"""The rules for single values, by example."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.billing_code import parse_code, parse_code_system
from core.fields.dates import parse_date, parse_expiration
from core.fields.modifier import parse_modifiers
from core.fields.month import parse_month
from core.fields.npi import means_tin_only, parse_npi
from core.fields.place_of_service import parse_places
from core.fields.provider_group_id import parse_provider_group_id
from core.fields.rate import parse_rate
from core.fields.text import as_list, parse_lower, parse_text, parse_upper, write_number
from core.fields.tin import parse_tin

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(anything)
def test_no_rule_ever_raises(value: Any) -> None:
    for rule in (
        parse_text, parse_lower, parse_upper, parse_code_system, parse_rate, parse_date,
        parse_expiration, parse_month, parse_places, parse_modifiers, parse_provider_group_id,
        parse_npi, as_list,
    ):  # fmt: skip
        rule(value)
    parse_code("REV", value)
    parse_tin(value, value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12, "12"),
        (12.0, "12"),
        (Decimal("12.000"), "12"),
        (Decimal("690.64470"), "690.6447"),
        (1e3, "1000"),
        (Decimal("1E+3"), "1000"),
        (0.1, "0.1"),
        (-0.0, "0"),
        (Decimal("-0.00"), "0"),
        (10**30, "1" + "0" * 30),
        (Decimal("1E+5000"), "1e+5000"),
    ],
)
def test_number_text(value: Any, expected: str) -> None:
    assert write_number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12", "12"),
        (12, "12"),
        (" 12 ", "12"),
        ("690.64470", "690.6447"),
        (Decimal("690.64470"), "690.6447"),
        ("12.0", "12"),
        ("007", "007"),
        ("A-1", "A-1"),
        ("1e3", "1e3"),
        ("", None),
        (None, None),
        (True, None),
        ([], None),
    ],
)
def test_group_id(value: Any, expected: str | None) -> None:
    assert parse_provider_group_id(value) == expected


@pytest.mark.parametrize(
    ("system", "value", "expected"),
    [
        ("REV", "450", "0450"),
        ("REV", 45, "0045"),
        ("REV", "0450", "0450"),
        ("REV", "45X", "45X"),
        ("MS-DRG", "1", "001"),
        ("CPT", "213", "213"),
        ("CPT", " 0001f ", "0001F"),
        ("CPT", 99213.0, "99213"),
        ("CPT", "", None),
        ("CPT", None, None),
    ],
)
def test_code(system: str, value: Any, expected: str | None) -> None:
    assert parse_code(system, value) == expected


@pytest.mark.parametrize(("value", "expected"), [("RC", "REV"), (" rc", "REV"), ("ms-drg", "MS-DRG"), ("", None)])
def test_code_type(value: Any, expected: str | None) -> None:
    assert parse_code_system(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12, 12.0),
        ("12.50", 12.5),
        (" 1e2 ", 100.0),
        (Decimal("40.5"), 40.5),
        (0, 0.0),
        (-0.0, 0.0),
        ("+5", 5.0),
        (".5", 0.5),
        (-1, None),
        ("-1", None),
        (None, None),
        ("", None),
        ("NaN", None),
        ("inf", None),
        ("1_000", None),
        ("1,000", None),
        ("$5", None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        (Decimal("1e999"), None),
        (True, None),
        ([1], None),
        ({}, None),
        ("١٢", None),
    ],
)
def test_rate(value: Any, expected: float | None) -> None:
    found = parse_rate(value)
    assert found == expected
    assert repr(found) == repr(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2025-08-01", date(2025, 8, 1)),
        ("2025-06-23T00:00:00-05:00", date(2025, 6, 23)),
        ("2/4/2026", date(2026, 2, 4)),
        ("2025/8/1", date(2025, 8, 1)),
        ("20250801", date(2025, 8, 1)),
        (20250801, date(2025, 8, 1)),
        ("02-04-2026", date(2026, 2, 4)),
        ("2025-02-30", None),
        ("13/1/2025", None),
        ("202508011", None),
        ("August", None),
        ("", None),
        (None, None),
    ],
)
def test_day(value: Any, expected: date | None) -> None:
    assert parse_date(value) == expected


def test_expiration_and_month() -> None:
    assert parse_expiration("9999-12-31") is None
    assert parse_expiration("9999-12-31T00:00:00") is None
    assert parse_expiration("12/31/2025") == "2025-12-31"
    assert parse_month("2/4/2026") == "2026-02"
    assert parse_month("2026-02") == "2026-02"
    assert parse_month("0001-01-01") is None
    assert parse_month("2026-13") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["11", "1", 2], ("01", "02", "11")),
        ("11", ("11",)),
        (11, ("11",)),
        (["11", "11"], ("11",)),
        (["n", "u", "l", "l"], ()),
        ("null", ()),
        ([None, "", " "], ()),
        (None, ()),
        ("11, 22", ("11", "22")),
        ("['11','22']", ("11", "22")),
        (["cstm-00"], ("CSTM-00",)),
        (["telehealth"], ("TELEHEALTH",)),
    ],
)
def test_places(value: Any, expected: tuple[str, ...]) -> None:
    assert parse_places(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(["tc", "26"], "26,TC"), ("TC, 26", "26,TC"), ([""], ""), ([], ""), (None, ""), (26, "26"), (["26", "26"], "26")],
)
def test_modifiers(value: Any, expected: str) -> None:
    assert parse_modifiers(value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("ein", "12-3456789", ("ein", "123456789")),
        ("EIN", 3456789, ("ein", "003456789")),
        ("npi", "1912951245", ("npi", "1912951245")),
        (None, "1912951245", ("npi", "1912951245")),
        ("tin", "123456789", ("ein", "123456789")),
        ("ein", "XX-XXX", None),
        ("ein", None, None),
    ],
)
def test_tin(kind: Any, value: Any, expected: tuple[str, str] | None) -> None:
    assert parse_tin(kind, value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1912951245, "1912951245"),
        ("1912951245", "1912951245"),
        (" 1912951245 ", "1912951245"),
        (1912951245.0, "1912951245"),
        (0, None),
        ("0", None),
        ("", None),
        (None, None),
        (912951245, False),
        ("3912951245", False),
        ("x", False),
        (True, False),
        ([1912951245], False),
        ("1٩12951245", False),
    ],
)
def test_npi(value: Any, expected: Any) -> None:
    assert parse_npi(value) == (expected or None)
    assert means_tin_only(value) == (expected is None)
