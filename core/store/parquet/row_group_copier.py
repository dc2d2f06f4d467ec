"""Puts row groups of Parquet files together in one file without reading their rows.

A row group's bytes are copied as they stand; only the footer, which says where everything lies, is made anew. So rows
that several processes have written become one file at the speed of the disk, and a file that is added to in one place
is not written anew but for that place. See docs/decisions/0008-stitched-files.md; the footer's fields are those of
parquet.thrift (apache/parquet-format).
"""

import os
from pathlib import Path
from typing import Any, Self

from core.store.parquet import thrift
from core.store.parquet.thrift import Struct

_MAGIC = b"PAR1"
_ROW_GROUPS, _ROWS = 4, 3
_CHUNKS, _GROUP_ROWS, _GROUP_OFFSET, _GROUP_ORDINAL = 1, 3, 5, 7
_CHUNK_OFFSET, _CHUNK_META, _CHUNK_INDEXES = 2, 3, (4, 5, 6, 7)
_COMPRESSED, _DATA_PAGE, _INDEX_PAGE, _DICTIONARY_PAGE, _BLOOM, _BLOOM_SIZE = 7, 9, 10, 11, 14, 15


def read_footer(path: Path) -> Struct:
    """The FileMetaData of a Parquet file."""
    with path.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        size, magic = int.from_bytes(file.read(4), "little"), file.read(4)
        if magic != _MAGIC:
            raise ValueError(f"{path} is no Parquet file")
        file.seek(-8 - size, os.SEEK_END)
        return thrift.read_struct(file.read(size))


class RowGroupCopier:
    """Writes the file `path` out of row groups of other files, which all have one schema."""

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
        """Adds the row groups `first` to before `end` of a file. Its footer is read unless it is given."""
        footer = footer or read_footer(path)
        if self._footer is None:
            self._footer = footer
        elif self._footer[2] != footer[2]:
            raise ValueError(f"{path} has another schema than the file it is to be part of")
        with path.open("rb") as source:
            for group in footer[_ROW_GROUPS][1][1][first:end]:
                self._copy(source.fileno(), group)

    def finish(self) -> int:
        """Writes the footer; gives the number of rows."""
        if self._footer is None:
            raise ValueError("a file of no row groups")
        footer = {
            **self._footer,
            _ROWS: (thrift.I64, self.rows),
            _ROW_GROUPS: (thrift.LIST, (thrift.STRUCT, self._groups)),
        }
        text = thrift.write_struct(footer)
        self._file.write(text + len(text).to_bytes(4, "little") + _MAGIC)
        return self.rows

    def _copy(self, source: int, group: Struct) -> None:
        metas = [chunk[_CHUNK_META][1] for chunk in group[_CHUNKS][1][1]]
        start = min(_first_byte(meta) for meta in metas)
        end = max(_first_byte(meta) + meta[_COMPRESSED][1] for meta in metas)
        self._file.flush()
        offset = start
        while offset < end:
            # In the kernel: the bytes do not pass through this process.
            copied = os.sendfile(self._file.fileno(), source, offset, min(end - offset, 1 << 30))
            if not copied:
                raise ValueError("a Parquet file ends within a row group")
            offset += copied
        self._file.seek(0, os.SEEK_END)
        self._groups.append(_moved(group, self._at - start, len(self._groups)))
        self._at += end - start
        self.rows += group[_GROUP_ROWS][1]


def _first_byte(meta: Struct) -> int:
    dictionary = meta.get(_DICTIONARY_PAGE, (0, 0))[1]
    data: int = meta[_DATA_PAGE][1]
    return min(dictionary, data) if dictionary else data


def _moved(group: Struct, by: int, ordinal: int) -> Struct:
    """A row group's metadata for a place `by` bytes further on."""
    chunks = []
    for chunk in group[_CHUNKS][1][1]:
        meta = _shifted(chunk[_CHUNK_META][1], by, _DATA_PAGE, _INDEX_PAGE, _DICTIONARY_PAGE)
        meta = {number: value for number, value in meta.items() if number not in {_BLOOM, _BLOOM_SIZE}}
        moved = _shifted(chunk, by, _CHUNK_OFFSET)
        moved = {number: value for number, value in moved.items() if number not in _CHUNK_INDEXES}
        chunks.append({**moved, _CHUNK_META: (thrift.STRUCT, meta)})
    moved_group = _shifted(group, by, _GROUP_OFFSET)
    if _GROUP_ORDINAL in group:
        moved_group[_GROUP_ORDINAL] = (thrift.I16, min(ordinal, 32767))
    return {**moved_group, _CHUNKS: (thrift.LIST, (thrift.STRUCT, chunks))}


def _shifted(fields: Struct, by: int, *numbers: int) -> Struct:
    """The fields, with those of the given numbers, which are places in the file, moved (0 stands for no place)."""
    moved: dict[int, tuple[int, Any]] = dict(fields)
    for number in numbers:
        if number in moved and moved[number][1]:
            moved[number] = (moved[number][0], moved[number][1] + by)
    return moved
