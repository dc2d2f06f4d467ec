"""Figures: where things stand in them, and what they say in words."""

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pages.charts.spread_chart import Bar, dollars, draw_spreads
from core.queries.yardstick.medicare_amounts import AmountLine

SVG = "{http://www.w3.org/2000/svg}"
names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)
shares = st.lists(st.floats(0, 1000), min_size=5, max_size=5).map(lambda values: tuple(sorted(values)))


def drawn(bars: list[Bar]) -> ET.Element:
    return ET.fromstring(draw_spreads(bars).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def place(element: ET.Element, name: str) -> float:
    return float(element.attrib[name].removesuffix("%"))


@given(
    st.lists(
        st.builds(Bar, st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20), shares),
        min_size=1,
        max_size=5,
    )
)
def test_places_keep_the_order_of_values(bars: list[Bar]) -> None:
    svg = drawn(bars)
    lines = [line for line in svg.iter(f"{SVG}line") if line.attrib["class"] == "range"]
    medians = [line for line in svg.iter(f"{SVG}line") if line.attrib["class"] == "median"]
    boxes = {box.attrib["y"]: box for box in svg.iter(f"{SVG}rect") if box.attrib["class"] == "half"}
    assert len(lines) == len(medians) == len(bars)
    for line, median in zip(lines, medians, strict=True):
        edges = [place(line, "x1"), place(median, "x1")]
        if box := boxes.get(str(int(line.attrib["y1"]) - 7)):
            edges.insert(1, place(box, "x"))
            assert place(box, "width") >= 0.6
        assert edges == sorted(edges)
        assert 0 <= edges[0] <= place(median, "x1") <= place(line, "x2") <= 100
    ((even,),) = [[line for line in svg.iter(f"{SVG}line") if line.attrib["class"] == "even"]]
    for bar, median in zip(bars, medians, strict=True):
        difference = place(median, "x1") - place(even, "x1")
        assert abs(difference) < 0.01 or (difference > 0) == (bar.percentiles[2] > 1)


def test_a_figure_speaks_and_has_no_style() -> None:
    text = draw_spreads([Bar("<A> & Co.", (0.8, 1.0, 1.25, 1.5, 2.0))])
    assert "&lt;A&gt; &amp; Co.: median 125%, middle half 100% to 150%, 10th to 90th percentile 80% to 200%." in text
    assert 'role="img"' in text
    assert not re.search(r"style=|<script|on\w+=", text)
    assert sorted(re.findall(r'class="(?:mark|even)(?: start| end)?" x="[\d.]+%" y="14">([^%<]+)%', text)) == [
        "100",
        "125",
        "150",
        "200",
    ]


def test_no_bars_no_figure() -> None:
    assert draw_spreads([]) == ""


@pytest.mark.parametrize("highest", [1.0, 3.0, 99.0, 5000.0])
def test_marks_are_few_and_100_percent_is_one(highest: float) -> None:
    marks = re.findall(r'y="14">([^%<]+)%', draw_spreads([Bar("A", (0.001, 0.1, 0.5, 1.0, highest))]))
    assert "100" in marks
    assert 2 <= len(marks) <= 6


@given(st.lists(shares, min_size=1, max_size=5), st.none() | st.floats(0.01, 1e5))
def test_marks_of_dollars_do_not_run_into_each_other(values: list[tuple[float, ...]], median: float | None) -> None:
    bars = [Bar("A", (v[0], v[1], v[2], v[3], v[4])) for v in values]
    text = draw_spreads(bars, dollars(median), "Dollars", 2)
    found = re.findall(r'class="(?:mark|even)( start| end|)" x="([\d.]+)%"', text)
    # A label is as wide as 17% of a phone's chart, in the middle of its mark or on one side of it.
    ends = {"": (8.45, 8.45), " start": (0, 16.9), " end": (16.9, 0)}
    places = sorted((float(place) - ends[side][0], float(place) + ends[side][1]) for side, place in found)
    assert all(before[1] <= after[0] + 0.01 for before, after in itertools.pairwise(places))
    assert len(re.findall('class="even(?: start| end)?" x=', text)) == (median is not None)
    assert 'id="spread-title-2">Dollars<' in text


