"""What to know about the newest file of each payer of a state before its rates are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from core.queries import coverage
from core.queries.comparison.overruled_labels import OverruledLabel, list_overruled_labels
from core.queries.latest import list_payer_months
from core.queries.loaded_files import list_shared_files
from core.queries.market.market import Market
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.schema.ids import pos_set_id


@dataclass(frozen=True)
class PayerRateCounts:
    """How many of a payer's rates are of some kind."""

    payer_slug: str
    rates: int
    percentages: int
    zeros: int
    prices: int
    """Rates that are neither percentages nor zero."""
    unnamed: int
    """Rates whose provider group has neither an NPI nor a tax ID."""
    placeless: int
    """Rates that list no place of service."""
    expired: int
    """Rates whose contract has expired."""
    expires: str | None
    """The day on which the last of the expired ones did."""
    lowest_percentage: float | None
    """The lowest percentage of charges that is not zero."""
    highest_percentage: float | None
    elsewhere: int
    """Rates without a named provider whose file names the web address of a list of them, which was not there."""
    codes_in_dollars: int

    @property
    def takes_no_part(self) -> bool:
        """Whether hardly anything is left to compare: no provider is named, and few rates are prices."""
        return self.unnamed == self.rates and self.prices * 2 < self.rates


@dataclass(frozen=True)
class PayerFacts:
    """What to know about a payer's newest file of a state. Without `counts` it has too many rates to count them."""

    state: str
    payer_slug: str
    reporting_entity_name: str
    year_month: str
    file_month: str | None
    """The month of the file's own date if it is far older."""
    counts: PayerRateCounts | None
    labels: Sequence[OverruledLabel]
    shared_states: Sequence[str]
    """The states in which the whole file was loaded, if there are several."""


def list_payer_facts(db: Snapshot, market: Market, today: date) -> list[PayerFacts]:
    """Return what to know about each payer of a market without filters, by the payer's name."""
    counts = {one.payer_slug: one for one in _count_rates(db, market, today)}
    labels = list_overruled_labels(db, market)
    shared = {(one.payer_slug, one.year_month): one.states for one in list_shared_files(db)}
    found = []
    for one in list_payer_months(db, market):
        states = shared.get((one.payer_slug, one.year_month), [])
        found.append(
            PayerFacts(
                market.state,
                one.payer_slug,
                one.reporting_entity_name,
                one.year_month,
                one.file_month,
                counts.get(one.payer_slug),
                [label for label in labels if label.payer_slug == one.payer_slug],
                states if market.state in states else [],
            )
        )
    return found


def _count_rates(db: Snapshot, market: Market, today: date) -> list[PayerRateCounts]:
    if coverage.count_market_rates(db, market) > db.limits.whole_rates:
        return []
    is_percentage = "rate_kind(negotiated_type, negotiation_arrangement) = 'percentage'"
    return read_rows(
        db,
        PayerRateCounts,
        f"""SELECT payer_slug(f.reporting_entity_name) AS payer_slug, count(*) AS rates,
                   count(*) FILTER ({is_percentage}) AS percentages,
                   count(*) FILTER (negotiated_rate = 0) AS zeros,
                   count(*) FILTER (negotiated_rate <> 0 AND NOT ({is_percentage})) AS prices,
                   count(*) FILTER (n.pg_uid IS NULL AND t.pg_uid IS NULL) AS unnamed,
                   count(*) FILTER (f.pos_set_id = '{pos_set_id([])}') AS placeless,
                   count(*) FILTER (expiration_date < $today) AS expired,
                   max(expiration_date) FILTER (expiration_date < $today) AS expires,
                   min(negotiated_rate) FILTER ({is_percentage} AND negotiated_rate > 0) AS lowest_percentage,
                   max(negotiated_rate) FILTER ({is_percentage}) AS highest_percentage,
                   count(*) FILTER (n.pg_uid IS NULL AND t.pg_uid IS NULL AND l.pg_uid IS NOT NULL) AS elsewhere,
                   count(DISTINCT (f.code_type, f.code)) FILTER (
                       rate_kind(negotiated_type, negotiation_arrangement) = 'dollars' AND negotiated_rate > 0
                   ) AS codes_in_dollars
            FROM fact_rate f
            LEFT JOIN (SELECT DISTINCT pg_uid FROM xref_group_npi) n ON n.pg_uid = f.pg_uid
            LEFT JOIN (SELECT DISTINCT pg_uid FROM xref_group_tin) t ON t.pg_uid = f.pg_uid
            LEFT JOIN (SELECT DISTINCT pg_uid FROM xref_group_location) l ON l.pg_uid = f.pg_uid
            WHERE {market.where} GROUP BY ALL""",
        {**market.parameters, "today": today.isoformat()},
    )
