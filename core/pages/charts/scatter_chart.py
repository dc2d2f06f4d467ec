"""Rates against Medicare's amounts, drawn on the server as SVG; see spread_chart for the rules of charts."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_HEIGHT, _BOTTOM, _TOP = 340, 24, 20
"""Heights in pixels: of the points, of the axis below them, and of its name above them."""

_COLUMNS, _ROWS = 160, 110
"""Points are drawn once for each cell of this grid: 12,000 of them would be a megabyte, and hide each other."""

_MARKS = [10.0**n for n in range(-2, 7)]


@dataclass(frozen=True)
class ScatterPoint:
    """A price: Medicare's amount, the rate, and whether the rule explains it."""

    amount: float
    rate: float
    explained: bool


def draw_scatter(points: Sequence[ScatterPoint], multiples: Sequence[float], words: str) -> SafeString:
    """Return a point for each price, with a line at each multiple; both scales are logarithmic.

    `words` says the same to those who do not see it. Return empty text if there are no points.
    """
    shown = [one for one in points if one.amount > 0 and one.rate > 0]
    if not shown:
        return SafeString("")
    low = min(min(one.amount, one.rate) for one in shown) / 1.2
    high = max(max(one.amount, one.rate) for one in shown) * 1.2
    across, up = _scale(low, high, 100.0), _scale(low, high, float(_HEIGHT))

    def x(value: float) -> str:
        return f"{across(value):.1f}%"

    def y(value: float) -> str:
        return f"{_TOP + _HEIGHT - up(value):.0f}"

    marks = [value for value in _MARKS if low < value < high]
    base = _TOP + _HEIGHT
    return format_html(
        '<svg class="chart" role="img" width="100%" height="{}" aria-labelledby="scatter-title scatter-words">'
        '<title id="scatter-title">Rate against the Medicare amount</title><desc id="scatter-words">{}</desc>'
        '{}<text class="start" x="0" y="12">Rate ↑</text>'
        '<text class="end" x="100%" y="12">Medicare →</text>{}{}{}{}</svg>',
        base + _BOTTOM,
        words,
        format_html_join(
            "",
            '<line class="mark" x1="{}" x2="{}" y1="{}" y2="{}"/>'
            '<line class="mark" x1="0%" x2="100%" y1="{}" y2="{}"/>',
            ((x(one), x(one), _TOP, base, y(one), y(one)) for one in marks),
        ),
        format_html_join(
            "",
            '<text class="mark" x="{}" y="{}">{}</text>',
            ((f"{min(max(across(one), 6), 92):.1f}%", base + 17, _write(one)) for one in marks),
        ),
        # Beside the line, above it: the points of the lowest amounts are near the edge.
        format_html_join(
            "",
            '<text class="mark start" x="0" y="{}">{}</text>',
            ((int(y(one)) - 4, _write(one)) for one in marks if int(y(one)) > _TOP + 12),
        ),
        format_html_join(
            "",
            '<line class="rule" x1="{}" x2="{}" y1="{}" y2="{}"/>',
            ((x(max(low, low / one)), x(min(high, high / one)), y(max(low, low * one)), y(min(high, high * one)))
             for one in dict.fromkeys(round(one, 3) for one in multiples)),
        ),
        format_html_join(
            "", '<circle class="{}" cx="{}" cy="{}" r="{}"/>',
            (("dot" if one.explained else "dot off", x(one.amount), y(one.rate), 2 if one.explained else 3)
             for one in _thin_out(shown, across, up)),
        ),
    )  # fmt: skip


def _write(dollars: float) -> str:
    return f"${dollars:,.2f}" if dollars < 1 else f"${dollars:,.0f}"


def _thin_out(
    points: Sequence[ScatterPoint], across: Callable[[float], float], up: Callable[[float], float]
) -> list[ScatterPoint]:
    """Return one point of each cell of the grid, exceptions first: they are away from the line."""
    cells = {
        (one.explained, round(across(one.amount) / 100 * _COLUMNS), round(up(one.rate) / _HEIGHT * _ROWS)): one
        for one in points
    }
    return sorted(cells.values(), key=lambda one: (one.explained, one.amount, one.rate))


def _scale(low: float, high: float, length: float) -> Callable[[float], float]:
    """Return a function from a value to its place on a logarithmic scale of that length."""
    start, span = math.log(low), math.log(high) - math.log(low)
    return lambda value: length * (math.log(value) - start) / span
