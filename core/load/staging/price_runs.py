"""Runs of price rows on disk, sorted by billing code and by the hash of the fact's rate part.

All rows that can produce the same fact are adjacent, and the rows of a range of codes are read in one go. A run is an
Arrow IPC file, which is mapped into memory rather than read, and the small tables that two of its columns refer to.
"""

from collections.abc import Iterable, Mapping
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


RUN_SCHEMA = pa.schema(
    [
        pa.field("item_fields", pa.uint32(), nullable=False),
        pa.field("price_fields", pa.uint32(), nullable=False),
        pa.field("rate", pa.float64(), nullable=False),
        pa.field("hash_0", pa.uint64(), nullable=False),
        pa.field("hash_1", pa.uint64(), nullable=False),
        pa.field("piece", pa.uint32(), nullable=False),
        pa.field("repeats", pa.bool_(), nullable=False),
        pa.field("keys", pa.large_list(pa.field("key", pa.uint64(), nullable=False)), nullable=False),
    ]
)
"""item_fields and price_fields are row numbers in the run's small tables. hash_0 and hash_1 are the hash of the fact's
rate part. piece is the piece of the file that a row comes from. keys are the provider groups that the price applies to,
and repeats says that a group is among them more than once."""

_TABLES = ("item_fields", "price_fields", "codes")


@dataclass(frozen=True)
class PriceRun:
    """One run on disk: an Arrow IPC file of its rows, and one for each of its small tables."""

    path: Path
    rows: int
    fields_of: Path | None = None
    """The run whose `item_fields` and `price_fields` these rows refer to, None if they are its own."""

    def read(self, start: int, end: int) -> pa.Table:
        """Return rows `start` up to `end`, mapped into memory. The columns are those of RUN_SCHEMA."""
        return _read(self.path).slice(start, end - start)

    def table(self, name: str) -> pa.Table:
        """Return `item_fields` or `price_fields`, which the columns of the same name refer to, or `codes`.

        `codes` lists the run's distinct codes in order, with the row at which each begins (`start`) and the number of
        fact rows that its rows unfold to (`fact_rows`).
        """
        owner = self.path if name == "codes" else self.fields_of or self.path
        return _read(owner.with_suffix(f".{name}"))

    @property
    def paths(self) -> list[Path]:
        """Return the run's own files."""
        own = ("codes",) if self.fields_of else _TABLES
        return [self.path, *(self.path.with_suffix(f".{name}") for name in own)]


class PriceRunWriter:
    """Writes a run, block by block. Each block becomes a record batch of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = 0
        self._keys = 0
        self._ends = [np.zeros(1, np.int64)]
        """Where each row's keys end, counted over all rows."""

    def __enter__(self) -> Self:
        self._writer = pa.ipc.new_file(str(self._path), RUN_SCHEMA)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._writer.close()

    def add(self, columns: Mapping[str, npt.NDArray[Any]], keys: pa.LargeListArray) -> None:
        """Write rows: their columns, and their lists of group keys."""
        arrays = [keys if name == "keys" else pa.array(columns[name]) for name in RUN_SCHEMA.names]
        self._writer.write_batch(pa.record_batch(arrays, schema=RUN_SCHEMA))
        ends = self._keys + np.cumsum(keys.value_lengths().to_numpy(), dtype=np.int64)
        self._ends.append(ends)
        self._rows += len(keys)
        self._keys = int(ends[-1]) if len(ends) else self._keys

    def finish(
        self, item_fields: pa.Table, price_fields: pa.Table, codes: pa.Table, starts: npt.NDArray[np.int64]
    ) -> PriceRun:
        """Write the small tables and the index, and return the run.

        `starts` is the row at which each of `codes` begins, and the end.
        """
        fact_rows = np.diff(np.concatenate(self._ends)[starts])
        index = codes.append_column("start", pa.array(starts[:-1])).append_column("fact_rows", pa.array(fact_rows))
        for name, table in (
            ("item_fields", item_fields),
            ("price_fields", price_fields),
            ("codes", index.filter(pa.array(np.diff(starts) > 0))),
        ):
            with pa.ipc.new_file(str(self._path.with_suffix(f".{name}")), table.schema) as writer:
                writer.write_table(table)
        return PriceRun(self._path, self._rows)


