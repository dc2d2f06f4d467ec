"""Tables on a phone: a line with the name of a row, a line of figures, and boxes that show the rest."""

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from core.pages.shared.stacked_tables import FOLDED_ROWS, LINE_WIDTH, MAX_ROWS, label_cells
from tests.paths import ROOT

WIDE = ["Code", "Payer", "Class", "#Rates", "#Lowest", "#Median", "#Highest", "#% of Medicare", "#vs. market", "Notes"]


def table_of(names: Sequence[str], rows: int = 1, named_at: int | None = 0) -> str:
    """Return a table whose columns have these names; # before a name makes it one of figures."""
    head = "".join(f'<th scope="col"{kind(name)}>{name.removeprefix("#")}</th>' for name in names)
    cells = "".join(
        '<th scope="row">x</th>' if at == named_at else f"<td{kind(name)}>{name}</td>" for at, name in enumerate(names)
    )
    body = f"<tr>{cells}</tr>" * rows
    return f'<table class="dense stack"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def kind(name: str) -> str:
    return ' class="n"' if name.startswith("#") else ""


def shown(html: str) -> list[str]:
    """Return the fields of the first row that are shown at once, besides its name."""
    cells = re.findall(r'<td data-label="([^"]*)" data-width="\w+"( data-more)?', html.partition("</tr>")[2])
    return [name for name, more in cells if not more]


def columns(html: str) -> int:
    return int(re.findall(r'class="dense stack lines lines-(\d)"', html)[0])


def test_a_row_of_many_columns_shows_what_is_looked_for() -> None:
    html = label_cells(table_of(WIDE))
    assert shown(html) == ["Payer", "Median", "% of Medicare", "vs. market"]
    assert columns(html) == 5, "a text is as wide as two figures"
    assert len(re.findall("<td[^>]* data-more", html)) == 5
    assert html.count('type="checkbox"') == 1, "one box shows the others"
    assert html.index("checkbox") < html.index("<table")


def test_a_row_of_few_columns_shows_all() -> None:
    html = label_cells(table_of(["Payer", "#Rates", "#P10", "#Median", "#P90", "#Mean"]))
    assert shown(html) == ["Rates", "P10", "Median", "P90", "Mean"]
    assert "checkbox" not in html
    assert "data-more" not in html


def test_a_sentence_has_a_line_of_its_own() -> None:
    """The percents of a contract were a column of thirteen short lines."""
    html = label_cells(table_of(["Organization", "#Percent", "#Prices", "#Explained", "#Share", "All percents"]))
    assert '<td data-label="All percents" data-width="own_line">' in html
    assert shown(html) == ["Percent", "Prices", "Explained", "Share", "All percents"]
    assert columns(html) == 4


def test_a_column_says_that_only_the_box_shows_it() -> None:
    html = table_of(["Organization", "#Price", "#vs. the middle one", "Lowest to highest", "#NPIs", "#Rates"])
    assert columns(label_cells(html)) == 6
    html = label_cells(html.replace(' class="n">NPIs', ' class="n" data-last>NPIs'))
    assert shown(html) == ["Price", "vs. the middle one", "Lowest to highest", "Rates"]
    assert columns(html) == 5


def test_the_head_of_a_line_is_folded_and_laid_out_as_its_cells_are() -> None:
    html = label_cells(table_of(WIDE))
    heads = re.findall(r'<th scope="col" data-width="(\w+)"( data-more)?', html)
    cells = re.findall(r'<td data-label="[^"]*" data-width="(\w+)"( data-more)?', html)
    assert heads[0] == ("name", "")
    assert heads[1:] == cells


def test_the_name_of_a_row_may_be_in_another_column_than_the_first() -> None:
    html = label_cells(table_of(["Month", "Payer", "#Rates"], named_at=1))
    assert shown(html) == ["Month", "Rates"]
    assert columns(html) == 3
    # A table whose rows have no name begins with its first column.
    assert shown(label_cells(table_of(["#Rate", *WIDE], named_at=None)))[0] == "Rate"


def test_details_of_cells_have_a_box_too() -> None:
    few = table_of(["Payer", "#Median"])
    assert "all-fields" not in label_cells(few)
    assert "all-fields" in label_cells(few.replace("#Median<", '$5 <small class="quiet detail">2 prices</small><'))


def test_the_rows_behind_the_first_are_offered() -> None:
    assert "all-rows" not in label_cells(table_of(WIDE, MAX_ROWS))
    html = label_cells(table_of(WIDE, MAX_ROWS + 1))
    assert f"Show the other {MAX_ROWS + 1 - FOLDED_ROWS} rows" in html
    assert html.index("</table>") < html.index("all-rows")


def test_a_head_of_two_lines_stays_as_it_is() -> None:
    html = label_cells(table_of(WIDE).replace("</thead>", '<tr><th scope="colgroup" colspan="3">x</th></tr></thead>'))
    assert "lines" not in html
    assert "data-more" not in html
    assert 'data-label="Median"' in html


_NAMES = st.sampled_from([*WIDE, "#Rate", "Provider", "Meaning", "Modifier", "#P10", "Network"])


@given(st.lists(_NAMES, min_size=2, max_size=14, unique=True), st.none() | st.integers(0, 1), st.integers(1, 30))
def test_a_line_fits_a_phone_and_loses_nothing(names: list[str], named_at: int | None, rows: int) -> None:
    before = table_of(names, rows, named_at)
    html = label_cells(before)
    widths = {"own_line": 0, "figure": 1, "text": 2, "name": 0}
    line = [
        widths[width]
        for width, more in re.findall(r'<th scope="col" data-width="(\w+)"( data-more)?', html)
        if not more
    ]
    assert sum(line) == columns(html) <= 6
    assert ("data-more" in html) == ("all-fields" in html)
    stripped = re.sub(r'<label.*?</label>| data-(label|width)="[^"]*"| data-more| lines lines-\d', "", html)
    assert stripped == before


def test_the_style_sheet_folds_the_same_rows() -> None:
    style = (ROOT / "static" / "site.css").read_text()
    assert re.findall(r"tr:nth-child\(n \+ (\d+)\)", style) == [str(FOLDED_ROWS + 1)]
    widest = LINE_WIDTH + 1
    assert all(f".lines-{columns} {{ --columns: {columns}; }}" in style for columns in range(1, widest + 1))