def test_a_figure_of_dollars_says_dollars() -> None:
    text = draw_spreads([Bar("A", (80, 100, 125, 1500.4, 2000))], dollars(104.5), "Rates")
    assert "A: median $125.00, middle half $100.00 to $1,500, 10th to 90th percentile $80.00 to $2,000." in text
    assert 'y="14">$104.50</text>' in text
    # A half cent is rounded as the tables beside the chart round it.
    assert 'y="14">$258.59</text>' in draw_spreads([Bar("A", (80, 100, 125, 150, 200))], dollars(258.585), "Rates")


@given(st.lists(st.floats(0.01, 1e5), min_size=1, max_size=4, unique=True).map(sorted), st.data())
def test_a_few_values_are_dots_and_the_mark_is_on_one_of_them(values: list[float], data: st.DataObject) -> None:
    price = data.draw(st.sampled_from(values))
    # Percentiles that are not drawn do not stretch the scale either.
    bar = Bar("A", (0.001, values[0], price, values[-1], 1e9), tuple(values))
    svg = ET.fromstring(
        draw_spreads([bar], dollars(None)).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    )
    dots = [place(one, "cx") for one in svg.iter(f"{SVG}circle")]
    assert len(dots) == len(values)
    assert dots == sorted(dots)
    (mark,) = [one for one in svg.iter(f"{SVG}line") if one.attrib["class"] == "median"]
    assert place(mark, "x1") == dots[values.index(price)]
    assert not [one for one in svg.iter() if one.attrib.get("class") in {"range", "half"}]
    assert len(values) == 1 or dots[-1] - dots[0] > 30 or values[-1] / values[0] < 1.25


def test_a_few_values_are_said_one_by_one() -> None:
    text = draw_spreads([Bar("A", (1, 1, 100, 1, 1), (100, 125.5)), Bar("B", (1, 1, 80, 1, 1), (80,))], dollars(None))
    assert ">A: price $100.00, one of $100.00, $125.50. B: price $80.00.<" in text


def test_a_middle_half_without_width_is_the_mark_alone() -> None:
    assert 'class="half"' not in draw_spreads([Bar("A", (90.0, 100.0, 100.0, 100.0, 110.0))], dollars(None))
    assert 'class="half"' in draw_spreads([Bar("A", (90.0, 95.0, 100.0, 105.0, 110.0))], dollars(None))


def test_no_label_of_the_axis_is_crossed_by_the_line_of_an_amount() -> None:
    bars = [Bar("A", (217.11, 238.87, 258.34, 275.99, 302.10))]
    assert "$250.00" in draw_spreads(bars, dollars(None))
    drawn_with_line = draw_spreads(bars, dollars(None), amounts=[AmountLine("MPFS non-facility", 248.67, 14)])
    (line,) = re.findall(r'<line class="even" x1="([\d.]+)%"', drawn_with_line)
    marks = re.findall(r'<text class="mark[^"]*" x="([\d.]+)%"[^>]*>([^<]*)<', drawn_with_line)
    assert marks
    assert all(abs(float(at) - float(line)) >= 9 for at, _ in marks)


def test_the_scale_begins_near_the_values_and_is_not_crushed() -> None:
    svg = drawn([Bar("A", (1.08, 1.12, 1.16, 1.18, 1.22))])
    (whole,) = [one for one in svg.iter(f"{SVG}line") if one.attrib["class"] == "range"]
    assert place(whole, "x2") - place(whole, "x1") > 50, "percent of the width"
    marks = [one.text for one in svg.iter(f"{SVG}text") if one.attrib["class"].startswith(("mark", "even"))]
    assert len(marks) >= 3
