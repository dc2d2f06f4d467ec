"""A map of places, drawn on the server as SVG: a circle for each, colored by a figure, on the shape of the state.

There are no outlines of states or counties: the points of all of a state's ZIP codes show its shape. Colors come from
the style sheet by class, stronger for higher figures on a light page and on a dark one. The places with most rates
have their names beside them. The page's table has every figure of the map in words.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_WIDTH, _MARGIN = 640, 16
_MAX_HEIGHT = 560
_SMALLEST, _LARGEST = 4.0, 15.0
"""Radii of the circles with the fewest and the most rates."""

_GRID = 3
"""Points of the state's shape that are closer than this are one: a third of them are enough to see it."""

COLORS = 5

_LEAST_SPAN = 1.5
"""The scale of colors spans at least this factor. Otherwise 127% and 130% would be its two ends."""

_NAMED = 12
"""Places that have their name beside them, if it covers nothing."""

_LETTER, _LINE = 12.4, 25
"""Width of a letter, rounded up, and height of a name, where they are largest: on a phone, see site.css."""


@dataclass(frozen=True)
class MapPlace:
    """A place with a figure: its name, where it is, the figure that colors it, and the rates that size it."""

    name: str
    latitude: float
    longitude: float
    value: float
    rates: int


@dataclass(frozen=True)
class LegendEntry:
    """A color of the map, from 1 for the lowest figures, and the figures that it stands for, in words."""

    color: int
    words: str


@dataclass(frozen=True)
class PlaceMap:
    """The drawing, and the legend of its colors."""

    drawing: SafeString
    legend: Sequence[LegendEntry]


def draw_map(
    places: Sequence[MapPlace],
    shape: Sequence[tuple[float, float]],
    write: Callable[[float], str],
    title: str,
) -> PlaceMap | None:
    """Return a map of the places on the points `shape` of a state, or None if there is no place to draw.

    `write` writes a figure. Colors are steps of the same factor, see _color_limits. One color needs no legend. Places
    far outside the shape, such as a lab in another state, are left out.
    """
    inside = [place for place in places if _is_within(place, shape)]
    if not inside:
        return None
    project = _Projection([*shape, *((place.latitude, place.longitude) for place in inside)])
    limits = _color_limits([place.value for place in inside])
    most = max(place.rates for place in inside)
    # Small circles on top of large ones, so that each can be seen.
    ordered = sorted(inside, key=lambda one: -one.rates)
    circles = [_circle(place, project, limits, most, write) for place in ordered]
    drawing = format_html(
        '<svg class="map" role="img" viewBox="0 0 {} {}" aria-labelledby="map-title map-words">'
        '<title id="map-title">{}</title><desc id="map-words">{}</desc><path class="shape" d="{}"/>{}{}</svg>',
        project.width, project.height, title,
        f"{len(inside)} places, from {write(min(one.value for one in inside))} to "
        f"{write(max(one.value for one in inside))}. The table below has each of them.",
        _dots(shape, project),
        format_html_join("", "{}", ((circle,) for circle in circles)),
        format_html_join("", "{}", ((name,) for name in _names(ordered, project, most))),
    )  # fmt: skip
    legend = _legend([place.value for place in inside], limits, write)
    return PlaceMap(drawing, legend if len(legend) > 1 else [])


def _is_within(place: MapPlace, shape: Sequence[tuple[float, float]]) -> bool:
    """Return whether a place is in the rectangle around the shape, or within half a degree of it."""
    if not shape:
        return True
    norths, easts = zip(*shape, strict=True)
    north = min(norths) - 0.5 <= place.latitude <= max(norths) + 0.5
    return bool(north and min(easts) - 0.5 <= place.longitude <= max(easts) + 0.5)


