"""Each field rule has one copy, in core/fields; everything else imports it."""

import re
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "core"

COPIES = {
    "a month": r"1\[0-2\]",
    "an NPI": r"\[12\](\\d|\[0-9\])\{9\}",
    "a tax ID": r"(\\d|\[0-9\])\{9,10\}",
    "the width of a padded code": r"zfill\([34]\)|lpad\([^()]*, [34],",
}
"""What a copy of a rule looks like: a regular expression for the regular expression."""

ELSEWHERE = {
    # APC numbers of Medicare's addenda and the census's numbers of counties are not billing codes.
    "the width of a padded code": {"reference/medicare/addenda.py", "reference/places/place_files.py"},
}


@pytest.mark.parametrize("rule", COPIES)
def test_a_rule_has_one_copy(rule: str) -> None:
    found = {
        str(path.relative_to(CORE))
        for path in CORE.rglob("*.py")
        if CORE / "fields" not in path.parents and re.search(COPIES[rule], path.read_text())
    }
    assert found - ELSEWHERE.get(rule, set()) == set()


@pytest.mark.parametrize("rule", COPIES)
def test_a_copy_would_be_noticed(rule: str) -> None:
    assert any(re.search(COPIES[rule], path.read_text()) for path in CORE.rglob("*.py")), rule
