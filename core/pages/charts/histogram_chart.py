"""A histogram, drawn on the server as SVG; see spread_chart for the rules of charts."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.pages.charts.amount_lines import amounts_to_draw, describe_amounts, draw_amount_lines, label_height
from core.queries.histogram import Histogram
from core.queries.yardstick.medicare_amounts import AmountLine

_HEIGHT, _BOTTOM = 150, 24
"""Heights in pixels: of the bars, and of the axis."""

_COUNT = 14
"""Height in pixels of the count above the tallest bar: it says how many rates a bar's height stands for."""

_NEAR_EDGE = 6
"""Percent of the width."""


def draw_histogram(found: Histogram, amounts: Sequence[AmountLine], median: float | None = None) -> SafeString:
    """Return a bar per bin, with lines at Medicare's amounts and at the median; empty text if there are no bins.

    `median` is that of the rates if they may have one: rates of one class and modifier.
    """
    if not found.bins:
        return SafeString("")
    lines = amounts_to_draw(amounts)
    low, high = found.bins[0].low, found.bins[-1].high
    low, high = min([low, *(line.amount for line in lines)]), max([high, *(line.amount for line in lines)])
    margin = (high - low) * 0.02 or 1.0
    scale = _HistogramScale(max(low - margin, 0.0), high + margin)
    most = max(one.rates for one in found.bins)
    beyond = _beyond(found, label_height(amounts) + _COUNT - 4)
    top = label_height(amounts) + (2 if beyond else 1) * _COUNT
    base = top + _HEIGHT
    tallest = max(found.bins, key=lambda one: one.rates)
    bars = format_html_join(
        "",
        '<rect class="bin" x="{}%" width="{}%" y="{}" height="{}"><title>{} to {}: {}</title></rect>',
        (
            (
                f"{scale.at(one.low):.2f}",
                f"{max(scale.at(one.high) - scale.at(one.low) - 0.15, 0.5):.2f}",
                f"{base - _HEIGHT * one.rates / most:.1f}",
                f"{_HEIGHT * one.rates / most:.1f}",
                _dollars(one.low),
                _dollars(one.high),
                f"{one.rates:,} rate{'' if one.rates == 1 else 's'}",
            )
            for one in found.bins
            if one.rates
        ),
    )
    return format_html(
        '<svg class="chart" role="img" width="100%" height="{}" aria-labelledby="bins-title bins-words">'
        '<title id="bins-title">Rates in dollars</title><desc id="bins-words">{}</desc>{}{}{}{}</svg>',
        base + _BOTTOM,
        _words(found, amounts, median),
        bars,
        format_html('<line class="axis" x1="0" x2="100%" y1="{}" y2="{}"/>', base, base),
        format_html_join("", "{}", ((_mark(scale, value, base),) for value in scale.marks)),
        draw_amount_lines(amounts, scale.at, base)
        + _median_line(scale, median, top, base)
        + _count_label(scale.at((tallest.low + tallest.high) / 2), most, top)
        + beyond,
    )


class _HistogramScale:
    """Map dollars to a position."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high
        step = _round_step((high - low) / 5)
        first = -(-low // step)
        self.marks = [(first + n) * step for n in range(7) if (first + n) * step <= high]

    def at(self, value: float) -> float:
        """Return the position of a value, as a percentage of the width."""
        return 100 * (value - self._low) / (self._high - self._low)


def _round_step(step: float) -> float:
    """Return the next larger of 1, 2, 5, 10, 20, and so on."""
    size: float = 10 ** (len(str(int(max(step, 1)))) - 1)
    return next(round_step * size for round_step in (1, 2, 5, 10) if round_step * size >= step)


def _mark(scale: _HistogramScale, value: float, base: int) -> SafeString:
    at = scale.at(value)
    return format_html(
        '<text class="mark{}" x="{}" y="{}">{}</text>', _anchor(at), f"{at:.2f}%", base + 17, _dollars(value)
    )


def _count_label(at: float, rates: int, top: int) -> SafeString:
    words = f"{rates:,} rate{'' if rates == 1 else 's'}"
    return format_html('<text class="count{}" x="{}%" y="{}">{}</text>', _anchor(at), f"{at:.2f}", top - 4, words)


def _anchor(at: float) -> str:
    """Return the class of a label that would be cut off in the middle of a place near an edge."""
    return " start" if at < _NEAR_EDGE else " end" if at > 100 - _NEAR_EDGE else ""


def _beyond(found: Histogram, at: int) -> SafeString:
    """Return the words at the edge about the rates beyond the last bar: how many there are, and how far they go.

    They have a row of their own: the tallest bar may be at the edge.
    """
    if not found.above or found.highest is None:
        return SafeString("")
    words = f"{found.above:,} more, {'at' if found.above == 1 else 'up to'} {_dollars(found.highest)} →"
    return format_html('<text class="count end" x="100%" y="{}">{}</text>', at, words)


def _median_line(scale: _HistogramScale, median: float | None, top: int, base: int) -> SafeString:
    """Return the line at the median. Its label is among the text above the chart: there is no room for one more."""
    if median is None:
        return SafeString("")
    place = f"{min(max(scale.at(median), 0.0), 100.0):.2f}%"
    return format_html('<line class="median" x1="{}" x2="{}" y1="{}" y2="{}"/>', place, place, top, base)


def _words(found: Histogram, amounts: Sequence[AmountLine], median: float | None) -> str:
    most = max(found.bins, key=lambda one: one.rates)
    low, high = _dollars(found.bins[0].low), _dollars(found.bins[-1].high)
    said = [
        f"{sum(one.rates for one in found.bins):,} rates from {low} to {high}.",
        f"Most ({most.rates:,}) between {_dollars(most.low)} and {_dollars(most.high)}.",
    ]
    if found.above and found.highest is not None:
        said.append(f"{found.above:,} more, up to {_dollars(found.highest)}.")
    if median is not None:
        said.append(f"Median: {_dollars(median, 2)}.")
    return " ".join([*said, describe_amounts(amounts)]).strip()


def _dollars(value: float, digits: int = 0) -> str:
    return f"${value:,.{digits}f}"
