"""A small chart of counts over time, as SVG: as wide as a word, in the color of the text around it."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_WIDTH, _HEIGHT, _EDGE = 120.0, 28.0, 4.0


def sparkline(counts: Sequence[int], words: str) -> SafeString:
    """Return the counts from left to right, from zero at the bottom, the last one with a dot.

    `words` describe the chart to screen readers. Return empty text if there are no counts.
    """
    if not counts:
        return SafeString("")
    points = [(x, _y(count, max(counts))) for x, count in zip(_places(len(counts)), counts, strict=True)]
    line = format_html_join(" ", "{},{}", ((f"{x:.1f}", f"{y:.1f}") for x, y in points))
    return format_html(
        '<svg class="spark" role="img" width="{}" height="{}" viewBox="0 0 {} {}" aria-label="{}">'
        '<polyline points="{}" fill="none" stroke="currentColor" stroke-width="1.5"/>'
        '<circle cx="{}" cy="{}" r="2.5" fill="currentColor"/></svg>',
        f"{_WIDTH:g}", f"{_HEIGHT:g}", f"{_WIDTH:g}", f"{_HEIGHT:g}", words,
        line, f"{points[-1][0]:.1f}", f"{points[-1][1]:.1f}",
    )  # fmt: skip


def _places(number: int) -> list[float]:
    """Return the positions of a number of points, evenly from edge to edge; a single one at the right."""
    if number == 1:
        return [_WIDTH - _EDGE]
    return [_EDGE + (_WIDTH - 2 * _EDGE) * n / (number - 1) for n in range(number)]


def _y(count: int, highest: int) -> float:
    return _HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * (count / highest if highest else 0)
