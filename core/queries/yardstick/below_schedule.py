"""Who accepts less than a state's workers' compensation schedule: organizations, payers, and codes with such rates."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from core.queries.comparison.compared_rates import SAME_TERMS
from core.queries.rules.columns import (
    BusinessName,
    Code,
    CodeName,
    CodeType,
    PayerName,
    PayerSlug,
    ReleaseMonth,
    TinType,
    TinValue,
    described,
)
from core.queries.rules.market import Market, market_facts
from core.queries.rules.market_filters import STATE_MEAN
from core.queries.rules.named_rows import read_page, read_row
from core.queries.rules.percentiles import median
from core.queries.yardstick.medicare import by_medicare, with_compared_terms
from core.store.connection import Snapshot
from core.store.market.market_months import in_months, month_parameters
from core.store.schema.tables import DIM_CODE, XREF_GROUP_TIN
from core.store.sql import used_parameters
from core.store.views import NAMED_TIN


@dataclass(frozen=True)
class BelowSchedule:
    """How many of some rates are below the schedule's amount for them."""

    compared: Annotated[int, described("Rates in dollars that the schedule has an amount for.", 40)]
    below: Annotated[int, described("How many of them are less than that amount.", 12)]
    share: Annotated[float, described("Share of these rates that are below: 0.3 is 30%.", 0.3)]
    percent_p50: Annotated[float, described("Median percent of the schedule of all of them: 1 is 100%.", 1.05)]
    lowest: Annotated[float, described("Lowest percent of the schedule: 1 is 100%.", 0.7)]
    release: ReleaseMonth


@dataclass(frozen=True)
class OrganizationBelow(BelowSchedule):
    """The rates of a tax ID: a rate counts once for each tax ID of its group."""

    tin_type: TinType
    tin_value: TinValue
    business_name: BusinessName


@dataclass(frozen=True)
class PayerBelow(BelowSchedule):
    """The rates of a payer."""

    reporting_entity_name: PayerName
    payer_slug: PayerSlug


@dataclass(frozen=True)
class CodeBelow(BelowSchedule):
    """The rates of a code."""

    code_type: CodeType
    code: Code
    name: CodeName


@dataclass(frozen=True)
class BelowTotals:
    """What the tables are about: rates, and organizations with at least one rate below the schedule."""

    rates: Annotated[int, described("Number of rates of the market.", 70)]
    compared: Annotated[int, described("Rates in dollars that the schedule has an amount for.", 40)]
    below: Annotated[int, described("How many of them are less than that amount.", 12)]
    organizations: Annotated[int, described("Tax IDs with a rate that the schedule has an amount for.", 20)]
    organizations_below: Annotated[int, described("Tax IDs with a rate below the schedule.", 8)]


BelowBy = Literal["organizations", "payers", "codes"]

ROW_TYPES: dict[BelowBy, type[BelowSchedule]] = {
    "organizations": OrganizationBelow,
    "payers": PayerBelow,
    "codes": CodeBelow,
}
"""The tables, each with the class of its rows."""

_FIGURES = f"""count(*) AS compared, count(*) FILTER (is_below) AS below, below / compared AS share,
               {median("percent")} AS percent_p50, min(percent) AS lowest, max(release) AS release"""

_ORDER = "below DESC, percent_p50"
"""Those with most rates below the schedule first, and of these the cheapest."""


def count_below_schedule(db: Snapshot, market: Market) -> BelowTotals:
    """Return how many of a market's rates and organizations are below its state's schedule."""
    rates, parameters = _rates_sql(db, market)
    facts, of_facts = market_facts(db, _asked(market))
    by_tax_id = _tax_ids(market, "tin_type, tin_value, bool_or(is_below) AS is_below")
    sql = f"""{rates},
            tax_id AS ({by_tax_id})
            SELECT (SELECT count(*) FROM ({facts}))::BIGINT AS rates, count(*) AS compared,
                   count(*) FILTER (is_below) AS below, (SELECT count(*) FROM tax_id) AS organizations,
                   (SELECT count(*) FROM tax_id WHERE is_below) AS organizations_below
            FROM rates"""
    return read_row(db, BelowTotals, sql, parameters | of_facts | used_parameters(sql, month_parameters(market.months)))


def list_below_schedule(
    db: Snapshot, market: Market, by: BelowBy, limit: int, offset: int
) -> tuple[int, list[BelowSchedule]]:
    """Return a market's organizations, payers, or codes that the schedule prices, and how many there are.

    Those with most rates below the schedule come first. `db` may be a cache of the market.
    """
    rates, parameters = _rates_sql(db, market)
    page, names, order = _page_sql(market, by)
    sql = f"""{rates},
            page AS (SELECT count(*) OVER () AS total, * FROM ({page}) ORDER BY {_ORDER}, {order}
                     LIMIT $limit OFFSET $offset)
            SELECT page.*{names} ORDER BY {_ORDER}, {order}"""
    of_months = used_parameters(sql, month_parameters(market.months))
    return read_page(db, ROW_TYPES[by], sql, {**parameters, **of_months, "limit": limit, "offset": offset})


def _page_sql(market: Market, by: BelowBy) -> tuple[str, str, str]:
    """Return SQL of the rows of a table, of what names them with its FROM clause, and of their key."""
    if by == "payers":
        every = f"""SELECT payer_slug(reporting_entity_name) AS payer_slug,
                           max(reporting_entity_name) AS reporting_entity_name, {_FIGURES} FROM rates GROUP BY 1"""
        return every, " FROM page", "payer_slug"
    if by == "codes":
        every = f"SELECT code_type, code, {_FIGURES} FROM rates GROUP BY code_type, code"
        return every, f", d.name FROM page LEFT JOIN {DIM_CODE.name} d USING (code_type, code)", "code, code_type"
    every = _tax_ids(market, f"tin_type, tin_value, {_FIGURES}")
    names = f", n.business_name FROM page LEFT JOIN {NAMED_TIN} n USING (tin_type, tin_value)"
    return every, names, "tin_value, tin_type"


def _tax_ids(market: Market, columns: str) -> str:
    """Return SQL over the rates of each tax ID: a rate counts once for each tax ID of its group."""
    in_month = in_months("t.year_month", market.months_sql)
    return f"""SELECT {columns} FROM rates JOIN (
                   SELECT DISTINCT t.pg_uid, t.tin_type, t.tin_value FROM {XREF_GROUP_TIN.name} t
                   WHERE {in_month} AND t.pg_uid IN (SELECT pg_uid FROM rates)) USING (pg_uid)
               GROUP BY tin_type, tin_value"""


def _asked(market: Market) -> Market:
    # The schedule has one amount for the whole state: where a group is does not matter.
    return replace(by_medicare(market), area=STATE_MEAN)


def _rates_sql(db: Snapshot, market: Market) -> tuple[str, dict[str, Any]]:
    """Return a WITH clause that ends in `rates`: those that the schedule has an amount for, and its parameters."""
    market = _asked(market)
    compared, of_terms = with_compared_terms(db, market)
    facts, of_facts = market_facts(db, market)
    sql = f"""{compared},
        rates AS MATERIALIZED (
            SELECT f.pg_uid, f.reporting_entity_name, f.code_type, f.code, c.wcfs_release AS release,
                   f.negotiated_rate / c.wcfs AS percent, f.negotiated_rate < c.wcfs AS is_below
            FROM ({facts}) f JOIN compared c ON {SAME_TERMS} WHERE c.wcfs IS NOT NULL)"""
    return sql, of_terms | of_facts
