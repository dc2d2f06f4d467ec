"""Codes of what comes with another service."""

import pytest

from core.fields.codes.accompanying_code import is_accompanying


@pytest.mark.parametrize(
    ("code_type", "code", "expected"),
    [
        ("CPT", "00100", True), ("CPT", "01999", True), ("CPT", "88305", True), ("CPT", "76942", True),
        ("HCPCS", "77002", True), ("HCPCS", "Q9967", True), ("CPT", "77067", False), ("CPT", "80053", False),
        ("CPT", "99213", False), ("HCPCS", "J3301", False), ("REV", "00100", False),
    ],
)  # fmt: skip
def test_what_comes_with_another_service(code_type: str, code: str, *, expected: bool) -> None:
    assert is_accompanying(code_type, code) is expected
