"""Which payer a clinic's line is of."""

import pytest

from core.fields.codes.clinic_lines import ClinicLine
from core.fields.codes.code_list import WantedCode
from core.queries.baskets.line_payers import find_payers

PAYERS = {"evry_health": "Evry Health", "peach_health_plan": "Peach Health Plan", "peach": "Peach"}


@pytest.mark.parametrize(
    ("written", "slug"),
    [
        ("", ""),
        ("evry_health", "evry_health"),
        ("EVRY Health", "evry_health"),
        ("Evry", "evry_health"),
        ("Peach", "peach"),
        ("plan", "peach_health_plan"),
        ("Health", None),
        ("Acme", None),
        ("!", None),
    ],
)
def test_a_payer_is_found_by_words_of_its_name_that_no_other_has(written: str, slug: str | None) -> None:
    line = ClinicLine(3, WantedCode(None, "99213"), payer=written)
    good, bad = find_payers([line], PAYERS)
    assert good == ([] if slug is None else [(line, slug)])
    assert [one.row for one in bad] == ([3] if slug is None else [])
    assert all("Evry Health, Peach, Peach Health Plan" in one.reason for one in bad)
