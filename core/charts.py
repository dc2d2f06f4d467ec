"""Figures drawn on the server, as SVG: no script and no style of their own, so that they pass a strict policy.

Positions are shares of the width, so that a figure fits a phone as it is and its text stays readable; colors come from
the site's style sheet by class. Each figure has a title and its figures in words for those who do not see it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_ROW, _AXIS = 46, 26
"""Heights in pixels: of a row, its name above its bar, and of the axis."""

_MARKS = (0.01, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 100)


@dataclass(frozen=True)
class Bar:
    """One row: a name and the 10th, 25th, 50th, 75th and 90th percentile, as shares of Medicare (1 is 100 %)."""

    name: str
    percentiles: tuple[float, float, float, float, float]


def spreads(bars: Sequence[Bar]) -> SafeString:
    """A row per bar: a thin line from p10 to p90, a thick one from p25 to p75, a mark at the median; a line at 100 %.

    The scale is logarithmic: half of Medicare is as far from it as twice. Empty where there are no bars.
    """
    if not bars:
        return SafeString("")
    scale = _Scale([value for bar in bars for value in bar.percentiles])
    height = _AXIS + _ROW * len(bars)
    return format_html(
        '<svg class="chart" role="img" width="100%" height="{}" aria-labelledby="spread-title spread-words">'
        '<title id="spread-title">Percent of Medicare by payer</title><desc id="spread-words">{}</desc>'
        "{}{}</svg>",
        height,
        " ".join(_words(bar) for bar in bars),
        format_html_join("", "{}", ((scale.mark(mark, height),) for mark in scale.marks)),
        format_html_join("", "{}", ((_bar(scale, bar, _AXIS + n * _ROW),) for n, bar in enumerate(bars))),
    )


class _Scale:
    """From a share of Medicare to a share of the width."""

    def __init__(self, values: Sequence[float]) -> None:
        # Zero has no logarithm; whatever is nearer to it than 0.1 % stands at the edge.
        low, high = max(min(values), 0.001), max(*values, 0.001)
        self._low = math.log(min(low, 0.8) / 1.15)
        self._high = math.log(max(high, 1.25) * 1.15)
        self.marks = [mark for mark in _MARKS if self._low < math.log(mark) < self._high]
        # Too many marks would run into each other on a phone: 100 % and every other one then.
        while len(self.marks) > 6:
            at = self.marks.index(1)
            self.marks = [mark for n, mark in enumerate(self.marks) if (n - at) % 2 == 0]

    def at(self, value: float) -> str:
        """Where a value stands, as a percentage of the width."""
        place = (math.log(max(value, 0.001)) - self._low) / (self._high - self._low)
        return f"{100 * min(max(place, 0.0), 1.0):.2f}%"

    def mark(self, value: float, height: int) -> SafeString:
        """A line of the axis with its figure."""
        kind, at = "even" if value == 1 else "mark", self.at(value)
        return format_html(
            '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="{}" x="{}" y="14">{} %</text>',
            kind, at, at, _AXIS - 8, height, kind, at, f"{100 * value:,.0f}",
        )  # fmt: skip


def _bar(scale: _Scale, bar: Bar, top: int) -> SafeString:
    p10, p25, p50, p75, p90 = bar.percentiles
    low, high = float(scale.at(p25)[:-1]), float(scale.at(p75)[:-1])
    middle = top + 29
    return format_html(
        '<text class="name" x="0" y="{}">{}</text>'
        '<line class="range" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<rect class="half" x="{}%" width="{}%" y="{}" height="14"/>'
        '<line class="median" x1="{}" x2="{}" y1="{}" y2="{}"/>',
        top + 14, bar.name,
        scale.at(p10), scale.at(p90), middle, middle,
        f"{low:.2f}", f"{max(high - low, 0.3):.2f}", middle - 7,
        scale.at(p50), scale.at(p50), middle - 10, middle + 10,
    )  # fmt: skip


def _words(bar: Bar) -> str:
    p10, p25, p50, p75, p90 = (f"{100 * value:,.0f} %" for value in bar.percentiles)
    return f"{bar.name}: median {p50}, half of the rates from {p25} to {p75}, four fifths from {p10} to {p90}."
