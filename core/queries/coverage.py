"""What is loaded: states, months, payers, rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from core.queries.market.file_dates import old_months
from core.queries.market.market import Market
from core.queries.rules.columns import (
    FileCount,
    FileMonth,
    Month,
    PayerCount,
    PayerName,
    PayerSlug,
    RateCount,
    State,
    described,
)
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot


@dataclass(frozen=True)
class Coverage:
    """What one payer has in one state and month."""

    state: State
    year_month: Month
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    files: FileCount
    rates: RateCount
    loaded_at: Annotated[datetime, described("When the newest of the files was loaded, UTC.", "2025-09-02T06:30:00Z")]
    file_month: FileMonth = None


@dataclass(frozen=True)
class NewestFile:
    """When the newest file was loaded, and its rows by what became of them."""

    loaded_at: datetime
    added: int
    duplicates: int
    rejected: int
    filtered: int


@dataclass(frozen=True)
class Period:
    """A state and month that has rates."""

    state: State
    year_month: Month
    payers: PayerCount
    rates: RateCount


BATCHES = """(
    SELECT b.*, rows_added - coalesce(removed, 0) AS rates FROM dim_batch b LEFT JOIN (
        SELECT batch_id, state, count(*) AS removed FROM removed_rate GROUP BY ALL) USING (batch_id, state))"""
"""The batches with the number of facts that each has now: those added less those that corrections removed."""


def list_coverage(db: Snapshot) -> Sequence[Coverage]:
    """Return what is loaded of each payer, newest month first."""
    return db.ask_once(_coverage)


@dataclass(frozen=True)
class LoadedMonth:
    """A month of a state, and the payers that have rates in it."""

    year_month: str
    payers: list[str]


def list_months(db: Snapshot, state: str, payer: str | None = None) -> list[LoadedMonth]:
    """Return the months in which a state has rates, of one payer or of any, newest first."""
    months: dict[str, list[str]] = {}
    for row in list_coverage(db):
        if row.state == state and payer in {None, row.payer_slug}:
            months.setdefault(row.year_month, []).append(row.reporting_entity_name)
    return [LoadedMonth(month, sorted(payers)) for month, payers in sorted(months.items(), reverse=True)]


def has_earlier_month(db: Snapshot, state: str, payer: str | None = None) -> bool:
    """Return whether the payer, or any payer, has rates of more than one month in a state."""
    months = Counter(
        row.payer_slug
        for row in list_coverage(db)
        if row.rates and row.state == state and payer in {None, row.payer_slug}
    )
    return any(number > 1 for number in months.values())


def find_newest_file(db: Snapshot) -> NewestFile | None:
    """Return the file that was loaded last, in whichever state; None if there is none."""
    rows = read_rows(
        db,
        NewestFile,
        """SELECT finished_at AT TIME ZONE 'UTC' AS loaded_at, rows_added AS added, duplicates,
                  rows_rejected AS rejected, rows_filtered AS filtered
           FROM dim_batch ORDER BY finished_at DESC, batch_id, state LIMIT 1""",
    )
    return rows[0] if rows else None


def list_periods(db: Snapshot) -> Sequence[Period]:
    """Return the states and months that have rates: newest month first, and within it most rates first."""
    return db.ask_once(_periods)


def count_loaded_rates(db: Snapshot, state: str, months: Sequence[str], payer: str | None) -> int:
    """Return how many rates are loaded of a state, some months and a payer. Empty text stands for all."""
    return sum(
        row.rates
        for row in list_coverage(db)
        if state in {"", row.state}
        and (row.year_month in months or "" in months)
        and (payer or row.payer_slug) == row.payer_slug
    )


def count_market_rates(db: Snapshot, market: Market) -> int:
    """Return how many rates are loaded of a market's state, months and payer."""
    if market.latest is None or market.year_month:
        return count_loaded_rates(db, market.state, [market.year_month], market.payer)
    return sum(one.rates for one in market.latest.payers if market.payer in {None, one.payer_slug})


def list_payers(db: Snapshot) -> Sequence[tuple[str, str]]:
    """Return the payers' slugs and names, by name."""
    return db.ask_once(_payers)


def list_code_systems(db: Snapshot) -> Sequence[str]:
    """Return the code systems that rates are loaded of."""
    return db.ask_once(_code_systems)


def _code_systems(db: Snapshot) -> Sequence[str]:
    return tuple(str(system) for (system,) in db.rows("SELECT DISTINCT code_type FROM dim_code ORDER BY code_type"))


def _coverage(db: Snapshot) -> Sequence[Coverage]:
    # A payer may change its name: the newest file has the name to show.
    rows = read_rows(
        db,
        Coverage,
        f"""SELECT state, year_month, NULL AS file_month,
                   last(reporting_entity_name ORDER BY finished_at) AS reporting_entity_name,
                   payer_slug, count(*) AS files, sum(rates)::BIGINT AS rates,
                   max(finished_at) AT TIME ZONE 'UTC' AS loaded_at
            FROM {BATCHES} GROUP BY state, year_month, payer_slug
            ORDER BY year_month DESC, state, payer_slug""",
    )
    old = old_months(db)
    return [replace(row, file_month=old.get((row.state, row.year_month, row.payer_slug))) for row in rows]


def _periods(db: Snapshot) -> Sequence[Period]:
    return read_rows(
        db,
        Period,
        f"""SELECT state, year_month, count(DISTINCT payer_slug) AS payers, sum(b.rates)::BIGINT AS rates
            FROM {BATCHES} b GROUP BY state, year_month HAVING sum(b.rates) > 0
            ORDER BY year_month DESC, rates DESC, state""",
    )


def _payers(db: Snapshot) -> Sequence[tuple[str, str]]:
    rows = db.rows(
        "SELECT payer_slug, reporting_entity_name FROM dim_reporting_entity ORDER BY lower(reporting_entity_name)"
    )
    return tuple((str(slug), str(name)) for slug, name in rows)
