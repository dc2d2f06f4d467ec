"""The histogram as a picture."""

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from core.pages.charts.histogram_chart import draw_histogram
from core.pages.formats import write_basis, write_dollars
from core.queries.histogram import Bin, Histogram
from core.queries.yardstick.medicare_amounts import AmountLine

AMOUNTS = st.floats(0.01, 1e6)


@given(
    low=AMOUNTS,
    width=st.floats(0.001, 1e5),
    counts=st.lists(st.integers(0, 10**7), min_size=1, max_size=30).filter(any),
    lines=st.lists(
        st.builds(AmountLine, st.sampled_from(["MPFS facility", "OPPS <&>"]), AMOUNTS, st.just(1)), max_size=7
    ),
)
def test_a_picture_is_sound_and_within_its_width(
    low: float, width: float, counts: list[int], lines: list[AmountLine]
) -> None:
    bins = [Bin(low + n * width, low + (n + 1) * width, count) for n, count in enumerate(counts)]
    svg = ElementTree.fromstring(draw_histogram(Histogram(bins, 1, 2, 1.0, 1e9), lines))
    bars = [bar for bar in svg if bar.tag == "rect"]
    assert len(bars) == sum(count > 0 for count in counts)
    for bar in bars:
        assert -0.1 <= float(bar.attrib["x"][:-1]) <= 100
        assert float(bar.attrib["height"]) <= 150
    most = max(counts)
    assert max(float(bar.attrib["height"]) for bar in bars) == 150
    assert sum(count == most for count in counts) <= sum(float(bar.attrib["height"]) == 150 for bar in bars)
    assert len([line for line in svg if line.get("class") == "even"]) == len(lines)
    words = next(part for part in svg if part.tag == "desc").text or ""
    assert f"{sum(counts):,} rates" in words
    for line in lines:
        assert f"{write_basis(line.basis)}: {write_dollars(line.amount)}" in words


def test_every_amount_is_labeled_in_a_row_of_its_own_and_none_is_left_out_silently() -> None:
    lines = [AmountLine(f"MPFS facility, modifier {n}", 100.0 + n, 1) for n in range(11)]
    picture = draw_histogram(Histogram([Bin(90, 120, 7)], 0, 0, 1.0, 1e9), lines, 104.005)
    labels = re.findall(r'<text class="amount (\w+)" x="([\d.]+)%?" y="(\d+)">([^<]*)<', picture)
    assert len({y for _, _, y, _ in labels}) == len(labels) == 9
    assert labels[-1][3] == "and 3 more in the table of amounts"
    for anchor, x, _, label in labels:
        width = 100 * 6.6 * len(label) / 320  # percent of a phone's width
        assert float(x) + width <= 100.5 if anchor == "start" else float(x) - width >= -0.5
    assert all(write_basis(line.basis) in picture.split("</desc>")[0] for line in lines)
    assert 'class="median"' in picture


def test_the_edge_says_what_is_beyond_it() -> None:
    bins = [Bin(27.71, 57.58, 36)]
    assert ">2 more, up to $480 →</text>" in draw_histogram(Histogram(bins, 0, 2, 27.71, 480.0), [])
    one = draw_histogram(Histogram(bins, 0, 1, 27.71, 480.0), [])
    assert ">1 more, at $480 →</text>" in one
    assert "1 more, up to $480." in one.split("</desc>")[0]
    assert "more" not in draw_histogram(Histogram(bins, 0, 0, 27.71, 57.58), [])


def test_no_line_crosses_the_label_of_another() -> None:
    lines = [
        AmountLine("MPFS non-facility", 88.64, 9),
        AmountLine("MPFS facility", 63.7, 1),
        AmountLine("OPPS", 260, 1),
    ]
    picture = draw_histogram(Histogram([Bin(60 + n, 61 + n, 7) for n in range(210)], 0, 0, 1.0, 1e9), lines)
    starts = re.findall(r'<line class="even" x1="([\d.]+)%" [^>]*y1="(\d+)"', picture)
    labels = re.findall(r'<text class="amount (\w+)" x="([\d.]+)%?" y="(\d+)">([^<]*)<', picture)
    assert [label for *_, label in labels] == [
        "Medicare’s fee in facilities $63.70",
        "Medicare’s fee outside facilities $88.64",
        "Medicare’s OPPS $260.00",
    ]
    for anchor, x, y, label in labels:
        width = 100 * 6.6 * len(label) / 320
        left, right = (float(x), float(x) + width) if anchor == "start" else (float(x) - width, float(x))
        assert not [at for at, top in starts if left < float(at) < right and int(top) < int(y) - 8]


def test_the_tallest_bar_says_how_many_rates_it_is() -> None:
    picture = draw_histogram(Histogram([Bin(1, 2, 3), Bin(2, 3, 1234), Bin(3, 4, 7)], 0, 0, 1.0, 1e9), [])
    assert re.findall(r'<text class="count" x="([\d.]+)%"[^>]*>([^<]*)', picture) == [("50.00", "1,234 rates")]


def test_one_rate_is_not_called_rates() -> None:
    assert ": 1 rate</title>" in draw_histogram(Histogram([Bin(1, 2, 1)], 0, 0, 1.0, 1e9), [])


def test_a_picture_of_nothing_is_none() -> None:
    assert draw_histogram(Histogram([], 0, 0, 1.0, 1e9), []) == ""


def test_one_amount_is_one_bar() -> None:
    svg = draw_histogram(Histogram([Bin(99.5, 99.5, 7)], 0, 0, 1.0, 1e9), [])
    assert len(re.findall("<rect", svg)) == 1
    assert not re.search(r"\sstyle=|<style|<script", svg)


def test_a_label_of_the_axis_stands_where_its_amount_is() -> None:
    bins = [Bin(12 + 30 * n, 42 + 30 * n, 1) for n in range(30)]
    svg = ElementTree.fromstring(draw_histogram(Histogram(bins, 0, 0, 1.0, 1e9), []))
    left, right = min(_place(bar) for bar in svg if bar.tag == "rect"), 912
    for label in (part for part in svg if (part.get("class") or "").startswith("mark")):
        dollars = float((label.text or "").strip("$").replace(",", ""))
        share = (_place(label) - left) / (100 - left)
        assert abs(12 + share * (right - 12) - dollars) < 25, label.text
    assert 'class="mark start"' in draw_histogram(Histogram(bins, 0, 0, 1.0, 1e9), [])


def _place(part: ElementTree.Element) -> float:
    return float(part.attrib["x"][:-1])
