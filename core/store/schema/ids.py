r"""The ids of the store, each defined once in Python, in SQL (DuckDB) and in Polars.

`fact_uid` hashes the grain in three parts, so that a price that 1,000 provider groups share is hashed once, not 1,000
times; the parts' MD5 sums are combined by exclusive or:

    scope     state | year_month | reporting_entity_name
    rate      code_type | code | pos_set_id | negotiated_type | negotiation_arrangement | expiration_date
              | negotiated_rate | billing_class | setting | billing_code_modifier | severity_of_illness
    provider  pg_uid | provider_group_id_raw

A part is the MD5 of its fields as text, joined by `|`, where `\` is written `\\`, `|` is written `\|` and null is
written `\N`: no two different parts have one text. A rate's text is the shortest decimal that reads back as the same
double, as Python's `repr` writes it. See docs/decisions/0002-fact-uid.md.
"""

import hashlib
from binascii import hexlify, unhexlify
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt
import polars as pl
import polars_hash as plh
import pyarrow as pa

from core.store.schema.columns import UidPart
from core.store.schema.rate_tables import FACT_RATE


def _columns_of(part: UidPart) -> tuple[str, ...]:
    columns = [column for column in FACT_RATE.columns if column.uid_part == part]
    return tuple(column.name for column in sorted(columns, key=lambda column: column.uid_position))


SCOPE_PART = _columns_of("scope")
RATE_PART = _columns_of("rate")
PROVIDER_PART = _columns_of("provider")

_RATES_AT_ONCE = 1 << 14
"""Rates whose texts are in memory at the same time."""

type_of_hash = npt.NDArray[np.uint64]
"""MD5 sums as an array of shape (n, 2): the 16 bytes of each, seen as two machine words."""

SQL_MACROS = (
    # Python lowers U+0130 to two characters, DuckDB to one; all else that lowers to a-z agrees.
    """CREATE MACRO payer_slug(name) AS
       trim(regexp_replace(lower(replace(name, 'İ', 'i̇')), '[^a-z0-9]+', '_', 'g'), '_')""",
    "CREATE MACRO pos_set_id(codes) AS md5(array_to_string(list_sort(list_distinct(codes)), ','))",
    "CREATE MACRO pg_uid(batch_id, group_id) AS md5(batch_id || '|' || group_id)",
    r"""CREATE MACRO uid_field(x) AS
       coalesce(replace(replace(x::VARCHAR, '\', '\\'), '|', '\|'), '\N')""",
    """CREATE MACRO uid_bits(fields) AS
       unhex(md5(array_to_string(list_transform(fields, lambda f: uid_field(f)), '|')))::BIT""",
    f"""CREATE MACRO fact_uid({", ".join((*SCOPE_PART, *RATE_PART, *PROVIDER_PART))}) AS
       lower(hex(xor(xor(uid_bits([{", ".join(SCOPE_PART)}]),
                         uid_bits([{", ".join(c + "::VARCHAR" for c in RATE_PART)}])),
                     uid_bits([{", ".join(PROVIDER_PART)}]))::BLOB))""",
)
"""Statements that define each id in DuckDB; `fact_uid` takes the grain's columns in the order of the three parts."""


def md5(text: str) -> str:
    """Return the MD5 of the text's UTF-8, in hex."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def md5_all(texts: pl.Series) -> pl.Series:
    """Return the `md5` of each text."""
    return texts.to_frame().select(_md5_expr(pl.col(texts.name))).to_series()


# --- payer_slug -----------------------------------------------------------------------------------------------


def payer_slug_expr(name: pl.Expr) -> pl.Expr:
    """Return `make_payer_slug` of a Polars text expression."""
    return name.str.to_lowercase().str.replace_all("[^a-z0-9]+", "_").str.strip_chars("_")


# --- pos_set_id and pg_uid ------------------------------------------------------------------------------------


def pos_set_id(codes: Iterable[str]) -> str:
    """Return the id of a set of places of service, in any order. The empty set has an id as well."""
    return md5(",".join(sorted(set(codes))))


def pos_set_id_expr(codes: pl.Expr) -> pl.Expr:
    """Return the `pos_set_id` of a Polars expression of lists of text."""
    return _md5_expr(codes.list.unique().list.sort().list.join(","))


def pg_uid(batch_id: str, group_id: str) -> str:
    """Return the id of a provider group in a batch."""
    return md5(f"{batch_id}|{group_id}")


def pg_uid_expr(batch_id: pl.Expr, group_id: pl.Expr) -> pl.Expr:
    """Return the `pg_uid` of Polars text expressions."""
    return _md5_expr(pl.concat_str(batch_id, group_id, separator="|"))


# --- fact_uid -------------------------------------------------------------------------------------------------


def fact_uid(row: Mapping[str, str | float | None]) -> str:
    """Return the id of a fact. `row` maps each column of the grain to its value; other columns are ignored."""
    parts = (int(_part(row, columns), 16) for columns in (SCOPE_PART, RATE_PART, PROVIDER_PART))
    scope, rate, provider = parts
    return f"{scope ^ rate ^ provider:032x}"


def _part(row: Mapping[str, str | float | None], columns: tuple[str, ...]) -> str:
    return md5("|".join(_field(row[column]) for column in columns))


def _field(value: str | float | None) -> str:
    if value is None:
        return r"\N"
    text = value if isinstance(value, str) else repr(float(value))
    return text.replace("\\", "\\\\").replace("|", r"\|")


def part_hash(frame: pl.DataFrame, columns: tuple[str, ...]) -> type_of_hash:
    """Return the hash of a part for each row of `frame`, which has the part's columns, in the shape (rows, 2)."""
    return _hash_of([_field_text(frame[column]) for column in columns])


