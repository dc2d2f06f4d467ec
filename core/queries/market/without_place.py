"""Which rates a setting leaves out because they list no place."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.fields.places.care_setting import (
    FACILITY_OR_UNSTATED,
    FOUR_SETTINGS,
    NON_FACILITY_OR_UNSTATED,
    OFFICE,
    OTHER_PLACE,
)
from core.queries.market.market import Market
from core.queries.market.market_filters import filter_condition
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.schema.ids import pos_set_id


@dataclass(frozen=True)
class PayerWithoutPlace:
    """How many rates of a payer list no place."""

    reporting_entity_name: str
    rates: int


def count_without_place(db: Snapshot, market: Market, codes: Sequence[str] = ()) -> list[PayerWithoutPlace]:
    """Return how many rates of each payer the market's setting leaves out because they list no place.

    A facility's rate without places is a hospital's. Of another, nobody knows where it is paid: an office's rate may be
    among them. `codes` select rates as well, if there are any.
    """
    if market.care_setting not in {*FOUR_SETTINGS, OTHER_PLACE}:
        return []
    anywhere = market.without("care_setting")
    of_codes, numbers = in_codes(codes) if codes else ("true", {})
    return read_rows(
        db,
        PayerWithoutPlace,
        f"""SELECT coalesce(e.reporting_entity_name, payer_slug) AS reporting_entity_name, count(*) AS rates
            FROM fact_rate f JOIN dim_payer_bridge b ON b.reporting_entity_name_raw = f.reporting_entity_name
            LEFT JOIN dim_reporting_entity e USING (payer_slug)
            WHERE {anywhere.where} AND {of_codes} AND f.pos_set_id = '{pos_set_id([])}'
                AND NOT ({filter_condition("care_setting", measured=market.measured_filters)})
            GROUP BY ALL ORDER BY rates DESC, reporting_entity_name""",
        {**anywhere.parameters, **numbers, "care_setting": market.care_setting},
    )


def side_of(setting: str) -> str | None:
    """Return the side with a setting's rates and with those that list no place; None if neither side has them all."""
    if setting in FOUR_SETTINGS:
        return NON_FACILITY_OR_UNSTATED if setting == OFFICE else FACILITY_OR_UNSTATED
    return None
