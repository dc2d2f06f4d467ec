"""What is loaded of each payer, and how many rates that is in all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.fields.places.states import STATES
from core.queries.coverage import Coverage, list_coverage
from core.queries.loaded_files import SharedFile, list_shared_files
from core.store.connection import Snapshot


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
