"""Name NPIs from the register, when the register is loaded and whenever an ingest brings a new NPI."""

import hashlib
from collections.abc import Iterable

import duckdb
import pyarrow.compute as pc

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


def npi_states(connection: duckdb.DuckDBPyConnection, tables: Transaction | Store) -> str:
    """Return SQL of the states (two letters) of NPIs' practice addresses: npi and state. A pair may come twice.

    They come from dim_npi, and from the whole register if the store keeps it. Raise BeaconError if the store knows no
    address at all because NPPES has not been loaded: an empty list would then silently filter out everything.
    """
    known = f"""(SELECT npi, state FROM {stored_rows(tables, DIM_NPI)} WHERE state IS NOT NULL
                 UNION ALL SELECT npi, state FROM {stored_rows(tables, NPPES)} WHERE state IS NOT NULL)"""
    if not connection.execute(f"SELECT 1 FROM {known} LIMIT 1").fetchall():
        raise BeaconError(
            "no provider's state is known, as NPPES has not been loaded; load its file first: load_nppes --all FILE"
        )
    return known


def hash_npis_by_state(
    connection: duckdb.DuckDBPyConnection, tables: Transaction | Store, states: Iterable[str]
) -> dict[str, str]:
    """Return for each state 32 hex digits that differ when the list of NPIs known to be in it differs.

    Raise BeaconError as `npi_states` does.
    """
    digests = {state: hashlib.md5(usedforsecurity=False) for state in states}
    rows = connection.sql(
        f"""SELECT DISTINCT state, npi FROM {npi_states(connection, tables)}
            WHERE state IN (SELECT unnest($states)) ORDER BY state, npi""",
        params={"states": list(digests)},
    ).to_arrow_reader()
    for batch in rows:
        for state in batch.column("state").unique().to_pylist():
            here = batch.filter(pc.equal(batch.column("state"), state))
            digests[state].update("".join(here.column("npi").to_pylist()).encode())
    return {state: digest.hexdigest() for state, digest in digests.items()}
