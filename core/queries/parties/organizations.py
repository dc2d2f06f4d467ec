"""A market by tax ID: each rate counts once for each tax ID of its group, never once per NPI."""

from dataclasses import dataclass
from typing import Annotated

from core.queries.market.market import Market
from core.queries.market.market_filters import ALL_CLASSES, FILTERS, PROFILE_FILTERS
from core.queries.market.market_rates import facts_in_memory, rates_of_market
from core.queries.parties.dollar_rates import meant_sql, show_dollar_rates
from core.queries.rules.columns import (
    BusinessName,
    GroupCount,
    Mean,
    NameConfidence,
    NameSource,
    NewestMonth,
    NpiCount,
    OldestMonth,
    OneContract,
    OrganizationKey,
    RateCount,
    RateP50,
    SystemKey,
    SystemName,
    TinType,
    TinValue,
    described,
)
from core.queries.rules.folded_names import contains_words, folded_sql
from core.queries.rules.keyset import RowKey, ascending, descending, order_by, rows_after
from core.queries.rules.largest_contract import CONTRACT_OF_TIN, LARGEST_CONTRACT, is_mostly_one
from core.queries.rules.named_rows import read_row, read_rows
from core.queries.rules.organization_price import lower_median, lower_quartiles, price_sql
from core.queries.rules.percentiles import FEW_RATES, mean, median, percentile_columns, percentile_list
from core.store.connection import Snapshot
from core.store.market.market_months import in_months, month_parameters
from core.store.market_snapshot import MarketSnapshot
from core.store.schema.lookups import TIN_NPI_COUNT
from core.store.schema.tables import PROVIDER_PROFILE, XREF_GROUP_TIN, XREF_TIN_NPI
from core.store.sql import used_parameters
from core.store.views import MARKET_FACT, NAMED_TIN

_BY_TIN = ascending("tin_value", "tin_type")
ORDERS = {
    "-p50": descending("p50") + _BY_TIN,
    "rates": descending("rates") + _BY_TIN,
    "rank": ascending("rank") + descending("rates") + _BY_TIN,
    "p50": ascending("p50") + _BY_TIN,
    "mean": ascending("mean") + _BY_TIN,
    "-mean": descending("mean") + _BY_TIN,
}
"""How the organizations may be sorted. The tax ID makes every order total."""


_OF_FEW = f"null of fewer than {FEW_RATES} different rates, which are no distribution."


@dataclass(frozen=True)
class Organization:
    """The rates in dollars of one tax ID (TIN) for a code, each rate counted once."""

    tin_type: TinType
    tin_value: TinValue
    business_name: BusinessName
    name_source: NameSource
    name_confidence: NameConfidence
    organization_id: OrganizationKey
    system_id: SystemKey
    system_name: SystemName
    npis: NpiCount
    rates: RateCount
    groups: GroupCount
    share: Annotated[float, described("Share of the market's provider groups: 0.125 is 12.5%.", 0.125)]
    rank: Annotated[int, described("Rank by number of provider groups: 1 has the most, and ties share a rank.", 1)]
    prices: Annotated[int, described("Number of different rates. The file does not say which one applies.", 7)]
    price: Annotated[
        float,
        described(
            "Its price: the rate in the middle, of two the lower one, so it is in a contract. Rates that are "
            "implausible and far from the others are left out, unless it has no other.",
            96.5,
        ),
    ]
    mean: Mean
    p10: Annotated[float | None, described(f"10th percentile, interpolated; {_OF_FEW}", 92.25)]
    p25: Annotated[float | None, described(f"25th percentile, interpolated; {_OF_FEW}", 98.5)]
    p50: RateP50
    p75: Annotated[float | None, described(f"75th percentile, interpolated; {_OF_FEW}", 117.0)]
    p90: Annotated[float | None, described(f"90th percentile, interpolated; {_OF_FEW}", 131.75)]
    oldest_month: OldestMonth
    newest_month: NewestMonth
    difference: Annotated[
        float | None,
        described(
            "Its price against that of the middle organization, the field `middle`: 0.1 is 10% above; null if that is "
            "zero, or if rates of all classes were asked for, which have no median together.",
            0.1,
        ),
    ]


