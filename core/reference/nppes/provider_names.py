"""Who an NPI is: from the register to the NPIs at hand, when the register is loaded and whenever an NPI is new."""

import hashlib

import duckdb
import pyarrow as pa

from core.runtime.errors import BeaconError
from core.store.connection import stored_rows
from core.store.generations.store import Store, Transaction
from core.store.schema.tables import DIM_NPI, DIM_TAXONOMY, NPPES

_KNOWN = [name for name in DIM_NPI.names if name not in {"npi", "taxonomy"}]


def new_npi_rows(transaction: Transaction, numbers: str) -> str:
    """SQL of the dim_npi rows for those of `numbers` (SQL of a column npi) that dim_npi does not have.

    They are named from the register where it is kept whole; otherwise all but the number is null.
    """
    unknown = f"(SELECT DISTINCT npi FROM ({numbers}) ANTI JOIN {stored_rows(transaction, DIM_NPI)} USING (npi))"
    columns = ", ".join("t.taxonomy" if name == "taxonomy" else f"n.{name}" for name in DIM_NPI.names[1:])
    return f"""SELECT npi, {columns} FROM {unknown}
               LEFT JOIN {stored_rows(transaction, NPPES)} n USING (npi)
               LEFT JOIN {stored_rows(transaction, DIM_TAXONOMY)} t USING (taxonomy_code)"""


def renamed_npi_rows(transaction: Transaction, register: str, taxonomies: str) -> str:
    """SQL of all rows of dim_npi, newly named from `register` (columns of nppes) and `taxonomies` (of dim_taxonomy).

    An NPI that the register does not have stays as it was. NPPES blanks the row of a deactivated NPI: its words stay
    as they were as well.
    """
    words = [
        f"CASE WHEN n.entity_type IS NOT NULL THEN n.{name} ELSE coalesce(n.{name}, o.{name}) END AS {name}"
        for name in _KNOWN
        if name != "deactivated_on"
    ]
    dates = "CASE WHEN n.npi IS NOT NULL THEN n.deactivated_on ELSE o.deactivated_on END AS deactivated_on"
    columns = ", ".join("t.taxonomy" if name == "taxonomy" else f"k.{name}" for name in DIM_NPI.names)
    return f"""WITH k AS (SELECT o.npi, {", ".join(words)}, {dates}
                          FROM {stored_rows(transaction, DIM_NPI)} o LEFT JOIN {register} n ON n.npi = o.npi)
               SELECT {columns} FROM k LEFT JOIN {taxonomies} t ON t.taxonomy_code = k.taxonomy_code
               ORDER BY k.npi"""


def npis_in_state(connection: duckdb.DuckDBPyConnection, tables: Transaction | Store, state: str) -> pa.ChunkedArray:
    """The NPIs whose practice address is in a state (two letters), as sorted texts: of the NPIs at hand, and of the
    whole register where it is kept. Raises BeaconError where no place is known at all: NPPES has not been loaded.
    """
    known = f"""SELECT npi, state FROM {stored_rows(tables, DIM_NPI)} WHERE state IS NOT NULL
                UNION SELECT npi, state FROM {stored_rows(tables, NPPES)} WHERE state IS NOT NULL"""
    if not connection.execute(f"SELECT 1 FROM ({known}) LIMIT 1").fetchall():
        raise BeaconError(
            "no provider's state is known, as NPPES has not been loaded; load its file first: load_nppes --all FILE"
        )
    found = connection.sql(f"SELECT npi FROM ({known}) WHERE state = $state ORDER BY npi", params={"state": state})
    return found.to_arrow_reader().read_all().column("npi")


def hash_npis_in_state(connection: duckdb.DuckDBPyConnection, tables: Transaction | Store, state: str) -> str:
    """32 hex digits that tell one `npis_in_state` from another."""
    found = npis_in_state(connection, tables, state)
    return hashlib.md5("".join(found.to_pylist()).encode(), usedforsecurity=False).hexdigest()
