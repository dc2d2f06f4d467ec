"""Join row groups of several Parquet files in one file without reading their rows.

The bytes of a row group are copied; only the footer, which says where everything is, is written new. So rows that
several processes have written become one file at the speed of the disk, and an addition in one place of a file rewrites
only that place. See docs/decisions/0008-stitched-files.md. The footer's fields are those of parquet.thrift
(apache/parquet-format).
"""

import os
from pathlib import Path
from typing import IO, Any, Self

from core.runtime.files import copy_bytes
from core.store.parquet import thrift
from core.store.parquet.thrift import Struct

_MAGIC = b"PAR1"
_SCHEMA, _ROWS, _ROW_GROUPS = 2, 3, 4
_CHUNKS, _GROUP_BYTES, _GROUP_ROWS, _GROUP_OFFSET, _GROUP_COMPRESSED, _GROUP_ORDINAL = 1, 2, 3, 5, 6, 7
_CHUNK_OFFSET, _CHUNK_META, _CHUNK_INDEXES = 2, 3, (4, 5, 6, 7)
_PATH, _UNCOMPRESSED, _COMPRESSED, _DATA_PAGE, _INDEX_PAGE, _DICTIONARY_PAGE, _BLOOM, _BLOOM_SIZE = (
    3,
    6,
    7,
    9,
    10,
    11,
    14,
    15,
)


def read_footer(path: Path) -> Struct:
    """Return the FileMetaData of a Parquet file."""
    with path.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        size, magic = int.from_bytes(file.read(4), "little"), file.read(4)
        if magic != _MAGIC:
            raise ValueError(f"{path} is not a Parquet file")
        file.seek(-8 - size, os.SEEK_END)
        return thrift.read_struct(file.read(size))


class RowGroupCopier:
    """Write the file `path` out of row groups of other files, which must all have the same schema."""

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._file = path.open("wb")
        self._file.write(_MAGIC)
        self._at = len(_MAGIC)
        self._footer: Struct | None = None
        self._groups: list[Struct] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._file.close()

    def add(self, path: Path, first: int = 0, end: int | None = None, footer: Struct | None = None) -> None:
        """Add the row groups of a file from `first` up to, not including, `end`. Read its footer unless it is given.

        Raises ValueError if the file has another schema than the files before it.
        """
        footer = footer or read_footer(path)
        self._expect_schema(path, footer)
        with path.open("rb") as source:
            for group in _row_groups(footer)[first:end]:
                self._put(group, self._copy(source, group))

    def add_widened(self, path: Path, number: int, footer: Struct, columns: Path) -> None:
        """Add the row group `number` of a file, with the columns that it lacks from the one row group of another file.

        The columns and the schema of the result are those of the file `columns`, whose row group has as many rows.
        """
        wider = read_footer(columns)
        self._expect_schema(columns, wider)
        group, (more,) = _row_groups(footer)[number], _row_groups(wider)
        with path.open("rb") as source:
            chunks = {_column_of(chunk): chunk for chunk in self._copy(source, group)}
        with columns.open("rb") as source:
            copied = {_column_of(chunk): chunk for chunk in self._copy(source, more)}
        lacking = [chunk for name, chunk in copied.items() if name not in chunks]
        self._put(_enlarged(group, lacking), [chunks.get(name, copied[name]) for name in copied])

    def finish(self) -> int:
        """Write the footer. Return the number of rows."""
        if self._footer is None:
            raise ValueError("a file needs at least one row group")
        footer = {
            **self._footer,
            _ROWS: (thrift.I64, self.rows),
            _ROW_GROUPS: (thrift.LIST, (thrift.STRUCT, self._groups)),
        }
        text = thrift.write_struct(footer)
        self._file.write(text + len(text).to_bytes(4, "little") + _MAGIC)
        return self.rows

    def _expect_schema(self, path: Path, footer: Struct) -> None:
        if self._footer is None:
            self._footer = footer
        elif self._footer[_SCHEMA] != footer[_SCHEMA]:
            raise ValueError(f"{path} has another schema than the file it is to become part of")

    def _copy(self, source: IO[bytes], group: Struct) -> list[Struct]:
        """Copy the bytes of a row group. Return its column chunks as they are described in this file."""
        chunks = group[_CHUNKS][1][1]
        metas = [chunk[_CHUNK_META][1] for chunk in chunks]
        start = min(_first_byte(meta) for meta in metas)
        end = max(_first_byte(meta) + meta[_COMPRESSED][1] for meta in metas)
        try:
            copy_bytes(source, self._file, start, end - start)
        except EOFError:
            raise ValueError("a Parquet file ends within a row group") from None
        moved = [_moved_chunk(chunk, self._at - start) for chunk in chunks]
        self._at += end - start
        return moved

    def _put(self, group: Struct, chunks: list[Struct]) -> None:
        """Describe a row group, whose bytes have been copied, in the footer."""
        moved = dict(group)
        if moved.get(_GROUP_OFFSET, (0, 0))[1]:
            moved[_GROUP_OFFSET] = (thrift.I64, min(_first_byte(chunk[_CHUNK_META][1]) for chunk in chunks))
        if _GROUP_ORDINAL in group:
            moved[_GROUP_ORDINAL] = (thrift.I16, min(len(self._groups), 32767))
        moved[_CHUNKS] = (thrift.LIST, (thrift.STRUCT, chunks))
        self._groups.append(moved)
        self.rows += group[_GROUP_ROWS][1]


