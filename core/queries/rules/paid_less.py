"""The codes that Medicare pays professionals less for in facilities: there it matters where a rate is meant for."""

from collections.abc import Iterable
from typing import Any

from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.schema.tables import BENCH_MEDICARE_PROF
from core.store.sql import quote

LEAST_DIFFERENCE = 0.03
"""From this share on, it matters which of Medicare's two amounts a rate is set against."""

CODES_PAID_LESS = f"""
    SELECT DISTINCT code FROM {BENCH_MEDICARE_PROF.name}
    WHERE state = (SELECT min(state) FROM {BENCH_MEDICARE_PROF.name}) AND NOT coalesce(nonfacility_na, false)
        AND facility_rate < (1 - {LEAST_DIFFERENCE}) * medicare_prof_rate"""
"""SQL of the codes for which the physician fee schedule pays less in facilities than outside.

CMS marks a setting NA for the whole country: one state is enough. Where there is no amount outside, the file repeats
the other.
"""

IS_PAID_LESS = f"f.code IN ({CODES_PAID_LESS})"
"""SQL of whether the code of a rate AS f is one of them. Reading these takes a third of a second, see
with_codes_paid_less."""


def list_codes_paid_less(db: Snapshot) -> frozenset[str]:
    """Return the codes for which the physician fee schedule pays less in facilities than outside."""
    return db.ask_once(_codes_paid_less)


def _codes_paid_less(db: Snapshot) -> frozenset[str]:
    if not db.manifest.rows(BENCH_MEDICARE_PROF.name):
        return frozenset()
    return frozenset(str(code) for (code,) in db.rows(CODES_PAID_LESS))


def is_paid_less(db: Snapshot, codes: Iterable[str]) -> str:
    """Return SQL of whether Medicare pays less in facilities for a rate AS f, which is of one of these codes."""
    known = sorted(list_codes_paid_less(db).intersection(codes))
    return f"f.code IN ({', '.join(map(quote, known))})" if known else "false"


def with_codes_paid_less(db: Snapshot, code: str | None, sql: str) -> str:
    """Return SQL that does not read the fee schedule to decide IS_PAID_LESS, where the code or a memory decides it.

    `code` is that of all rates, if they are of one.
    """
    if IS_PAID_LESS not in sql:
        return sql
    if code:
        return sql.replace(IS_PAID_LESS, "true" if code in list_codes_paid_less(db) else "false")
    if not isinstance(db, MarketSnapshot):
        return sql
    db.shown.add(_PAID_LESS, db.ask_once(_codes_paid_less_as_rows))
    return sql.replace(IS_PAID_LESS, f"f.code IN (SELECT code FROM {_PAID_LESS})")


_PAID_LESS = "code_paid_less"
"""The table in memory of the codes that Medicare pays less for in facilities."""


def _codes_paid_less_as_rows(db: Snapshot) -> Any:
    return db.arrow_rows(CODES_PAID_LESS, {})
