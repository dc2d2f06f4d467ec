"""A payer's medians and quartiles by month, drawn on the server as SVG, with Medicare's amount of each month.

As the other charts, it has no script and no inline style. Months are percentages of the width, so that it fits a phone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.pages.formats import write_dollars, write_month
from core.queries.comparison.compared_rates import COMPENSATION_BASIS
from core.queries.over_time.trend import TrendPoint

_TOP, _BODY, _FOOT = 24, 150, 22
"""Heights in pixels: above the highest amount, of the amounts, and of the months below."""

MAX_LABELS = 8
"""More months than this get a label only at the first and the last: labels would cover each other."""

MAX_BESIDE = 3
"""With more months than this, a phone has no room beside a bar: the labels cover the bars instead."""


_FROM_ZERO = 0.4
"""The scale begins at zero if the lowest amount is below this share of the highest."""

_STEPS = 4
"""About as many steps as the scale is divided into."""

_GUTTER = 12.0
"""Percent of the width, at the left, for the amounts of the scale."""


@dataclass(frozen=True)
class AmountScale:
    """The scale that all charts of a page have: round amounts from below the lowest amount to above the highest."""

    marks: Sequence[float]

    def share(self, amount: float) -> float:
        """Return where an amount is, from 0 at the lowest mark to 1 at the highest."""
        return (amount - self.marks[0]) / (self.marks[-1] - self.marks[0])


def choose_scale(points: Sequence[TrendPoint]) -> AmountScale:
    """Return the scale of the points. It begins near the lowest amount, so that a change of a few percent is seen."""
    amounts = [amount for one in points for amount in (one.p25, one.p75, one.medicare) if amount is not None]
    low, high = min(amounts), max(amounts)
    if low <= _FROM_ZERO * high:
        low = min(low, 0.0)
    step = _round_step((high - low or abs(high) / 5 or 1.0) / _STEPS)
    first, last = math.floor(low / step), math.ceil(high / step)
    if first == last:
        last += 1
    return AmountScale([number * step for number in range(first, last + 1)])


def _round_step(step: float) -> float:
    """Return the next larger of 1, 2, 5, 10, 20, and so on, or of their tenths and hundredths."""
    size = 10.0 ** math.floor(math.log10(step))
    return next(round_step * size for round_step in (1, 2, 5, 10) if round_step * size >= step)


def draw_trend(points: Sequence[TrendPoint], months: Sequence[str], scale: AmountScale, key: int) -> SafeString:
    """Return one payer's chart. All charts of a page have the same `months` and the same scale."""
    of_month = {point.year_month: point for point in points}
    shown = [(number, of_month[month]) for number, month in enumerate(months) if month in of_month]
    width = (100 - _GUTTER) / len(months)

    def left(number: int) -> str:
        return f"{_GUTTER + width * number:.2f}"

    def middle(number: int) -> str:
        return f"{_GUTTER + width * (number + 0.5):.2f}%"

    def height(amount: float) -> str:
        return f"{_TOP + _BODY * (1 - scale.share(amount)):.1f}"

    def is_labeled(number: int) -> bool:
        return len(months) <= MAX_LABELS or number in {shown[0][0], shown[-1][0]}

    whole = all(mark == round(mark) for mark in scale.marks)
    amounts = format_html_join(
        "",
        '<line class="mark" x1="{}%" x2="100%" y1="{}" y2="{}"/><text class="mark start" x="0" y="{}">{}</text>',
        (
            (_GUTTER, height(one), height(one), f"{float(height(one)) + 4:.1f}",
             f"${one:,.0f}" if whole else write_dollars(one))
            for one in scale.marks
        ),
    )  # fmt: skip
    medicare = format_html_join(
        "",
        '<line class="even" x1="{}%" x2="{}%" y1="{}" y2="{}"/>',
        (
            (left(n), left(n + 1), height(one.medicare), height(one.medicare))
            for n, one in shown
            if one.medicare is not None
        ),
    )
    halves = format_html_join(
        "",
        '<rect class="half" x="{}" width="14" transform="translate(-7 0)" y="{}" height="{}"/>',
        (
            (middle(n), height(one.p75), f"{max(float(height(one.p25)) - float(height(one.p75)), 1.0):.1f}")
            for n, one in shown
        ),
    )
    lines = format_html_join(
        "",
        '<line class="range loose" x1="{}" x2="{}" y1="{}" y2="{}"/>',
        (
            (middle(n), middle(after), height(one.p50), height(other.p50))
            for (n, one), (after, other) in pairwise(shown)
        ),
    )
    medians = format_html_join(
        "",
        '<rect class="median" x="{}" width="22" transform="translate(-11 -1)" y="{}" height="2"/>',
        ((middle(n), height(one.p50)) for n, one in shown),
    )

    # The label stands at the mark of the median: above the bar it would read as the bar's upper end.
    def side(number: int) -> str:
        if len(months) > MAX_BESIDE:
            return "over"
        # The edge of a phone would cut the label behind the last of three bars.
        return "ahead" if number + 1 == len(months) == MAX_BESIDE else "beside"

    def above(number: int) -> int:
        # The labels of the last two of three bars share a gap: that of the lower amount stands below its mark.
        last = shown[-2:]
        if len(months) != MAX_BESIDE or [at for at, _ in last] != [MAX_BESIDE - 2, MAX_BESIDE - 1]:
            return 5
        lower, _ = min(last, key=lambda one: (one[1].p50, -one[0]))
        return -14 if number == lower else 5

    labels = format_html_join(
        "",
        '<text class="mark {}" x="{}" y="{}">{}</text><text class="mark" x="{}" y="{}">{}</text>',
        (
            (side(n), middle(n), f"{float(height(one.p50)) - above(n):.1f}", write_dollars(one.p50),
             middle(n), _TOP + _BODY + 16, _short(one.year_month))
            for n, one in shown
            if is_labeled(n)
        ),
    )  # fmt: skip
    return format_html(
        '<svg class="chart" role="img" width="100%" height="{}" aria-labelledby="trend-title-{} trend-words-{}">'
        '<title id="trend-title-{}">{}</title><desc id="trend-words-{}">{}</desc>{}{}{}{}{}{}</svg>',
        _TOP + _BODY + _FOOT, key, key, key, f"{points[0].reporting_entity_name}: median by month", key,
        " ".join(_words(point) for point in points), amounts, medicare, halves, lines, medians, labels,
    )  # fmt: skip


def _short(month: str) -> str:
    name, year = write_month(month).split()
    return f"{name[:3]} {year}"


def _words(point: TrendPoint) -> str:
    medicare = "" if point.medicare is None else f", {_yardstick(point)} {write_dollars(point.medicare)}"
    return (
        f"{write_month(point.year_month)}: median {write_dollars(point.p50)}, middle half "
        f"{write_dollars(point.p25)} to {write_dollars(point.p75)}{medicare}."
    )


def _yardstick(point: TrendPoint) -> str:
    return COMPENSATION_BASIS if (point.basis or "").startswith(COMPENSATION_BASIS) else "Medicare"
