"""The reasons why a rate has no percent of Medicare, and the document that explains them."""

from core.queries.comparison.reasons import MOST_HELPFUL_FIRST, REASONS
from tests.paths import ROOT


def test_the_method_lists_every_reason_with_what_is_needed() -> None:
    method = (ROOT / "docs" / "percent-of-medicare.md").read_text(encoding="utf-8")
    for reason in REASONS.values():
        assert f"| {reason.name} | {reason.meaning} | {reason.needed} |" in method


def test_what_is_ranked_is_a_reason() -> None:
    assert set(MOST_HELPFUL_FIRST) <= set(REASONS)
