"""The months that a question means when it names none: the newest one of each payer, per state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.queries.coverage import list_coverage
from core.queries.market.file_dates import old_months
from core.queries.market.latest_files import NOTHING, LatestFiles, PayerMonth
from core.queries.market.market import Market
from core.queries.market.market_rates import counted_rates
from core.queries.rules.columns import FileMonth, Month, PayerName, PayerSlug
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.market.market_months import MarketMonth


def with_latest(db: Snapshot, market: Market) -> Market:
    """Return the market with the months that it means: a month that was asked for, or the latest file of each payer."""
    return market if market.year_month else replace(market, latest=find_latest(db, market.state))


def find_latest(db: Snapshot, state: str) -> LatestFiles:
    """Return the newest month of each payer of a state. They are found once per generation."""
    return db.ask_once(_latest_by_state).get(state, NOTHING)


def are_far_apart(months: Sequence[str]) -> bool:
    """Return whether the oldest of some months is more than a year before the newest."""
    numbers = [12 * int(month[:4]) + int(month[5:]) for month in months if month]
    return bool(numbers) and max(numbers) - min(numbers) > 12


@dataclass(frozen=True)
class PayerFileMonth:
    """The month of a payer's rates in a market."""

    payer_slug: PayerSlug
    reporting_entity_name: PayerName
    year_month: Month
    file_month: FileMonth = None


def list_payer_months(db: Snapshot, market: Market) -> list[PayerFileMonth]:
    """Return the month of each payer that has rates in the market's state and months, by the payer's name."""
    found = (
        [(one.payer_slug, one.reporting_entity_name, one.year_month) for one in market.latest.payers]
        if market.latest and not market.year_month
        else [
            (one.payer_slug, one.reporting_entity_name, one.year_month)
            for one in list_coverage(db)
            if one.rates and one.state == market.state and one.year_month == market.year_month
        ]
    )
    old = old_months(db)
    mine = [
        PayerFileMonth(slug, name, month, old.get((market.state, month, slug)))
        for slug, name, month in found
        if market.payer in {None, slug}
    ]
    return sorted(mine, key=lambda one: (one.reporting_entity_name.lower(), one.payer_slug))


def list_payers_with_rates(db: Snapshot, market: Market) -> set[str]:
    """Return the payers that have rates of a market. `db` may be a cache of the market."""
    rates, parameters = counted_rates(db, market)
    rows = db.rows(f"SELECT DISTINCT payer_slug(f.reporting_entity_name) FROM {rates} f", parameters)
    return {str(slug) for (slug,) in rows}


@dataclass(frozen=True)
class _LoadedMonth:
    """What a payer has in a state and month, and under which names."""

    state: str
    year_month: str
    payer_slug: str
    reporting_entity_name: str
    names: list[str]
    rates: int


def _latest_by_state(db: Snapshot) -> Mapping[str, LatestFiles]:
    loaded = read_rows(
        db,
        _LoadedMonth,
        """SELECT state, year_month, payer_slug, last(reporting_entity_name ORDER BY finished_at)
                      AS reporting_entity_name,
                  list_sort(list(DISTINCT reporting_entity_name)) AS names,
                  sum(rows_added - coalesce(removed, 0))::BIGINT AS rates
           FROM dim_batch LEFT JOIN (
               SELECT batch_id, state, count(*) AS removed FROM removed_rate GROUP BY ALL) USING (batch_id, state)
           GROUP BY state, year_month, payer_slug HAVING sum(rows_added - coalesce(removed, 0)) > 0
           ORDER BY state, payer_slug, year_month""",
    )
    states = {one.state: [other for other in loaded if other.state == one.state] for one in loaded}
    return {state: _latest_files(of_state) for state, of_state in states.items()}


def _latest_files(loaded: list[_LoadedMonth]) -> LatestFiles:
    # Ordered by month: the last one of each payer stays.
    newest = {one.payer_slug: one for one in loaded}
    months = []
    for month in sorted({one.year_month for one in newest.values()}, reverse=True):
        there = {one.payer_slug for one in loaded if one.year_month == month}
        chosen = {slug for slug, one in newest.items() if one.year_month == month}
        names = tuple(sorted({name for slug in chosen for name in newest[slug].names}))
        # Where no payer of the month has a newer file, the month itself says enough.
        months.append(MarketMonth(month, None if chosen == there else names))
    payers = (
        PayerMonth(one.payer_slug, one.reporting_entity_name, one.year_month, one.rates, tuple(one.names))
        for one in newest.values()
    )
    by_name = sorted(payers, key=lambda one: (one.reporting_entity_name.lower(), one.payer_slug))
    return LatestFiles(tuple(by_name), tuple(months))
