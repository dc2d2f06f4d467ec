"""Percentiles as bars, drawn on the server as SVG.

Charts have no script and no inline style, which the site's content security policy forbids. Positions are percentages
of the width, so that a chart fits a phone and its text stays readable; colors come from the style sheet by class. Each
chart has a title and its numbers in words for screen readers.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.pages.charts.amount_lines import amounts_to_draw, describe_amounts, draw_amount_lines, label_height
from core.pages.formats import write_dollars
from core.queries.yardstick.medicare_amounts import AmountLine

_ROW, _AXIS = 46, 26
"""Heights in pixels: of a row, with its name above its bar, and of the axis."""

_MIN_DISTANCE = 0.17
"""Between two marks of the axis, as a share of the width: their labels overlap if they are closer."""

_FROM_LINE = 0.09
"""Between a mark of the axis and the line of an amount, which would cross the mark's label on a phone."""

_MARGIN = 0.04
"""No mark is closer to an edge than this share of the width: its label would be cut off."""

_NEAR_EDGE = 0.1
"""The label of a mark that is closer to an edge begins or ends at the mark."""

_NARROWEST_BOX = 0.6
"""Percent of the width: narrower, the middle half is hidden by the mark of the median."""

_NEAR_ZERO = 0.001
"""Zero has no logarithm. Whatever is closer to zero than this is drawn at the edge."""


@dataclass(frozen=True)
class Measure:
    """The unit of a chart: how a value is written, the value with a line of its own, and tick values, best first."""

    write: Callable[[float], str]
    even: float | None
    marks: Sequence[float]


_LEAST_SPAN = 1.25
"""The scale spans at least this factor. Otherwise 99% and 101% would be its two ends."""

_BEYOND = 0.07
"""The scale goes on beyond the values at each end, by this share of their span."""

PERCENT_OF_MEDICARE = Measure(
    lambda value: f"{100 * value:,.0f}%",
    1,
    (0.5, 2, 0.1, 10, 0.25, 0.75, 1.5, 5, 3, 30, 0.01, 100, 1.25, 0.9, 1.2, 1.1, 0.8, 4, 0.6, 1.75, 1.3, 0.95, 1.05),
)


def dollars(even: float | None) -> Measure:
    """Return dollars, with a line at a median to compare with, if there is one."""
    marks = [
        step * 10.0**n
        for steps in ((1,), (2, 5), (1.5, 3, 7), (1.2, 2.5, 4, 6), (1.1, 1.3, 1.4, 1.6, 1.8, 2.2, 3.5, 4.5, 8, 9))
        for step in steps
        for n in range(-2, 8)
    ]
    return Measure(lambda value: f"${value:,.0f}" if value >= 1000 else write_dollars(value), even or None, marks)


@dataclass(frozen=True)
class Bar:
    """One row: a name and the 10th, 25th, 50th, 75th, and 90th percentiles.

    A few `values` are drawn themselves instead: two or three have no percentiles. The mark is at the one in the middle.
    """

    name: str
    percentiles: tuple[float, float, float, float, float]
    values: tuple[float, ...] = ()

    @property
    def drawn(self) -> tuple[float, ...]:
        """What is drawn of it."""
        return (*self.values, self.percentiles[2]) if self.values else self.percentiles


def draw_spreads(
    bars: Sequence[Bar],
    measure: Measure = PERCENT_OF_MEDICARE,
    title: str = "Percent of Medicare by payer",
    key: int = 1,
    amounts: Sequence[AmountLine] = (),
) -> SafeString:
    """Return a row per bar: a thin line from p10 to p90, a thick one from p25 to p75, a mark at the median.

    A bar of a few values has a dot for each instead of the lines.

    The scale is logarithmic: half is as far from `even` as twice. `key` distinguishes the charts of one page. `amounts`
    are drawn as lines through all rows. Return empty text if there are no bars.
    """
    if not bars:
        return SafeString("")
    top = label_height(amounts) if amounts else 0
    lines = [amount.amount for amount in amounts_to_draw(amounts)]
    scale = _Scale(measure, [*lines, *(value for bar in bars for value in bar.drawn)], lines)
    axis, height = top + _AXIS, top + _AXIS + _ROW * len(bars)
    return format_html(
        '<svg class="chart" role="img" width="100%" height="{}" aria-labelledby="spread-title-{} spread-words-{}">'
        '<title id="spread-title-{}">{}</title><desc id="spread-words-{}">{}</desc>'
        "{}{}{}</svg>",
        height, key, key, key, title, key,
        " ".join([*(_words(measure, bar) for bar in bars), describe_amounts(amounts)]).strip(),
        draw_amount_lines(amounts, scale.share, height) if amounts else "",
        format_html_join("", "{}", ((scale.mark(mark, axis, height),) for mark in scale.marks)),
        format_html_join("", "{}", ((_bar(scale, bar, axis + n * _ROW),) for n, bar in enumerate(bars))),
    )  # fmt: skip


