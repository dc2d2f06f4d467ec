"""Tables whose rows are stacked on a phone."""

import re

from core.pages.shared.stacked_tables import label_cells


def table_of(names: list[str]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    cells = "".join(f"<td>{name}</td>" for name in names[1:])
    row = f'<tr><th scope="row">x</th>{cells}</tr>'
    return f'<table class="stack"><thead><tr>{head}</tr></thead><tbody>{row}</tbody></table>'


def shown(html: str) -> list[str]:
    return re.findall(r'<td data-label="([^"]*)">', html)


def test_a_row_of_many_columns_shows_what_is_looked_for() -> None:
    html = label_cells(
        table_of(
            [
                "Code",
                "Payer",
                "Class",
                "Modifier",
                "Rates",
                "Lowest",
                "Median",
                "Highest",
                "% of Medicare",
                "vs. market",
            ]
        )
    )
    assert shown(html) == ["Payer", "Median", "% of Medicare", "vs. market"]
    assert len(re.findall(" data-more", html)) == 5
    assert html.count('type="checkbox"') == 1, "one box shows the others"
    assert html.index("checkbox") < html.index("<table")


def test_a_row_of_few_columns_shows_all() -> None:
    html = label_cells(table_of(["Payer", "Rates", "P10", "Median", "P90", "Mean"]))
    assert shown(html) == ["Rates", "P10", "Median", "P90", "Mean"]
    assert "checkbox" not in html
    assert "data-more" not in html
