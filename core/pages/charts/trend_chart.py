"""A payer's medians and quartiles by month, drawn on the server as SVG, with Medicare's amount of each month.

As the other charts, it has no script and no inline style. Months are percentages of the width, so that it fits a phone.
"""

from collections.abc import Sequence
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


def draw_trend(points: Sequence[TrendPoint], months: Sequence[str], highest: float, key: int) -> SafeString:
    """Return one payer's chart. All charts of a page have the same `months` and the same scale, from 0 to `highest`."""
    of_month = {point.year_month: point for point in points}
    shown = [(number, of_month[month]) for number, month in enumerate(months) if month in of_month]
    width = 100 / len(months)

    def middle(number: int) -> str:
        return f"{width * (number + 0.5):.2f}%"

    def height(amount: float) -> str:
        return f"{_TOP + _BODY * (1 - amount / highest if highest else 1):.1f}"

    def is_labeled(number: int) -> bool:
        return len(months) <= MAX_LABELS or number in {shown[0][0], shown[-1][0]}

    medicare = format_html_join(
        "",
        '<line class="even" x1="{}%" x2="{}%" y1="{}" y2="{}"/>',
        (
            (f"{width * n:.2f}", f"{width * (n + 1):.2f}", height(one.medicare), height(one.medicare))
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
        '<line class="range" x1="{}" x2="{}" y1="{}" y2="{}"/>',
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
    where = "beside" if len(months) <= MAX_BESIDE else "over"
    labels = format_html_join(
        "",
        '<text class="mark {}" x="{}" y="{}">{}</text><text class="mark" x="{}" y="{}">{}</text>',
        (
            (where, middle(n), f"{float(height(one.p50)) - 5:.1f}", write_dollars(one.p50),
             middle(n), _TOP + _BODY + 16, _short(one.year_month))
            for n, one in shown
            if is_labeled(n)
        ),
    )  # fmt: skip
    return format_html(
        '<svg class="chart" role="img" width="100%" height="{}" aria-labelledby="trend-title-{} trend-words-{}">'
        '<title id="trend-title-{}">{}</title><desc id="trend-words-{}">{}</desc>{}{}{}{}{}</svg>',
        _TOP + _BODY + _FOOT, key, key, key, f"{points[0].reporting_entity_name}: median by month", key,
        " ".join(_words(point) for point in points), medicare, halves, lines, medians, labels,
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
