"""The rates, groups, files or NPIs that a check finds wrong, in the data as it is now."""

from dataclasses import dataclass
from typing import Any

from core.quality.check import Check
from core.quality.report_scope import create_scope_views
from core.store.connection import Snapshot


@dataclass(frozen=True)
class FailingRows:
    """Some of the rows that a check finds, the names and types of their columns, and how many rows it finds in all."""

    total: int
    names: list[str]
    types: list[type]
    rows: list[tuple[Any, ...]]


def find_failing_rows(
    db: Snapshot,
    one: Check,
    limit: int,
    offset: int = 0,
    state: str | None = None,
    year_month: str | None = None,
    payer: str | None = None,
) -> FailingRows:
    """Return at most `limit` rows that a check finds, from `offset` on, of a state, month and payer (a slug) or of all.

    A row that names no code, such as a provider group, has its number of rates and the state, code … of the first.
    """
    with db.cursor() as cursor:
        create_scope_views(cursor, state, year_month, payer)
        if one.prepare:
            cursor.execute(one.prepare)
        ((total,),) = cursor.execute(f"SELECT count(*) FROM ({one.found})").fetchall()
        page = f"SELECT * FROM ({one.found}) ORDER BY ALL LIMIT $limit OFFSET $offset"
        if one.rates_by:
            page = _with_rates(page, one)
        cursor.execute(page, {"limit": limit, "offset": offset})
        columns = cursor.description or ()
        types = [_TYPES.get(str(column[1]), str) for column in columns]
        return FailingRows(total, [column[0] for column in columns], types, cursor.fetchall())


_TYPES = {"BIGINT": int, "INTEGER": int, "DOUBLE": float, "BOOLEAN": bool}
"""Python's types by DuckDB's. All others are text."""


_RATE = ("state", "year_month", "reporting_entity_name", "code_type", "code")


def _with_rates(page: str, one: Check) -> str:
    """Return SQL that adds to each thing of a page how many rates it has, and the first of them.

    The rates are looked up for the things of the page alone.
    """
    first = ", ".join(f"'{name}': {name}" for name in _RATE)
    added = ", ".join(f"first.{name}" for name in _RATE if name not in one.by)
    return f"""
        WITH page AS MATERIALIZED ({page}),
        rated AS (
            SELECT {one.rates_by}, count(*) AS rates, min({{{first}}}) AS first FROM facts
            WHERE {one.rates_by} IN (SELECT {one.rates_by} FROM page) GROUP BY ALL)
        SELECT p.*, coalesce(rates, 0) AS rates, {added}
        FROM page p LEFT JOIN rated USING ({one.rates_by}) ORDER BY ALL"""