def rate_hash(
    heads: pa.Table,
    head_of: npt.NDArray[np.uint32],
    terms: pa.Table,
    terms_of: npt.NDArray[np.uint32],
    rates: npt.NDArray[np.float64],
) -> type_of_hash:
    """Return the hash of the rate part of rows whose columns, except the rate, are in two small tables.

    `head_of` and `terms_of` tell each row's place in `heads` and `terms`. The text of fields that stand side by side in
    one of the small tables is made once for each of its rows.
    """

    def table_of(column: str) -> str:
        return "rates" if column == "negotiated_rate" else "heads" if column in heads.column_names else "terms"

    tables = {"heads": (heads, head_of), "terms": (terms, terms_of)}
    pieces: list[tuple[pl.Series, npt.NDArray[np.uint32]] | None] = []
    for name, columns in groupby(RATE_PART, table_of):
        if name == "rates":
            pieces.append(None)
            continue
        table, place = tables[name]
        fields = [_field_text(pl.Series(table.column(column), dtype=pl.String)) for column in columns]
        pieces.append((_joined(fields).to_series(), place))
    found = [np.zeros((0, 2), np.uint64)]
    for start in range(0, len(rates), _RATES_AT_ONCE):
        here = slice(start, start + _RATES_AT_ONCE)
        texts = [
            _rate_text(pl.Series(rates[here])) if piece is None else piece[0].gather(pl.Series(piece[1][here]))
            for piece in pieces
        ]
        found.append(_hash_of(texts))
    return np.concatenate(found)


def hash_words(hex_digests: pl.Series) -> type_of_hash:
    """Return MD5 sums in hex as an array of shape (rows, 2)."""
    digests = hex_digests.to_arrow().cast(pa.large_string())
    start, length = digests.offset * 32, len(digests) * 32
    data = memoryview(digests.buffers()[2])[start : start + length] if length else b""
    return np.frombuffer(unhexlify(data), np.uint64).reshape(-1, 2)


def fact_uid_text(words: type_of_hash) -> pa.Array:
    """Return `fact_uid` texts from the exclusive or of the three parts' hashes, of shape (rows, 2)."""
    count = len(words)
    offsets = np.arange(0, 32 * (count + 1), 32, dtype=np.int32)
    text = hexlify(np.ascontiguousarray(words).data) if count else b""
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text))


def fact_uid_of_frame(frame: pl.DataFrame) -> pl.Series:
    """Return the `fact_uid` of each row of a frame that has the grain's columns."""
    words = part_hash(frame, SCOPE_PART) ^ part_hash(frame, RATE_PART) ^ part_hash(frame, PROVIDER_PART)
    return pl.Series("fact_uid", fact_uid_text(words))


def _hash_of(fields: Sequence[pl.Series]) -> type_of_hash:
    """Return the hash of the fields' texts, row by row."""
    text = _joined(fields)
    return hash_words(text.select(_md5_expr(pl.col(text.columns[0]))).to_series())


def _joined(fields: Sequence[pl.Series]) -> pl.DataFrame:
    """Return the fields' texts joined row by row, as a frame of one column."""
    # As columns of a frame, never as literals: Polars does not free the memory of a literal Series.
    frame = pl.DataFrame({str(place): field for place, field in enumerate(fields)})
    return frame.select(pl.concat_str(frame.columns, separator="|"))


def _field_text(values: pl.Series) -> pl.Series:
    """Return fields as they are written in the text that is hashed."""
    if values.dtype == pl.Float64:
        return _rate_text(values)
    text = values.cast(pl.String)
    escaped = text.str.replace_all("\\", "\\\\", literal=True).str.replace_all("|", r"\|", literal=True)
    return escaped.fill_null(r"\N")


def _rate_text(rates: pl.Series) -> pl.Series:
    """Return doubles as Python's `repr` writes them. Polars writes the same digits but other exponents."""
    text = rates.cast(pl.String)
    odd = ~((rates == 0) | ((rates.abs() >= 1e-4) & (rates.abs() < 1e16)))
    if not odd.any():
        return text.fill_null(r"\N")
    return pl.Series(rates.name, [r"\N" if rate is None else repr(rate) for rate in rates])


def _md5_expr(text: pl.Expr) -> pl.Expr:
    # polars-hash hashes null to null and has its own expression class around the same expression.
    return plh.concat_str(text).nchash.md5()
