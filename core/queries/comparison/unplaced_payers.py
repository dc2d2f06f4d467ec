"""Which payers stand aside in facilities: their rates state no place, and Medicare pays less there."""

from dataclasses import dataclass
from typing import Annotated

from core.fields.places.care_setting import FACILITY_OR_UNSTATED, NON_FACILITY_OR_UNSTATED
from core.queries.comparison.left_out import rates_in_figures
from core.queries.market.market import Market
from core.queries.rules.columns import PayerName, PayerSlug, RateCount, described
from core.queries.rules.named_rows import read_rows
from core.queries.rules.paid_less import list_codes_paid_less
from core.queries.rules.percentiles import median
from core.queries.rules.rate_kinds import NO_PLACES
from core.store.connection import Snapshot


@dataclass(frozen=True)
class PayerAside:
    """A payer's rates of a code that state no place, so that they are outside facilities alone."""

    payer_slug: PayerSlug
    reporting_entity_name: PayerName
    rates: RateCount
    p50: Annotated[float, described("The rate in the middle, in dollars.", 394.16)]


def find_unplaced(db: Snapshot, market: Market) -> list[PayerAside]:
    """Return the payers whose rates in dollars for the market's code are not in facilities as they state no place.

    There are none where Medicare pays as much in facilities as outside: such rates are on both sides.
    """
    if market.care_setting != FACILITY_OR_UNSTATED or market.code not in list_codes_paid_less(db):
        return []
    facts, parameters = rates_in_figures(db, _outside(market))
    return read_rows(
        db,
        PayerAside,
        f"""SELECT payer_slug, coalesce(e.reporting_entity_name, payer_slug) AS reporting_entity_name,
                   count(*) AS rates, {median("negotiated_rate")} AS p50
            FROM {facts} f JOIN dim_payer_bridge b ON b.reporting_entity_name_raw = f.reporting_entity_name
            LEFT JOIN dim_reporting_entity e USING (payer_slug)
            WHERE rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars' AND f.pos_set_id = '{NO_PLACES}'
            GROUP BY ALL ORDER BY rates DESC, payer_slug""",
        parameters,
    )


def _outside(market: Market) -> Market:
    # A rate that its file calls inpatient is not on that side, so it is not left out of facilities.
    return Market(**{**vars(market), "care_setting": NON_FACILITY_OR_UNSTATED})
