"""Tables on a phone: a row is a line with its name and a line with the figures that are looked for.

Boxes show the other fields and the other rows, without a script. On a wide screen the tables are whole.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString

_TABLE = re.compile(r'<table class="([^"]*\bstack\b[^"]*)">(.*?)</table>', re.DOTALL)
_HEAD_CELL = re.compile(r"<th scope=\"col\"([^>]*)>(.*?)</th>", re.DOTALL)
_CELL = re.compile(r"<(td|th scope=\"row\")(?=[ >])(?![^>]*data-label)")
_ROW = re.compile(r"<tr>.*?</tr>", re.DOTALL)

_NO_LABEL = ' data-label=""'

LINE_WIDTH, LINE_COLUMNS = 5, 4
"""How wide a line of a phone is, where a figure is 1 and a text 2, and how many columns of it can be read."""

FOLDED_ROWS, MAX_ROWS = 12, 16
"""A table of more than MAX_ROWS rows shows the first FOLDED_ROWS."""

_LOOKED_FOR = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        "^(your )?rate$|^median( change| of those up or down)?$|^amount$",
        "%|^percent$",
        "^gap$|^vs|^change|^total$|^difference$|^up$|^down$",
        "^payer$|^provider$",
        "^rates",
        "amount$|median$|rates",
    )
)
"""The columns that are shown first: what is paid, the percent, the difference, who, and how many rates."""

_ON_ITS_OWN_LINE = re.compile(
    "^provider$|^who |^what to know$|^services with|^meaning$|^contents$|^notes$|^needed|^basis, or|^all percents$",
    re.IGNORECASE,
)

_ON_DEMAND = re.compile("^notes$|^needed|^basis, or", re.IGNORECASE)
"""Columns of sentences, which only the box shows."""

_SHORT = re.compile("^modifier$|^state$|^setting$", re.IGNORECASE)
"""Columns of texts that are as short as figures."""

_DETAIL = 'class="quiet detail'
"""What a cell says besides its figure. Only the box shows it."""

_SHOW_ALL = '<label class="all-fields"><input type="checkbox" autocomplete="off"> All fields of each row</label>'


class _Width(IntEnum):
    """How much of a line a field takes."""

    OWN_LINE = 0
    FIGURE = 1
    TEXT = 2
    NAME = 3


@dataclass(frozen=True)
class _Column:
    """A column of a table, by its head."""

    name: str
    width: _Width
    leads: bool = False
    """Whether its head says that it is looked for in this table (data-lead), whatever it is called."""
    on_demand: bool = False
    """Whether only the box shows it: a column of sentences, or one whose head says so (data-last)."""

    @property
    def priority(self) -> int:
        """Return which of the patterns the column is looked for by."""
        if self.leads:
            return -1
        found = (place for place, pattern in enumerate(_LOOKED_FOR) if pattern.search(self.name))
        return next(found, len(_LOOKED_FOR))


def label_cells(html: str) -> SafeString:
    """Return HTML with what the style sheet needs to lay out tables of the class `stack` on a phone.

    Cells have the heading of their column as `data-label`, and as `data-width` how much of a line they take. Those that
    only the box shows have `data-more`.
    """
    return SafeString(_TABLE.sub(_label_table, html))


def _label_table(table: re.Match[str]) -> str:
    head, body, rows = table[2].partition("<tbody>")
    columns = [_read_column(cell) for cell in _HEAD_CELL.finditer(head)]
    # A head of two lines cannot be laid out as one.
    fits = "colspan" not in head and len(columns) > 1
    if (named := _find_name(rows)) is not None and named < len(columns):
        columns[named] = replace(columns[named], width=_Width.NAME)
    shown = _columns_to_show(columns) if fits else set(range(len(columns)))
    folded = set(range(len(columns))) - shown
    marks = [
        f' data-width="{column.width.name.lower()}"{" data-more" if at in folded else ""}'
        for at, column in enumerate(columns)
    ]
    # Once for each column: a page has hundreds of cells.
    labels = [f' data-label="{escape(column.name)}"{mark}' for column, mark in zip(columns, marks, strict=True)]

    def label_row(row: re.Match[str]) -> str:
        following = iter(labels)

        def label_cell(cell: re.Match[str]) -> str:
            label = next(following, _NO_LABEL)
            # The cell that names the row says what it is by itself.
            return cell[0] + label if cell[1] == "td" else cell[0]

        return _CELL.sub(label_cell, row[0])

    heads = iter(marks)
    marked_head = re.sub(r'<th scope="col"', lambda cell: cell[0] + next(heads), head)
    line = sum(columns[at].width for at in shown if columns[at].width is not _Width.NAME)
    kind = f"{table[1]} lines lines-{line}" if fits else table[1]
    number = rows.count("<tr>")
    return (
        (_SHOW_ALL if fits and (folded or _DETAIL in rows) else "")
        + f'<table class="{kind}">{marked_head}{body}{_ROW.sub(label_row, rows)}</table>'
        + (_offer_rows(number - FOLDED_ROWS) if number > MAX_ROWS else "")
    )


def _offer_rows(number: int) -> str:
    return f'<label class="all-rows"><input type="checkbox" autocomplete="off"> Show the other {number} rows</label>'


def _read_column(cell: re.Match[str]) -> _Column:
    name = " ".join(strip_tags(cell[2]).strip(" ↑↓\n").split())
    on_demand = "data-last" in cell[1] or bool(_ON_DEMAND.search(name))
    if _ON_ITS_OWN_LINE.search(name):
        return _Column(name, _Width.OWN_LINE, on_demand=on_demand)
    is_narrow = 'class="n"' in cell[1] or _SHORT.search(name)
    width = _Width.FIGURE if is_narrow else _Width.TEXT
    return _Column(name, width, leads="data-lead" in cell[1], on_demand=on_demand)


def _find_name(rows: str) -> int | None:
    """Return which column names the rows of a table, or None if there is none."""
    first = _ROW.search(rows)
    kinds = [cell[1] for cell in _CELL.finditer(first[0])] if first else []
    return next((at for at, kind in enumerate(kinds) if kind != "td"), None)


def _columns_to_show(columns: Sequence[_Column]) -> set[int]:
    """Return which columns a row shows at once: as many as a line has room for, those that are looked for first.

    The first one is always there, and the one that names the row.
    """
    named = {at for at, column in enumerate(columns) if column.width is _Width.NAME}
    others = [at for at, column in enumerate(columns) if at not in named and not column.on_demand]
    # A box for the last field would take more room than the field.
    if sum(columns[at].width for at in others) <= LINE_WIDTH + 1:
        return named.union(others)
    shown: set[int] = set()
    for at in sorted(others, key=lambda at: (at > 0, columns[at].priority, at)):
        line = [columns[one].width for one in {*shown, at} if columns[one].width]
        if sum(line) <= LINE_WIDTH and len(line) <= LINE_COLUMNS:
            shown.add(at)
    return named | shown