def _row_groups(footer: Struct) -> list[Struct]:
    groups: list[Struct] = footer[_ROW_GROUPS][1][1]
    return groups


def _column_of(chunk: Struct) -> tuple[bytes, ...]:
    """Return the path of a column chunk's column in the schema."""
    return tuple(chunk[_CHUNK_META][1][_PATH][1][1])


def _enlarged(group: Struct, chunks: list[Struct]) -> Struct:
    """Return a row group's metadata with the sizes of more column chunks added to its own."""
    enlarged = dict(group)
    for of_group, of_chunk in ((_GROUP_BYTES, _UNCOMPRESSED), (_GROUP_COMPRESSED, _COMPRESSED)):
        if of_group in group:
            more = sum(chunk[_CHUNK_META][1][of_chunk][1] for chunk in chunks)
            enlarged[of_group] = (thrift.I64, group[of_group][1] + more)
    return enlarged


def row_counts(footer: Struct) -> list[int]:
    """Return the number of rows of each row group of a file."""
    return [group[_GROUP_ROWS][1] for group in _row_groups(footer)]


def _first_byte(meta: Struct) -> int:
    dictionary = meta.get(_DICTIONARY_PAGE, (0, 0))[1]
    data: int = meta[_DATA_PAGE][1]
    return min(dictionary, data) if dictionary else data


def _moved_chunk(chunk: Struct, by: int) -> Struct:
    """Return a column chunk's metadata for bytes that are `by` bytes further on. Indexes are left behind."""
    meta = _shifted(chunk[_CHUNK_META][1], by, _DATA_PAGE, _INDEX_PAGE, _DICTIONARY_PAGE)
    meta = {number: value for number, value in meta.items() if number not in {_BLOOM, _BLOOM_SIZE}}
    moved = _shifted(chunk, by, _CHUNK_OFFSET)
    moved = {number: value for number, value in moved.items() if number not in _CHUNK_INDEXES}
    return {**moved, _CHUNK_META: (thrift.STRUCT, meta)}


def _shifted(fields: Struct, by: int, *numbers: int) -> Struct:
    """Return the fields with the offsets of the given numbers moved. An offset of 0 means that there is none."""
    moved: dict[int, tuple[int, Any]] = dict(fields)
    for number in numbers:
        if number in moved and moved[number][1]:
            moved[number] = (moved[number][0], moved[number][1] + by)
    return moved