class RunSubsetWriter:
    """Writes a run of some rows of another run, in their order. It shares the other run's item and price fields."""

    def __init__(self, path: Path, source: PriceRun) -> None:
        self._path = path
        self._source = source
        self._codes = source.table("codes").select(["code_type", "code"])
        self._rows = np.zeros(self._codes.num_rows, np.int64)
        self._fact_rows = np.zeros(self._codes.num_rows, np.int64)
        """For each code, the rows so far, and the fact rows that they unfold to."""

    def __enter__(self) -> Self:
        self._writer = pa.ipc.new_file(str(self._path), RUN_SCHEMA)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._writer.close()

    def add(
        self,
        columns: Mapping[str, npt.NDArray[Any]],
        keys: pa.LargeListArray,
        code_of: npt.NDArray[np.int64],
    ) -> None:
        """Write rows: their columns, their lists of group keys, and the positions of their codes in the other run."""
        arrays = [keys if name == "keys" else pa.array(columns[name]) for name in RUN_SCHEMA.names]
        self._writer.write_batch(pa.record_batch(arrays, schema=RUN_SCHEMA))
        self._rows += np.bincount(code_of, minlength=len(self._rows))
        sizes = keys.value_lengths().to_numpy()
        self._fact_rows += np.bincount(code_of, sizes, len(self._rows)).astype(np.int64)

    def finish(self) -> PriceRun:
        """Write the index of codes, and return the run."""
        there = pa.array(self._rows > 0)
        index = self._codes.append_column("start", pa.array(np.cumsum(self._rows) - self._rows))
        index = index.append_column("fact_rows", pa.array(self._fact_rows)).filter(there)
        with pa.ipc.new_file(str(self._path.with_suffix(".codes")), index.schema) as writer:
            writer.write_table(index)
        return PriceRun(self._path, int(self._rows.sum()), self._source.fields_of or self._source.path)


def list_keys(keys: npt.NDArray[np.uint64], sizes: npt.NDArray[Any]) -> pa.LargeListArray:
    """Return the lists of group keys of rows, given all keys one after the other and the number of keys of each row."""
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
    return pa.LargeListArray.from_arrays(pa.array(ends), pa.array(keys), type=RUN_SCHEMA.field("keys").type)


def _read(path: Path) -> pa.Table:
    # The table refers to the mapped file, which stays mapped until the table is gone.
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()


def field_table(rows: Iterable[Any], fields: tuple[str, ...]) -> pa.Table:
    """Return item fields or price fields as a table of text columns."""
    schema = pa.schema([(name, pa.string()) for name in fields])
    columns = list(zip(*rows, strict=True)) or [()] * len(fields)
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=schema)


def sorted_codes(item_fields: pa.Table) -> tuple[pa.Table, npt.NDArray[np.uint32]]:
    """Return the distinct codes of item fields, sorted, and the position of each row's code among them."""
    each = pl.DataFrame(item_fields.select(["code_type", "code"]))
    codes = each.unique().sort("code_type", "code")
    joined = each.join(codes.with_row_index("position"), on=["code_type", "code"], how="left", maintain_order="left")
    schema = pa.schema([(name, pa.string()) for name in codes.columns])
    return codes.to_arrow().cast(schema), joined["position"].to_numpy()


def sort_key(code_of: npt.NDArray[np.uint32], hash_0: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return one number per row that orders the rows: the code in the high bits, 40 bits of the hash below."""
    return (code_of.astype(np.uint64) << np.uint64(40)) | (hash_0 >> HASH_SHIFT)
