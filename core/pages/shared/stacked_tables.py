"""Tables whose rows are stacked on a phone: each cell then says what its column says.

A row of many columns shows the few that are looked for. One box above the table shows the others, without a script.
"""

import re
from collections.abc import Sequence

from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString

_TABLE = re.compile(r'<table class="[^"]*\bstack\b[^"]*">.*?</table>', re.DOTALL)
_HEAD_CELL = re.compile(r"<th scope=\"col\"[^>]*>(.*?)</th>", re.DOTALL)
_CELL = re.compile(r"<(td|th scope=\"row\")(?=[ >])(?![^>]*data-label)")
_ROW = re.compile(r"<tr>.*?</tr>", re.DOTALL)

_NO_LABEL = ' data-label=""'

MAX_FIELDS = 4
"""The cells of a stacked row that are shown at once, besides the one that names the row."""

_LOOKED_FOR = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in ("^(your )?rate$|^median$|^amount$", "%", "^gap$|^vs|^change|^total$", "^payer$|^provider$", "rates")
)
"""The columns that are shown first: what is paid, the percent, the difference, who, and how many rates."""

_SHOW_ALL = '<label class="all-fields"><input type="checkbox" autocomplete="off"> All fields of each row</label>'


def label_cells(html: str) -> SafeString:
    """Return HTML with the heading of its column as `data-label` of each cell, in tables of the class `stack`.

    The style sheet shows it before the cell where the screen is narrow, and the head of the table where it is not.
    """
    return SafeString(_TABLE.sub(lambda table: _label_table(table[0]), html))


def _label_table(table: str) -> str:
    head, body, rows = table.partition("<tbody>")
    names = [" ".join(strip_tags(cell).strip(" ↑↓\n").split()) for cell in _HEAD_CELL.findall(head)]
    # Once for each column: a page has hundreds of cells.
    folded = _columns_to_fold(names)
    labels = [f' data-label="{escape(name)}"{" data-more" if at in folded else ""}' for at, name in enumerate(names)]

    def label_row(row: re.Match[str]) -> str:
        following = iter(labels)

        def label_cell(cell: re.Match[str]) -> str:
            label = next(following, _NO_LABEL)
            # The cell that names the row says what it is by itself.
            return cell[0] + label if cell[1] == "td" else cell[0]

        return _CELL.sub(label_cell, row[0])

    return (_SHOW_ALL if folded else "") + head + body + _ROW.sub(label_row, rows)


def _columns_to_fold(names: Sequence[str]) -> set[int]:
    """Return which columns a stacked row shows only on demand. The first column names the row."""
    others = range(1, len(names))
    wanted = sorted(others, key=lambda at: (_place_of(names[at]), at))
    # A box for a single field would take as much room as the field.
    return set(wanted[MAX_FIELDS:]) if len(wanted) > MAX_FIELDS + 1 else set()


def _place_of(name: str) -> int:
    return next((place for place, pattern in enumerate(_LOOKED_FOR) if pattern.search(name)), len(_LOOKED_FOR))
