"""What is loaded: states, months, payers, rows."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from core.fields.places.states import STATES
from core.queries.market.file_dates import old_months
from core.queries.market.market import Market
from core.queries.rules.columns import (
    FileCount,
    FileMonth,
    FileName,
    Month,
    PayerCount,
    PayerName,
    PayerSlug,
    RateCount,
    ReleaseMonth,
    State,
    described,
    stored,
)
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.market.market_months import MarketMonths, facts_in_months, month_parameters
from core.store.schema.tables import DIM_BATCH, DIM_BENCHMARK


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


_BATCHES = """(
    SELECT b.*, rows_added - coalesce(removed, 0) AS rates FROM dim_batch b LEFT JOIN (
        SELECT batch_id, state, count(*) AS removed FROM removed_rate GROUP BY ALL) USING (batch_id, state))"""
"""The batches with the number of facts that each has now: those added less those that corrections removed."""


def list_coverage(db: Snapshot) -> Sequence[Coverage]:
    """Return what is loaded of each payer, newest month first."""
    return db.ask_once(_coverage)


@dataclass(frozen=True)
class LoadedPayer:
    """A payer in a state: its newest month with its number of rates, and how many earlier months there are."""

    newest: Coverage
    earlier: int
    dollars: int | None = None
    """How many of the newest month's rates are in dollars; None if that is not known."""

    @property
    def others(self) -> int:
        """The rates that are in no dollars, as far as that is known."""
        return 0 if self.dollars is None else self.newest.rates - self.dollars


def newest_of_each_payer(
    loaded: Sequence[Coverage], dollars: Mapping[tuple[str, str, str], int] | None = None
) -> list[LoadedPayer]:
    """Return each payer of each state once. `loaded` has the newest months first; `dollars` are of count_dollars."""
    months: dict[tuple[str, str], list[Coverage]] = {}
    for row in loaded:
        months.setdefault((row.state, row.payer_slug), []).append(row)
    counted = dollars or {}
    found = [
        LoadedPayer(newest, len(earlier), counted.get((newest.state, newest.year_month, newest.payer_slug)))
        for newest, *earlier in months.values()
    ]
    return sorted(
        found,
        key=lambda one: (STATES.get(one.newest.state, one.newest.state), one.newest.reporting_entity_name.lower()),
    )


@dataclass(frozen=True)
class SharedFile:
    """A payer's file whose rates were all loaded for several states: the payer publishes one file for them."""

    reporting_entity_name: str
    payer_slug: str
    year_month: str
    states: list[str]
    rates: int


@dataclass(frozen=True)
class PayerRow:
    """A payer's newest month in the states that have it: a file of several states counts once."""

    newest: Coverage
    """The row of the first of the states."""
    states: Sequence[str]
    earlier: int
    files: int
    rates: int
    dollars: int | None
    """How many of the rates are in dollars; None if that is not known."""

    @property
    def others(self) -> int:
        """The rates that are in no dollars, as far as that is known."""
        return 0 if self.dollars is None else self.rates - self.dollars


def rows_of_payers(loaded: Sequence[LoadedPayer], shared: Sequence[SharedFile]) -> list[PayerRow]:
    """Return each payer once for each newest month that it has in some state, by name."""
    by_month: dict[tuple[str, str], list[LoadedPayer]] = {}
    for one in loaded:
        by_month.setdefault((one.newest.payer_slug, one.newest.year_month), []).append(one)
    rows = []
    for (slug, month), members in by_month.items():
        # What is all of the newest month in several states is one file.
        counted: dict[tuple[str, ...], LoadedPayer] = {}
        for one in members:
            of_file = (
                tuple(file.states)
                for file in shared
                if (file.payer_slug, file.year_month, file.rates) == (slug, month, one.newest.rates)
                and one.newest.state in file.states
            )
            counted.setdefault(next(of_file, (one.newest.state,)), one)
        dollars = [one.dollars for one in counted.values()]
        rows.append(
            PayerRow(
                newest=members[0].newest,
                states=[one.newest.state for one in members],
                earlier=max(one.earlier for one in members),
                files=sum(one.newest.files for one in counted.values()),
                rates=sum(one.newest.rates for one in counted.values()),
                dollars=None if None in dollars else sum(filter(None, dollars)),
            )
        )
    return sorted(rows, key=lambda one: (one.newest.reporting_entity_name.lower(), one.newest.year_month))


