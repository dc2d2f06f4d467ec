"""The chart of a trend: its labels stand at the medians."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pages.charts.trend_chart import MAX_BESIDE, choose_scale, draw_trend
from core.queries.over_time.trend import TrendPoint


@pytest.mark.parametrize("months", [1, 2, MAX_BESIDE, MAX_BESIDE + 1, 8])
def test_a_label_stands_at_the_mark_of_its_median(months: int) -> None:
    names = [f"2025-{number + 1:02}" for number in range(months)]
    points = [
        TrendPoint(name, "A", "a", None, "", 9, 1, 50, 60, 100 + n, 400, 410, 500, None, None, None)
        for n, name in enumerate(names)
    ]
    drawn = draw_trend(points, names, choose_scale(points), 0)
    marks = re.findall(r'<rect class="median" x="([^"]*)" [^>]*y="([^"]*)"', drawn)
    labels = re.findall(r'<text class="mark (over|beside|ahead)" x="([^"]*)" y="([^"]*)">(.*?)</text>', drawn)
    assert len(marks) == months
    assert [x for _, x, _, _ in labels] == [x for x, _ in marks]
    # The last two of three labels share a gap: that of the lower amount stands below its mark.
    offsets = [-5, 14, -5] if months == MAX_BESIDE else [-5] * months
    assert [float(y) for _, _, y, _ in labels] == pytest.approx(
        [float(y) + by for by, (_, y) in zip(offsets, marks, strict=True)]
    )
    assert [text for _, _, _, text in labels] == [f"${100 + n}.00" for n in range(months)]
    # A phone has no room behind the last of three bars.
    assert [side for side, _, _, _ in labels] == {
        1: ["beside"],
        2: ["beside"] * 2,
        3: ["beside", "beside", "ahead"],
    }.get(months, ["over"] * months)
    # The median is near the lower end of the bar.
    bottom = [float(y) + float(high) for y, high in re.findall(r'class="half".*?y="([^"]*)" height="([^"]*)"', drawn)]
    assert all(0 < low - float(y) < 25 for low, (_, y) in zip(bottom, marks, strict=True))


def point(month: str, p25: float, p50: float, p75: float, medicare: float | None = None) -> TrendPoint:
    return TrendPoint(month, "A", "a", None, "", 9, 1, p25 * 0.9, p25, p50, p75, p75 * 1.1, p75, None, medicare, None)


def test_the_scale_begins_near_the_data_and_says_where() -> None:
    points = [point("2025-01", 119.47, 157.87, 163.52, 88.64), point("2025-06", 118.25, 144.35, 163.36, 88.64)]
    assert choose_scale(points).marks == [80, 100, 120, 140, 160, 180]
    labels = re.findall(
        r'<text class="mark start"[^>]*>([^<]*)', draw_trend(points, ["2025-01", "2025-06"], choose_scale(points), 0)
    )
    assert labels == ["$80", "$100", "$120", "$140", "$160", "$180"]
    # Amounts of very different sizes begin at zero, and amounts of cents have marks of cents.
    assert choose_scale([point("2025-01", 20, 60, 163)]).marks == [0, 50, 100, 150, 200]
    assert choose_scale([point("2025-01", 0.43, 0.43, 0.43)]).marks == pytest.approx([0.4, 0.45])


@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=3).map(sorted), st.none() | st.floats(0, 1e6))
def test_every_amount_is_on_the_scale(amounts: list[float], medicare: float | None) -> None:
    scale = choose_scale([point("2025-01", amounts[0], amounts[1], amounts[2], medicare)])
    assert 2 <= len(scale.marks) <= 8
    shares = [scale.share(one) for one in (*amounts, *([] if medicare is None else [medicare]))]
    assert all(-1e-9 <= share <= 1 + 1e-9 for share in shares)
