"""Tables as CSV and JSON: the rows of a question, with its column names, streamed."""

import csv
import dataclasses
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.functional import Promise

ROW_CAP = 1_000_000
"""A table ends after this many rows; the site is no way to copy the store."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def download(rows: Iterable[Any], kind: type[Any], name: str, format: str) -> StreamingHttpResponse:  # noqa: A002
    """The rows, instances of the dataclass `kind`, as a file in format csv or json.

    In CSV a list is one cell of its elements joined by spaces, and text that a spreadsheet would run as a formula has
    an apostrophe before it.
    """
    names = [field.name for field in dataclasses.fields(kind)]
    first = _started(rows)
    if format == "csv":
        response = StreamingHttpResponse(_csv(names, first), content_type="text/csv; charset=utf-8")
    else:
        response = StreamingHttpResponse(_json(names, first), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}.{format}"'
    return response


def _started(rows: Iterable[Any]) -> Iterator[Any]:
    """The rows, the first of them asked for already, so that what goes wrong is told before the answer begins."""
    iterator = iter(rows)
    head = next(iterator, None)

    def chained() -> Iterator[Any]:
        if head is not None:
            yield head
        yield from iterator

    return chained()


def _csv(names: Sequence[str], rows: Iterator[Any]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(names)
    for number, row in enumerate(rows, 1):
        writer.writerow([_cell(getattr(row, name)) for name in names])
        if number % 500 == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def _json(names: Sequence[str], rows: Iterator[Any]) -> Iterator[str]:
    yield '{"rows": ['
    separator = "\n"
    for row in rows:
        yield separator + json.dumps({name: getattr(row, name) for name in names}, default=_plain)
        separator = ",\n"
    yield "\n]}\n"


def _plain(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{type(value)} in a table")
