"""Derive where each provider practices and its specialty, and what the providers of each group are."""

from dataclasses import dataclass

import duckdb

from core.fields.places.states import STATES
from core.fields.providers.specialty import find_specialty
from core.reference.put_group_table import put_group_table
from core.store.changes.upsert import upsert, write_query
from core.store.generations.store import Transaction
from core.store.schema.profile_tables import OF_ZIP
from core.store.schema.tables import DIM_NPI, DIM_ZIP, GROUP_PROFILE, PROVIDER_PROFILE, XREF_GROUP_NPI, Table
from core.store.sql import current_rows, no_rows, parquet_rows, quote

_PLACE_COLUMNS = (
    "county_fips", "county", "cbsa", "cbsa_title", "division", "division_title", "latitude", "longitude",
)  # fmt: skip
"""The columns of a profile that are those of its ZIP code."""

_KNOWN = "coalesce(entity_type, specialty, zip, city) IS NOT NULL"


@dataclass(frozen=True)
class ProfileCounts:
    """How many of the NPIs in use have a profile, and what of it is known."""

    npis: int
    """NPIs in use: those that provider groups name."""
    with_county: int
    with_area: int
    """NPIs in a metropolitan or micropolitan area."""
    with_locality: int
    with_point: int
    """NPIs whose ZIP code has a latitude and longitude."""
    with_specialty: int


def put_all_profiles(connection: duckdb.DuckDBPyConnection, transaction: Transaction) -> None:
    """Make provider_profile and group_profile from the addresses, taxonomy codes, ZIP codes, and members.

    They follow from what the transaction has of these tables so far, so that they are the same whichever was loaded
    first.
    """
    path = transaction.new_file(PROVIDER_PROFILE.name)
    profiles = _profiles_sql(connection, _rows(transaction, DIM_NPI), _rows(transaction, DIM_ZIP))
    rows = write_query(connection, path, PROVIDER_PROFILE, f"{profiles} ORDER BY npi", transaction.sizes)
    transaction.put(PROVIDER_PROFILE.name, path, rows)
    pairs = _rows(transaction, XREF_GROUP_NPI) if rows else no_rows(XREF_GROUP_NPI)
    profiles = parquet_rows([str(path)])
    put_group_table(connection, transaction, GROUP_PROFILE, pairs, lambda some: group_profiles_sql(some, profiles))


def put_profiles(connection: duckdb.DuckDBPyConnection, transaction: Transaction, pairs: str) -> None:
    """Add the profiles of the groups of `pairs`, SQL of the rows of xref_group_npi with all of these groups' NPIs."""
    npis = f"(FROM {_rows(transaction, DIM_NPI)} SEMI JOIN (SELECT DISTINCT npi FROM {pairs}) USING (npi))"
    profiles = _profiles_sql(connection, npis, _rows(transaction, DIM_ZIP))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE new_profiles AS {profiles}")
    if connection.execute("SELECT 1 FROM new_profiles LIMIT 1").fetchall():
        # Most providers of a payer are another's too, and nothing of them has changed.
        names = ", ".join(PROVIDER_PROFILE.names)
        changed = (
            f"(SELECT {names} FROM new_profiles EXCEPT SELECT {names} FROM {_rows(transaction, PROVIDER_PROFILE)})"
        )
        upsert(connection, transaction, PROVIDER_PROFILE, changed, keep="new")
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE group_profiles AS {group_profiles_sql(pairs, 'new_profiles')}"
        )
        upsert(connection, transaction, GROUP_PROFILE, "group_profiles", keep="new")
        connection.execute("DROP TABLE group_profiles")
    connection.execute("DROP TABLE new_profiles")


def count_profiles(connection: duckdb.DuckDBPyConnection, transaction: Transaction) -> ProfileCounts:
    """Return how many NPIs are in use, and what is known of them in the transaction so far."""
    ((npis,),) = connection.execute(f"SELECT count(*) FROM {_rows(transaction, DIM_NPI)}").fetchall()
    (counts,) = connection.execute(
        f"""SELECT count(county_fips), count(cbsa), count(locality), count(latitude), count(specialty)
            FROM {_rows(transaction, PROVIDER_PROFILE)}"""
    ).fetchall()
    return ProfileCounts(npis, *counts)


def group_profiles_sql(pairs: str, profiles: str) -> str:
    """Return SQL of the rows of group_profile for the groups of `pairs`, from rows of provider_profile."""
    texts = ("zip", "city", "specialty", "entity_type")
    # Empty text rather than null: these columns are part of the key.
    columns = ", ".join(f"coalesce({name}, '') AS {name}" for name in texts)
    of_zip = ", ".join(OF_ZIP)
    return f"""SELECT year_month, payer_slug, pg_uid, {", ".join(texts)}, {of_zip}, count(*) AS npis
               FROM {pairs} JOIN (SELECT npi, {columns}, {of_zip} FROM {profiles}) USING (npi) GROUP BY ALL"""


def _profiles_sql(connection: duckdb.DuckDBPyConnection, npis: str, zips: str) -> str:
    """Return SQL of the rows of provider_profile for the rows `npis` of dim_npi, in no order."""
    codes = connection.execute(f"SELECT DISTINCT taxonomy_code FROM {npis} WHERE taxonomy_code IS NOT NULL").fetchall()
    found = [(code, find_specialty(code)) for (code,) in codes]
    connection.execute("CREATE OR REPLACE TEMP TABLE specialty_of_code (taxonomy_code VARCHAR, specialty VARCHAR)")
    if found:
        connection.executemany("INSERT INTO specialty_of_code VALUES (?, ?)", found)
    states = ", ".join(map(quote, STATES))
    columns = ", ".join(f"z.{name}" for name in _PLACE_COLUMNS)
    # Elsewhere, a postal code of five digits is no ZIP code.
    return f"""
        WITH addresses AS (
            SELECT npi, entity_type, taxonomy_code, if(state IN ({states}), state, NULL) AS us_state,
                   if(us_state IS NULL, NULL, nullif(regexp_extract(postal_code, '^\\d{{5}}'), '')) AS zip,
                   upper(trim(city)) || coalesce(', ' || us_state, '') AS city
            FROM {npis})
        SELECT npi, entity_type, specialty, zip, city, us_state AS state, {columns},
               if(z.locality_by_plus_four, NULL, z.contractor) AS contractor,
               if(z.locality_by_plus_four, NULL, z.locality) AS locality
        FROM addresses LEFT JOIN (FROM {zips}) z USING (zip) LEFT JOIN specialty_of_code USING (taxonomy_code)
        WHERE {_KNOWN}"""


def _rows(transaction: Transaction, table: Table) -> str:
    """Return SQL of a table's rows with the changes of the transaction so far; no rows if it has none."""
    return current_rows(transaction, table) or no_rows(table)
