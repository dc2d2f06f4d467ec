"""Merge sorted streams of Arrow tables block by block, in constant memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa

MergeKey = tuple[Any, ...]


@dataclass
class _Stream:
    """A sorted stream: the rows already loaded, and whether more may come."""

    blocks: Iterator[pa.Table]
    key: list[str]
    table: pa.Table | None = None
    last: MergeKey = field(default=())
    more: bool = True

    def load(self) -> None:
        """Load the next block that has rows, after those already loaded."""
        for block in self.blocks:
            if block.num_rows:
                self.table = block if self.table is None else pa.concat_tables([self.table, block])
                self.last = self._key_at(block, -1)
                return
        self.more = False

    def _key_at(self, table: pa.Table, row: int) -> MergeKey:
        return tuple(table.column(name)[row].as_py() for name in self.key)

    def take_to(self, bound: MergeKey | None, *, included: bool) -> pa.Table | None:
        """Take out the rows up to `bound`, which is included or not. Without a bound, take all rows."""
        if self.table is None:
            return None
        count = self.table.num_rows
        if bound is not None and (self.last > bound or (self.last == bound and not included)):
            first = self._key_at(self.table, 0)
            if first > bound or (first == bound and not included):
                return None
            keys = _key_frame(self.table, self.key)
            count = int(keys.select(up_to(self.key, bound, included=included).sum()).item())
        taken = self.table.slice(0, count)
        self.table = self.table.slice(count) if count < self.table.num_rows else None
        return taken


def merge_sorted(streams: Iterable[Iterator[pa.Table]], key: Iterable[str], *, whole_keys: bool) -> Iterator[pa.Table]:
    """Yield the rows of all streams, each sorted by `key`, as one sorted stream of blocks.

    With `whole_keys`, all rows of a key come in one block, in the order of the streams, so that a caller can find the
    first or the distinct rows of a key block by block. Without it, a key with very many rows spans several blocks.
    Keys have no nulls. Text is ordered by its UTF-8 bytes.
    """
    names = list(key)
    open_streams = [_Stream(blocks, names) for blocks in streams]
    while open_streams:
        for stream in open_streams:
            if stream.table is None and stream.more:
                stream.load()
        open_streams = [stream for stream in open_streams if stream.table is not None]
        coming = [stream for stream in open_streams if stream.more]
        # Streams with more to come are complete only up to their last loaded key. The lowest of these keys bounds
        # what can be put out now.
        bound = min((stream.last for stream in coming), default=None)
        taken = [t for t in (s.take_to(bound, included=not whole_keys) for s in open_streams) if t is not None]
        if taken:
            yield _in_order(taken, names)
        else:
            # With whole keys, the bound's own rows must wait until every stream has moved past it.
            for stream in coming:
                if stream.last == bound:
                    stream.load()


def _in_order(tables: list[pa.Table], key: list[str]) -> pa.Table:
    if len(tables) == 1:
        return tables[0]
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    order = _key_frame(table, key).select(pl.arg_sort_by(key, maintain_order=True)).to_series()
    return table.take(order.to_arrow())


def _key_frame(table: pa.Table, key: list[str]) -> pl.DataFrame:
    frame = pl.from_arrow(table.select(key).unify_dictionaries())
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("expected a frame from a table")
    return frame.with_columns(pl.col(pl.Categorical).cast(pl.String))


def up_to(key: Sequence[str], bound: MergeKey, *, included: bool) -> pl.Expr:
    """Return whether a row's key is below `bound`, or equal to it if that is included."""
    below = pl.lit(included)
    for name, value in zip(reversed(key), reversed(bound), strict=True):
        below = (pl.col(name) < value) | ((pl.col(name) == value) & below)
    return below
