"""Read the rows of fee schedules that have an amount for each code and modifier: labs, drugs, and equipment."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from core.fields.codes.billing_code import HCPCS_CODE_PATTERN, code_system_by_shape, restore_leading_zeros
from core.reference import recognize
from core.reference.amount_cells import parse_amount
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError

_LIKE_A_CODE = re.compile(f"(?=.*[0-9]){HCPCS_CODE_PATTERN}")


Fee = TypeVar("Fee")


@dataclass(frozen=True)
class FeeRow:
    """A row of a table: where it is, for people, its code, and its cells by column title."""

    where: str
    code: str
    cells: dict[str, str]

    def cell(self, title: str) -> str:
        """Return a cell; the empty text where the table has no such column."""
        return self.cells.get(title, "")

    def amount(self, title: str) -> Decimal | None:
        """Return an amount of more than zero, or None: 0.00 is how CMS writes that it has no price."""
        return self.number(title) or None

    def number(self, title: str) -> Decimal | None:
        """Return a number, or None for a blank. Raise ReferenceFileError if the cell is neither."""
        try:
            return parse_amount(self.cell(title))
        except ValueError as error:
            raise ReferenceFileError(f"{self.where}, code {self.code}: {title}: {error}") from None


def read_rows(sheet: Sheet, kind: str, titles: tuple[str, ...] = (), *, code: str = "HCPCS") -> Iterator[FeeRow]:
    """Yield the rows whose column `code` has a HCPCS code; other rows are titles and notes.

    `titles` are those of a file without a header, all of whose rows are data. Raise ReferenceFileError if none has one.
    """
    first = recognize.find_header(sheet.rows, kind) or 0
    if not titles:
        titles = tuple(recognize.normalize_title(cell) for cell in sheet.rows[first])
        first += 1
    found = False
    for number, row in enumerate(sheet.rows[first:], first + 1):
        cells = dict(zip(titles, row, strict=False))
        where, value = f"{sheet.name}: row {number}", restore_leading_zeros(cells.get(code, "").upper())
        if code_system_by_shape(value) is not None:
            found = True
            yield FeeRow(where, value, cells)
        elif _LIKE_A_CODE.fullmatch(value):
            raise ReferenceFileError(f"{where}: {cells[code]} is not a HCPCS code; expected five characters, as J1885")
    if not found:
        raise ReferenceFileError(f"{sheet.name}: no codes below the header")


def require_titles(sheet: Sheet, kind: str, *titles: str) -> None:
    """Raise ReferenceFileError if the header lacks one of the titles."""
    header = sheet.rows[recognize.find_header(sheet.rows, kind) or 0]
    have = {recognize.normalize_title(cell) for cell in header}
    missing = [title for title in titles if title not in have]
    if missing:
        raise ReferenceFileError(
            f"{sheet.name}: no column {', '.join(missing)} in the header; expected the file as CMS publishes it"
        )


def drop_repeats(fees: Iterable[tuple[FeeRow, Fee]], key: Callable[[Fee], Hashable]) -> tuple[list[Fee], int]:
    """Return the fees without repeated rows, and how many these were.

    Raise ReferenceFileError if two rows have the same key and differ: neither may win in silence.
    """
    kept: dict[Hashable, tuple[FeeRow, Fee]] = {}
    repeated = 0
    for row, fee in fees:
        before, known = kept.setdefault(key(fee), (row, fee))
        if before is row:
            continue
        if known != fee:
            raise ReferenceFileError(
                f"{row.where}: code {row.code} is also in {before.where.rpartition(': ')[2]}, with another content; "
                "expected each code and modifier once"
            )
        repeated += 1
    return [fee for _, fee in kept.values()], repeated
