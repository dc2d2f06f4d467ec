"""Payers whose contracts have all expired: their files are still the newest that they have published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

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
        ending = read_rows(
            memory,
            ExpiredContracts,
            f"""SELECT max(reporting_entity_name) AS reporting_entity_name, max(expiration_date) AS expires
                FROM {facts} f GROUP BY payer_slug(reporting_entity_name)
                HAVING count(expiration_date) = count(*)
                ORDER BY lower(max(reporting_entity_name))""",
            parameters,
        )
    return [one for one in ending if one.expires < today.isoformat()]
