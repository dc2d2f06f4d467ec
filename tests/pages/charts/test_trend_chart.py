"""The chart of a trend: its labels stand at the medians."""

import re

import pytest

from core.pages.charts.trend_chart import MAX_BESIDE, draw_trend
from core.queries.over_time.trend import TrendPoint


@pytest.mark.parametrize("months", [1, 2, MAX_BESIDE, MAX_BESIDE + 1, 8])
def test_a_label_stands_at_the_mark_of_its_median(months: int) -> None:
    names = [f"2025-{number + 1:02}" for number in range(months)]
    points = [
        TrendPoint(name, "A", "a", None, "", 9, 1, 50, 60, 100 + n, 400, 410, 500, None, None, None)
        for n, name in enumerate(names)
    ]
    drawn = draw_trend(points, names, 400, 0)
    marks = re.findall(r'<rect class="median" x="([^"]*)" [^>]*y="([^"]*)"', drawn)
    labels = re.findall(r'<text class="mark (?:over|beside)" x="([^"]*)" y="([^"]*)">(.*?)</text>', drawn)
    assert len(marks) == months
    assert [x for x, _, _ in labels] == [x for x, _ in marks]
    assert [float(y) for _, y, _ in labels] == pytest.approx([float(y) - 5 for _, y in marks])
    assert [text for _, _, text in labels] == [f"${100 + n}.00" for n in range(months)]
    # The median is near the lower end of the bar.
    bottom = [float(y) + float(high) for y, high in re.findall(r'class="half".*?y="([^"]*)" height="([^"]*)"', drawn)]
    assert all(0 < low - float(y) < 25 for low, (_, y) in zip(bottom, marks, strict=True))
