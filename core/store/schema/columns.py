"""What a table is declared with: columns, types, keys, and the columns that several tables share."""

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

Type = Literal["text", "number", "integer", "flag", "texts", "moment", "date"]

_ARROW: dict[Type, pa.DataType] = {
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
    """One column: its name, its type, and what a reader should know of it."""

    name: str
    type: Type
    meaning: str

    @property
    def sql_type(self) -> str:
        """The DuckDB type."""
        return _SQL[self.type]


@dataclass(frozen=True)
class Table:
    """One table of the store.

    `path` is where its newest file can always be opened, relative to the data directory; where it has `<shard>` in it,
    there is a file for each of the table's shards. (Where the facts lie, `layout.py` tells.) `key` is unique in it;
    `order` is how its rows are sorted (the key, unless another order serves the questions better).
    """

    name: str
    path: str
    key: tuple[str, ...]
    meaning: str
    columns: tuple[Column, ...]
    order: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", self.order or self.key)

    @property
    def sharded(self) -> bool:
        """Whether the table has a file per shard, none where it has no row. (The facts' layout tells theirs.)"""
        return "<shard>" in self.path

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def arrow(self) -> pa.Schema:
        """The Arrow schema that every file of this table has."""
        return pa.schema([(column.name, _ARROW[column.type]) for column in self.columns])


def text(name: str, meaning: str) -> Column:
    """A column of text."""
    return Column(name, "text", meaning)


def integer(name: str, meaning: str) -> Column:
    """A column of whole numbers."""
    return Column(name, "integer", meaning)


def number(name: str, meaning: str) -> Column:
    """A column of doubles."""
    return Column(name, "number", meaning)


STATE = text("state", "The state the file was loaded for: two letters, such as GA.")
MONTH = text("year_month", "Month of the payer's file, YYYY-MM, from its last_updated_on or --year-month.")
PAYER = text("reporting_entity_name", "The payer's name exactly as published.")
SLUG = text("payer_slug", "The payer's name as a key: lower case, runs of other than a-z and 0-9 as one _.")
CODE_TYPE = text("code_type", "Code system in capitals: CPT, HCPCS, REV (published as RC), MS-DRG and so on.")
CODE = text("code", "Billing code in capitals; REV padded to 4 digits, MS-DRG to 3.")
PG_UID = text("pg_uid", "The provider group within its file: md5(batch_id | provider_group_id_raw).")
POS_SET = text("pos_set_id", "The set of places of service: md5 of the sorted two-digit codes joined by commas.")
RAW_GROUP = text(
    "provider_group_id_raw",
    "The group's id in the payer's file as one canonical text (12, 690.6447), or inline: and a hash of its members.",
)
NPI = text("npi", "National Provider Identifier, ten digits.")
TIN_TYPE = text("tin_type", "ein (a tax number) or npi (the provider's own NPI stands in for one).")
TIN_VALUE = text("tin_value", "The tax number's digits, an EIN padded to 9.")
BATCH = text("batch_id", "One in-network file, by content: the first 32 hex digits of its JSON bytes' SHA-256.")
ARRANGEMENT = text("negotiation_arrangement", "ffs, bundle or capitation, in lower case.")
