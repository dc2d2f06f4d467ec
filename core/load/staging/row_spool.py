"""Rows on their way to disk: a part of them in memory, the rest in Parquet files of one directory."""

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from core.load.load_sizes import DEFAULT_SIZES

NUMBERS_PER_ROW = 10
"""Rows of numbers take about a tenth of the memory of other rows, so ten times as many are held."""


class RowSpool:
    """Rows of one shape. `columns` maps names to Polars types, in the order in which `add` takes the values.

    Several processes may fill the spool of one name, each with a `writer` number of its own.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        columns: dict[str, Any],
        writer: int = 0,
        *,
        max_rows: int = DEFAULT_SIZES.spool_rows,
    ) -> None:
        self._directory = directory
        self._name = name
        self._writer = writer
        self._max_rows = max_rows
        self._schema = pl.Schema(columns)
        self._rows: list[tuple[Any, ...]] = []
        self._frames: list[pl.DataFrame] = []
        self._frame_rows = 0
        self._parts = 0

    @property
    def glob(self) -> str:
        """Return a glob pattern of the files. There is at least one after `close`."""
        return str(self._directory / f"{self._name}-*.parquet")

    def add(self, *values: Any) -> None:
        """Add one row."""
        self._rows.append(values)
        if len(self._rows) >= self._max_rows:
            self._write_rows()

    def extend(self, *columns: Sequence[Any] | pl.Series | npt.NDArray[Any]) -> None:
        """Add rows given as columns."""
        self._frames.append(pl.DataFrame(dict(zip(self._schema, columns, strict=True)), schema=self._schema))
        self._frame_rows += len(self._frames[-1])
        if self._frame_rows >= self._max_rows:
            self._write_rows()

    def close(self) -> None:
        """Write the rows that are still in memory."""
        if self._rows or self._frames or not self._parts:
            self._write_rows()

    def _write_rows(self) -> None:
        rows = pl.DataFrame(self._rows, schema=self._schema, orient="row")
        self._write(pl.concat([rows, *self._frames]))
        self._rows, self._frames, self._frame_rows = [], [], 0

    def _write(self, frame: pl.DataFrame) -> None:
        path = self._directory / f"{self._name}-{self._writer}-{self._parts:06}.parquet"
        frame.write_parquet(path, compression="lz4")
        self._parts += 1


class NumberSpool(RowSpool):
    """Rows of whole numbers (UInt64), added many at a time."""

    def __init__(
        self,
        directory: Path,
        name: str,
        columns: tuple[str, ...],
        writer: int = 0,
        *,
        max_rows: int = DEFAULT_SIZES.spool_rows,
    ) -> None:
        super().__init__(directory, name, dict.fromkeys(columns, pl.UInt64), writer, max_rows=max_rows)
        self._columns = [array("Q") for _ in columns]

    def add(self, *values: int) -> None:
        """Add one row."""
        for held, value in zip(self._columns, values, strict=True):
            held.append(value)
        self._write_if_large()

    def add_columns(self, *columns: npt.NDArray[Any]) -> None:
        """Add rows given as columns."""
        for held, column in zip(self._columns, columns, strict=True):
            held.frombytes(np.ascontiguousarray(column, np.uint64).view(np.uint8).data)
        self._write_if_large()

    def close(self) -> None:
        """Write the rows that are still in memory."""
        if self._columns[0] or not self._parts:
            self._write_rows()

    def _write_if_large(self) -> None:
        if len(self._columns[0]) >= NUMBERS_PER_ROW * self._max_rows:
            self._write_rows()

    def _write_rows(self) -> None:
        columns = zip(self._schema, self._columns, strict=True)
        self._write(pl.DataFrame({name: np.frombuffer(column, np.uint64) for name, column in columns}))
        self._columns = [array("Q") for _ in self._columns]


class ListSpool(RowSpool):
    """Rows of one list of whole numbers (UInt64), in the column `items`, and some other whole numbers."""

    def __init__(
        self,
        directory: Path,
        name: str,
        items: str,
        columns: tuple[str, ...],
        writer: int = 0,
        *,
        max_rows: int = DEFAULT_SIZES.spool_rows,
    ) -> None:
        super().__init__(directory, name, dict.fromkeys(columns, pl.UInt64), writer, max_rows=max_rows)
        self._items = items
        self._start_over()

    def _start_over(self) -> None:
        self._columns = [array("Q") for _ in self._schema]
        self._sizes, self._values = array("q", [0]), array("Q")

    def add_lists(self, values: npt.NDArray[Any], sizes: npt.NDArray[np.int64], *columns: npt.NDArray[Any]) -> None:
        """Add rows: the values of the lists one after the other, the size of each list, and the other columns."""
        self._values.frombytes(np.ascontiguousarray(values, np.uint64).view(np.uint8).data)
        self._sizes.frombytes(sizes.view(np.uint8).data)
        for held, column in zip(self._columns, columns, strict=True):
            held.frombytes(np.ascontiguousarray(column, np.uint64).view(np.uint8).data)
        if len(self._values) >= NUMBERS_PER_ROW * self._max_rows:
            self._write_rows()

    def close(self) -> None:
        """Write the rows that are still in memory."""
        if self._columns[0] or not self._parts:
            self._write_rows()

    def _write_rows(self) -> None:
        columns = zip(self._schema, self._columns, strict=True)
        ends = pa.array(np.cumsum(np.frombuffer(self._sizes, np.int64)))
        lists = pa.LargeListArray.from_arrays(ends, pa.array(np.frombuffer(self._values, np.uint64)))
        frame = pl.DataFrame({name: np.frombuffer(column, np.uint64) for name, column in columns})
        self._write(frame.with_columns(pl.Series(self._items, pl.from_arrow(lists))))
        self._start_over()
