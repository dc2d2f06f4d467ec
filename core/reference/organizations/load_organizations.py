"""Load lists of organizations, hospitals, and health systems, and roll the tax IDs up by them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from core.reference.organizations.organization_files import Row, read_organization_files
from core.reference.organizations.roll_up import put_organizations
from core.reference.read_counts import ReadCounts
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.schema.tables import HOSPITAL, LISTED_ORGANIZATION, ORGANIZATION, Table
from core.store.sql import current_rows, stored_rows
from core.store.writer_connection import connect_for_writing


@dataclass(frozen=True)
class LoadedOrganizations:
    """What was read, and what the store now knows of the tax IDs of its rates."""

    files: tuple[ReadCounts, ...]
    outdated: int
    """Rows of which the store has a newer one."""
    listed: int
    """Rows about tax IDs that the store keeps, from all lists loaded so far."""
    hospitals: int
    tins: int
    """Tax IDs of the store's rates."""
    named: int
    inferred: int
    """Of the named, those whose name is inferred."""
    sources: dict[str, int]
    """The named tax IDs by the source of the name, most first."""
    organizations: int
    in_system: int
    """Tax IDs whose organization is part of a health system."""
    systems: int


def load_organizations(store: Store, paths: list[Path]) -> LoadedOrganizations:
    """Load lists of organizations, recognized by content, in any order. Without any, only rebuild the roll-up.

    A row replaces the store's row about the same tax ID, or hospital, of the same kind of list, unless that states a
    newer date. Raise ReferenceFileError or StoreError if that fails; the store is then unchanged.
    """
    found = read_organization_files(paths)
    with store.write() as transaction:
        connection = connect_for_writing(transaction.work)
        try:
            outdated = _put_listed(connection, transaction, found.listed)
            _put_hospitals(connection, transaction, found.hospitals)
            put_organizations(connection, transaction)
            loaded = _count(connection, transaction, tuple(found.files), outdated)
        finally:
            connection.close()
        transaction.commit()
    return loaded


def _put_listed(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, rows: dict[tuple[str, str, str, str], Row]
) -> int:
    """Put rows into listed_organization. Return how many were older than those of the store."""
    if not rows:
        return 0
    kept = {tuple(row[name] for name in LISTED_ORGANIZATION.key): row for row in _stored(connection, transaction)}
    outdated = 0
    for key, row in rows.items():
        before = kept.get(key)
        if before and (row["as_of"] or "") < (before["as_of"] or ""):
            outdated += 1
        else:
            kept[key] = row
    _put(transaction, LISTED_ORGANIZATION, [kept[key] for key in sorted(kept)])
    return outdated


def _stored(connection: duckdb.DuckDBPyConnection, transaction: Transaction) -> list[Row]:
    rows: list[Row] = (
        connection.sql(f"FROM {stored_rows(transaction, LISTED_ORGANIZATION)}").to_arrow_table().to_pylist()
    )
    return rows


def _put_hospitals(connection: duckdb.DuckDBPyConnection, transaction: Transaction, hospitals: dict[str, Row]) -> None:
    """Put hospitals into the store. What a new list does not say of a hospital stays as it was."""
    if not hospitals:
        return
    before = connection.sql(f"FROM {stored_rows(transaction, HOSPITAL)}").to_arrow_table().to_pylist()
    kept = {row["ccn"]: row for row in before}
    for ccn, row in hospitals.items():
        kept[ccn] = {**kept.get(ccn, {}), **row}
    _put(transaction, HOSPITAL, [kept[ccn] for ccn in sorted(kept)])


def _put(transaction: Transaction, table: Table, rows: list[dict[str, Any]]) -> None:
    frame = pl.DataFrame(
        [{name: row.get(name) for name in table.names} for row in rows], schema=dict.fromkeys(table.names, pl.String)
    )
    path = transaction.new_file(table.name)
    transaction.put(table.name, path, write_table(path, table, [frame.to_arrow().cast(table.arrow)]))


def _count(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    files: tuple[ReadCounts, ...],
    outdated: int,
) -> LoadedOrganizations:
    rolled_up = current_rows(transaction, ORGANIZATION) or stored_rows(transaction, ORGANIZATION)
    ((tins, named, inferred, organizations, in_system, systems),) = connection.execute(
        f"""SELECT count(*), count(name), count(name) FILTER (name_confidence <> 'high'),
                   count(DISTINCT organization_id), count(system_id), count(DISTINCT system_id) FROM {rolled_up}"""
    ).fetchall()
    sources = connection.execute(
        f"""SELECT name_source, count(*) AS tins FROM {rolled_up} WHERE name IS NOT NULL
            GROUP BY ALL ORDER BY tins DESC, name_source"""
    ).fetchall()
    return LoadedOrganizations(
        files=files,
        outdated=outdated,
        listed=sum(file.rows for file in transaction.files(LISTED_ORGANIZATION.name)),
        hospitals=sum(file.rows for file in transaction.files(HOSPITAL.name)),
        tins=tins,
        named=named,
        inferred=inferred,
        sources=dict(sources),
        organizations=organizations,
        in_system=in_system,
        systems=systems,
    )
