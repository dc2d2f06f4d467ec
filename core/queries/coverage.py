"""What is loaded: states, months, payers, rows."""

import json
from dataclasses import dataclass
from datetime import datetime

from core.store.connection import Snapshot


@dataclass(frozen=True)
class Coverage:
    """What one payer has in one state and month."""

    state: str
    year_month: str
    reporting_entity_name: str
    payer_slug: str
    files: int
    rates: int
    loaded_at: datetime  # UTC, without a zone


@dataclass(frozen=True)
class Period:
    """A state and month that something is loaded for."""

    state: str
    year_month: str
    payers: int
    rates: int


def coverage(db: Snapshot) -> list[Coverage]:
    """What each payer has, newest month first."""
    rows = db.rows(
        """SELECT state, year_month, last(reporting_entity_name ORDER BY finished_at), payer_slug,
                  count(*), sum(rows_added)::BIGINT, max(finished_at) AT TIME ZONE 'UTC'
           FROM dim_batch GROUP BY state, year_month, payer_slug
           ORDER BY year_month DESC, state, payer_slug"""
    )
    return [Coverage(*row) for row in rows]


def periods(db: Snapshot) -> list[Period]:
    """The states and months loaded: newest month first, and within it the state with most rates first."""
    rows = db.rows(
        """SELECT state, year_month, count(DISTINCT payer_slug), sum(rows_added)::BIGINT AS rates
           FROM dim_batch GROUP BY state, year_month ORDER BY year_month DESC, rates DESC, state"""
    )
    return [Period(*row) for row in rows]


def payers(db: Snapshot) -> list[tuple[str, str]]:
    """The payers' slugs and names, by name."""
    return [
        (str(slug), str(name))
        for slug, name in db.rows(
            "SELECT payer_slug, reporting_entity_name FROM dim_reporting_entity ORDER BY lower(reporting_entity_name)"
        )
    ]


@dataclass(frozen=True)
class Release:
    """A benchmark release that is loaded."""

    kind: str
    state: str
    release: str
    files: list[str]
    rows_read: int
    rows_priced: int
    notes: list[str]
    left_out: dict[str, int]


def releases(db: Snapshot) -> list[Release]:
    """The benchmark releases that are loaded, by kind, newest first."""
    rows = db.rows(
        """SELECT kind, state, release, files, rows_read, rows_priced, notes, left_out
           FROM dim_benchmark ORDER BY kind, state, release DESC"""
    )
    return [Release(*row[:7], *[json.loads(row[7])]) for row in rows]