class _Projection:
    """Map degrees to pixels, so that a mile is as long in each direction in the middle of the map."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        norths, easts = zip(*points, strict=True)
        self._north, self._west = max(norths), min(easts)
        self._narrow = math.cos(math.radians((max(norths) + min(norths)) / 2))
        across = max((max(easts) - self._west) * self._narrow, 0.2)
        down = max(self._north - min(norths), 0.2)
        self._scale = min((_WIDTH - 2 * _MARGIN) / across, (_MAX_HEIGHT - 2 * _MARGIN) / down)
        self.width = round(across * self._scale) + 2 * _MARGIN
        self.height = round(down * self._scale) + 2 * _MARGIN

    def at(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Return how far a point is from the left and from the top."""
        across = (longitude - self._west) * self._narrow * self._scale + _MARGIN
        return across, (self._north - latitude) * self._scale + _MARGIN


def _dots(shape: Sequence[tuple[float, float]], project: _Projection) -> str:
    """Return the path of a dot for each point of the shape: lines without length, with round ends."""
    cells = {(round(x / _GRID), round(y / _GRID)) for x, y in (project.at(*point) for point in shape)}
    return "".join(f"M{_GRID * x} {_GRID * y}h0" for x, y in sorted(cells))


def _color_limits(values: Sequence[float]) -> list[float]:
    """Return the lowest value of each color but the first: steps of one factor between the lowest and highest figures.

    A tenth of the places may be beyond each end, so that one odd place does not take all colors. The steps span at
    least _LEAST_SPAN, so that places that are paid about the same have about the same color.
    """
    ordered = sorted(max(value, _LEAST_VALUE) for value in values)
    low, high = (math.log(ordered[round((len(ordered) - 1) * share)]) for share in (0.1, 0.9))
    missing = max(math.log(_LEAST_SPAN) - (high - low), 0)
    low, high = low - missing / 2, high + missing / 2
    return [math.exp(low + (high - low) * color / COLORS) for color in range(1, COLORS)]


_LEAST_VALUE = 0.01
"""Zero has no logarithm."""


def _color(value: float, limits: Sequence[float]) -> int:
    return 1 + sum(value >= limit for limit in limits)


def _radius(place: MapPlace, most: int) -> float:
    return _SMALLEST + (_LARGEST - _SMALLEST) * math.sqrt(place.rates / most)


def _names(places: Sequence[MapPlace], project: _Projection, most: int) -> list[SafeString]:
    """Return the names of the first places, each beside its circle where it covers no other circle or name."""
    circles = [(*project.at(one.latitude, one.longitude), _radius(one, most)) for one in places]
    taken = [(x - r, y - r, x + r, y + r) for x, y, r in circles]
    names = []
    for place, (x, y, radius) in zip(places[:_NAMED], circles, strict=False):
        name = place.name.partition(",")[0].removesuffix(" County").removesuffix(" Parish")
        width = _LETTER * len(name)
        right = (x + radius + 3, y - _LINE / 2, x + radius + 3 + width, y + _LINE / 2)
        left = (x - radius - 3 - width, y - _LINE / 2, x - radius - 3, y + _LINE / 2)
        for anchor, at, box in (("start", right[0], right), ("end", left[2], left)):
            is_inside = box[0] >= 0 and box[2] <= project.width
            if is_inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                names.append(
                    format_html('<text class="{}" x="{}" y="{}">{}</text>', anchor, f"{at:.1f}", f"{y + 5:.1f}", name)
                )
                break
    return names


_Box = tuple[float, float, float, float]
"""Left, top, right, and bottom."""


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _circle(
    place: MapPlace, project: _Projection, limits: Sequence[float], most: int, write: Callable[[float], str]
) -> SafeString:
    x, y = project.at(place.latitude, place.longitude)
    radius = _radius(place, most)
    return format_html(
        '<circle class="color-{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>',
        _color(place.value, limits), f"{x:.1f}", f"{y:.1f}", f"{radius:.1f}",
        f"{place.name}: {write(place.value)}, {place.rates:,} rate{'' if place.rates == 1 else 's'}",
    )  # fmt: skip


def _legend(values: Sequence[float], limits: Sequence[float], write: Callable[[float], str]) -> list[LegendEntry]:
    steps: dict[int, list[float]] = {}
    for value in sorted(values):
        steps.setdefault(_color(value, limits), []).append(value)
    return [LegendEntry(color, _range(write(of[0]), write(of[-1]))) for color, of in sorted(steps.items())]


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