def list_shared_files(db: Snapshot) -> Sequence[SharedFile]:
    """Return the files that were loaded whole for several states. Their rates are in each of them.

    Those of which each state has the rates of its own providers, by a filter or a correction, are none.
    """
    return db.ask_once(_shared_files)


def _shared_files(db: Snapshot) -> Sequence[SharedFile]:
    return read_rows(
        db,
        SharedFile,
        f"""SELECT any_value(reporting_entity_name) AS reporting_entity_name, any_value(payer_slug) AS payer_slug,
                   any_value(year_month) AS year_month, list_sort(list(state)) AS states, rates
            FROM {_BATCHES} b WHERE rates > 0 AND NOT contains(coalesce(filters, ''), '"in_state"') AND NOT EXISTS (
                FROM removed_rate r JOIN corrections c USING (correction_id)
                WHERE r.batch_id = b.batch_id AND contains(c.selection, '"outside_state"'))
            GROUP BY batch_id, rates HAVING count(*) > 1
            ORDER BY lower(any_value(reporting_entity_name)), states""",
    )


@dataclass(frozen=True)
class LoadedRates:
    """How many rates are loaded, by how they are counted. A file of several states has its rates in each of them."""

    newest: int
    """Different rates of each payer's newest month."""
    earlier: int
    """Different rates of earlier months."""
    repeated: int
    """Rates that a file of several states has in each further one."""

    @property
    def different(self) -> int:
        """The rates, each counted once."""
        return self.newest + self.earlier

    @property
    def in_states(self) -> int:
        """The rates of each state, as the checks and the tables by state count them."""
        return self.different + self.repeated


def count_loaded(db: Snapshot) -> LoadedRates:
    """Return how many rates are loaded."""
    loaded = list_coverage(db)
    newest = {(one.newest.state, one.newest.payer_slug, one.newest.year_month) for one in newest_of_each_payer(loaded)}
    counts = {True: 0, False: 0}
    for row in loaded:
        counts[(row.state, row.payer_slug, row.year_month) in newest] += row.rates
    repeated = 0
    for file in list_shared_files(db):
        # In which of its states the file is of the newest month may differ: there it is counted once.
        in_newest = sum((state, file.payer_slug, file.year_month) in newest for state in file.states)
        further = (max(in_newest - 1, 0), len(file.states) - max(in_newest, 1))
        counts[True] -= file.rates * further[0]
        counts[False] -= file.rates * further[1]
        repeated += file.rates * sum(further)
    return LoadedRates(counts[True], counts[False], repeated)


def oldest_schedule_if_newer(db: Snapshot, year_month: str) -> str:
    """Return the month of the oldest loaded physician fee schedule if it is newer than a month, or else no text."""
    releases = [one.release for one in list_releases(db) if one.kind == "medicare_prof"]
    return min(releases) if releases and year_month < min(releases) else ""


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


def count_dollars(db: Snapshot) -> Mapping[tuple[str, str, str], int]:
    """Return how many of the rates are in dollars for one service, by state, month, and payer_slug.

    There are none if the store has so many rates that counting them would take long.
    """
    return db.ask_once(_dollars)


