"""Payers' keys. That SQL and Polars make the same ones is tested with the store's ids."""

import re

import pytest

from core.fields.providers.payer_slug import SLUG_PATTERN, make_payer_slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Example Health Plan", "example_health_plan"),
        ("  Blue Cross & Blue-Shield of GA, Inc. ", "blue_cross_blue_shield_of_ga_inc"),
        ("UPMC_Health__Plan", "upmc_health_plan"),
        ("_Plan_", "plan"),
        ("Plan 123", "plan_123"),
        ("Salud Española", "salud_espa_ola"),
        ("az09", "az09"),
        ("{plan}`9:/", "plan_9"),
        ("…", ""),
        ("", ""),
    ],
)
def test_the_key_of_a_payer(name: str, expected: str) -> None:
    assert make_payer_slug(name) == expected


def test_the_pattern_of_a_key() -> None:
    for name in ("example_health_plan", "a", "9", "_"):
        assert re.fullmatch(SLUG_PATTERN, name)
    for name in ("", "Example", "a-b", "a b", "ä"):
        assert not re.fullmatch(SLUG_PATTERN, name)
