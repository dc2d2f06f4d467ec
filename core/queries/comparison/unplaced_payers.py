"""Which payers' rates in facilities may be meant for an office."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from core.fields.places.care_setting import FACILITY_OR_UNSTATED
from core.queries.comparison.usual_side import list_codes_paid_less
from core.queries.market.market import Market
from core.queries.market.market_rates import rates_of_market
from core.store.connection import Snapshot
from core.store.schema.ids import pos_set_id


def find_unplaced(db: Snapshot, market: Market) -> frozenset[str]:
    """Return the payers most of whose rates of the market's code in facilities state no place.

    There are none where Medicare pays as much in facilities as outside: nothing can be mistaken there. It is the rule
    by which a basket leaves such codes out, for the page of one code.
    """
    in_facilities = market.care_setting == FACILITY_OR_UNSTATED
    if not in_facilities or market.code not in list_codes_paid_less(db):
        return frozenset()
    facts, parameters = rates_of_market(db, market)
    rows = db.rows(
        f"""SELECT payer_slug(f.reporting_entity_name) FROM {facts} f
            WHERE rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'
            GROUP BY ALL HAVING 2 * count(*) FILTER (f.pos_set_id = '{pos_set_id([])}') > count(*)""",
        parameters,
    )
    return frozenset(str(slug) for (slug,) in rows)


class _Spread(Protocol):
    """A payer's rates of a code and class, or those of all payers."""

    @property
    def payer_slug(self) -> str | None: ...
    @property
    def reporting_entity_name(self) -> str | None: ...
    @property
    def rates(self) -> int: ...
    @property
    def p50(self) -> float: ...


@dataclass(frozen=True)
class PlacedPayer:
    """A payer's rates in facilities, and whether most of them state no place."""

    payer_slug: str | None
    reporting_entity_name: str | None
    rates: int
    p50: float
    is_unplaced: bool


def place_payers(unplaced: frozenset[str], spreads: Iterable[_Spread]) -> list[PlacedPayer]:
    """Return the payers with what find_unplaced says of them, in their order; none if it names none of them."""
    placed = [
        PlacedPayer(one.payer_slug, one.reporting_entity_name, one.rates, one.p50, one.payer_slug in unplaced)
        for one in spreads
        if one.payer_slug
    ]
    return placed if any(one.is_unplaced for one in placed) else []
