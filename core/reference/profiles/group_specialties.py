"""Find the specialties of each provider group's members.

A member's specialty is the one that its claims to Medicare state, if it is in CMS's files and they say anything
specific; otherwise that of its primary taxonomy. Specialties of children and pregnancy are taken from the taxonomy in
any case, because Medicare has hardly any words for them.
"""

from collections.abc import Iterable

import duckdb
import polars as pl

from core.fields.codes.unscored import UNSCORED_SPECIALTIES, UNSPECIFIC_SPECIALTIES
from core.fields.providers.specialty import find_specialty
from core.reference.put_group_table import put_group_table
from core.store.changes.upsert import upsert
from core.store.generations.store import Transaction
from core.store.schema.tables import DIM_NPI, GROUP_SPECIALTY, UTILIZATION_PROVIDER, XREF_GROUP_NPI
from core.store.sql import current_rows, no_rows, quote

_BROADER = {
    "Psychiatric nurse practitioner": "Nurse practitioner",
    "Spine surgery": "Orthopedic surgery",
}
"""Specialties of the taxonomy that Medicare does not tell apart from another."""

_NOT_SPECIFIC = ("Other physicians", *UNSPECIFIC_SPECIALTIES)


def put_all_group_specialties(connection: duckdb.DuckDBPyConnection, transaction: Transaction) -> None:
    """Make group_specialty from the members, taxonomies, and utilization of the transaction."""
    pairs = current_rows(transaction, XREF_GROUP_NPI)
    if pairs is None or not _create_npi_specialties(connection, transaction):
        return
    put_group_table(connection, transaction, GROUP_SPECIALTY, pairs, group_specialties_sql)
    connection.execute("DROP TABLE npi_specialty")


def put_group_specialties(connection: duckdb.DuckDBPyConnection, transaction: Transaction, pairs: str) -> None:
    """Add the specialties of the groups of `pairs`: SQL of rows of xref_group_npi with all of these groups' NPIs."""
    if not _create_npi_specialties(connection, transaction, f"(SELECT DISTINCT npi FROM {pairs})"):
        return
    connection.execute(f"CREATE OR REPLACE TEMP TABLE group_specialties AS {group_specialties_sql(pairs)}")
    upsert(connection, transaction, GROUP_SPECIALTY, "group_specialties", keep="new")
    connection.execute("DROP TABLE group_specialties; DROP TABLE npi_specialty")


def _create_npi_specialties(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, wanted: str | None = None
) -> bool:
    """Create the table `npi_specialty` of the NPIs (those of `wanted`) with a specialty; return whether there is one.

    Its columns are npi, specialty, and is_person.
    """
    npis, billing = current_rows(transaction, DIM_NPI), current_rows(transaction, UTILIZATION_PROVIDER)
    if npis is None:
        return False
    codes = connection.execute(
        f"SELECT DISTINCT taxonomy_code FROM {npis} WHERE taxonomy_code IS NOT NULL ORDER BY 1"
    ).fetchall()
    found = {code: specialty for (code,) in codes if (specialty := find_specialty(code))}
    if not found and billing is None:
        return False
    of_code = pl.DataFrame(
        {"taxonomy_code": list(found), "specialty": [_BROADER.get(name, name) for name in found.values()]},
        schema={"taxonomy_code": pl.String, "specialty": pl.String},
    )
    connection.register("utilization_specialty_of_code", of_code)
    some = f"SEMI JOIN {wanted} USING (npi)" if wanted else ""
    billed = billing or no_rows(UTILIZATION_PROVIDER)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE npi_specialty AS
            SELECT n.npi,
                   CASE WHEN t.specialty IN {_sql_list(UNSCORED_SPECIALTIES)} THEN t.specialty
                        WHEN u.specialty NOT IN {_sql_list(_NOT_SPECIFIC)} THEN u.specialty
                        ELSE coalesce(t.specialty, u.specialty) END AS specialty,
                   coalesce(n.entity_type, u.entity_type) = 'individual' AS is_person
            FROM (SELECT npi, taxonomy_code, entity_type FROM {npis} {some}) n
            LEFT JOIN utilization_specialty_of_code t USING (taxonomy_code)
            LEFT JOIN {billed} u USING (npi)
            WHERE coalesce(t.specialty, u.specialty) IS NOT NULL"""
    )
    connection.unregister("utilization_specialty_of_code")
    return bool(connection.execute("SELECT 1 FROM npi_specialty LIMIT 1").fetchall())


def _sql_list(texts: Iterable[str]) -> str:
    return f"({', '.join(map(quote, texts))})"


def group_specialties_sql(pairs: str) -> str:
    """Return SQL of the rows of group_specialty for the groups of `pairs`, from `npi_specialty`.

    Beside clinicians, an organization of which the register says only that it is a practice adds nothing: it is who
    they bill under.
    """
    return f"""
        WITH members AS (
            SELECT year_month, payer_slug, pg_uid, npi, coalesce(specialty, '') AS specialty, is_person,
                   bool_or(coalesce(is_person, false)) OVER (PARTITION BY pg_uid) AS has_person
            FROM {pairs} LEFT JOIN npi_specialty USING (npi))
        SELECT year_month, payer_slug, pg_uid, specialty, count(*) AS npis FROM members
        WHERE NOT (has_person AND NOT coalesce(is_person, true) AND specialty IN {_sql_list(UNSPECIFIC_SPECIALTIES)})
        GROUP BY ALL"""
