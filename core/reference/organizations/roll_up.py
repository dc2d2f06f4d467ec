"""Roll tax IDs up to organizations and health systems: one name, one organization, and at most one system for each.

What each rule trusts, and how sure it is, is in `core/store/schema/organization_tables.py` and docs/method.md. Every
step groups by tax ID or by organization, so that a tax ID never has two rows.
"""

import duckdb

from core.store.changes.upsert import write_query
from core.store.generations.store import Transaction
from core.store.schema.organization_tables import NAME_SOURCES, SYSTEM_SOURCES
from core.store.schema.tables import (
    DIM_NPI,
    DIM_TIN,
    HOSPITAL,
    LISTED_ORGANIZATION,
    NPI_OTHER_NAME,
    ORGANIZATION,
    XREF_TIN_NPI,
    Table,
)
from core.store.sql import current_rows, null_columns

_FOLLOWS_FROM = (DIM_TIN, DIM_NPI, NPI_OTHER_NAME, XREF_TIN_NPI, LISTED_ORGANIZATION, HOSPITAL)
"""The tables that the roll-up follows from."""

_STEPS = ("tin", "npi_organization", "home", "member", "candidate", "named", "placed", "edge", "in_system", "rolled_up")

_NOT_NAMES = ("", "unknown", "n_a", "na", "none", "null", "not_available", "not_applicable", "self", "tbd", "various")
"""What payers write in place of a name, as keys. These join no two tax IDs and name none."""


def put_organizations(connection: duckdb.DuckDBPyConnection, transaction: Transaction) -> None:
    """Rebuild the table organization if this transaction has changed anything it is derived from."""
    complete = len(transaction.base.tables.get(ORGANIZATION.name, ())) > 0 and transaction.base.rows(
        ORGANIZATION.name
    ) == transaction.base.rows(DIM_TIN.name)
    before = [transaction.base.tables.get(table.name, ()) for table in _FOLLOWS_FROM]
    if complete and before == [transaction.files(table.name) for table in _FOLLOWS_FROM]:
        return
    for name, sql in _steps(transaction).items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")
    path = transaction.new_file(ORGANIZATION.name)
    order = ", ".join(ORGANIZATION.order)
    rows = write_query(connection, path, ORGANIZATION, f"FROM rolled_up ORDER BY {order}", transaction.sizes)
    transaction.put(ORGANIZATION.name, path, rows)
    connection.execute("; ".join(f"DROP TABLE {name}" for name in _STEPS))


def _rows(transaction: Transaction, table: Table) -> str:
    return current_rows(transaction, table) or f"(SELECT {null_columns(table.columns)} LIMIT 0)"


def _steps(transaction: Transaction) -> dict[str, str]:
    """Return the SQL of each step by the name of its temporary table, in order."""
    rows = {table.name: _rows(transaction, table) for table in _FOLLOWS_FROM}
    return {
        "tin": f"SELECT tin_type, tin_value, business_name FROM {rows['dim_tin']}",
        "npi_organization": f"""
            SELECT npi, name, city, left(state, 2) AS state, left(postal_code, 5) AS zip, payer_slug(name) AS name_key
            FROM {rows["dim_npi"]} WHERE entity_type = 'organization' AND name IS NOT NULL""",
        "home": _home(rows),
        "member": _members(rows),
        "candidate": _candidates(rows),
        "named": _named(),
        "placed": _placed(rows),
        "edge": _system_edges(rows),
        "in_system": _systems(),
        "rolled_up": _rolled_up(),
    }


def _home(rows: dict[str, str]) -> str:
    """Return SQL of the town and state that more than half of a tax ID's NPIs with an address share."""
    return f"""
        WITH address AS (
            SELECT DISTINCT tin_type, tin_value, npi, city, left(state, 2) AS state
            FROM {rows["xref_tin_npi"]}
            JOIN (SELECT npi, city, state FROM {rows["dim_npi"]} WHERE state IS NOT NULL) USING (npi)),
        counted AS (
            SELECT tin_type, tin_value, state, city, count(*) AS npis FROM address GROUP BY ALL),
        shared AS (
            SELECT *, sum(npis) OVER (PARTITION BY tin_type, tin_value) AS members,
                   sum(npis) OVER (PARTITION BY tin_type, tin_value, state) AS in_state FROM counted)
        SELECT tin_type, tin_value, max(state) FILTER (2 * in_state > members) AS state,
               max(city) FILTER (2 * npis > members) AS city
        FROM shared GROUP BY ALL"""