def _dollars(db: Snapshot) -> Mapping[tuple[str, str, str], int]:
    if sum(one.rates for one in list_coverage(db)) > db.limits.whole_rates:
        return {}
    rows = db.rows(
        """SELECT state, year_month, payer_slug, sum(dollars)::BIGINT FROM (
               SELECT state, year_month, reporting_entity_name,
                      count(*) FILTER (rate_kind(negotiated_type, negotiation_arrangement) = 'dollars') AS dollars
               FROM fact_rate GROUP BY ALL) f
           JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name GROUP BY ALL"""
    )
    return {(str(state), str(month), str(slug)): int(dollars) for state, month, slug, dollars in rows}


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
            FROM {_BATCHES} GROUP BY state, year_month, payer_slug
            ORDER BY year_month DESC, state, payer_slug""",
    )
    old = old_months(db)
    return [replace(row, file_month=old.get((row.state, row.year_month, row.payer_slug))) for row in rows]


def _periods(db: Snapshot) -> Sequence[Period]:
    return read_rows(
        db,
        Period,
        f"""SELECT state, year_month, count(DISTINCT payer_slug) AS payers, sum(b.rates)::BIGINT AS rates
            FROM {_BATCHES} b GROUP BY state, year_month HAVING sum(b.rates) > 0
            ORDER BY year_month DESC, rates DESC, state""",
    )


def _payers(db: Snapshot) -> Sequence[tuple[str, str]]:
    rows = db.rows(
        "SELECT payer_slug, reporting_entity_name FROM dim_reporting_entity ORDER BY lower(reporting_entity_name)"
    )
    return tuple((str(slug), str(name)) for slug, name in rows)


@dataclass(frozen=True)
class Release:
    """A loaded release of a fee schedule."""

    kind: Annotated[str, stored(DIM_BENCHMARK, "kind", "medicare_prof")]
    state: Annotated[str, stored(DIM_BENCHMARK, "state", "GA")]
    release: ReleaseMonth
    files: Annotated[list[str], stored(DIM_BENCHMARK, "files", ["PPRRVU2025_Oct.csv", "GPCI2025.csv"])]
    rows_read: Annotated[int, stored(DIM_BENCHMARK, "rows_read", 12)]
    rows_priced: Annotated[int, stored(DIM_BENCHMARK, "rows_priced", 12)]
    notes: Annotated[list[str], stored(DIM_BENCHMARK, "notes", ["work GPCI with the 1.0 floor"])]
    left_out: Annotated[dict[str, int], described("Number of rows without an amount, by reason.", {"not covered": 12})]


def list_releases(db: Snapshot) -> list[Release]:
    """Return the benchmark releases that are loaded, by kind, newest first."""
    rows = read_rows(
        db,
        Release,
        """SELECT kind, state, release, files, rows_read, rows_priced, notes, left_out
           FROM dim_benchmark ORDER BY kind, state, release DESC""",
    )
    return [replace(row, left_out=json.loads(str(row.left_out))) for row in rows]  # the column is JSON text


@dataclass(frozen=True)
class File:
    """A file of a payer, as loaded for one state. `rates` are the ones still in the data."""

    state: State
    year_month: Month
    source: FileName
    version: Annotated[str | None, stored(DIM_BATCH, "version", "1.0.0")]
    last_updated_on: Annotated[str | None, stored(DIM_BATCH, "last_updated_on", "2025-08-01")]
    rates: RateCount


def list_files(db: Snapshot, payer: str) -> list[File]:
    """Return the files of a payer, newest month first."""
    return read_rows(
        db,
        File,
        f"""SELECT state, year_month, source, version, last_updated_on, rates FROM {_BATCHES}
            WHERE payer_slug = $payer ORDER BY year_month DESC, state, source, batch_id""",
        {"payer": payer},
    )


@dataclass(frozen=True)
class MarketFile:
    """A file whose rates are part of a state and month."""

    payer: PayerName
    state: State
    year_month: Month
    file: FileName
    last_updated_on: Annotated[str | None, stored(DIM_BATCH, "last_updated_on", "2025-08-01")]


def list_sources(
    db: Snapshot, state: str, months: MarketMonths, payer: str | None = None, among: Collection[str] | None = None
) -> list[MarketFile]:
    """Return the files of a state and the months of a market, of one payer or of all, by payer and name.

    They may be of some payers only, those `among`.
    """
    return read_rows(
        db,
        MarketFile,
        f"""SELECT reporting_entity_name AS payer, state, year_month, source AS file, last_updated_on FROM {_BATCHES} f
            WHERE state = $state AND {facts_in_months(months)} AND coalesce(payer_slug = $payer, true)
              AND coalesce(list_contains($among, payer_slug), true)
            ORDER BY ALL""",
        {"state": state, "payer": payer, "among": None if among is None else sorted(among), **month_parameters(months)},
    )
