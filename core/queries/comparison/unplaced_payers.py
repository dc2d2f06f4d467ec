"""Which payers' rates in facilities may be meant for an office."""

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