@dataclass(frozen=True)
class Totals:
    """What the table of organizations covers, and what it leaves out."""

    organizations: Annotated[int, described("Number of tax IDs (TINs) in the table.", 12)]
    dollars: Annotated[int, described("Number of rates in dollars for one service.", 12)]
    without_tin: Annotated[
        int, described("Rates in dollars whose provider group has no known tax ID; not in the table.", 12)
    ]
    other_kinds: Annotated[int, described("Rates not expressed in dollars for one service; not in the table.", 12)]
    median: Annotated[
        float | None,
        described(
            "Median of all rates in dollars, each counted once however many organizations have it, with or without a "
            "known tax ID.",
            95.0,
        ),
    ]
    low: Annotated[float | None, described("First quartile of the organizations' prices, one of them.", 88.0)]
    middle: Annotated[
        float | None, described("The price in the middle of the organizations', of two the lower one.", 96.5)
    ]
    several: Annotated[int, described("Organizations with several different rates, of which none is said to apply.", 7)]
    high: Annotated[float | None, described("Third quartile of the organizations' prices, one of them.", 104.0)]
    one_contract: OneContract

    @property
    def is_one_contract(self) -> bool:
        """Whether more than half of the organizations are under one contract, so that its price is the middle one."""
        return is_mostly_one(self.one_contract, self.organizations)


def count_totals(db: Snapshot, market: Market) -> Totals:
    """Return how many organizations and rates the table is about, how many rates it leaves out, and what is paid.

    The quartiles are of organizations, each counted once, however many rates it has.
    """
    with facts_in_memory(db, market) as memory:
        facts, parameters = rates_of_market(memory, market)
        dollars = show_dollar_rates(memory, market)
        sql = f"""
            WITH f AS (
                SELECT pg_uid, negotiated_rate, rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind
                FROM {facts} f),
            t AS (SELECT pg_uid, tin_type, tin_value FROM {show_tins(memory, market)}
                  WHERE pg_uid IN (SELECT pg_uid FROM f WHERE kind = 'dollars')),
            paid AS (
                SELECT {price_sql()} AS price, count(DISTINCT negotiated_rate) > 1 AS has_several,
                       {CONTRACT_OF_TIN} AS contract
                FROM {dollars} JOIN t USING (pg_uid) WHERE NOT is_odd GROUP BY tin_type, tin_value),
            quartiles AS (SELECT {lower_quartiles("price")} AS q FROM paid)
            SELECT (SELECT count(*) FROM (SELECT DISTINCT tin_type, tin_value FROM t)) AS organizations,
                   count(*) FILTER (kind = 'dollars') AS dollars,
                   count(*) FILTER (kind = 'dollars' AND pg_uid NOT IN (SELECT pg_uid FROM t)) AS without_tin,
                   count(*) FILTER (kind <> 'dollars') AS other_kinds,
                   (SELECT {median("negotiated_rate")} FROM {dollars} WHERE NOT is_odd) AS median,
                   (SELECT q[1] FROM quartiles) AS low, (SELECT q[2] FROM quartiles) AS middle,
                   (SELECT q[3] FROM quartiles) AS high,
                   (SELECT count(*) FROM paid WHERE has_several) AS several,
                   (SELECT {LARGEST_CONTRACT} FROM paid) AS one_contract
            FROM f"""
        return read_row(memory, Totals, sql, parameters | used_parameters(sql, market.parameters))


def count_wanted(db: Snapshot, market: Market, words: str) -> int:
    """Return how many organizations with rates in dollars have a name or tax ID with these words."""
    with facts_in_memory(db, market) as memory:
        facts, parameters = rates_of_market(memory, market)
        tins = show_tins(memory, market)
        wanted = show_wanted_tins(memory, market, words)
        sql = f"""
            SELECT count(*) AS n FROM (
                SELECT DISTINCT tin_type, tin_value FROM {tins} SEMI JOIN {wanted} USING (tin_type, tin_value)
                WHERE pg_uid IN (
                    SELECT pg_uid FROM {facts} f
                    WHERE rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'))"""
        with memory.cursor() as cursor:
            bound = parameters | used_parameters(sql, market.parameters)
            return int(cursor.execute(sql, bound).fetchall()[0][0])


