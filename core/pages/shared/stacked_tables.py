"""Tables whose rows are stacked on a phone: each cell then says what its column says."""

import re

from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString

_TABLE = re.compile(r'<table class="[^"]*\bstack\b[^"]*">.*?</table>', re.DOTALL)
_HEAD_CELL = re.compile(r"<th scope=\"col\"[^>]*>(.*?)</th>", re.DOTALL)
_CELL = re.compile(r"<(td|th scope=\"row\")(?=[ >])(?![^>]*data-label)")
_ROW = re.compile(r"<tr>.*?</tr>", re.DOTALL)

_NO_LABEL = ' data-label=""'


def label_cells(html: str) -> SafeString:
    """Return HTML with the heading of its column as `data-label` of each cell, in tables of the class `stack`.

    The style sheet shows it before the cell where the screen is narrow, and the head of the table where it is not.
    """
    return SafeString(_TABLE.sub(lambda table: _label_table(table[0]), html))


def _label_table(table: str) -> str:
    head, body, rows = table.partition("<tbody>")
    names = [" ".join(strip_tags(cell).strip(" ↑↓\n").split()) for cell in _HEAD_CELL.findall(head)]
    # Once for each column: a page has hundreds of cells.
    labels = [f' data-label="{escape(name)}"' for name in names]

    def label_row(row: re.Match[str]) -> str:
        following = iter(labels)

        def label_cell(cell: re.Match[str]) -> str:
            label = next(following, _NO_LABEL)
            # The cell that names the row says what it is by itself.
            return cell[0] + label if cell[1] == "td" else cell[0]

        return _CELL.sub(label_cell, row[0])

    return head + body + _ROW.sub(label_row, rows)
