"""A map: circles where places are, colors in the order of figures."""

import re

from hypothesis import given
from hypothesis import strategies as st

from core.pages.charts.place_map import COLORS, MapPlace, draw_map

GEORGIA = [(34.9, -85.6), (30.4, -81.2), (33.7, -84.4)]

places = st.lists(
    st.builds(
        MapPlace,
        name=st.just("Somewhere"),
        latitude=st.floats(30.4, 34.9),
        longitude=st.floats(-85.6, -81.2),
        value=st.floats(0.01, 1e6),
        rates=st.integers(1, 10**6),
    ),
    min_size=1,
    max_size=30,
)


@given(places)
def test_each_place_is_a_circle_inside_the_drawing(some: list[MapPlace]) -> None:
    drawn = draw_map(some, GEORGIA, str, "A map")
    assert drawn is not None
    width, height = map(int, re.findall(r'viewBox="0 0 (\d+) (\d+)"', drawn.drawing)[0])
    circles = re.findall(r'class="color-(\d)" cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"', drawn.drawing)
    assert len(circles) == len(some)
    assert all(0 <= float(x) <= width and 0 <= float(y) <= height for _, x, y, _ in circles)
    colors = {value: int(color) for value, color in zip(
        [place.value for place in sorted(some, key=lambda one: -one.rates)], (one[0] for one in circles), strict=True
    )}  # fmt: skip
    ordered = [colors[value] for value in sorted(colors)]
    assert ordered == sorted(ordered)
    assert set(ordered) <= set(range(1, COLORS + 1))
    assert [entry.color for entry in drawn.legend] == (sorted(set(ordered)) if len(set(ordered)) > 1 else [])


def test_places_far_from_the_state_are_left_out_and_names_are_escaped() -> None:
    near = MapPlace("<b>Here</b>", 33.0, -83.0, 1.0, 1)
    far = MapPlace("Alaska", 61.0, -150.0, 2.0, 1)
    drawn = draw_map([near, far], GEORGIA, lambda value: f"${value}", "A map")
    assert drawn is not None
    assert "Alaska" not in drawn.drawing
    assert "&lt;b&gt;Here" in drawn.drawing
    assert draw_map([far], GEORGIA, str, "A map") is None
    assert draw_map([], GEORGIA, str, "A map") is None


def test_figures_that_hardly_differ_are_no_extremes_and_places_have_names() -> None:
    near = [
        MapPlace("Fulton County, GA", 33.8, -84.4, 1.27, 30),
        MapPlace("Chatham County, GA", 32.0, -81.2, 1.28, 20),
        MapPlace("Bibb County, GA", 32.8, -83.7, 1.30, 10),
    ]
    drawn = draw_map(near, GEORGIA, lambda value: f"{value:.0%}", "A map")
    assert drawn is not None
    assert set(re.findall(r"color-(\d)", drawn.drawing)) == {"3"}
    assert drawn.legend == [], "one color says nothing"
    assert re.findall(r'<text class="(\w+)"[^>]*>([^<]*)<', drawn.drawing) == [
        ("start", "Fulton"), ("end", "Chatham"), ("start", "Bibb"),
    ]  # fmt: skip
    # One odd place does not take all colors from the others.
    apart = [MapPlace("", 33.0, -83.0, value, 1) for value in (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 40.0)]
    drawn = draw_map(apart, GEORGIA, str, "A map")
    assert drawn is not None
    assert [entry.color for entry in drawn.legend] == [1, 2, 3, 4, 5]


def test_names_cover_neither_each_other_nor_a_circle() -> None:
    beside = [MapPlace(f"Place {n}", 33.0, -83.0 + n / 20, 1.0, 9 - n) for n in range(4)]
    drawn = draw_map(beside, GEORGIA, str, "A map")
    assert drawn is not None
    assert re.findall(r">(Place \d)</text>", drawn.drawing) == ["Place 0", "Place 3"]
