"""Work with dictionary-encoded columns: sort by them, join them, and keep their dictionaries small."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

IntArray = npt.NDArray[np.int32]

MAX_UNUSED_DICTIONARY = 1000
"""A dictionary of up to this many values is written whole, even if the rows do not use all of them."""


def compacted(positions: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Return the distinct positions, sorted, and the index in them of each position. Positions are below `size`."""
    there = np.zeros(size, np.bool_)
    there[positions] = True
    used = np.flatnonzero(there).astype(np.int32)
    number = np.empty(size, np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    return used, number[positions]


def encoded(positions: IntArray, dictionary: pa.Array) -> pa.DictionaryArray:
    """Return a column from the rows' positions in a dictionary. A negative position is null."""
    absent = positions < 0
    nulls = bool(absent.any())
    if len(dictionary) > MAX_UNUSED_DICTIONARY:
        used, positions = compacted(np.maximum(positions, 0) if nulls else positions, len(dictionary))
        dictionary = dictionary.take(pa.array(used))
    return pa.DictionaryArray.from_arrays(pa.array(positions, mask=absent if nulls else None), dictionary)


def joined(tables: list[pa.Table]) -> pa.Table:
    """Join tables one after the other, with one dictionary per column."""
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def with_small_dictionaries(table: pa.Table) -> pa.Table:
    """Return a table of one chunk with its large dictionaries reduced to the values in its rows."""
    for number, column in enumerate(table.columns):
        if (
            pa.types.is_dictionary(column.type)
            and column.num_chunks == 1
            and len(column.chunk(0).dictionary) > MAX_UNUSED_DICTIONARY
        ):
            chunk = column.chunk(0)
            positions = np.asarray(chunk.indices.fill_null(-1), np.int32)
            table = table.set_column(number, table.field(number), encoded(positions, chunk.dictionary))
    return table


def sort_key(table: pa.Table, columns: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Return a number per row that orders the rows as the columns do. No column may have nulls."""
    key = np.zeros(table.num_rows, np.int64)
    for name in columns:
        column = table.column(name).unify_dictionaries() if table.num_rows else table.column(name)
        chunk: Any = column.combine_chunks()
        if not pa.types.is_dictionary(chunk.type):
            chunk = chunk.dictionary_encode()
        values = chunk.dictionary.to_pylist()
        order = {value: rank for rank, value in enumerate(sorted(set(values)))}
        ranks = np.array([order[value] for value in values], np.int64)
        key = key * max(len(order), 1) + ranks[np.asarray(chunk.indices)]
    return key
