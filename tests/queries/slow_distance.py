"""A distance that owes nothing to the haversine formula: the angle between two vectors from the earth's center."""

import math

Point = tuple[float, float]

EARTH_KILOMETERS, KILOMETERS_OF_A_MILE = 6371.0088, 1.609344


def _vector(point: Point) -> tuple[float, float, float]:
    north, east = map(math.radians, point)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)


def great_circle_miles(one: Point, other: Point) -> float:
    """Return the miles between two points, latitude and longitude in degrees."""
    a, b = _vector(one), _vector(other)
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    angle = math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(a, b, strict=True)))
    return angle * EARTH_KILOMETERS / KILOMETERS_OF_A_MILE
