"""What stands behind a flag: the rates, groups, files or NPIs that a check finds wrong, as the data is now."""

from dataclasses import dataclass
from typing import Any

from core.quality.checks import Check
from core.quality.narrowed import prepare
from core.store.connection import Snapshot


@dataclass(frozen=True)
class Behind:
    """Some of the rows that a check finds, with the names and types of their columns; and how many there are in all."""

    total: int
    names: list[str]
    types: list[type]
    rows: list[tuple[Any, ...]]


def behind(
    db: Snapshot,
    one: Check,
    limit: int,
    offset: int = 0,
    state: str | None = None,
    year_month: str | None = None,
    payer: str | None = None,
) -> Behind:
    """The rows that a check finds in one part (a payer is a slug; None does not narrow), in order, from `offset` on.

    A provider group comes with one of its rates: how many it has, and the state and code of the first.
    """
    with db.cursor() as cursor:
        prepare(cursor, state, year_month, payer)
        total = int(cursor.execute(f"SELECT count(*) FROM ({one.found})").fetchall()[0][0])
        page = f"SELECT * FROM ({one.found}) ORDER BY ALL LIMIT $limit OFFSET $offset"
        if one.by == ("year_month", "payer_slug") and one.counted == "*":
            page = _with_rates(page)
        cursor.execute(page, {"limit": limit, "offset": offset})
        columns = cursor.description or ()
        types = [_TYPES.get(str(column[1]), str) for column in columns]
        return Behind(total, [column[0] for column in columns], types, cursor.fetchall())


_TYPES = {"BIGINT": int, "INTEGER": int, "DOUBLE": float, "BOOLEAN": bool}
"""Python's types by DuckDB's; all else is text."""


def _with_rates(groups: str) -> str:
    """Groups with one of their rates, looked up for the groups of the page alone."""
    return f"""
        WITH page AS MATERIALIZED ({groups}),
        rated AS (
            SELECT pg_uid, count(*) AS rates,
                   min({{'state': state, 'code_type': code_type, 'code': code}}) AS first
            FROM facts WHERE pg_uid IN (SELECT pg_uid FROM page) GROUP BY pg_uid)
        SELECT p.*, coalesce(rates, 0) AS rates, first.state, first.code_type, first.code
        FROM page p LEFT JOIN rated USING (pg_uid) ORDER BY ALL"""