class _Scale:
    """Map a value to a position."""

    def __init__(self, measure: Measure, values: Sequence[float], lines: Sequence[float]) -> None:
        self._measure = measure
        drawn = [*values, measure.even] if measure.even else values
        low, high = (math.log(max(value, _NEAR_ZERO)) for value in (min(drawn), max(drawn)))
        beyond = max(_BEYOND * (high - low), (math.log(_LEAST_SPAN) - (high - low)) / 2)
        self._low, self._high = low - beyond, high + beyond
        self.marks = [] if measure.even is None else [measure.even]
        for mark in measure.marks:
            share = self._share(mark)
            apart = all(abs(share - self._share(one)) >= self._needed(share, self._share(one)) for one in self.marks)
            apart = apart and all(abs(share - self._share(one)) >= _FROM_LINE for one in lines)
            if _MARGIN <= share <= 1 - _MARGIN and apart:
                self.marks.append(mark)

    def _needed(self, *shares: float) -> float:
        """Return how far apart two marks must be: a label that begins or ends at its mark is all on one side of it."""
        is_at_edge = any(share < _NEAR_EDGE or share > 1 - _NEAR_EDGE for share in shares)
        return _MIN_DISTANCE * (1.5 if is_at_edge else 1)

    def at(self, value: float) -> str:
        """Return the position of a value, as a percentage of the width."""
        return f"{self.share(value):.2f}%"

    def share(self, value: float) -> float:
        """Return the position of a value, from 0 to 100."""
        return 100 * min(max(self._share(value), 0.0), 1.0)

    def _share(self, value: float) -> float:
        return (math.log(max(value, _NEAR_ZERO)) - self._low) / (self._high - self._low)

    def mark(self, value: float, axis: int, height: int) -> SafeString:
        """Return a line of the axis with its label. The axis ends at `axis`."""
        kind, at = "even" if value == self._measure.even else "mark", self.at(value)
        # On a phone, a label in the middle of a mark near an edge would be cut off.
        share = self._share(value)
        anchor = " start" if share < _NEAR_EDGE else " end" if share > 1 - _NEAR_EDGE else ""
        return format_html(
            '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="{}{}" x="{}" y="{}">{}</text>',
            kind, at, at, axis - 8, height, kind, anchor, at, axis - 12, self._measure.write(value),
        )  # fmt: skip


def _bar(scale: _Scale, bar: Bar, top: int) -> SafeString:
    middle, at = top + 29, scale.at(bar.percentiles[2])
    # Lines of the axis and of amounts do not cross a name: a strip of the page's color is below it.
    return format_html(
        '<rect class="behind" x="0" width="100%" y="{}" height="18"/><text class="name" x="0" y="{}">{}</text>'
        '{}<line class="median" x1="{}" x2="{}" y1="{}" y2="{}"/>',
        top + 1, top + 14, bar.name,
        _draw_dots(scale, bar, middle) if bar.values else _draw_range(scale, bar, middle),
        at, at, middle - 10, middle + 10,
    )  # fmt: skip


def _draw_dots(scale: _Scale, bar: Bar, middle: int) -> SafeString:
    return format_html_join(
        "", '<circle class="dot" cx="{}" cy="{}" r="5"/>', ((scale.at(value), middle) for value in bar.values)
    )


def _draw_range(scale: _Scale, bar: Bar, middle: int) -> SafeString:
    p10, p25, _, p75, p90 = bar.percentiles
    low, high = float(scale.at(p25)[:-1]), float(scale.at(p75)[:-1])
    # A box too narrow to see beside the mark of the median would be a sliver of another color.
    half = ""
    if high - low >= _NARROWEST_BOX:
        half = format_html(
            '<rect class="half" x="{}%" width="{}%" y="{}" height="14"/>', f"{low:.2f}", f"{high - low:.2f}", middle - 7
        )
    return format_html(
        '<line class="range" x1="{}" x2="{}" y1="{}" y2="{}"/>{}', scale.at(p10), scale.at(p90), middle, middle, half
    )


def _words(measure: Measure, bar: Bar) -> str:
    if bar.values:
        price, *others = map(measure.write, (bar.percentiles[2], *bar.values))
        return f"{bar.name}: price {price}" + (f", one of {', '.join(others)}." if len(others) > 1 else ".")
    p10, p25, p50, p75, p90 = map(measure.write, bar.percentiles)
    return f"{bar.name}: median {p50}, middle half {p25} to {p75}, 10th to 90th percentile {p10} to {p90}."
