"""Rows on their way to disk: held in memory a part at a time, written as Parquet files of one directory."""

from pathlib import Path
from typing import Any

import polars as pl

PART_ROWS = 200_000


class Spool:
    """Rows of one shape. `columns` maps names to Polars types, in the order in which `add` takes the values."""

    def __init__(self, directory: Path, name: str, columns: dict[str, Any]) -> None:
        self._directory = directory
        self._name = name
        self._schema = pl.Schema(columns)
        self._rows: list[tuple[Any, ...]] = []
        self._parts = 0

    @property
    def glob(self) -> str:
        """A glob of the parts, of which there is at least one after `close`."""
        return str(self._directory / f"{self._name}-*.parquet")

    def add(self, *values: Any) -> None:
        """Takes in one row."""
        self._rows.append(values)
        if len(self._rows) >= PART_ROWS:
            self._write()

    def close(self) -> None:
        """Writes what is still in memory."""
        if self._rows or not self._parts:
            self._write()

    def _write(self) -> None:
        frame = pl.DataFrame(self._rows, schema=self._schema, orient="row")
        frame.write_parquet(self._directory / f"{self._name}-{self._parts:06}.parquet", compression="lz4")
        self._rows = []
        self._parts += 1