def _members(rows: dict[str, str]) -> str:
    """Return SQL of the organizations among the NPIs of each tax ID, one row a name.

    `npis` are the organization's NPIs, `elsewhere` is whether one of them bills under another EIN as well.
    """
    return f"""
        WITH pair AS (
            SELECT DISTINCT tin_type, tin_value, npi FROM {rows["xref_tin_npi"]}
            WHERE tin_type = 'ein' AND npi IN (SELECT npi FROM npi_organization)),
        spread AS (SELECT npi, count(*) AS tins FROM pair GROUP BY npi)
        SELECT tin_type, tin_value, name_key, min(name) AS name, count(*) AS npis, bool_or(tins > 1) AS elsewhere,
               min(city) AS city, min(state) AS state
        FROM pair JOIN npi_organization USING (npi) JOIN spread USING (npi) GROUP BY tin_type, tin_value, name_key"""


def _candidates(rows: dict[str, str]) -> str:
    """Return SQL of all names of each tax ID, with source and confidence."""
    ranks = " ".join(f"WHEN '{source}' THEN {rank}" for rank, source in enumerate(NAME_SOURCES))
    unnamed = ", ".join(f"'{name}'" for name in _NOT_NAMES)
    return f"""
        WITH hospital_list AS (
            SELECT tin_type, tin_value, l.name, coalesce(l.city, h.city) AS city, coalesce(l.state, h.state) AS state,
                   payer_slug(l.name) AS name_key
            FROM {rows["listed_organization"]} l LEFT JOIN {rows["hospital"]} h ON h.ccn = l.hospital
            WHERE source = 'hospital list'),
        every AS (
            SELECT tin_type, tin_value, name, city, state, 'user file' AS source, 'high' AS confidence, false AS person
            FROM {rows["listed_organization"]} WHERE source = 'user file'
            UNION ALL SELECT tin_type, tin_value, name, city, state, 'irs', 'high', false
                FROM {rows["listed_organization"]} WHERE source = 'irs'
            UNION ALL SELECT tin_type, tin_value, business_name, NULL, NULL, 'payer file', 'high', false FROM tin
            UNION ALL SELECT 'npi', npi, name, city, left(state, 2), 'nppes', 'high', entity_type = 'individual'
                FROM {rows["dim_npi"]}
            UNION ALL SELECT tin_type, tin_value, min(name), min(city), min(state), 'hospital list', 'medium', false
                FROM hospital_list GROUP BY tin_type, tin_value HAVING count(DISTINCT name_key) = 1
            UNION ALL SELECT tin_type, tin_value, name, city, state, 'members',
                             if(names = 1 AND NOT elsewhere, 'medium', 'low'), false
                FROM (SELECT *, count(*) OVER (PARTITION BY tin_type, tin_value) AS names,
                             sum(npis) OVER (PARTITION BY tin_type, tin_value) AS organizations FROM member)
                WHERE 2 * npis > organizations)
        SELECT *, payer_slug(name) AS name_key, CASE source {ranks} END AS rank
        FROM every SEMI JOIN tin USING (tin_type, tin_value)
        WHERE name IS NOT NULL AND payer_slug(name) NOT IN ({unnamed})"""


def _named() -> str:
    """Return SQL of each tax ID with its most trusted name, if it has one."""
    return """
        SELECT t.tin_type, t.tin_value, best.name, best.source AS name_source, best.confidence AS name_confidence,
               coalesce(best.person, false) AS person, best.name_key, best.rank,
               coalesce(best.city, home.city) AS city, coalesce(best.state, home.state) AS state
        FROM tin t
        LEFT JOIN (SELECT tin_type, tin_value, arg_min(candidate, (rank, name)) AS best FROM candidate GROUP BY ALL)
            USING (tin_type, tin_value)
        LEFT JOIN home USING (tin_type, tin_value)"""


def _placed(rows: dict[str, str]) -> str:
    """Return SQL of each tax ID with its organization."""
    # A legal name belongs to one company of a state, so tax IDs that share both are one organization. People share
    # names, and a name without a state says too little: these stay by themselves.
    return f"""
        WITH own AS (
            SELECT tin_type, tin_value, organization_name AS stated FROM {rows["listed_organization"]}
            WHERE source = 'user file'),
        keyed AS (
            SELECT n.*, stated, CASE
                WHEN stated IS NOT NULL THEN payer_slug(stated)
                WHEN NOT person AND name_key IS NOT NULL AND state IS NOT NULL THEN name_key || '_' || lower(state)
                ELSE tin_type || '_' || tin_value END AS organization_id
            FROM named n LEFT JOIN own USING (tin_type, tin_value))
        SELECT *, first_value(coalesce(stated, name)) OVER (
                      PARTITION BY organization_id ORDER BY stated IS NULL, rank NULLS LAST, name, tin_value
                      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS organization_name,
               CASE WHEN stated IS NOT NULL THEN 'user file'
                    WHEN count(*) OVER (PARTITION BY organization_id) > 1 THEN 'same name'
                    ELSE 'own number' END AS organization_source
        FROM keyed"""


