"""What kinds of figures a provider's rates are: why it may have rates and no place among those in dollars."""

from dataclasses import dataclass

from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot


@dataclass(frozen=True)
class KindOfRates:
    """The rates of one kind that a payer has for a provider, of all codes and classes."""

    payer_slug: str
    reporting_entity_name: str
    year_month: str
    kind: str
    rates: int
    codes: int
    lowest: float
    highest: float


def list_kinds_of_rates(db: Snapshot, market: Market) -> list[KindOfRates]:
    """Return the kinds of rates of the market's provider at each payer, those with most rates first."""
    every = market.without("code_type", "code", *CLASS_FILTERS)
    return read_rows(
        db,
        KindOfRates,
        f"""SELECT payer_slug, reporting_entity_name, f.year_month, f.kind, rates, codes, lowest, highest
            FROM (
                SELECT payer_slug, f.year_month, rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind,
                       count(*) AS rates, count(DISTINCT (f.code_type, f.code)) AS codes,
                       min(f.negotiated_rate) AS lowest, max(f.negotiated_rate) AS highest
                FROM fact_rate f JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name
                WHERE {every.where} GROUP BY ALL) f
            JOIN dim_reporting_entity USING (payer_slug)
            ORDER BY rates DESC, payer_slug, kind""",
        every.parameters,
    )
