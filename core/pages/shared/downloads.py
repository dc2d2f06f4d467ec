"""Tables as CSV, JSON and Parquet: the rows of a question, with its column names, streamed."""

import csv
import dataclasses
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from types import NoneType
from typing import Any, get_args, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
from django.http import StreamingHttpResponse
from django.utils.functional import Promise

ROW_CAP = 1_000_000
"""A table ends after this many rows; the site is no way to copy the store."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def download(rows: Iterable[Any], kind: type[Any], name: str, format: str) -> StreamingHttpResponse:  # noqa: A002
    """The rows, instances of the dataclass `kind`, as a file in format csv, json or parquet.

    In CSV a list is one cell of its elements joined by spaces, and text that a spreadsheet would run as a formula has
    an apostrophe before it.
    """
    names = [field.name for field in dataclasses.fields(kind)]
    first = _started(rows)
    if format == "csv":
        response = StreamingHttpResponse(_csv(names, first), content_type="text/csv; charset=utf-8")
    elif format == "parquet":
        response = StreamingHttpResponse(_parquet(kind, first), content_type="application/vnd.apache.parquet")
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


_ARROW = {
    str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), date: pa.date32(),
    datetime: pa.timestamp("us", tz="UTC"), list[str]: pa.list_(pa.string()),
}  # fmt: skip


def _schema(kind: type[Any]) -> pa.Schema:
    fields = []
    for name, hint in get_type_hints(kind).items():
        (plain,) = (
            [part for part in get_args(hint) or (hint,) if part is not NoneType] if hint not in _ARROW else [hint]
        )
        fields.append(pa.field(name, _ARROW[plain]))
    return pa.schema(fields)


def _parquet(kind: type[Any], rows: Iterator[Any]) -> Iterator[bytes]:
    schema = _schema(kind)
    # A Parquet file tells at its end where its parts are: it is whole on disk before it is sent.
    with tempfile.TemporaryFile() as file:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            while some := list(islice(rows, 50_000)):
                columns = {name: [_parquet_cell(getattr(row, name)) for row in some] for name in schema.names}
                writer.write_table(pa.table(columns, schema=schema))
        file.seek(0)
        while part := file.read(1 << 18):
            yield part


def _parquet_cell(value: Any) -> Any:
    return str(value) if isinstance(value, Promise) else value


def _plain(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{type(value)} in a table")
