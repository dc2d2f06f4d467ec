"""Payers whose contracts have all expired: their files are still the newest that they have published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from core.fields.providers.payer_slug import make_payer_slug
from core.queries.coverage import count_market_rates
from core.queries.market.market import Market
from core.queries.market.market_rates import facts_in_memory, rates_of_market
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot


@dataclass(frozen=True)
class ExpiredContracts:
    """A payer all of whose rates in a market have expired, and the last day of the last of them."""

    reporting_entity_name: str
    expires: str


def list_expired_contracts(db: Snapshot, market: Market, today: date) -> Sequence[ExpiredContracts]:
    """Return the payers of a market whose every rate has expired before `today`, by name."""
    with facts_in_memory(db, market) as memory:
        facts, parameters = rates_of_market(memory, market)
        # The day is no parameter: the plan of a question without any is kept.
        ending = read_rows(memory, ExpiredContracts, _last_days_sql(f"{facts} f"), parameters)
    return [one for one in ending if one.expires < today.isoformat()]


def list_expired_payers(db: Snapshot, market: Market, today: date) -> Sequence[ExpiredContracts]:
    """Return the payers all of whose rates in the state have expired before `today`, whatever the code; by name.

    Only the market's state, months, and payer count. None if the state has too many rates to read them all.
    """
    whole = Market(market.state, market.year_month, latest=market.latest)
    if count_market_rates(db, whole) > db.limits.whole_rates:
        return []
    ending = db.ask_once(_LastDays(whole))
    return [one for payer_slug, one in ending if market.payer in {None, payer_slug} and one.expires < today.isoformat()]


@dataclass(frozen=True)
class _LastDays:
    """The question of the last day of each payer whose rates in a market all end: equal for equal markets."""

    market: Market

    def __call__(self, db: Snapshot) -> Sequence[tuple[str, ExpiredContracts]]:
        sql = _last_days_sql(f"fact_rate f WHERE {self.market.where}")
        found = read_rows(db, ExpiredContracts, sql, self.market.parameters)
        return [(make_payer_slug(one.reporting_entity_name), one) for one in found]


def _last_days_sql(rates: str) -> str:
    """Return SQL of the payers of rates that all end, each with the day on which the last of them does."""
    return f"""SELECT max(reporting_entity_name) AS reporting_entity_name, max(expiration_date) AS expires
               FROM {rates} GROUP BY payer_slug(reporting_entity_name)
               HAVING count(expiration_date) = count(*)
               ORDER BY lower(max(reporting_entity_name))"""
