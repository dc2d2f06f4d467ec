"""Tables whose rows are stacked on a phone: each cell then says what its column says."""

import re

from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString

_TABLE = re.compile(r'<table class="[^"]*\bstack\b[^"]*">.*?</table>', re.DOTALL)
_HEAD_CELL = re.compile(r"<th scope=\"col\"[^>]*>(.*?)</th>", re.DOTALL)
_CELL = re.compile(r"<(td|th scope=\"row\")(?=[ >])(?![^>]*data-label)")
_ROW = re.compile(r"<tr>.*?</tr>", re.DOTALL)


def label_cells(html: str) -> SafeString:
    """Return HTML with the heading of its column as `data-label` of each cell, in tables of the class `stack`.

    The style sheet shows it before the cell where the screen is narrow, and the head of the table where it is not.
    """
    return SafeString(_TABLE.sub(lambda table: _label_table(table[0]), html))


def _label_table(table: str) -> str:
    head, body, rows = table.partition("<tbody>")
    labels = [" ".join(strip_tags(cell).strip(" ↑↓\n").split()) for cell in _HEAD_CELL.findall(head)]

    def label_row(row: re.Match[str]) -> str:
        names = iter(labels)

        def label_cell(cell: re.Match[str]) -> str:
            name = next(names, "")
            # The cell that names the row says what it is by itself.
            return f'{cell[0]} data-label="{escape(name)}"' if cell[1] == "td" else cell[0]

        return _CELL.sub(label_cell, row[0])

    return head + body + _ROW.sub(label_row, rows)
