"""Tells the agencies' files apart by content, so that a wrong one is named as what it is."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from core.reference.spreadsheets import Rows, Sheet, read_sheets
from core.runtime.errors import ReferenceFileError

_FIRST_ROWS = 30
"""A header stands within so many rows, below the titles."""


@dataclass(frozen=True)
class FileKind:
    """A kind of file: what it is, and where it goes."""

    name: str
    place: str
    is_header: Callable[[list[str]], bool]
    """Whether a row, in capitals, is the header of such a file."""


def _has(*words: str) -> Callable[[list[str]], bool]:
    """Whether each of the words stands in some cell of a header, which has several cells (a title has one)."""
    return lambda row: len(set(row)) > 2 and all(any(word in cell for cell in row) for word in words)


def _is_code(cell: str) -> bool:
    return "BASE UNIT" not in cell and ("CODE" in cell or "CPT" in cell)


RELATIVE_VALUES, GPCI, ANESTHESIA, BASE_UNITS = "relative values", "gpci", "anesthesia", "base units"
ADDENDUM_B, ASC_ADDENDUM, WAGE_INDEX = "addendum b", "asc addendum", "wage index"

FILE_KINDS = {
    RELATIVE_VALUES: FileKind(
        "a relative value file (PPRRVU…)", "load_benchmark medicare_prof", lambda row: row[:2] == ["HCPCS", "MOD"]
    ),
    GPCI: FileKind("a GPCI file", "load_benchmark medicare_prof PPRRVU… --gpci FILE", _has("GPCI", "LOCALITY")),
    ANESTHESIA: FileKind("a file of anesthesia factors", "load_benchmark medicare_prof", _has("ANES", "LOCALITY")),
    BASE_UNITS: FileKind(
        "a file of anesthesia base units",
        "load_benchmark medicare_prof",
        # Its title is "Anesthesia Base Units by CPT Code": the header has the two in cells of their own.
        lambda row: any("BASE UNIT" in cell for cell in row) and any(_is_code(cell) for cell in row),
    ),
    ADDENDUM_B: FileKind(
        "an OPPS Addendum B", "load_benchmark opps", lambda row: "SI" in row and _has("HCPCS", "APC")(row)
    ),
    ASC_ADDENDUM: FileKind("an ASC addendum (AA or BB)", "load_benchmark asc", _has("HCPCS", "PAYMENT INDICATOR")),
    WAGE_INDEX: FileKind(
        "a wage index file", "load_benchmark opps … --wage-index FILE, and asc",
        lambda row: "CBSA" in row and any("WAGE INDEX" in cell or cell.startswith("WI") for cell in row),
    ),
}  # fmt: skip


def find_header(rows: Rows, kind: str) -> int | None:
    """The number of the row that is the header of such a file, or None."""
    is_header = FILE_KINDS[kind].is_header
    return next(
        (n for n, row in enumerate(rows[:_FIRST_ROWS]) if is_header([normalize_title(cell) for cell in row])), None
    )


def normalize_title(cell: str) -> str:
    """A header's cell in capitals, on one line."""
    return " ".join(cell.upper().split())


def gather_sheets(paths: Iterable[Path], wanted: Collection[str]) -> dict[str, list[Sheet]]:
    """The sheets of the files by kind of file, of those that are `wanted`; zip files may hold others too.

    Raises ReferenceFileError for a file that has nothing wanted, saying what it is.
    """
    found: dict[str, list[Sheet]] = {kind: [] for kind in wanted}
    for path in paths:
        seen: set[str] = set()
        for sheet in read_sheets(path):
            kind = next((kind for kind in FILE_KINDS if find_header(sheet.rows, kind) is not None), "")
            seen.add(kind)
            if kind in found:
                found[kind].append(sheet)
        if not seen & set(wanted):
            raise ReferenceFileError(f"{path.name}: {_unwanted(seen - {''}, wanted)}")
    return found


def first_sheet(found: dict[str, list[Sheet]], kind: str) -> Sheet:
    """The first sheet of a kind. Raises ReferenceFileError where there is none, saying what there is."""
    if not found[kind]:
        given = ", ".join(
            sorted({f"{sheet.file} is {FILE_KINDS[k].name}" for k, there in found.items() for sheet in there})
        )
        raise ReferenceFileError(
            f"no {FILE_KINDS[kind].name.removeprefix('a ').removeprefix('an ')} among the files: {given}"
        )
    return found[kind][0]


def _unwanted(seen: set[str], wanted: Collection[str]) -> str:
    expected = " or ".join(FILE_KINDS[kind].name for kind in wanted)
    if not seen:
        return f"not a file of a known kind; expected {expected}, as the agency publishes it"
    kind = min(seen)
    return f"this is {FILE_KINDS[kind].name} ({FILE_KINDS[kind].place}); expected {expected}"
