"""Tables as files: the rows of a question as CSV, JSON, or Parquet, streamed."""

import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import pyarrow.parquet as pq
from django.http import StreamingHttpResponse

from core.rows import arrow_schema, arrow_tables, csv_lines, json_lines

ROW_CAP = 1_000_000
"""A table ends after this many rows: for the whole store, copy its Parquet files."""

_PARQUET_CHUNK_BYTES = 1 << 18


def download(rows: Iterable[Any], row_type: type[Any], name: str, format: str) -> StreamingHttpResponse:  # noqa: A002
    """Return the rows, instances of the dataclass `row_type`, as a file in format csv, json, or parquet."""
    started = _started(rows)
    if format == "csv":
        response = StreamingHttpResponse(csv_lines(row_type, started), content_type="text/csv; charset=utf-8")
    elif format == "parquet":
        response = StreamingHttpResponse(_parquet(row_type, started), content_type="application/vnd.apache.parquet")
    else:
        response = StreamingHttpResponse(json_lines(row_type, started), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}.{format}"'
    return response


def _started(rows: Iterable[Any]) -> Iterator[Any]:
    """Return the rows after asking for the first one: an error must surface before the response begins."""
    iterator = iter(rows)
    try:
        first = next(iterator)
    except StopIteration:
        return iter(())
    return chain((first,), iterator)


def _parquet(row_type: type[Any], rows: Iterable[Any]) -> Iterator[bytes]:
    # The index of a Parquet file is at its end, so the file is complete on disk before the first byte is sent.
    with tempfile.TemporaryFile() as file:
        with pq.ParquetWriter(file, arrow_schema(row_type), compression="zstd") as writer:
            for table in arrow_tables(row_type, rows):
                writer.write_table(table)
        file.seek(0)
        while chunk := file.read(_PARQUET_CHUNK_BYTES):
            yield chunk
