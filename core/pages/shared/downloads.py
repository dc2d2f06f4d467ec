"""Tables as files: the rows of a question as CSV, JSON, Parquet, or an Excel workbook, streamed."""

import re
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from types import MappingProxyType
from typing import IO, Any
from urllib.parse import quote

import pyarrow.parquet as pq
from django.conf import settings
from django.http import StreamingHttpResponse

from core.fields.texts.clean_text import clean_name, clean_text
from core.pages.shared.lanes.admission import QUESTIONS, Place
from core.queries.market.market_filters import YARDSTICK
from core.rows import Constants, arrow_schema, arrow_tables, csv_lines, json_lines
from core.runtime.errors import BeaconError
from core.workbook import About, LeadSheet, write_workbook

ROW_CAP = 1_000_000
"""A table ends after this many rows: for the whole store, copy its Parquet files."""


SMALL_FILE_BYTES = 1_000_000
"""A file up to this size is complete before its first byte is sent."""


def download_seconds() -> float:
    """Return how long a query whose rows are sent as they are read may take."""
    seconds: float = settings.BEACONPOINT_DOWNLOAD_SECONDS
    return seconds


_ROWS_WITHOUT_PAUSE = 100
_MAX_PAUSE = 0.1

_CHUNK_BYTES = 1 << 18
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_NOT_PLAIN = re.compile("[^A-Za-z0-9._-]")
_NOT_IN_FILE_NAMES = re.compile(r'[/\\:*?"<>|]')
_MAX_NAME = 60
"""Characters of a file's name: in UTF-8, file systems allow 255 bytes."""


def download(
    rows: Iterable[Any],
    row_type: type[Any],
    name: str,
    format: str,  # noqa: A002 - as the parameter of the address is called
    about: Callable[[], About],
    constants: Constants = MappingProxyType({}),
    lead: LeadSheet | None = None,
) -> StreamingHttpResponse:
    """Return the rows, instances of the dataclass `row_type`, as a file in format csv, json, parquet, or xlsx.

    `about` says what was asked; only a workbook needs to know, and only it has a `lead`. `constants` hold for all rows;
    JSON has the rows as the API gives them, and beside them only what the percents are of.
    """
    started = _give_way(_started(rows))
    if format == "csv":
        response = StreamingHttpResponse(
            csv_lines(row_type, started, constants), content_type="text/csv; charset=utf-8"
        )
    elif format == "parquet":
        response = StreamingHttpResponse(
            _parquet(row_type, started, constants), content_type="application/vnd.apache.parquet"
        )
    elif format == "xlsx":
        response = StreamingHttpResponse(_workbook(row_type, started, about(), constants, lead), content_type=_EXCEL)
    else:
        said = {YARDSTICK: constants[YARDSTICK]} if YARDSTICK in constants else {}
        response = StreamingHttpResponse(json_lines(row_type, started, said), content_type="application/json")
    response["Content-Disposition"] = content_disposition(name, format)
    return response


def hold_until_sent(response: StreamingHttpResponse, place: Place, seconds: float) -> None:
    """Leave a place in a lane when the response is sent, when its client is gone, or after `seconds` at the latest.

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


def content_disposition(name: str, suffix: str) -> str:
    """Return the header that names a download, whose name may contain anything that a payer writes (RFC 6266).

    The plain name has only characters that are safe in every program and file system. If that is not the whole name, it
    follows in UTF-8, without the characters that no file name may have.
    """
    clean = clean_name(_NOT_IN_FILE_NAMES.sub("_", clean_text(name)), _MAX_NAME).strip(". ") or "table"
    plain = _NOT_PLAIN.sub("_", clean)
    header = f'attachment; filename="{plain}.{suffix}"'
    return header if plain == clean else f"{header}; filename*=UTF-8''{quote(f'{clean}.{suffix}', safe='')}"


def _started(rows: Iterable[Any]) -> Iterator[Any]:
    """Return the rows after asking for the first one: an error must surface before the response begins."""
    iterator = iter(rows)
    try:
        first = next(iterator)
    except StopIteration:
        return iter(())
    return chain((first,), iterator)


def _give_way(rows: Iterable[Any]) -> Iterator[Any]:
    """Yield the rows, and pause while pages are made.

    Python runs one thread at a time: two files of 70,000 rows would leave a third of it to a page that a person waits
    for, who has no use for a file that is ready sooner.
    """
    began = time.monotonic()
    for number, row in enumerate(rows, 1):
        yield row
        if number % _ROWS_WITHOUT_PAUSE == 0:
            if QUESTIONS.running:
                time.sleep(min(time.monotonic() - began, _MAX_PAUSE))
            began = time.monotonic()


def _parquet(row_type: type[Any], rows: Iterable[Any], constants: Constants) -> Iterator[bytes]:
    # The index of a Parquet file is at its end, so the file is complete on disk before the first byte is sent.
    with tempfile.TemporaryFile() as file:
        with pq.ParquetWriter(file, arrow_schema(row_type, constants), compression="zstd") as writer:
            for table in arrow_tables(row_type, rows, constants):
                writer.write_table(table)
        yield from _pieces(file)


def _workbook(
    row_type: type[Any], rows: Iterable[Any], about: About, constants: Constants, lead: LeadSheet | None
) -> Iterator[bytes]:
    # A workbook is a zip file, whose index is at its end too.
    with tempfile.TemporaryFile() as file:
        write_workbook(file, row_type, rows, about, constants, lead)
        yield from _pieces(file)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
