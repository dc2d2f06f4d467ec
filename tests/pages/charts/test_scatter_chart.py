"""Rates against amounts: both axes say what they are in dollars."""

import re

from core.pages.charts.scatter_chart import ScatterPoint, draw_scatter


def test_both_axes_have_the_same_labels() -> None:
    svg = draw_scatter([ScatterPoint(3.0, 4.0, True), ScatterPoint(2500.0, 3100.0, False)], [1.2], "words")
    across = re.findall(r'<text class="mark" [^>]*>([^<]*)', svg)
    up = re.findall(r'<text class="mark start" [^>]*>([^<]*)', svg)
    assert across == up == ["$10", "$100", "$1,000"]
