"""Tables as Excel workbooks: what was asked and where the figures come from, then the rows, then what the columns mean.

A workbook leaves the page it was made from behind: it goes to a client, a lawyer, a drawer. So it says what it answers.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain, islice
from types import MappingProxyType
from typing import IO, Any
from urllib.parse import urljoin

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from core.queries.rules.measured_class import OTHER_CLASS
from core.rows import Constants, missing_constants, rounded_values
from core.sheet_columns import MEDICARE, SheetColumn, columns_of

MOST_ROWS = 100_000
"""Rows of a workbook. More take Excel longer to open than anyone waits; the other formats have them all."""

_FILE_DATE = "file_date"
"""The column of a workbook of rates with the date that the rate's file has: the About sheet has it by file."""

_FIRST_OF_RATES = (
    "negotiated_rate",
    "reporting_entity_name",
    _FILE_DATE,
    "percent",
    "medicare",
    "one_name",
    "one_tin",
    "tins",
    "billing_class",
    "modifier",
    "service_codes",
)
"""What people look for in a table of rates, which has a key in front for programs."""

_KEYS = ("fact_uid", "payer_slug", "pos_set_id", "pg_uid", "batch_id")
"""Columns that only programs read. A table of rates ends with them, and they are hidden."""

_ROWS_LOOKED_AT = 5_000
"""The most rows a table may have for its empty columns to be left out.

Only the first rows of a longer one are in memory, and they do not tell which columns stay empty.
"""

_LONGEST_CELL = 32_767
_WIDEST_COLUMN = 48
_ROWS_MEASURED = 200
"""How many rows decide how wide the columns are."""

_WORDS = {
    ("modifier", ""): "none",
    ("billing_class", "professional"): "professional fee",
    ("billing_class", "institutional"): "facility fee",
    ("billing_class", "like professional"): "professional fee",
    ("billing_class", "like institutional"): "facility fee",
    ("billing_class", "both"): "professional and facility fee",
    ("care_setting", "non-facility or unstated"): "outside facilities",
    ("care_setting", "facility or unstated"): "in facilities",
}
"""What pages call some values: a workbook is for people. The other formats have the keys."""

_WITH_WORDS = {name for name, _ in _WORDS}

_FORMATS = {
    "dollars": "$#,##0.00",
    "percentage": '0.00##"%"',
    "fraction": "0.0%",
    "plain": "#,##0.00##",
    "count": "#,##0",
    "date": "mmm d, yyyy",
    "moment": 'mmm d, yyyy h:mm "UTC"',
}


MOST_FILES = 24
"""As many files are named on the first sheet. Of more, it says how many each payer has."""


@dataclass(frozen=True)
class SourceFile:
    """A payer's file that the figures come from."""

    payer: str
    state: str
    year_month: str
    file: str
    last_updated_on: str | None
    file_month: str | None = None
    """The month of that date, if it is much older than the month of the rates."""


@dataclass(frozen=True)
class About:
    """What the first sheet says: what was asked, and where the figures come from."""

    title: str
    address: str
    choices: Sequence[tuple[str, str]]
    sources: Sequence[SourceFile]
    generation: int
    version: str
    """The version of the program: the same data may have other figures after a change of the method."""
    made_at: datetime
    yardstick: str = MEDICARE
    """What percents are of, as a heading says it: Medicare, or the Georgia schedule."""
    measured_as: str = ""
    """The class that all rates are measured as, whatever their payers label them; empty text if they are of several."""
    overruled: Collection[tuple[str, str | None]] = ()
    """The payers' slugs and classes that are a label alone, as the rates are measured as another class."""


@dataclass(frozen=True)
class Formula:
    """What a spreadsheet computes again when a person types into other cells, and the value that it has until then."""

    text: str
    """Without the equals sign: of our own words and of numbers, never of a file's text."""
    value: float | None


@dataclass(frozen=True)
class LeadSheet:
    """A sheet before all others: what a person takes to the table. `rows` end with the rows of totals."""

    name: str
    columns: Sequence[tuple[str, str]]
    """The headings, and keys of _FORMATS or empty text."""
    rows: Sequence[Sequence[Any]]
    totals: Sequence[Sequence[Any]]
    notes: Sequence[str] = ()
    """What is said below the table, each in a row of its own."""
    above: str = ""
    """What is said in a row above the headings; empty text for no such row."""


