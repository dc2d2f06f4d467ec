"""Write fact rows to a Parquet file, as a segment of the store's facts."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.load.facts.fact_rows import FactRows, Prices
from core.load.providers.group_index import GroupIndex
from core.store.changes.segment import Segment, SegmentKeys, SortKey
from core.store.parquet.arrow_dictionaries import IntArray, compacted
from core.store.parquet.arrow_dictionaries import encoded as encoded_column
from core.store.parquet.writer import ROW_GROUP_ROWS, new_writer
from core.store.schema import ids
from core.store.schema.tables import FACT_RATE

EncodedColumns = dict[str, tuple[IntArray | None, pa.Array]]
"""For each column, the position of each price row's value in a dictionary, and the dictionary. A column of nothing but
nulls has no positions."""


def write_segment(
    path: Path,
    prices: Prices,
    rows: FactRows,
    groups: GroupIndex,
    constants: dict[str, str],
    scope_hash: npt.NDArray[np.uint64],
) -> Segment:
    """Write fact rows, of which there is at least one, to `path`. `constants` are the columns equal in all rows.

    Columns are written dictionary-encoded: no text is repeated in memory, and Parquet takes the dictionaries as they
    are. A block of rows at a time is built, which becomes one row group. All row groups have about the same size.
    """
    encoded = _encode_fields(prices)
    count = len(rows)
    size = -(-count // -(-count // ROW_GROUP_ROWS))
    writer = None
    try:
        for start in range(0, count, size):
            some = slice(start, min(start + size, count))
            block = _build_block(prices, rows, groups, encoded, constants, scope_hash, some)
            writer = writer or new_writer(path, FACT_RATE, block.schema)
            writer.write_table(block, row_group_size=size)
    finally:
        if writer:
            writer.close()
    counts = np.bincount(prices.code_of[rows.price_of], minlength=len(prices.codes))
    present = np.flatnonzero(counts)
    keys: list[SortKey] = [
        (constants["state"], constants["year_month"], *prices.codes[code], constants["reporting_entity_name"])
        for code in present
    ]
    return Segment(path, count, keys[0], keys[-1], SegmentKeys(keys, np.cumsum(counts[present])))


def _encode_fields(prices: Prices) -> EncodedColumns:
    encoded: EncodedColumns = {}
    for table, position_of in ((prices.item_fields, prices.item_of), (prices.price_fields, prices.fields_of)):
        for name in table.column_names:
            column = table.column(name).combine_chunks().dictionary_encode()
            positions = np.asarray(column.indices.fill_null(-1), np.int32)[position_of]
            encoded[name] = (positions if len(column.dictionary) else None, column.dictionary)
    return encoded


def _build_block(
    prices: Prices,
    rows: FactRows,
    groups: GroupIndex,
    encoded: EncodedColumns,
    constants: dict[str, str],
    scope_hash: npt.NDArray[np.uint64],
    some: slice,
) -> pa.Table:
    """Return some of the fact rows as a table."""
    price_of, group_of = rows.price_of[some], rows.group_of[some]
    # The dictionary of groups has only those of this block: a file may have millions.
    used, position_of = compacted(group_of, len(groups))
    strings = groups.strings.take(pa.array(used))
    columns: dict[str, Any] = {
        "fact_uid": ids.fact_uid_text(rows.uids(prices, groups, scope_hash, some)),
        "negotiated_rate": pa.array(prices.rate.take(price_of)),
    }
    for name in ids.PROVIDER_PART:
        dictionary = strings.column(name).combine_chunks()
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(position_of), dictionary)
    zeros = pa.array(np.zeros(len(price_of), np.int32))
    for name, value in constants.items():
        columns[name] = pa.DictionaryArray.from_arrays(zeros, pa.array([value], pa.string()))
    for name, (positions, dictionary) in encoded.items():
        if positions is None:
            columns[name] = pa.DictionaryArray.from_arrays(pa.nulls(len(price_of), pa.int32()), dictionary)
        else:
            columns[name] = encoded_column(positions.take(price_of), dictionary)
    return pa.table({name: columns[name] for name in FACT_RATE.names})
