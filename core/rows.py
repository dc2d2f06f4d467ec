"""Rows as they leave the program: one way to name and write the columns of a question's rows.

A question returns instances of a dataclass, and the dataclass is the table: its fields are the columns. Downloads from
pages and the API both write rows with these functions, so that a table has the same names and values in each.
"""

import csv
import dataclasses
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from operator import attrgetter
from types import MappingProxyType
from typing import Any, get_type_hints

import pyarrow as pa
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.functional import Promise

from core.column_units import find_digits
from core.fields.rounding import round_half_up
from core.store.schema.field_types import arrow_type_of

_CSV_ROWS_AT_ONCE = 500
_ARROW_ROWS_AT_ONCE = 50_000
_ARROW_ROWS_TOGETHER = 2_000
"""Rows that become Arrow in one step, during which no other thread of the process runs."""

_MARK = "'"
"""What makes a spreadsheet show a cell as text. One who reads the file again takes it off: it is in front of no other
text, because a text that begins with it gets another."""

_FORMULA_START = re.compile("[\\s\x00\u200b\ufeff]*[=+\\-@＝＋－＠]|[\t\r\n']")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection): full-width signs and white space
before it as well."""

_ALWAYS_PLAIN = frozenset({type(None), bool, int})
"""The types of values that are cells as they are. So is a text that begins with a letter or digit: no formula does."""

_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)


class RowEncoder(DjangoJSONEncoder):
    """Write the values of rows as JSON: dates in ISO 8601, moments in UTC with a Z."""

    def default(self, o: Any) -> Any:
        """Return a value that JSON has. The store's moments are UTC but carry no zone."""
        return super().default(o.replace(tzinfo=UTC) if isinstance(o, datetime) and o.tzinfo is None else o)


def write_json(value: Any, **options: Any) -> str:
    """Return values as JSON. Numbers that JSON does not have, infinite ones and NaN, become null."""
    try:
        return json.dumps(value, cls=RowEncoder, allow_nan=False, **options)
    except ValueError:
        return json.dumps(_finite(value), cls=RowEncoder, allow_nan=False, **options)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


def column_names(row_type: type[Any]) -> list[str]:
    """Return the names of the columns, in their order."""
    return [field.name for field in dataclasses.fields(row_type)]


def row_values(row: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return the values of a row by column name, see `column_names`. Properties of the dataclass are not columns."""
    return {name: getattr(row, name) for name in names}


def json_lines(row_type: type[Any], rows: Iterable[Any], said: Mapping[str, str | None] | None = None) -> Iterator[str]:
    """Yield `{"rows": […]}` piece by piece, one row on a line, and then what else is `said` of all rows."""
    names = column_names(row_type)
    yield '{"rows": ['
    separator = "\n"
    for row in rows:
        yield separator + write_json(row_values(row, names))
        separator = ",\n"
    rest = "".join(f", {write_json(name)}: {write_json(value)}" for name, value in (said or {}).items())
    yield f"\n]{rest}}}\n"


Constants = Mapping[str, str | None]
"""What is the same for all rows of a file, by name: the state, the month, the code. A file that has left its page
behind says so in columns of its own, after those of the table."""


def missing_constants(row_type: type[Any], constants: Constants) -> dict[str, str | None]:
    """Return those constants that the table has no column for."""
    return {name: value for name, value in constants.items() if name not in column_names(row_type)}


def rounded_values(row_type: type[Any], rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the values of each row, computed ones rounded: to cents or hundredths of a percent."""
    names, digits = column_names(row_type), find_digits(row_type)
    computed = [(position, digits[name]) for position, name in enumerate(names) if name in digits]
    values_of = attrgetter(*names, names[0])  # one more, so that it returns a tuple for a table of one column as well
    for row in rows:
        values = list(values_of(row))
        del values[-1]
        for position, count in computed:
            value = values[position]
            if isinstance(value, float) and math.isfinite(value):
                values[position] = round_half_up(value, count)
        yield values


def csv_lines(row_type: type[Any], rows: Iterable[Any], constants: Constants = MappingProxyType({})) -> Iterator[str]:
    """Yield a CSV file piece by piece, with a header, and the constants that the rows lack as last columns."""
    constants = missing_constants(row_type, constants)
    last = [csv_cell(value) for value in constants.values()]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([csv_cell(name) for name in (*column_names(row_type), *constants)])
    for number, values in enumerate(rounded_values(row_type, rows), 1):
        # A file has millions of cells, and no other page is made while Python writes them: most cells need no function.
        cells = [
            value if type(value) in _ALWAYS_PLAIN or (type(value) is str and value[:1].isalnum()) else csv_cell(value)
            for value in values
        ]
        writer.writerow([*cells, *last])
        if number % _CSV_ROWS_AT_ONCE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def csv_cell(value: Any) -> Any:
    """Return a value as one cell: a list joined by blanks, and text that cannot be run as a formula.

    Files from payers are not trusted. An apostrophe before `=HYPERLINK(…)` makes spreadsheets show it as text. Numbers
    stay numbers, negative ones too.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        text = " ".join(str(csv_cell(each)) for each in value)
        return csv_cell(text) if text[:1] in {"+", "-"} else text  # -1 is a number, -1 2 is not
    text = str(value)
    return _MARK + text if _FORMULA_START.match(text) and not _PLAIN_NUMBER.fullmatch(text) else value


def arrow_schema(row_type: type[Any], constants: Constants = MappingProxyType({})) -> pa.Schema:
    """Return the Arrow types of the columns, and of the constants that the rows lack. Every column may be null."""
    hints = get_type_hints(row_type)
    columns = [(name, arrow_type_of(hints[name])) for name in column_names(row_type)]
    return pa.schema([*columns, *((name, pa.string()) for name in missing_constants(row_type, constants))])


def arrow_tables(
    row_type: type[Any], rows: Iterable[Any], constants: Constants = MappingProxyType({})
) -> Iterator[pa.Table]:
    """Yield the rows as Arrow tables of limited size, with the constants that the rows lack as last columns."""
    schema, remaining = arrow_schema(row_type, constants), iter(rows)
    constants, names = missing_constants(row_type, constants), column_names(row_type)
    batches, size = [], 0
    while some := list(islice(remaining, _ARROW_ROWS_TOGETHER)):
        columns = {name: [_arrow_value(getattr(row, name)) for row in some] for name in names}
        columns |= {name: [value] * len(some) for name, value in constants.items()}
        batches.append(pa.record_batch(columns, schema=schema))
        size += len(some)
        if size >= _ARROW_ROWS_AT_ONCE:
            yield pa.Table.from_batches(batches).combine_chunks()
            batches, size = [], 0
    if batches:
        yield pa.Table.from_batches(batches).combine_chunks()


def _arrow_value(value: Any) -> Any:
    return str(value) if isinstance(value, Promise) else value
