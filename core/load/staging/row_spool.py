"""Rows on their way to disk: held in memory a part at a time, written as Parquet files of one directory."""

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

PART_ROWS = 50_000


class RowSpool:
    """Rows of one shape. `columns` maps names to Polars types, in the order in which `add` takes the values.

    Several processes may fill the spool of one name, each with a `writer` of its own.
    """

    def __init__(self, directory: Path, name: str, columns: dict[str, Any], writer: int = 0) -> None:
        self._directory = directory
        self._name = name
        self._writer = writer
        self._schema = pl.Schema(columns)
        self._rows: list[tuple[Any, ...]] = []
        self._frames: list[pl.DataFrame] = []
        self._held = 0
        self._parts = 0

    @property
    def glob(self) -> str:
        """A glob of the parts, of which there is at least one after `close`."""
        return str(self._directory / f"{self._name}-*.parquet")

    def add(self, *values: Any) -> None:
        """Takes in one row."""
        self._rows.append(values)
        if len(self._rows) >= PART_ROWS:
            self._write_rows()

    def extend(self, *columns: Sequence[Any] | pl.Series | npt.NDArray[Any]) -> None:
        """Takes in rows, given as columns."""
        self._frames.append(pl.DataFrame(dict(zip(self._schema, columns, strict=True)), schema=self._schema))
        self._held += len(self._frames[-1])
        if self._held >= PART_ROWS:
            self._write_rows()

    def close(self) -> None:
        """Writes what is still in memory."""
        if self._rows or self._frames or not self._parts:
            self._write_rows()

    def _write_rows(self) -> None:
        rows = pl.DataFrame(self._rows, schema=self._schema, orient="row")
        self._write(pl.concat([rows, *self._frames]))
        self._rows, self._frames, self._held = [], [], 0

    def _write(self, frame: pl.DataFrame) -> None:
        path = self._directory / f"{self._name}-{self._writer}-{self._parts:06}.parquet"
        frame.write_parquet(path, compression="lz4")
        self._parts += 1


class NumberSpool(RowSpool):
    """Rows of whole numbers (UInt64), many at a time."""

    def __init__(self, directory: Path, name: str, columns: tuple[str, ...], writer: int = 0) -> None:
        super().__init__(directory, name, dict.fromkeys(columns, pl.UInt64), writer)
        self.columns = [array("Q") for _ in columns]
        """The rows in memory, to be appended to, all columns alike."""

    def add_columns(self, *columns: npt.NDArray[Any]) -> None:
        """Takes in rows, given as columns."""
        for held, column in zip(self.columns, columns, strict=True):
            held.frombytes(np.ascontiguousarray(column, np.uint64).view(np.uint8).data)
        self.check()

    def check(self) -> None:
        """Writes the rows in memory if they are many."""
        if len(self.columns[0]) >= 10 * PART_ROWS:
            self._write_rows()

    def close(self) -> None:
        """Writes what is still in memory."""
        if self.columns[0] or not self._parts:
            self._write_rows()

    def _write_rows(self) -> None:
        columns = zip(self._schema, self.columns, strict=True)
        self._write(pl.DataFrame({name: np.frombuffer(column, np.uint64) for name, column in columns}))
        self.columns[:] = [array("Q") for _ in self.columns]


class ListSpool(RowSpool):
    """Rows of a list of whole numbers (UInt64) each, in the column `items`, and some other whole numbers."""

    def __init__(self, directory: Path, name: str, items: str, columns: tuple[str, ...], writer: int = 0) -> None:
        super().__init__(directory, name, dict.fromkeys(columns, pl.UInt64), writer)
        self._items = items
        self._begin()

    def _begin(self) -> None:
        self._columns = [array("Q") for _ in self._schema]
        self._sizes, self._values = array("q", [0]), array("Q")

    def add_lists(self, values: npt.NDArray[Any], sizes: npt.NDArray[np.int64], *columns: npt.NDArray[Any]) -> None:
        """Takes in rows: the lists' values one list after the other, how many each has, and the other columns."""
        self._values.frombytes(np.ascontiguousarray(values, np.uint64).view(np.uint8).data)
        self._sizes.frombytes(sizes.view(np.uint8).data)
        for held, column in zip(self._columns, columns, strict=True):
            held.frombytes(np.ascontiguousarray(column, np.uint64).view(np.uint8).data)
        if len(self._values) >= 10 * PART_ROWS:
            self._write_rows()

    def close(self) -> None:
        """Writes what is still in memory."""
        if self._columns[0] or not self._parts:
            self._write_rows()

    def _write_rows(self) -> None:
        columns = zip(self._schema, self._columns, strict=True)
        ends = pa.array(np.cumsum(np.frombuffer(self._sizes, np.int64)))
        lists = pa.LargeListArray.from_arrays(ends, pa.array(np.frombuffer(self._values, np.uint64)))
        frame = pl.DataFrame({name: np.frombuffer(column, np.uint64) for name, column in columns})
        self._write(frame.with_columns(pl.Series(self._items, pl.from_arrow(lists))))
        self._begin()
