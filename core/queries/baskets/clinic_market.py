"""What the market says of a clinic's lines: what organizations are paid by each payer, and where the clinic stands.

The figures of a payer are those of the table of organizations of the line's code, with that payer chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.queries.baskets.basket_medians import compared_list
from core.queries.baskets.clinic_rows import AskedLine, Clinic
from core.queries.classes.classes_of_codes import ClassesOfList
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS
from core.queries.parties.middle_by_payer import (
    choose_market_price,
    dollars_of_compared,
    is_by_organizations,
    middles_sql,
)
from core.queries.rules.named_rows import read_by_key
from core.queries.rules.organization_price import lower_median, price_sql
from core.queries.rules.percentiles import median
from core.store.connection import Snapshot
from core.store.sql import used_parameters

LineAtPayer = tuple[int, str]
"""The number of a line, and the key of a payer."""


@dataclass(frozen=True)
class LineMarket:
    """What a payer's rates for a line say. Prices are those of organizations, see organization_price.py."""

    rates: int
    median: float
    own: float | None
    """What is compared: the rate that is given, or the clinic's price."""
    own_rates: int
    own_prices: tuple[float, ...]
    """The clinic's different published prices that are not odd, or all of them if all are."""
    is_odd: bool
    """Whether all of these are odd, and no rate is given."""
    odd_prices: int
    """How many of its different prices are left out as odd."""
    medicare: float | None
    tins: int
    organizations: int
    other_organizations: int
    less: int
    """How many of the other organizations are paid less, and so on."""
    same: int
    more: int
    contracts_more: int
    """How many contracts the organizations that are paid more are under."""
    one_contract: int
    """How many organizations are under the contract with most of them."""
    middle: float | None
    """What the organization in the middle is paid, of all organizations."""
    others_middle: float | None
    """The same of those that are not the clinic's."""

    @property
    def position(self) -> float | None:
        """The share of the other organizations that are paid less, those paid the same counting half."""
        if self.own is None or not self.other_organizations:
            return None
        return (self.less + self.same / 2) / self.other_organizations

    @property
    def compared_middle(self) -> float | None:
        """What the clinic is compared with: of a few organizations, it would itself be the one in the middle."""
        return self.middle if is_by_organizations(self.other_organizations) else self.others_middle

    @property
    def price(self) -> float:
        """What the payer is compared by with other payers: its middle organization, or its middle rate of too few."""
        return self.median if self.middle is None or not is_by_organizations(self.organizations) else self.middle


def find_markets(
    db: Snapshot, market: Market, clinic: Clinic, lines: Mapping[int, AskedLine], classes: ClassesOfList
) -> dict[LineAtPayer, LineMarket]:
    """Return what the rates of each line and payer say. No code is in two lines that are looked at in different places.

    A rate is odd by Medicare's mean of the state, as in the table of organizations. What the clinic's own rates are
    compared with is the amount of their groups' areas.
    """
    markets = {line.code.code: classes.of_codes[at].market for at, line in lines.items()}
    terms = [one for at in lines for one in classes.terms[at]]
    whole = market.without("code_type", "code", *CLASS_FILTERS)
    compared, parameters = compared_list(db, whole, terms, markets, means=True)
    measured = [at for at in lines if classes.of_codes[at].market.is_measured]
    sql = f"""{compared},
        items AS (
            SELECT unnest($positions) AS position, unnest($modifiers) AS modifier, unnest($given::DOUBLE[]) AS given),
        dollars AS MATERIALIZED (
            SELECT d.* FROM ({dollars_of_compared("compared", measured)}) d
            JOIN items i ON i.position = d.position AND i.modifier = d.modifier),
        ours AS MATERIALIZED (SELECT DISTINCT pg_uid FROM dollars f WHERE {clinic.condition}),
        {middles_sql(db, market, "dollars")},
        of_line AS MATERIALIZED (
            SELECT m.position, payer_slug, count(*) FILTER (NOT is_odd) AS rates,
                   coalesce({median("negotiated_rate", "NOT is_odd")}, {median("negotiated_rate")}) AS median,
                   any_value(given) AS given_rate, coalesce(given_rate, {price_sql(condition="is_own")}) AS own,
                   count(*) FILTER (is_own) AS own_rates,
                   coalesce({median("medicare", "is_own")}, {median("medicare")}) AS medicare,
                   coalesce(list(DISTINCT negotiated_rate) FILTER (is_own AND NOT is_odd), []) AS meant,
                   coalesce(list(DISTINCT negotiated_rate) FILTER (is_own AND is_odd), []) AS odd
            FROM (SELECT *, pg_uid IN (FROM ours) AS is_own FROM marked) m JOIN items i ON i.position = m.position
            GROUP BY m.position, payer_slug),
        sharing AS (
            SELECT position, payer_slug, count(DISTINCT (tin_type, tin_value)) AS tins
            FROM (SELECT DISTINCT position, payer_slug, pg_uid FROM dollars WHERE pg_uid IN (FROM ours))
            JOIN tins USING (pg_uid) GROUP BY position, payer_slug),
        standing AS (
            SELECT p.position, p.payer_slug, count(*) AS other_organizations, {lower_median("price")} AS others_middle,
                   count(*) FILTER (price < own) AS less, count(*) FILTER (price = own) AS same,
                   count(*) FILTER (price > own) AS more,
                   count(DISTINCT contract) FILTER (price > own) AS contracts_more
            FROM paid p JOIN of_line l ON l.position = p.position AND l.payer_slug = p.payer_slug
            WHERE NOT {clinic.tins_condition}
            GROUP BY p.position, p.payer_slug)
        SELECT l.position, l.payer_slug, rates, median, own, own_rates,
               if(given_rate IS NULL, list_sort(if(len(meant) > 0, meant, odd)), []) AS own_prices,
               given_rate IS NULL AND len(meant) = 0 AND len(odd) > 0 AS is_odd,
               if(given_rate IS NULL AND len(meant) > 0, len(odd), 0) AS odd_prices, medicare,
               coalesce(tins, 0) AS tins, coalesce(organizations, 0) AS organizations,
               coalesce(other_organizations, 0) AS other_organizations, coalesce(less, 0) AS less,
               coalesce(same, 0) AS same, coalesce(more, 0) AS more,
               coalesce(contracts_more, 0) AS contracts_more,
               coalesce(one_contract, 0) AS one_contract, middle, others_middle
        FROM of_line l
        LEFT JOIN standing USING (position, payer_slug) LEFT JOIN middle USING (position, payer_slug)
        LEFT JOIN sharing USING (position, payer_slug)"""
    values = {
        **market.parameters,
        **parameters,
        **clinic.values,
        "positions": list(lines),
        "modifiers": [line.modifier for line in lines.values()],
        "given": [line.rate for line in lines.values()],
    }
    rows = read_by_key(db, ("position", "payer_slug"), LineMarket, sql, used_parameters(sql, values))
    return {(int(at), str(slug)): row for (at, slug), row in rows.items()}


def list_payers_middles(markets: Mapping[LineAtPayer, LineMarket]) -> dict[int, float]:
    """Return the market of each line: the middle of what the payers are compared by, each payer counted once."""
    prices: dict[int, list[float]] = {}
    for (at, _), one in markets.items():
        prices.setdefault(at, []).append(one.price)
    found = {at: choose_market_price(of_line) for at, of_line in prices.items()}
    return {at: price for at, price in found.items() if price is not None}
