"""The distance of two points on the earth, in miles along its surface."""

import math

EARTH_MILES = 3958.7613
"""The earth's mean radius (IUGG): 6,371.0088 km."""


def miles_between(north: float, east: float, other_north: float, other_east: float) -> float:
    """Return the miles between two points, in degrees, by the haversine formula."""
    a, b = math.radians(north), math.radians(other_north)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(other_east - east) / 2) ** 2
    return 2 * EARTH_MILES * math.asin(math.sqrt(min(half, 1.0)))


def miles_sql(north: str, east: str, other_north: str, other_east: str) -> str:
    """Return SQL of `miles_between` of four columns."""
    a, b = f"radians({north})", f"radians({other_north})"
    half = f"""sin(({b} - {a}) / 2) ** 2
               + cos({a}) * cos({b}) * sin(radians({other_east} - {east}) / 2) ** 2"""
    return f"2 * {EARTH_MILES} * asin(sqrt(least({half}, 1.0)))"
