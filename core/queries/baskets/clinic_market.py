"""What the market says of a clinic's lines: what organizations are paid by each payer, and where the clinic stands.

The figures of a payer are those of the table of organizations of the line's code, with that payer chosen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from core.queries.baskets.basket_medians import compared_list
from core.queries.baskets.clinic_rows import AskedLine, Clinic
from core.queries.baskets.others_of_state import find_middles_of_state
from core.queries.classes.class_counts import CodeClassCount, counts_by_code, counts_of_systems
from core.queries.classes.classes_of_codes import ClassesOfList, write_terms
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS, NO_MODIFIER
from core.queries.parties.middle_by_payer import (
    choose_market_price,
    dollars_of_compared,
    is_by_organizations,
    middles_sql,
)
from core.queries.rules.named_rows import read_by_key
from core.queries.rules.organization_price import lower_median, price_sql
from core.queries.rules.percentiles import PERCENTILES, median
from core.store.connection import Snapshot
from core.store.sql import used_parameters

LineAtPayer = tuple[int, str]
"""The number of a line, and the key of a payer."""

_THIRD_QUARTILE = list(PERCENTILES).index("p75") + 1
"""Where it is in the list of the percentiles."""


@dataclass(frozen=True)
class LineMarket:
    """What a payer's rates for a line say. Prices are those of organizations, see organization_price.py."""

    rates: int
    errors: int
    """How many of the payer's rates are likely errors: `rates` is without them, unless the market asks them in."""
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
    others: tuple[dict[str, Any], ...]
    """The other organizations: how many have which `price` under which `contract`, to compare any own price with."""
    one_contract: int
    """How many organizations are under the contract with most of them."""
    middle: float | None
    """What the organization in the middle is paid, of all organizations."""
    others_middle: float | None
    """The same of those that are not the clinic's."""
    high: float | None
    """What the organization at the 75th percentile is paid, of all organizations."""
    table_price: float | None
    """The clinic's price in the table of organizations, the middle of all its areas, and `own` until that of its own
    area is chosen."""

    @property
    def less(self) -> int:
        """How many of the other organizations are paid less."""
        return self.other_organizations - self.same - self.more

    @property
    def same(self) -> int:
        """How many are paid the same, or by a contract with the same middle of all areas, each in its own area."""
        return sum(one["organizations"] for one in self.others if self._is_same(one["price"]))

    @property
    def more(self) -> int:
        """How many are paid more."""
        return sum(one["organizations"] for one in self.others if self._is_more(one["price"]))

    @property
    def contracts_more(self) -> int:
        """How many contracts the organizations that are paid more are under."""
        return len({one["contract"] for one in self.others if self._is_more(one["price"])})

    def _is_same(self, price: float) -> bool:
        return price in {self.own, self.table_price}

    def _is_more(self, price: float) -> bool:
        return self.own is not None and price > self.own and not self._is_same(price)

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
    others = find_middles_of_state(db, market, list(markets), partial(_write_terms, lines, classes), measured)
    sql = f"""{compared},
        items AS (
            SELECT unnest($positions) AS position, unnest($modifiers) AS modifier, unnest($given::DOUBLE[]) AS given),
        dollars AS MATERIALIZED (
            SELECT d.* FROM ({dollars_of_compared("compared", measured)}) d
            JOIN items i ON i.position = d.position AND i.modifier = d.modifier),
        ours AS MATERIALIZED (SELECT DISTINCT pg_uid FROM dollars f WHERE {clinic.condition}),
        {middles_sql(db, market, "dollars", others)},
        of_line AS MATERIALIZED (
            SELECT m.position, payer_slug, count(*) FILTER (NOT is_odd) AS rates,
                   count(*) FILTER (is_error) AS errors,
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
            SELECT position, payer_slug, sum(organizations)::BIGINT AS other_organizations,
                   list({{'price': price, 'contract': contract, 'organizations': organizations}}) AS others
            FROM (SELECT position, payer_slug, price, contract, count(*) AS organizations
                  FROM paid WHERE NOT {clinic.tins_condition} GROUP BY ALL)
            GROUP BY position, payer_slug),
        others_middle AS (
            SELECT position, payer_slug, {lower_median("price")} AS others_middle
            FROM paid WHERE NOT {clinic.tins_condition} GROUP BY position, payer_slug)
        SELECT l.position, l.payer_slug, rates, errors, median, own, own AS table_price, own_rates,
               if(given_rate IS NULL, list_sort(if(len(meant) > 0, meant, odd)), []) AS own_prices,
               given_rate IS NULL AND len(meant) = 0 AND len(odd) > 0 AS is_odd,
               if(given_rate IS NULL AND len(meant) > 0, len(odd), 0) AS odd_prices, medicare,
               coalesce(tins, 0) AS tins, coalesce(organizations, 0) AS organizations,
               coalesce(other_organizations, 0) AS other_organizations, coalesce(others, []) AS others,
               coalesce(one_contract, 0) AS one_contract, middle, others_middle, paid_at[{_THIRD_QUARTILE}] AS high
        FROM of_line l
        LEFT JOIN standing USING (position, payer_slug) LEFT JOIN others_middle USING (position, payer_slug)
        LEFT JOIN middle USING (position, payer_slug)
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


def with_own_rates(
    found: Mapping[LineAtPayer, LineMarket], whole: Mapping[LineAtPayer, LineMarket]
) -> dict[LineAtPayer, LineMarket]:
    """Return the markets of some places or specialties with the clinic's own rates, which may be of others.

    `whole` are the markets without these filters. A payer without rates there has a market of nobody.
    """
    nobody: dict[str, Any] = {
        **dict.fromkeys(("rates", "errors", "organizations", "other_organizations", "one_contract"), 0),
        "others": (),
    }
    return {
        key: replace(
            found.get(key) or replace(one, **nobody, middle=None, others_middle=None, high=None),
            **{name: getattr(one, name) for name in _OWN},
        )
        for key, one in whole.items()
    }


_OWN = ("own", "table_price", "own_rates", "own_prices", "is_odd", "odd_prices", "medicare", "tins")
"""What a line's market says of the clinic's own rates."""


@dataclass(frozen=True)
class OtherPayers:
    """What the other payers pay their middle organizations for a line, each payer counted once."""

    other_payers: int = 0
    other_payer: str | None = None
    """The name of the only one, if it is one."""
    other_middle: float | None = None


def list_other_payers(
    markets: Mapping[LineAtPayer, LineMarket], payers: Mapping[str, str]
) -> dict[LineAtPayer, OtherPayers]:
    """Return what others than the payer pay for each line, of the payers with enough organizations to say so.

    `payers` are names by key.
    """
    by_line: dict[int, dict[str, float]] = {}
    for (at, slug), one in markets.items():
        if one.middle is not None and is_by_organizations(one.organizations):
            by_line.setdefault(at, {})[slug] = one.middle
    every = {slug for _, slug in markets}
    found = {}
    for at, middles in by_line.items():
        for slug in every:
            others = {its: middle for its, middle in middles.items() if its != slug}
            if others:
                only = payers.get(next(iter(others)), next(iter(others))) if len(others) == 1 else None
                found[at, slug] = OtherPayers(len(others), only, choose_market_price(others.values()))
    return found


def _write_terms(
    lines: Mapping[int, AskedLine], classes: ClassesOfList, counts: Sequence[CodeClassCount]
) -> Iterator[str]:
    """Yield the terms of the rates of each line's class and modifier."""
    by_code = counts_by_code(counts)
    for at, line in lines.items():
        of_line = counts_of_systems(by_code.get(line.code.code, ()), line.code.systems)
        yield from write_terms(at, of_line, replace(classes.of_codes[at].market, modifier=line.modifier or NO_MODIFIER))


def list_payers_middles(markets: Mapping[LineAtPayer, LineMarket]) -> dict[int, float]:
    """Return the market of each line: the middle of what the payers are compared by, each payer counted once."""
    prices: dict[int, list[float]] = {}
    for (at, _), one in markets.items():
        prices.setdefault(at, []).append(one.price)
    found = {at: choose_market_price(of_line) for at, of_line in prices.items()}
    return {at: price for at, price in found.items() if price is not None}