def list_organizations(
    db: Snapshot, market: Market, order: str, limit: int, offset: int, last: RowKey | None = None, words: str = ""
) -> list[Organization]:
    """Return at most `limit` organizations in one of ORDERS: those from `offset` on, or those after the key `last`.

    Only rates in dollars count. With words, those whose name or tax ID has them; ranks are among all.
    """
    # An organization that is paid for readings alone is not below a market of whole scans.
    middle = (
        "NULL::DOUBLE"
        if market.classes == ALL_CLASSES
        else f"(SELECT {lower_median('price')} FROM every WHERE NOT is_all_odd)"
    )
    (condition, key), sorting = rows_after(ORDERS[order], last), order_by(ORDERS[order])
    with facts_in_memory(db, market) as memory:
        dollars = show_dollar_rates(memory, market)
        tins = show_tins(memory, market)
        rates = meant_sql(memory, market, f"(FROM f JOIN {tins} USING (pg_uid))", "tin_type, tin_value")
        if words:
            wanted = show_wanted_tins(memory, market, words)
            condition += f" AND (tin_type, tin_value) IN (SELECT (tin_type, tin_value) FROM {wanted})"
        page = f"""
            WITH f AS (SELECT * FROM {dollars}),
            every AS (
                SELECT tin_type, tin_value, count(*) AS rates, count(DISTINCT pg_uid) AS groups,
                       count(DISTINCT pg_uid) / (SELECT count(DISTINCT pg_uid) FROM f) AS share,
                       min(year_month) AS oldest_month, max(year_month) AS newest_month,
                       rank() OVER (ORDER BY count(DISTINCT pg_uid) DESC) AS rank,
                       count(DISTINCT negotiated_rate) AS prices, {price_sql()} AS price,
                       bool_and(is_odd) AS is_all_odd, {mean("negotiated_rate")} AS mean,
                       {percentile_list("negotiated_rate")} AS percentiles,
                       if(prices >= {FEW_RATES}, percentiles, NULL) AS of_many,
                       {percentile_columns("percentiles", ("p50",))},
                       {percentile_columns("of_many", ("p10", "p25", "p75", "p90"))}
                FROM {rates} GROUP BY tin_type, tin_value)
            SELECT * EXCLUDE (percentiles, of_many, is_all_odd),
                   price / nullif({middle}, 0) - 1 AS difference
            FROM every WHERE {condition}
            ORDER BY {sorting} LIMIT {limit:d} OFFSET {offset:d}"""
        # The page's rows are chosen first, without parameters that would need another plan. Then what is known of them.
        memory.show_table(_PAGE, page, key | used_parameters(page, market.parameters))
        memory.show_rows_of(_KNOWN, NAMED_TIN, "tin_value", ["tin_type", *_NAMES], of=_PAGE)
        _show_people(memory, market)
        return read_rows(
            memory,
            Organization,
            f"""SELECT {_PAGE}.*, {", ".join(_NAMES)}, coalesce(npis, 0) AS npis
                FROM {_PAGE} LEFT JOIN {_KNOWN} USING (tin_type, tin_value)
                LEFT JOIN {_PEOPLE} USING (tin_type, tin_value) ORDER BY {sorting}""",
        )


_PAGE, _KNOWN, _PEOPLE = "organization_page", "of_organization", "people_of_organization"
"""The tables in memory of a page's organizations, their names, and their numbers of NPIs."""

_NAMES = ("business_name", "name_source", "name_confidence", "organization_id", "system_id", "system_name")


