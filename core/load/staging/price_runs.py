"""Runs of price rows on disk, sorted by billing code and by the hash of the fact's rate part.

All rows that can produce the same fact are adjacent, and the rows of a range of codes are read in one go. A run is one
file of columns, one after the other, and the small tables that two of the columns refer to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

HASH_SHIFT = np.uint64(24)
"""Rows of one code are ordered by the upper 40 bits of the first word of their hash."""


class ItemFields(NamedTuple):
    """What an item of in_network says about all of its prices."""

    code_type: str
    code: str
    negotiation_arrangement: str | None
    severity_of_illness: str | None
    billing_code_type_version: str | None


class PriceFields(NamedTuple):
    """What a price says besides its rate."""

    negotiated_type: str | None
    expiration_date: str | None
    billing_class: str | None
    setting: str | None
    billing_code_modifier: str
    pos_set_id: str
    additional_information: str | None


_COLUMNS: dict[str, type[Any]] = {
    "item_fields": np.uint32,
    "price_fields": np.uint32,
    "rate": np.float64,
    "hash_0": np.uint64,
    "hash_1": np.uint64,
    "piece": np.uint32,
    "repeats": np.bool_,
}
"""item_fields and price_fields are row numbers in the run's small tables. piece is the piece of the file that a row
comes from. repeats says that a row's list names a group more than once."""

_TABLES = ("item_fields", "price_fields", "codes")


@dataclass(frozen=True)
class PriceRun:
    """One run on disk."""

    path: Path
    rows: int

    def column(self, name: str, start: int, end: int) -> npt.NDArray[Any]:
        """Return a column's values from row `start` up to row `end`.

        Besides _COLUMNS there is `key_ends`, where each row's group keys end. It returns one value more, which comes
        first: where the keys of row `start` begin.
        """
        offset = 0
        for column, dtype in _COLUMNS.items():
            size = np.dtype(dtype).itemsize
            if column == name:
                return self._read(dtype, offset + start * size, end - start)
            offset += self.rows * size
        return self._read(np.int64, offset + start * 8, end - start + 1)

    def keys(self, start: int, end: int) -> npt.NDArray[np.uint64]:
        """Return the group keys from position `start` up to `end`, counted over all rows' keys."""
        offset = sum(self.rows * np.dtype(dtype).itemsize for dtype in _COLUMNS.values()) + (self.rows + 1) * 8
        return self._read(np.uint64, offset + start * 8, end - start)

    @property
    def paths(self) -> list[Path]:
        """Return the run's files."""
        return [self.path, *(self.path.with_suffix(f".{name}") for name in _TABLES)]

    def table(self, name: str) -> pa.Table:
        """Return `item_fields` or `price_fields`, which the columns of the same name refer to, or `codes`.

        `codes` lists the run's distinct codes in order, with the row at which each begins (`start`) and the number of
        fact rows that its rows unfold to (`fact_rows`).
        """
        with pa.memory_map(str(self.path.with_suffix(f".{name}"))) as file, pa.ipc.open_file(file) as reader:
            return reader.read_all()

    def _read(self, dtype: Any, offset: int, count: int) -> npt.NDArray[Any]:
        return np.fromfile(self.path, dtype, count, offset=offset)


class PriceRunWriter:
    """Writes a run of `rows` rows, block by block."""

    def __init__(self, path: Path, rows: int) -> None:
        self._run = PriceRun(path, rows)
        self._row = 0
        self._ends = [np.zeros(1, np.int64)]
        self._keys = 0

    def __enter__(self) -> Self:
        self._file = self._run.path.open("wb")
        return self

    def __exit__(self, *_exception: object) -> None:
        self._file.close()

    def add(
        self,
        columns: dict[str, npt.NDArray[Any]],
        sizes: npt.NDArray[Any],
        keys: Iterable[npt.NDArray[np.uint64]],
    ) -> None:
        """Write rows: their columns, the number of group keys of each row, and the keys in blocks."""
        rows, offset = self._run.rows, 0
        for name, dtype in _COLUMNS.items():
            size = np.dtype(dtype).itemsize
            self._put(offset + self._row * size, np.ascontiguousarray(columns[name], dtype))
            offset += rows * size
        ends = self._keys + np.cumsum(sizes, dtype=np.int64)
        self._put(offset + (self._row + 1) * 8, ends)
        if not self._row:
            self._put(offset, np.zeros(1, np.int64))
        self._ends.append(ends)
        offset += (rows + 1) * 8
        for block in keys:
            self._put(offset + self._keys * 8, block)
            self._keys += len(block)
        self._row += len(sizes)

    def add_tables(self, item_fields: pa.Table, price_fields: pa.Table) -> None:
        """Write the two small tables that rows refer to."""
        self._write("item_fields", item_fields)
        self._write("price_fields", price_fields)

    def finish(self, codes: pa.Table, starts: npt.NDArray[np.int64]) -> PriceRun:
        """Write the index and return the run. `starts` is the row at which each of `codes` begins, and the end."""
        fact_rows = np.diff(np.concatenate(self._ends)[starts])
        table = codes.append_column("start", pa.array(starts[:-1])).append_column("fact_rows", pa.array(fact_rows))
        self._write("codes", table.filter(pa.array(np.diff(starts) > 0)))
        return self._run

    def _write(self, name: str, table: pa.Table) -> None:
        with pa.ipc.new_file(str(self._run.path.with_suffix(f".{name}")), table.schema) as writer:
            writer.write_table(table)

    def _put(self, offset: int, values: npt.NDArray[Any]) -> None:
        self._file.seek(offset)
        self._file.write(np.ascontiguousarray(values).data.cast("B"))


def field_table(rows: Iterable[Any], fields: tuple[str, ...]) -> pa.Table:
    """Return item fields or price fields as a table of text columns."""
    schema = pa.schema([(name, pa.string()) for name in fields])
    columns = list(zip(*rows, strict=True)) or [()] * len(fields)
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=schema)


def sorted_codes(item_fields: pa.Table) -> tuple[pa.Table, npt.NDArray[np.uint32]]:
    """Return the distinct codes of item fields, sorted, and the position of each row's code among them."""
    each = pl.DataFrame(item_fields.select(["code_type", "code"]))
    codes = each.unique().sort("code_type", "code")
    place = each.join(codes.with_row_index("place"), on=["code_type", "code"], how="left", maintain_order="left")
    return codes.to_arrow().cast(pa.schema([(name, pa.string()) for name in codes.columns])), place["place"].to_numpy()


def sort_key(code_of: npt.NDArray[np.uint32], hash_0: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return one number per row that orders the rows: the code in the high bits, 40 bits of the hash below."""
    return (code_of.astype(np.uint64) << np.uint64(40)) | (hash_0 >> HASH_SHIFT)
