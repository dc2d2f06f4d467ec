"""Find each provider group's areas: those that the practice addresses of more than half of its NPIs share."""

import duckdb

from core.reference.put_group_table import put_group_table
from core.store.changes.upsert import upsert
from core.store.generations.store import Transaction
from core.store.schema.tables import DIM_GROUP_AREA, DIM_NPI, DIM_ZIP, XREF_GROUP_NPI
from core.store.sql import current_rows


def put_all_group_areas(connection: duckdb.DuckDBPyConnection, transaction: Transaction) -> None:
    """Make dim_group_area from the members, addresses, and ZIP codes of the transaction."""
    zips, pairs = current_rows(transaction, DIM_ZIP), current_rows(transaction, XREF_GROUP_NPI)
    if zips is None or pairs is None:
        return
    _create_npi_areas(connection, transaction, zips)
    put_group_table(connection, transaction, DIM_GROUP_AREA, pairs, group_areas_sql)
    connection.execute("DROP TABLE npi_area")


def put_group_areas(connection: duckdb.DuckDBPyConnection, transaction: Transaction, pairs: str) -> None:
    """Add the areas of the groups of `pairs`: SQL of the rows of xref_group_npi that say all of these groups' NPIs."""
    zips = current_rows(transaction, DIM_ZIP)
    if zips is None:
        return
    _create_npi_areas(connection, transaction, zips, f"(SELECT DISTINCT npi FROM {pairs})")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE group_areas AS {group_areas_sql(pairs)}")
    upsert(connection, transaction, DIM_GROUP_AREA, "group_areas", keep="new")
    connection.execute("DROP TABLE group_areas; DROP TABLE npi_area")


def _create_npi_areas(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, zips: str, wanted: str | None = None
) -> None:
    """Create the table `npi_area`: the areas of the NPIs (those of `wanted`) whose practice address is in a ZIP code.

    Equal areas have one row number, so that what is counted for each group is short.
    """
    npis = current_rows(transaction, DIM_NPI)
    some = f"SEMI JOIN {wanted} USING (npi)" if wanted else ""
    rows = f"FROM {npis} {some}" if npis else "FROM (SELECT NULL::VARCHAR AS npi, NULL::VARCHAR AS postal_code LIMIT 0)"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE npi_area AS
            SELECT npi, if(locality_by_plus_four, NULL, contractor) AS contractor,
                   if(locality_by_plus_four, NULL, locality) AS locality, wage_area, dmepos_rural
            FROM (SELECT npi, left(postal_code, 5) AS zip {rows}) JOIN {zips} USING (zip)"""
    )


def group_areas_sql(pairs: str) -> str:
    """Return SQL of the rows of dim_group_area for the groups of `pairs`, from `npi_area`.

    All NPIs of a group count, also those whose address is not known: an area of two known members of a hundred is not
    the group's. A value that more than half of them share is the only one, so that `max` finds it.
    """
    return f"""
        WITH counted AS (
            SELECT year_month, payer_slug, pg_uid, contractor, locality, wage_area, dmepos_rural, count(*) AS npis
            FROM {pairs} LEFT JOIN npi_area USING (npi) GROUP BY ALL),
        shared AS (
            SELECT *, sum(npis) OVER (PARTITION BY pg_uid) AS members,
                   sum(npis) OVER (PARTITION BY pg_uid, contractor, locality) AS in_locality,
                   sum(npis) OVER (PARTITION BY pg_uid, wage_area) AS in_wage_area,
                   sum(npis) OVER (PARTITION BY pg_uid, dmepos_rural) AS as_rural
            FROM counted),
        decided AS (
            SELECT year_month, payer_slug, pg_uid,
                   max(contractor) FILTER (2 * in_locality > members) AS contractor,
                   max(locality) FILTER (2 * in_locality > members) AS locality,
                   max(wage_area) FILTER (2 * in_wage_area > members) AS wage_area,
                   bool_or(dmepos_rural) FILTER (2 * as_rural > members) AS dmepos_rural
            FROM shared GROUP BY year_month, payer_slug, pg_uid)
        SELECT *, concat(contractor, '/', locality, '/', wage_area, '/',
                         CASE dmepos_rural WHEN true THEN 'rural' WHEN false THEN 'urban' END) AS area
        FROM decided WHERE coalesce(contractor, wage_area, dmepos_rural::VARCHAR) IS NOT NULL"""
