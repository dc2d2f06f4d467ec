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
    assert [entry.color for entry in drawn.legend] == sorted(set(ordered))


def test_places_far_from_the_state_are_left_out_and_names_are_escaped() -> None:
    near = MapPlace("<b>Here</b>", 33.0, -83.0, 1.0, 1)
    far = MapPlace("Alaska", 61.0, -150.0, 2.0, 1)
    drawn = draw_map([near, far], GEORGIA, lambda value: f"${value}", "A map")
    assert drawn is not None
    assert "Alaska" not in drawn.drawing
    assert "&lt;b&gt;Here" in drawn.drawing
    assert draw_map([far], GEORGIA, str, "A map") is None
    assert draw_map([], GEORGIA, str, "A map") is None