def write_workbook(
    file: IO[bytes],
    row_type: type[Any],
    rows: Iterable[Any],
    about: About,
    constants: Constants = MappingProxyType({}),
    lead: LeadSheet | None = None,
) -> None:
    """Write the first MOST_ROWS rows as a workbook, with the constants that the rows lack as last columns.

    Rows are written as they come, and are not kept in memory.
    """
    constants = missing_constants(row_type, constants)
    columns = list(columns_of(row_type, constants, about.yardstick))
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "remove_timezone": True}
    with xlsxwriter.Workbook(file, options) as book:
        formats = {unit: book.add_format({"num_format": pattern}) for unit, pattern in _FORMATS.items()}
        bold = book.add_format({"bold": True})
        if lead:
            totals = {
                unit: book.add_format({"num_format": pattern, "bold": True}) for unit, pattern in _FORMATS.items()
            }
            _write_lead(book.add_worksheet(lead.name), lead, formats, {"": bold, **totals})
        first, table, last = (book.add_worksheet(name) for name in ("About", "Table", "Columns"))
        every = ([*values, *constants.values()] for values in rounded_values(row_type, rows))
        columns, remaining = _arrange(columns, every, about.sources)
        shown = _write_rows(table, columns, _with_words(columns, remaining, about), formats, bold)
        is_cut = shown == MOST_ROWS and next(remaining, None) is not None
        _write_about(first, about, shown, bold, is_cut=is_cut, has_keys=_has_keys(columns))
        _write_meanings(last, columns, bold)


def _arrange(
    columns: Sequence[SheetColumn], rows: Iterator[list[Any]], sources: Sequence[SourceFile]
) -> tuple[list[SheetColumn], Iterator[list[Any]]]:
    """Return the columns as a person reads them, and the rows with the same: no empty ones, and of rates, keys last."""
    names = [column.name for column in columns]
    # Some files say the time of day as well.
    dates = {one.file: (one.last_updated_on or "").partition("T")[0] for one in sources}
    wanted = list(columns)
    if "fact_uid" in names:
        if "source" in names and dates:
            wanted.append(SheetColumn(_FILE_DATE, "File's date", "When the file was last updated, as it says.", ""))
        # Sorting keeps the order of the columns that are neither.
        first = {name: at - len(_FIRST_OF_RATES) for at, name in enumerate(_FIRST_OF_RATES)}
        wanted.sort(key=lambda column: first.get(column.name, int(column.name in _KEYS)))
    some = list(islice(rows, _ROWS_LOOKED_AT + 1))
    if some and len(some) <= _ROWS_LOOKED_AT:
        empty = {
            column.name
            for at, column in enumerate(columns)
            if all(_is_empty(column.name, values[at]) for values in some)
        }
        wanted = [column for column in wanted if column.name not in empty]
    if wanted == list(columns):
        return wanted, chain(some, rows)
    # The date comes after the other values, and is looked up by the file.
    at_source = names.index("source") if "source" in names else None
    places = [len(names) if column.name == _FILE_DATE else names.index(column.name) for column in wanted]

    def arranged() -> Iterator[list[Any]]:
        for values in chain(some, rows):
            dated = [*values, None if at_source is None else dates.get(values[at_source])]
            yield [dated[place] for place in places]

    return wanted, arranged()


def _is_empty(name: str, value: Any) -> bool:
    """Return whether a value leaves its cell empty."""
    if isinstance(value, str):
        return not value and (name, value) not in _WORDS
    return value is None or value == []


def _with_words(columns: Sequence[SheetColumn], rows: Iterator[list[Any]], about: About) -> Iterator[list[Any]]:
    """Yield the rows with what pages call some values. A class that the rates are not measured as is a label."""
    worded = [(at, column.name) for at, column in enumerate(columns) if column.name in _WITH_WORDS]
    payer_at = next((at for at, column in enumerate(columns) if column.name == "payer_slug"), None)
    for values in rows:
        words = list(values)
        for at, name in worded:
            words[at] = _WORDS.get((name, values[at]), values[at])
            if name == "billing_class" and _is_label(values[at], "" if payer_at is None else values[payer_at], about):
                words[at] = f"labeled {words[at]}"
        yield words


def _is_label(billing_class: str, payer_slug: str, about: About) -> bool:
    is_other = about.measured_as and billing_class in OTHER_CLASS and billing_class != about.measured_as
    return bool(is_other) or (payer_slug, billing_class) in about.overruled


def _write_rows(
    sheet: Worksheet,
    columns: Sequence[SheetColumn],
    rows: Iterator[list[Any]],
    formats: dict[str, Format],
    bold: Format,
) -> int:
    """Write the table with its headings, and return how many rows it has."""
    some = list(islice(rows, _ROWS_MEASURED))
    hidden = _KEYS if _has_keys(columns) else ()
    for at, column in enumerate(columns):
        longest = max((len(_text(values[at])) for values in some), default=0)
        # Excel wants to know the widths before the first row.
        width = min(max(longest, len(column.heading)) + 2, _WIDEST_COLUMN)
        sheet.set_column(at, at, width, None, {"hidden": column.name in hidden})
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(columns):
        sheet.write_string(0, at, column.heading, bold)
    kind_at = next((at for at, column in enumerate(columns) if column.name == "kind"), None)
    number = 0
    for number, values in enumerate(islice(chain(some, rows), MOST_ROWS), 1):
        in_percent = kind_at is not None and values[kind_at] == "percentage"
        for at, column in enumerate(columns):
            unit = "percentage" if in_percent and column.unit == "dollars" else column.unit
            _write_cell(sheet, number, at, values[at], formats.get(unit))
    if number:
        sheet.autofilter(0, 0, number, len(columns) - 1)
    return number


