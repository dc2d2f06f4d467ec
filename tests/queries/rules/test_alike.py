"""What is called the most differs from the least by something worth naming."""

import pytest

from core.queries.rules.alike import are_alike


@pytest.mark.parametrize(
    ("figures", "alike"),
    [([], False), ([1.0], False), ([100.0, 105.0], True), ([100.0, 105.1], False), ([1.0, 1.04, 1.2], False),
     ([0.0, 1.0], False)],
)  # fmt: skip
def test_figures_within_five_percent_are_alike(figures: list[float], alike: bool) -> None:
    assert are_alike(figures) == alike
