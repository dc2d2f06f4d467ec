"""Tables as files: the rows of a question as CSV, JSON, or Parquet, streamed."""

import tempfile
import time
import weakref
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import pyarrow.parquet as pq
from django.conf import settings
from django.http import StreamingHttpResponse

from core.pages.shared.admission import Place
from core.rows import arrow_schema, arrow_tables, csv_lines, json_lines
from core.runtime.errors import BeaconError

ROW_CAP = 1_000_000
"""A table ends after this many rows: for the whole store, copy its Parquet files."""


SMALL_FILE_BYTES = 1_000_000
"""A file up to this size is complete before its first byte is sent."""


def download_seconds() -> float:
    """Return how long a query whose rows are sent as they are read may take."""
    seconds: float = settings.BEACONPOINT_DOWNLOAD_SECONDS
    return seconds


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


def hold_until_sent(response: StreamingHttpResponse, place: Place, seconds: float) -> None:
    """Leave a place in a lane when the response is sent, when its client is gone, or after so many seconds at most.

    A small file is made at once: however slowly its client reads, it needs its place no longer.
    """
    deadline, chunks = time.monotonic() + seconds, iter(response)
    first, size = [], 0
    for chunk in chunks:
        first.append(chunk)
        size += len(chunk)
        if size > SMALL_FILE_BYTES:
            response.streaming_content = _HeldChunks(chain(first, chunks), place, deadline)
            return
    place.leave()
    response.streaming_content = first


class _HeldChunks:
    """The pieces of a response that holds a place. Django closes it in the end, even if nothing was read."""

    def __init__(self, chunks: Iterator[bytes], place: Place, deadline: float) -> None:
        self._chunks = chunks
        self._deadline = deadline
        self._leave = weakref.finalize(self, place.leave)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if time.monotonic() > self._deadline:
            self._leave()
            raise BeaconError("a download took longer than it may and was cut off (BEACONPOINT_DOWNLOAD_SECONDS)")
        try:
            return next(self._chunks)
        except StopIteration:
            self._leave()
            raise

    def close(self) -> None:
        """Make room for the next download."""
        self._leave()


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
