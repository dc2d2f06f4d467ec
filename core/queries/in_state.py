"""How much of a market is of its state: a file that is not divided by state has providers from anywhere."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.queries.loaded_files import list_shared_files
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS
from core.queries.market.market_rates import facts_in_memory, market_members, rates_of_market
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.schema.tables import DQ_FINDING, FACT_RATE


@dataclass(frozen=True)
class ProvidersInState:
    """How many of the providers behind a payer's rates, or all payers', practice in the market's state.

    A provider in two groups counts in both.
    """

    reporting_entity_name: str | None
    providers: int
    """Those whose city is known."""
    in_state: int
    rates: int
    rates_known: int
    """The rates whose groups have somebody whose city is known."""
    rates_in_state: int
    """The rates whose groups have somebody who practices in the state."""

    @property
    def are_most_elsewhere(self) -> bool:
        """Whether most of the providers practice elsewhere."""
        return 2 * self.in_state < self.providers

    @property
    def is_elsewhere(self) -> bool:
        """Whether most of them practice elsewhere, or most rates have nobody who practices in the state."""
        return self.are_most_elsewhere or 2 * self.rates_in_state < self.rates_known


def list_in_state(db: Snapshot, market: Market) -> list[ProvidersInState]:
    """Return how many of the providers of a market's rates practice in its state, by the main address of each.

    All payers' come first, then each payer's by its name.
    """
    rates, parameters = rates_of_market(db, market)
    return _count_in_state(db, rates, market_members(db, market), parameters)


def _count_in_state(db: Snapshot, rates: str, members: str, parameters: Mapping[str, Any]) -> list[ProvidersInState]:
    """Return it of rates (SQL of facts), by the rows of group_profile for their groups (`members`)."""
    # The state is that of the rates rather than a parameter: DuckDB keeps the plan of a question without parameters.
    return read_rows(
        db,
        ProvidersInState,
        f"""SELECT reporting_entity_name, coalesce(sum(npis), 0)::BIGINT AS providers,
                   coalesce(sum(here), 0)::BIGINT AS in_state, coalesce(sum(n), 0)::BIGINT AS rates,
                   coalesce(sum(n) FILTER (npis > 0), 0)::BIGINT AS rates_known,
                   coalesce(sum(n) FILTER (here > 0), 0)::BIGINT AS rates_in_state
            FROM (SELECT f.reporting_entity_name, f.pg_uid, count(*) AS n FROM {rates} f GROUP BY ALL)
            LEFT JOIN (
                SELECT m.pg_uid, sum(m.npis) AS npis, sum(m.npis) FILTER (ends_with(m.city, ', ' || s.state)) AS here
                FROM {members} m, (SELECT any_value(f.state) AS state FROM {rates} f) s
                WHERE m.city <> '' GROUP BY m.pg_uid) USING (pg_uid)
            GROUP BY GROUPING SETS ((), (reporting_entity_name))
            ORDER BY reporting_entity_name NULLS FIRST""",
        dict(parameters),
    )


def find_in_state(db: Snapshot, market: Market) -> list[ProvidersInState]:
    """Return what list_in_state does where rates of the state may be of providers in others; nothing elsewhere."""
    if not _may_be_of_other_states(db, market.state):
        return []
    with facts_in_memory(db, market) as memory:
        return list_in_state(memory, market)


def find_in_state_of_codes(db: Snapshot, market: Market, codes: Collection[str]) -> list[ProvidersInState]:
    """Return what find_in_state does of all rates of several codes: of all classes, as each code has its own."""
    if not codes or not _may_be_of_other_states(db, market.state):
        return []
    of_codes = replace(market, code_type=None, code=None).without(*CLASS_FILTERS)
    listed, numbers = in_codes(codes)
    rates = f"(SELECT f.* FROM {FACT_RATE.name} f WHERE {of_codes.where} AND {listed})"
    return _count_in_state(db, rates, market_members(db, of_codes), {**of_codes.parameters, **numbers})


def _may_be_of_other_states(db: Snapshot, state: str) -> bool:
    """Return whether a file of the state is one of other states as well, or a check found rates of their providers.

    Other pages need not ask where the providers of their rates are.
    """
    return state in db.ask_once(_states_checked) or any(state in one.states for one in list_shared_files(db))


def _states_checked(db: Snapshot) -> frozenset[str]:
    found = db.rows(f"SELECT DISTINCT state FROM {DQ_FINDING.name} WHERE check_name = 'outside_state' AND found > 0")
    return frozenset(state for (state,) in found)
