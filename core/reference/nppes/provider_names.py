"""Name NPIs from the register, when the register is loaded and whenever an ingest brings a new NPI."""

import hashlib

import duckdb
import pyarrow as pa

from core.runtime.errors import BeaconError
from core.store.generations.store import Store, Transaction
from core.store.schema.tables import DIM_NPI, DIM_TAXONOMY, NPPES
from core.store.sql import stored_rows

_FROM_REGISTER = [name for name in DIM_NPI.names if name not in {"npi", "taxonomy"}]


def new_npi_rows(transaction: Transaction, numbers: str) -> str:
    """Return SQL of the dim_npi rows for those of `numbers` (SQL of a column npi) that dim_npi does not have.

    They are named from the register if the store keeps it whole; otherwise everything but the number is null.
    """
    unknown = f"(SELECT DISTINCT npi FROM ({numbers}) ANTI JOIN {stored_rows(transaction, DIM_NPI)} USING (npi))"
    columns = ", ".join("t.taxonomy" if name == "taxonomy" else f"n.{name}" for name in DIM_NPI.names[1:])
    return f"""SELECT npi, {columns} FROM {unknown}
               LEFT JOIN {stored_rows(transaction, NPPES)} n USING (npi)
               LEFT JOIN {stored_rows(transaction, DIM_TAXONOMY)} t USING (taxonomy_code)"""


def renamed_npi_rows(transaction: Transaction, register: str, taxonomies: str) -> str:
    """Return SQL of all rows of dim_npi, named from `register` (SQL of nppes) and `taxonomies` (SQL of dim_taxonomy).

    An NPI that the register does not have is unchanged. NPPES blanks the row of a deactivated NPI, so the name and
    address of such an NPI are unchanged as well; only its date of deactivation is taken.
    """
    named = [
        f"CASE WHEN n.entity_type IS NOT NULL THEN n.{name} ELSE coalesce(n.{name}, o.{name}) END AS {name}"
        for name in _FROM_REGISTER
        if name != "deactivated_on"
    ]
    deactivated_on = "CASE WHEN n.npi IS NOT NULL THEN n.deactivated_on ELSE o.deactivated_on END AS deactivated_on"
    columns = ", ".join("t.taxonomy" if name == "taxonomy" else f"k.{name}" for name in DIM_NPI.names)
    return f"""WITH k AS (SELECT o.npi, {", ".join(named)}, {deactivated_on}
                          FROM {stored_rows(transaction, DIM_NPI)} o LEFT JOIN {register} n ON n.npi = o.npi)
               SELECT {columns} FROM k LEFT JOIN {taxonomies} t ON t.taxonomy_code = k.taxonomy_code
               ORDER BY k.npi"""


def npis_in_state(connection: duckdb.DuckDBPyConnection, tables: Transaction | Store, state: str) -> pa.ChunkedArray:
    """Return the NPIs whose practice address is in a state (two letters), as sorted texts.

    They come from dim_npi, and from the whole register if the store keeps it. Raise BeaconError if the store knows no
    address at all because NPPES has not been loaded: an empty list would then silently filter out everything.
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
    """Return 32 hex digits that differ when the list of NPIs in a state differs."""
    found = npis_in_state(connection, tables, state)
    return hashlib.md5("".join(found.to_pylist()).encode(), usedforsecurity=False).hexdigest()