def _write_lead(sheet: Worksheet, lead: LeadSheet, formats: dict[str, Format], bold: dict[str, Format]) -> None:
    for at, (heading, _) in enumerate(lead.columns):
        longest = max((len(_text(values[at])) for values in lead.rows if isinstance(values[at], str)), default=0)
        sheet.set_column(at, at, min(max(longest, len(heading), 10) + 2, _WIDEST_COLUMN))
    top = 1 if lead.above else 0
    if lead.above:
        sheet.write_string(0, 0, lead.above, bold[""])
    sheet.freeze_panes(top + 1, 0)
    for at, (heading, _) in enumerate(lead.columns):
        sheet.write_string(top, at, heading, bold[""])
    for number, values in enumerate([*lead.rows, *lead.totals], 1):
        styles = formats if number <= len(lead.rows) else bold
        for at, (_, unit) in enumerate(lead.columns):
            _write_cell(sheet, top + number, at, values[at], styles.get(unit))
    for number, note in enumerate(lead.notes, top + len(lead.rows) + len(lead.totals) + 2):
        sheet.write_string(number, 0, note)
    if lead.rows:
        sheet.autofilter(top, 0, top + len(lead.rows), len(lead.columns) - 1)


def _write_cell(sheet: Worksheet, row: int, at: int, value: Any, style: Format | None) -> None:
    # Each kind is written by its own method: text from a payer's file never becomes a formula or a link.
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return
    if isinstance(value, Formula):
        # With its value, so that what shows files without computing them shows it too.
        sheet.write_formula(row, at, f"={value.text}", style, "" if value.value is None else value.value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, at, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, at, value, style)
    elif isinstance(value, date):
        sheet.write_datetime(row, at, value, style)
    else:
        sheet.write_string(row, at, _text(value)[:_LONGEST_CELL])


def _has_keys(columns: Sequence[SheetColumn]) -> bool:
    """Return whether a table is of rates, with keys for programs."""
    return any(column.name == "fact_uid" for column in columns)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _write_about(sheet: Worksheet, about: About, shown: int, bold: Format, *, is_cut: bool, has_keys: bool) -> None:
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 4, 40)
    made_at = about.made_at.astimezone(UTC)
    lines: list[tuple[str, ...]] = [
        (about.title,),
        (),
        *about.choices,
        ("Rows", f"the first {shown:,}; download CSV or Parquet for all" if is_cut else f"{shown:,}"),
        *([("Keys for programs", "in hidden columns, the last of the table")] if has_keys else []),
        ("Page", about.address),
        ("How it is computed", urljoin(about.address, "/method/")),
        ("Data", f"generation {about.generation:,}"),
        ("Computed by", f"program version {about.version}"),
        ("Made", f"{made_at:%B} {made_at.day}, {made_at.year} at {made_at:%H:%M} UTC"),
        (),
    ]
    lines += _say_sources(about)
    for row, line in enumerate(lines):
        for at, text in enumerate(line):
            is_heading = row == 0 or (line[0] == "Payer" and len(line) > 2)
            sheet.write_string(row, at, text[:_LONGEST_CELL], bold if is_heading else None)


def _say_sources(about: About) -> list[tuple[str, ...]]:
    """Return the rows about the payers' files: each file or, of many, how many each payer has."""
    if not about.sources:
        return []
    if len(about.sources) <= MOST_FILES:
        heads = ("Payer", "State and month", "File", "Updated, as the file says")
        return [
            heads,
            *(
                (one.payer, f"{one.state} {_dated_month(one)}", one.file, one.last_updated_on or "")
                for one in about.sources
            ),
        ]
    files: dict[tuple[str, str], list[str]] = {}
    for one in about.sources:
        files.setdefault((one.payer, f"{one.state} {_dated_month(one)}"), []).append(one.last_updated_on or "")
    link = urljoin(about.address, f"/payers/?state={about.sources[0].state}")
    return [
        ("Payer", "State and month", "Files", "Last updated, as they say"),
        *((*payer, f"{len(dates):,}", max(dates)) for payer, dates in files.items()),
        (),
        ("Each payer's files", link),
    ]


def _dated_month(source: SourceFile) -> str:
    return f"{source.year_month} (file dated {source.file_month})" if source.file_month else source.year_month


def _write_meanings(sheet: Worksheet, columns: Sequence[SheetColumn], bold: Format) -> None:
    sheet.set_column(0, 1, 30)
    sheet.set_column(2, 2, 100)
    for at, text in enumerate(("Heading", "Name in CSV, JSON, and Parquet", "What it means")):
        sheet.write_string(0, at, text, bold)
    for row, column in enumerate(columns, 1):
        for at, text in enumerate((column.heading, column.name, column.meaning)):
            sheet.write_string(row, at, text)
