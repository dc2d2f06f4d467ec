"""The organization in the middle of each payer, for many codes in one question: what payers are ranked by.

By distinct rates, a contract of one clinic weighs as much as one of 400. The price of an organization is that of the
tab Organizations, with the payer chosen. See docs/decisions/0095-payers-by-organizations.md.
"""

import statistics
from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import TypeVar

from core.queries.market.market import Market
from core.queries.parties.dollar_rates import mark_odd_sql
from core.queries.parties.organizations import show_tins
from core.queries.rules.largest_contract import CONTRACT_OF_TIN, LARGEST_CONTRACT
from core.queries.rules.organization_price import lower_median, lower_percentiles
from core.queries.rules.percentiles import FEW_RATES
from core.store.connection import Snapshot

Line = TypeVar("Line", bound=Hashable)

LEAST_ORGANIZATIONS = 5
"""With fewer organizations, a payer is compared by its middle rate: one in the middle of two or three says little."""


def is_by_organizations(organizations: int) -> bool:
    """Return whether a payer is compared by its middle organization, and not by its middle rate."""
    return organizations >= LEAST_ORGANIZATIONS


def is_ranked(*, by_organizations: bool, rates: int) -> bool:
    """Return whether a payer may be named as paying the most or the least. One or two rates of two say little."""
    return by_organizations or rates >= FEW_RATES


def choose_market_price(prices: Iterable[float]) -> float | None:
    """Return the market of a code: the price in the middle of the payers', each payer counted once.

    Of two payers, it is halfway between them. Counted by rates, the market would mostly be the payer with most of them,
    which would then be compared with itself.
    """
    of_payers = list(prices)
    return statistics.median(of_payers) if of_payers else None


def list_others_prices(prices: Mapping[tuple[Line, str], float]) -> dict[tuple[Line, str], float]:
    """Return for each line and payer the market of the others, see choose_market_price: of two, the other's price.

    Against a market that it is half of, a payer of two would differ by half of what it differs from the other. A payer
    that is alone in a line is not in the answer.
    """
    of_line: dict[Line, dict[str, float]] = {}
    for (line, payer), price in prices.items():
        of_line.setdefault(line, {})[payer] = price
    others = {
        (line, payer): choose_market_price(price for other, price in of_line[line].items() if other != payer)
        for line, payer in prices
    }
    return {key: price for key, price in others.items() if price is not None}


def compare_with(price: float, other: float | None) -> float | None:
    """Return how far a price is above another: 0.1 is 10% above. None if the other is zero, or there is none."""
    return price / other - 1 if other else None


def dollars_of_compared(compared: str, measured: Collection[int]) -> str:
    """Return SQL of the rates in dollars of `compared`, with a `position` and the state's percents, for middles_sql.

    `measured` are the positions whose rates are of a class as it is measured, whatever the files state.
    """
    return f"""
        SELECT f.position, payer_slug, pg_uid, negotiated_rate, percent_of_state AS percent, percent AS own_percent,
               medicare, {class_of_all_sql(measured)} AS class_of_all,
               billing_code_modifier AS modifier
        FROM {compared} f JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name
        WHERE kind = 'dollars'"""


def class_of_all_sql(measured: Collection[int]) -> str:
    """Return SQL of the class of a list's rate AS f: what is stated, but for the positions that are `measured`."""
    if not measured:
        return "f.billing_class"
    return f"if(f.position IN ({', '.join(map(str, sorted(measured)))}), '', f.billing_class)"


_COLUMNS = ("pg_uid", "negotiated_rate", "own_percent", "medicare")


def middles_sql(db: Snapshot, market: Market, dollars: str, others: str | None = None) -> str:
    """Return queries of a WITH clause that end in `middle`: the middle organization by `position` and `payer_slug`.

    `dollars` is a table with the columns of dollars_of_compared. In the answer, `organizations` is how many tax IDs
    have such rates, `middle` the price of the one in the middle, and `middle_percent` the percent of Medicare in the
    middle of theirs, of two the lower one. `one_contract` is how many of them the largest contract has, and `paid_at`
    the percentiles of their prices, each of which is one of these. A payer none of whose tax IDs is known has no row.
    `marked` has the rates with `is_odd`, `tins` the tax IDs of their groups, and `paid` the `price` and the `contract`
    of each tax ID. Rates that are odd are in none of these figures. `others` is what find_middles_of_state returns.
    `is_error` says the same of a rate, whether or not the market asks such rates into its figures.
    """
    return f"""
        tins AS MATERIALIZED (
            SELECT DISTINCT pg_uid, tin_type, tin_value FROM {show_tins(db, market)}
            WHERE pg_uid IN (SELECT pg_uid FROM {dollars})),
        marked AS MATERIALIZED (
            {mark_odd_sql(market, dollars, ("position", "payer_slug", *_COLUMNS), ("position",), others)}),
        paid AS MATERIALIZED (
            SELECT position, payer_slug, tin_type, tin_value, {lower_median("negotiated_rate")} AS price,
                   {lower_median("own_percent")} AS percent, {CONTRACT_OF_TIN} AS contract
            FROM marked JOIN tins USING (pg_uid) WHERE NOT is_odd
            GROUP BY position, payer_slug, tin_type, tin_value),
        middle AS (
            SELECT position, payer_slug, count(*) AS organizations, {lower_median("price")} AS middle,
                   {lower_median("percent")} AS middle_percent, {LARGEST_CONTRACT} AS one_contract,
                   {lower_percentiles("price")} AS paid_at
            FROM paid GROUP BY position, payer_slug)"""