def _system_edges(rows: dict[str, str]) -> str:
    """Return SQL of the health systems that something says of an organization's tax IDs."""
    ranks = " ".join(f"WHEN '{source}' THEN {rank}" for rank, source in enumerate(SYSTEM_SOURCES))
    return f"""
        WITH hospital AS (
            SELECT *, payer_slug(name) AS name_key,
                   payer_slug(concat_ws('_', system_name, system_state)) AS system_key
            FROM {rows["hospital"]}),
        system AS (
            SELECT payer_slug(system_name) AS name_key, min(system_key) AS system_key FROM hospital
            WHERE system_name IS NOT NULL GROUP BY 1 HAVING count(DISTINCT system_key) = 1),
        stated AS (
            SELECT tin_type, tin_value, coalesce(system_key, payer_slug(l.system_name)) AS system_id,
                   l.system_name, l.source, 'high' AS confidence
            FROM {rows["listed_organization"]} l LEFT JOIN system ON name_key = payer_slug(l.system_name)
            WHERE l.system_name IS NOT NULL),
        by_ccn AS (
            SELECT tin_type, tin_value, system_key AS system_id, h.system_name, 'ahrq' AS source,
                   if(count(DISTINCT system_key) OVER (PARTITION BY tin_type, tin_value) = 1, 'high', 'medium')
                       AS confidence
            FROM {rows["listed_organization"]} l JOIN hospital h ON h.ccn = l.hospital
            WHERE l.source = 'hospital list' AND h.system_name IS NOT NULL),
        known_as AS (
            SELECT npi, name_key, city, state, zip FROM npi_organization
            UNION SELECT npi, payer_slug(other_name), city, state, zip
                FROM {rows["npi_other_name"]} JOIN npi_organization USING (npi)),
        called AS (
            SELECT 'npi' AS tin_type, npi AS tin_value, name_key, city, state, zip FROM known_as
            UNION SELECT tin_type, tin_value, name_key, city, state, NULL FROM named WHERE NOT person),
        by_name AS (
            SELECT tin_type, tin_value, system_key AS system_id, h.system_name, 'hospital name' AS source,
                   'medium' AS confidence
            FROM called c JOIN hospital h
                ON h.name_key = c.name_key AND h.state = c.state AND (h.zip = c.zip OR h.city = upper(c.city))
            WHERE h.system_name IS NOT NULL AND h.name_key <> '')
        SELECT DISTINCT organization_id, tin_type, tin_value, system_id, system_name, source, confidence,
               CASE source {ranks} END AS rank
        FROM (FROM stated UNION ALL FROM by_ccn UNION ALL FROM by_name) JOIN placed USING (tin_type, tin_value)
        WHERE system_id <> ''"""


def _systems() -> str:
    """Return SQL of each organization's system: what most of its tax IDs are in, by the most trusted source.

    An organization of which equally many are in two systems has none.
    """
    return """
        WITH counted AS (
            SELECT organization_id, system_id, min(system_name) AS system_name, source, rank,
                   max(confidence) AS confidence, count(*) AS edges
            FROM edge GROUP BY organization_id, system_id, source, rank),
        ranked AS (
            SELECT *, sum(edges) OVER (PARTITION BY organization_id, rank) AS of_source,
                   min(rank) OVER (PARTITION BY organization_id) AS best
            FROM counted)
        SELECT organization_id, system_id, first_value(system_name) OVER (
                   PARTITION BY system_id ORDER BY rank, system_name
                   ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS system_name,
               source AS system_source, if(edges = of_source, confidence, 'low') AS system_confidence
        FROM ranked WHERE rank = best AND 2 * edges > of_source"""


def _rolled_up() -> str:
    return """
        SELECT tin_type, tin_value, name, name_source, name_confidence, city, state, organization_id,
               organization_name, organization_source,
               CASE organization_source WHEN 'same name'
                   THEN if(name_confidence = 'low', 'low', 'medium') ELSE 'high' END AS organization_confidence,
               system_id, system_name, system_source, system_confidence
        FROM placed LEFT JOIN in_system USING (organization_id)"""