def show_tins(memory: Snapshot, market: Market) -> str:
    """Return SQL of what tins_of_groups has: in memory those of the code's groups, if these are, without parameters."""
    if not isinstance(memory, MarketSnapshot) or memory.code_values is None:
        return tins_of_groups(market)
    # Of all payers, so that the table in memory is the same whichever is looked at.
    every, columns = market.without("payer"), ["tin_type", "tin_value"]
    memory.show_rows_of("market_tin", XREF_GROUP_TIN.name, "pg_uid", columns, of=MARKET_FACT, months=every.month_names)
    there = _are_there(every)
    if not there:
        return "market_tin"
    sql = f"SELECT * FROM market_tin WHERE {there}"
    key = (*every.month_names, *(getattr(market, name) for name in PROFILE_FILTERS))
    bound = used_parameters(sql, every.parameters)
    memory.make_for(_TIN_THERE, key, lambda: memory.show_table(_TIN_THERE, sql, bound))
    return _TIN_THERE


def tins_of_groups(market: Market) -> str:
    """Return SQL of the tax IDs of the month's provider groups, which binds the market's parameters.

    Where the market asks for places or kinds of providers, they are the tax IDs under which, or as which, such a
    provider bills: a contract of the whole state with one member in a town does not put all of its organizations there.
    """
    there = _are_there(market)
    return f"""(SELECT pg_uid, tin_type, tin_value FROM {XREF_GROUP_TIN.name}
                WHERE {in_months("year_month", market.months_sql)}{f" AND {there}" if there else ""})"""


_TIN_THERE = "market_tin_there"
"""The table in memory of the market's tax IDs with providers as the market asks for them."""


def _are_there(market: Market) -> str:
    """Return a condition on a tax ID: that somebody who meets all of the market's PROFILE_FILTERS bills under it, or as
    it. Empty text if the market has none of them."""
    conditions = [FILTERS[name].condition for name in PROFILE_FILTERS if getattr(market, name)]
    if not conditions:
        return ""
    providers = f"SELECT npi FROM {PROVIDER_PROFILE.name} WHERE {' AND '.join(conditions)}"
    return f"""(tin_type, tin_value) IN (
        SELECT (tin_type, tin_value) FROM {XREF_TIN_NPI.name}
        WHERE {in_months("year_month", market.months_sql)} AND npi IN ({providers})
        UNION ALL SELECT ('npi', npi) FROM ({providers}))"""


def show_wanted_tins(memory: MarketSnapshot, market: Market, words: str) -> str:
    """Show those of the market's tax IDs whose name or number has the words. Return the name of their table."""
    tins = show_tins(memory, market)
    memory.show_table(_ASKED, f"SELECT DISTINCT tin_type, tin_value FROM {tins}", market.parameters)
    memory.show_rows_of(_NAME, NAMED_TIN, "tin_value", ["tin_type", "business_name"], of=_ASKED)
    parameters, condition = contains_words(words, folded_sql("business_name"))
    digits = "".join(one for one in words if one.isdigit())
    if digits and not any(one.isalpha() for one in words):
        parameters, condition = {"digits": digits}, "contains(tin_value, $digits)"
    wanted = f"""SELECT tin_type, tin_value FROM {_ASKED} LEFT JOIN {_NAME} USING (tin_type, tin_value)
                 WHERE {condition}"""
    memory.show_table(_WANTED, wanted, parameters)
    return _WANTED


_ASKED, _NAME, _WANTED = "asked_tin", "asked_tin_name", "wanted_tin"
"""The tables in memory of a market's tax IDs, their names, and those whose name was asked for."""


def _show_people(memory: MarketSnapshot, market: Market) -> None:
    """Show _PEOPLE: how many NPIs bill under the tax IDs of the page in the market's months."""
    if market.one_month:
        counts, month = TIN_NPI_COUNT.name, [market.one_month]
        memory.show_rows_of(_PEOPLE, counts, "tin_value", ["tin_type", "npis"], of=_PAGE, months=month)
        return
    # An NPI that is in two months is one.
    of_months = in_months("year_month", market.months_sql)
    sql = f"""SELECT tin_value, tin_type, count(DISTINCT npi) AS npis FROM {XREF_TIN_NPI.name}
              WHERE tin_value IN (SELECT tin_value FROM {_PAGE}) AND {of_months} GROUP BY ALL"""
    memory.show_table(_PEOPLE, sql, month_parameters(market.months))
