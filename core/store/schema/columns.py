"""Declare tables: their columns, types and keys, and the columns that several tables share."""

from dataclasses import dataclass, field, replace
from typing import Literal

import pyarrow as pa

from core.fields.providers.provider_group_id import MAX_GROUP_ID_LENGTH
from core.fields.providers.tin import MAX_TIN_DIGITS

Type = Literal["text", "number", "integer", "flag", "texts", "moment", "date"]

UidPart = Literal["scope", "rate", "provider"]
"""The parts of `fact_uid`, see `ids.py`."""

ARROW_TYPES: dict[Type, pa.DataType] = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "flag": pa.bool_(),
    "texts": pa.list_(pa.string()),
    "moment": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
}
_SQL: dict[Type, str] = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "flag": "BOOLEAN",
    "texts": "VARCHAR[]",
    "moment": "TIMESTAMPTZ",
    "date": "DATE",
}


@dataclass(frozen=True)
class Column:
    """A column: its name, its type, and what a reader should know about it."""

    name: str
    type: Type
    meaning: str
    uid_part: UidPart | None = None
    """The part of `fact_uid` that hashes this column. None for columns outside the grain."""
    uid_position: int = 0
    """The column's position in that part. It never changes: the ids of all stores depend on it."""
    compared: bool = False
    """Whether rates are counted, grouped and compared by this column of the fact."""
    since: int = 1
    """The format of the store that introduced the column. In an older store it reads as null."""
    max_length: int | None = None
    """The characters that a text from a file may have here: loaders, forms, and the API take the limit from here.

    A row whose code, or other text of the grain, is longer is rejected; any other text is shortened. None for texts
    that the program makes, such as hashes and months.
    """
    max_items: int | None = None
    """The texts that a list from a file may have here."""

    @property
    def longest(self) -> int:
        """Return `max_length` of a column that has one."""
        if self.max_length is None:
            raise TypeError(f"{self.name} has no limit of its length")
        return self.max_length

    @property
    def sql_type(self) -> str:
        """Return the DuckDB type."""
        return _SQL[self.type]


@dataclass(frozen=True)
class Table:
    """A table of the store.

    `path` is the stable path of its newest file, relative to the data directory. If it contains `<shard>`, the table
    has one file per shard. (The paths of the facts depend on the layout, see `layout.py`.) `key` is unique. Rows are
    sorted by `order`, which is the key unless another order makes the queries faster.
    """

    name: str
    path: str
    key: tuple[str, ...]
    meaning: str
    columns: tuple[Column, ...]
    order: tuple[str, ...] = field(default=())
    since: int = 1
    """The format of the store that introduced the table."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", self.order or self.key)

    @property
    def sharded(self) -> bool:
        """Return whether the table has one file per shard. (For the facts, the layout decides.)"""
        return "<shard>" in self.path

    def column(self, name: str) -> Column:
        """Return a column by its name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def arrow(self) -> pa.Schema:
        """Return the Arrow schema of every file of this table."""
        return pa.schema([(column.name, ARROW_TYPES[column.type]) for column in self.columns])

    @property
    def dictionary_columns(self) -> list[str]:
        """Return the text columns that are dictionary-encoded in memory: all but a key that no two rows share."""
        return [column.name for column in self.columns if column.type == "text" and self.key != (column.name,)]


def text(name: str, meaning: str, max_length: int | None = None) -> Column:
    """Return a column of text."""
    return Column(name, "text", meaning, max_length=max_length)


def texts(name: str, meaning: str, max_length: int | None = None, max_items: int | None = None) -> Column:
    """Return a column of lists of text."""
    return Column(name, "texts", meaning, max_length=max_length, max_items=max_items)


def integer(name: str, meaning: str) -> Column:
    """Return a column of whole numbers."""
    return Column(name, "integer", meaning)


def number(name: str, meaning: str) -> Column:
    """Return a column of doubles."""
    return Column(name, "number", meaning)


def scope_part(position: int, column: Column) -> Column:
    """Return a column that every fact of one file shares: the scope part of `fact_uid`."""
    return replace(column, uid_part="scope", uid_position=position)


def rate_part(position: int, column: Column) -> Column:
    """Return a column that describes one negotiated rate: the rate part of `fact_uid`."""
    return replace(column, uid_part="rate", uid_position=position)


def provider_part(position: int, column: Column) -> Column:
    """Return a column that says whose rate it is: the provider part of `fact_uid`."""
    return replace(column, uid_part="provider", uid_position=position)


def compared(column: Column) -> Column:
    """Return a column by which rates are counted, grouped and compared."""
    return replace(column, compared=True)


STATE = text("state", "The state the file was loaded for: two letters, such as GA.")
MONTH = text("year_month", "Month of the payer's file, YYYY-MM, from its last_updated_on or --year-month.")
MAX_NAME = 300
"""The characters that the name of a payer, a plan, a network, or a provider may have."""

PAYER = text("reporting_entity_name", "The payer's name exactly as published.", MAX_NAME)
SLUG = text("payer_slug", "The payer's name as a key: lower case, runs of other than a-z and 0-9 as one _.")
CODE_TYPE = text("code_type", "Code system in capitals: CPT, HCPCS, REV (published as RC), MS-DRG and so on.", 20)
CODE = text("code", "Billing code in capitals; REV padded to 4 digits, MS-DRG to 3.", 40)
PG_UID = text("pg_uid", "The provider group within its file: md5(batch_id | provider_group_id_raw).")
POS_SET = text("pos_set_id", "The set of places of service: md5 of the sorted two-digit codes joined by commas.")
RAW_GROUP = text(
    "provider_group_id_raw",
    "The group's id in the payer's file as one canonical text (12, 690.6447), or inline: and a hash of its members. An "
    "id that is too long or has control characters is its beginning, # and its hash.",
    MAX_GROUP_ID_LENGTH,
)
NPI = text("npi", "National Provider Identifier, ten digits.")
TIN_TYPE = text("tin_type", "ein (a tax ID) or npi (the provider's own NPI stands in for one).")
TIN_VALUE = text("tin_value", "The tax ID's digits, an EIN padded to 9.", MAX_TIN_DIGITS)
BATCH = text("batch_id", "One in-network file, by content: the first 32 hex digits of its JSON bytes' SHA-256.")
ARRANGEMENT = text("negotiation_arrangement", "ffs, bundle or capitation, in lower case.", 40)
