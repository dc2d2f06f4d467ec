"""Puts new facts among those that are there, in order."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from core.store.merge import merge_sorted
from core.store.parquet import write_table
from core.store.schema import FACT_RATE
from core.store.store import Transaction

_DICTIONARIES = [c.name for c in FACT_RATE.columns if c.type == "text" and c.name != "fact_uid"]


def append_facts(transaction: Transaction, state: str, year_month: str, blocks: Iterator[pa.Table]) -> None:
    """Adds facts of one state and month, sorted and with no fact_uid that the store has, to the shard they belong to.

    The shard's one file gives way to a new one with all rows, or gets another beside it where the layout says so.
    Blocks have the fact's columns, text columns dictionary-encoded. Nothing happens where there is no row.
    """
    first = next((block for block in blocks if block.num_rows), None)
    if first is None:
        return
    shard = transaction.layout.shard(state, year_month)
    old = () if transaction.layout.grows else transaction.files(FACT_RATE.name, shard)
    streams = [_blocks_of(transaction.path(file)) for file in old]
    path = transaction.new_file(FACT_RATE.name, shard)
    merged = merge_sorted([*streams, _chained(first, blocks)], FACT_RATE.order, whole_keys=False)
    transaction.replace(FACT_RATE.name, old, path, write_table(path, FACT_RATE, merged), shard)


def _chained(first: pa.Table, rest: Iterator[pa.Table]) -> Iterator[pa.Table]:
    yield first
    yield from rest


def _blocks_of(path: str) -> Iterator[pa.Table]:
    """The row groups of a file of facts, with the column types that new facts have."""
    with pq.ParquetFile(path, read_dictionary=_DICTIONARIES) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)
