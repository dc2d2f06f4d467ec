"""Dictionary-encoded columns: their order, and dictionaries no larger than they need be."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

IntArray = npt.NDArray[np.int32]

LARGE = 1000
"""A dictionary of up to so many values is written along whether all are used or not."""


def compacted(places: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """The distinct places (out of 0 to before `size`), sorted, and for each place which of them it is."""
    there = np.zeros(size, np.bool_)
    there[places] = True
    used = np.flatnonzero(there).astype(np.int32)
    number = np.empty(size, np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    return used, number[places]


def encoded(places: IntArray, dictionary: pa.Array) -> pa.DictionaryArray:
    """A column from the rows' places in a dictionary; a negative place is null. Values that no row has are left out."""
    absent = places < 0
    nulls = bool(absent.any())
    if len(dictionary) > LARGE:
        used, places = compacted(np.maximum(places, 0) if nulls else places, len(dictionary))
        dictionary = dictionary.take(pa.array(used))
    return pa.DictionaryArray.from_arrays(pa.array(places, mask=absent if nulls else None), dictionary)


def joined(tables: list[pa.Table]) -> pa.Table:
    """Tables one after the other as one, each column with one dictionary."""
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def with_small_dictionaries(table: pa.Table) -> pa.Table:
    """The table, of one chunk, with large dictionaries cut down to the values its rows have."""
    for number, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type) and column.num_chunks == 1 and len(column.chunk(0).dictionary) > LARGE:
            chunk = column.chunk(0)
            places = np.asarray(chunk.indices.fill_null(-1), np.int32)
            table = table.set_column(number, table.field(number), encoded(places, chunk.dictionary))
    return table


def sort_key(table: pa.Table, columns: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """One number a row by which rows are ordered as by the columns, none of which is null. Text goes by its UTF-8."""
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
