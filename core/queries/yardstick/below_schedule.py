"""Who is paid less than a state's workers' compensation schedule: organizations, payers, and codes with such rates.

Of all codes, the rates of each are of the class that its own page opens with, so that both pages say the same of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.basket_medians import compared_codes
from core.queries.classes.classes_of_codes import choose_own_classes, rates_of_own_classes
from core.queries.code_titles import with_titles
from core.queries.comparison.compared_rates import LEAST_PLAUSIBLE, MOST_PLAUSIBLE, SAME_TERMS
from core.queries.market.market import Market
from core.queries.market.market_filters import ALL_CLASSES, STATE_MEAN
from core.queries.market.market_rates import facts_in_memory, market_facts
from core.queries.parties.organizations import tins_of_groups
from core.queries.parties.shared_contracts import find_performing_tins
from core.queries.parties.tax_id_people import TIN_IN_STATE, cursor_of_state, find_people
from core.queries.rules.named_rows import fetch_page, fetch_row, read_page
from core.queries.rules.percentiles import median
from core.queries.yardstick.below_rows import (
    BelowSchedule,
    BelowTotals,
    CodeBelow,
    ModifierBelow,
    OrganizationBelow,
    PayerBelow,
)
from core.queries.yardstick.medicare import by_medicare, compare_terms, with_compared_terms
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.schema.tables import DIM_CODE
from core.store.sql import used_parameters
from core.store.views import COUNTED_RATE_COLUMNS, NAMED_TIN
from core.vocabulary.compensation_codes import list_usual_codes

LEAST_OF_SCHEDULE = 0.1
"""A rate below this share of the schedule's amount is implausible, whatever Medicare pays."""

BelowBy = Literal["organizations", "payers", "codes", "modifiers"]

ROW_TYPES: dict[BelowBy, type[BelowSchedule]] = {
    "organizations": OrganizationBelow,
    "payers": PayerBelow,
    "codes": CodeBelow,
    "modifiers": ModifierBelow,
}
"""The tables, each with the class of its rows."""


_IMPLAUSIBLE = "count(*) FILTER (NOT plausible)"

_DOLLARS = {
    # Of several modifiers, the middle rate and the middle amount would not belong together.
    "p50": f"CASE WHEN min(amount) = max(amount) THEN {median('rate')} END",
    "amount": "CASE WHEN min(amount) = max(amount) THEN min(amount) END",
}

_LOWEST = """arg_min({'code': code, 'rate': rate, 'amount': amount, 'percent': percent, 'plausible': plausible},
                       percent + if(plausible, 0, 1e9))"""
"""The plausible rate with the lowest percent, or of all if none is: one aggregate, so that its figures belong
together."""


_OF_MEDICARE = f"{median('amount / medicare')} AS schedule_of_medicare"


def _figures(*, of_code: bool) -> str:
    """Return SQL of the figures of a row. Dollars of several codes together say nothing, and take long to compute."""
    dollars = [f"{figure if of_code else 'NULL::DOUBLE'} AS {name}" for name, figure in _DOLLARS.items()]
    return f"""count(*) AS compared, count(*) FILTER (is_below) AS below, below / compared AS share,
               {median("percent")} AS percent_p50, {_OF_MEDICARE}, {_LOWEST} AS lowest_one,
               struct_extract(lowest_one, 'percent') AS lowest,
               struct_extract(lowest_one, 'plausible') AS lowest_plausible, {_IMPLAUSIBLE} AS implausible,
               {", ".join(dollars)},
               struct_extract(lowest_one, 'code') AS lowest_code,
               struct_extract(lowest_one, 'rate') AS lowest_rate,
               struct_extract(lowest_one, 'amount') AS lowest_amount, max(release) AS release"""


_ORDER = "below DESC, percent_p50"
"""Those with most rates below the schedule first, and of these the cheapest."""

_MOSTLY_BELOW_FIRST = "below * 2 > compared DESC"
"""Who is paid more than the schedule for most of its rates accepts no less, however many of the others it has."""

_USUAL_FIRST = f"list_position({list(list_usual_codes())}, code) NULLS LAST"
"""The codes that workers' compensation pays for most, and then the others."""

_LIKELY_FIRST = "is_likely DESC NULLS LAST"
"""A surgical center that is in a contract for everything is no place for a scan."""

_ELSEWHERE_LAST = "coalesce(in_state, true) DESC"
"""Whoever practices in the state stands first: payers' files are national, and their contracts hold for members from
anywhere."""


def count_below_schedule(
    db: Snapshot, market: Market, codes: Sequence[BasketCode] = (), *, of_state_only: bool = False
) -> BelowTotals:
    """Return how many of a market's rates and organizations are below its state's schedule, of some codes if listed.

    `of_state_only` decides which organizations the rows are counted of, see `list_below_schedule`.
    """
    of_row = "tin_type, tin_value, count(*) AS compared, count(*) FILTER (is_below) AS below"
    by_row = _tax_ids(market, of_row, of_code=bool(codes))
    rows = "SELECT count(*) FROM tax_id_row"
    if of_state_only:
        rows += f" JOIN {TIN_IN_STATE} USING (tin_type, tin_value) WHERE in_state"
    is_likely, performers = _likely(db, market)
    likely = f"(SELECT count(*) FILTER ({is_likely}) FROM tax_id)" if performers else "NULL::BIGINT"
    figures = f"""
            tax_id_row AS ({by_row}),
            tax_id AS (
                SELECT tin_type, tin_value, is_below, is_mostly_below, in_state
                FROM (SELECT tin_type, tin_value, sum(below) > 0 AS is_below,
                             sum(below) * 2 > sum(compared) AS is_mostly_below FROM tax_id_row GROUP BY ALL)
                LEFT JOIN {TIN_IN_STATE} USING (tin_type, tin_value))
            SELECT (SELECT count(*) FROM every)::BIGINT AS rates, count(*) AS compared,
                   count(*) FILTER (is_below) AS below, (SELECT count(*) FROM tax_id) AS organizations,
                   (SELECT count(*) FROM tax_id WHERE is_below) AS organizations_below,
                   (SELECT count(*) FROM tax_id WHERE is_below AND in_state) AS organizations_below_in_state,
                   (SELECT count(*) FROM tax_id WHERE is_mostly_below) AS organizations_mostly_below,
                   (SELECT count(*) FROM tax_id WHERE is_mostly_below AND in_state)
                       AS organizations_mostly_below_in_state,
                   (SELECT count(*) FROM tax_id WHERE in_state) AS organizations_in_state,
                   (SELECT count(*) FROM tax_id WHERE NOT in_state) AS organizations_elsewhere,
                   {likely} AS organizations_likely, {median("percent")} AS percent_p50, {_OF_MEDICARE},
                   ({rows}) AS organization_rows, {_IMPLAUSIBLE} AS implausible
            FROM rates"""
    with _asking(db, market, codes) as (asked, rates, parameters), cursor_of_state(asked, market.state) as cursor:
        sql = f"{rates}, {figures}"
        of_market = used_parameters(sql, market.parameters)
        return fetch_row(cursor, BelowTotals, sql, parameters | of_market | performers)


def count_where_listed(
    db: Snapshot, market: Market, codes: Sequence[BasketCode] = (), *, of_state_only: bool | None
) -> tuple[BelowTotals, bool]:
    """Return what count_below_schedule does, and whether only tax IDs of the state are listed.

    If nothing is asked for (None), they are, as far as there are any: a payer's file is national, and a schedule is a
    state's.
    """
    totals = count_below_schedule(db, market, codes, of_state_only=of_state_only is not False)
    if of_state_only is None and not totals.organizations_in_state:
        return count_below_schedule(db, market, codes), False
    return totals, of_state_only is not False


def list_below_schedule(
    db: Snapshot,
    market: Market,
    by: BelowBy,
    limit: int,
    offset: int,
    codes: Sequence[BasketCode] = (),
    *,
    of_state_only: bool = False,
) -> tuple[int, list[BelowSchedule]]:
    """Return a market's organizations, payers, codes, or modifiers that the schedule prices, and how many there are.

    Those with most rates below the schedule come first; of the organizations, those that practice in the state, or
    these alone with `of_state_only`, of these the likely performers of the market's code, and of these those that are
    below it for most of their rates. Of the market's
    code or of listed `codes`, an organization has a row for each code. `db` may be a cache of the market.
    """
    page, names, order = _page_sql(
        market, by, of_code=bool(codes or market.code), is_one=bool(market.code) or len(codes) == 1
    )
    is_likely, performers = _likely(db, market) if by == "organizations" else ("", {})
    if by == "organizations":
        page = f"SELECT *, {is_likely} AS is_likely FROM ({page}) LEFT JOIN {TIN_IN_STATE} USING (tin_type, tin_value)"
        page += " WHERE in_state" if of_state_only else ""
    paged = f"""
            page AS (
                SELECT count(*) OVER () AS total, * EXCLUDE (lowest_one) FROM ({page})
                ORDER BY {order} LIMIT $limit OFFSET $offset)
            SELECT page.*{names} ORDER BY {order}"""
    with _asking(db, market, codes, any_modifier=by == "modifiers") as (asked, rates, parameters):
        sql = f"{rates}, {paged}"
        of_market = used_parameters(sql, market.parameters)
        bound = {**parameters, **of_market, **performers, "limit": limit, "offset": offset}
        if by != "organizations":
            total, found = read_page(asked, ROW_TYPES[by], sql, bound)
            return total, found if by == "payers" else with_titles(db, found)
        with cursor_of_state(asked, market.state) as cursor:
            total, organizations = fetch_page(cursor, _FoundOrganization, sql, bound)
    return total, with_titles(db, _with_people(db, organizations))


@dataclass(frozen=True)
class _FoundOrganization(BelowSchedule):
    """An organization before it is known who bills under its tax ID."""

    tin_type: str
    tin_value: str
    business_name: str | None
    in_state: bool | None
    is_likely: bool | None
    code_type: str | None
    code: str | None
    name: str | None


def _with_people(db: Snapshot, rows: Sequence[_FoundOrganization]) -> list[BelowSchedule]:
    people = find_people(db, {(row.tin_type, row.tin_value) for row in rows})
    return [OrganizationBelow(**vars(row), **vars(people[row.tin_type, row.tin_value])) for row in rows]


def _page_sql(market: Market, by: BelowBy, *, of_code: bool, is_one: bool) -> tuple[str, str, str]:
    """Return SQL of the rows of a table, of what names them with its FROM clause, and of their order.

    `of_code` says that codes are asked for, and `is_one` that it is one.
    """
    if by == "payers":
        every = f"""SELECT payer_slug(reporting_entity_name) AS payer_slug,
                           max(reporting_entity_name) AS reporting_entity_name, {_figures(of_code=is_one)}
                    FROM rates GROUP BY 1"""
        return every, " FROM page", f"{_ORDER}, payer_slug"
    if by in {"codes", "modifiers"}:
        of_row = "code, code_type, modifier" if by == "modifiers" else "code, code_type"
        every = f"SELECT {of_row}, {_figures(of_code=True)} FROM rates GROUP BY {of_row}"
        names = f", d.name FROM page LEFT JOIN {DIM_CODE.name} d USING (code_type, code)"
        return every, names, f"{_USUAL_FIRST}, {_ORDER}, {of_row}"
    code = (
        "any_value(code_type) AS code_type, any_value(code) AS code" if of_code else "NULL AS code_type, NULL AS code"
    )
    every = _tax_ids(market, f"tin_type, tin_value, {code}, {_figures(of_code=of_code)}", of_code=of_code)
    names = f""", n.business_name, d.name FROM page LEFT JOIN {NAMED_TIN} n USING (tin_type, tin_value)
            LEFT JOIN (SELECT code_type AS of_system, code AS of_code, name FROM {DIM_CODE.name}) d
                ON d.of_system = page.code_type AND d.of_code = page.code"""
    order = f"{_ELSEWHERE_LAST}, {_LIKELY_FIRST}, {_MOSTLY_BELOW_FIRST}, {_ORDER}"
    return every, names, f"{order}, tin_value, tin_type, code, code_type"


def _likely(db: Snapshot, market: Market) -> tuple[str, dict[str, Any]]:
    """Return SQL of whether a tax ID likely performs the market's code, and its parameters; null if nothing says."""
    found = find_performing_tins(db, market)
    if found is None:
        return "NULL::BOOLEAN", {}
    return (
        "concat(tin_type, ' ', tin_value) IN (SELECT unnest($performers::VARCHAR[]))",
        {"performers": sorted(f"{kind} {value}" for kind, value in found)},
    )


def _tax_ids(market: Market, columns: str, *, of_code: bool) -> str:
    """Return SQL over the rates of each tax ID: a rate counts once for each tax ID of its group."""
    return f"""SELECT {columns} FROM rates JOIN (
                   SELECT DISTINCT pg_uid, tin_type, tin_value FROM {tins_of_groups(market)}
                   WHERE pg_uid IN (SELECT pg_uid FROM rates)) USING (pg_uid)
               GROUP BY tin_type, tin_value{", rates.code_type, rates.code" if of_code else ""}"""


def _asked(market: Market) -> Market:
    # The schedule has one amount for the whole state: where a group is does not matter.
    return replace(by_medicare(market), area=STATE_MEAN)


_PRICED = f"""f.pg_uid, medicare, f.billing_code_modifier AS modifier, f.reporting_entity_name, f.code_type, f.code,
                   wcfs_release AS release,
                   f.negotiated_rate AS rate, wcfs AS amount, f.negotiated_rate / wcfs AS percent,
                   f.negotiated_rate < wcfs AS is_below,
                   -- A state's schedule may be three times Medicare: an honest rate is a third of it. A tenth is none:
                   -- the fee of a professional beside the schedule's amount for a device or a facility.
                   f.negotiated_rate / coalesce(medicare, wcfs) BETWEEN {LEAST_PLAUSIBLE} AND {MOST_PLAUSIBLE}
                       AND f.negotiated_rate >= {LEAST_OF_SCHEDULE} * wcfs AS plausible"""


@contextmanager
def _asking(
    db: Snapshot, market: Market, codes: Sequence[BasketCode], *, any_modifier: bool = False
) -> Iterator[tuple[Snapshot, str, dict[str, Any]]]:
    """Yield whom to ask, a WITH clause with `every` rate and `rates`, those that the schedule prices, and parameters.

    The rates of all codes, each of its own class, are compared once, and are in memory for the questions that follow.
    """
    if codes or market.code:
        yield db, *_rates_sql(db, _asked(market), codes)
        return
    with facts_in_memory(db, market) as memory:
        _keep_rates(memory, _asked(market), any_modifier=any_modifier)
        sql = f"WITH every AS (SELECT * FROM {_KEPT}), rates AS (SELECT * FROM {_KEPT} WHERE amount IS NOT NULL)"
        yield memory, sql, {}


_KEPT = "rate_beside_schedule"
"""The table in memory of the rates of all codes beside their amounts, null where the schedule has none."""


def _keep_rates(memory: MarketSnapshot, market: Market, *, any_modifier: bool) -> None:
    key = (_KEPT, market.classes, any_modifier, memory.key, *sorted(market.parameters.items()))

    def ask() -> Any:
        if market.classes == ALL_CLASSES:
            compared, of_terms = compare_terms(memory, market)
            facts, of_facts = market_facts(memory, market)
            sql = f"{compared} SELECT {_PRICED} FROM ({facts}) f JOIN compared c ON {SAME_TERMS}"
            return memory.arrow_rows(sql, of_terms | of_facts)
        settings = choose_own_classes(memory, market, any_modifier=any_modifier)
        parts = [_compare_part(memory, market, setting, number) for number, setting in enumerate(settings)]
        # Without any rate, a first part keeps the types.
        parts = parts or [_compare_part(memory, market, None, 0)]
        return memory.arrow_rows(" UNION ALL ".join(f"SELECT * FROM {one}" for one in parts), {})

    memory.make_for(_KEPT, key, lambda: memory.shown.add(_KEPT, memory.markets.make(key, ask)))


_OF_RATE = ", ".join(f"f.{name}" for name in (*COUNTED_RATE_COLUMNS, "payee", "pg_uid"))


def _compare_part(memory: MarketSnapshot, market: Market, setting: str | None, number: int) -> str:
    """Compare the codes whose class has a setting or a side, which decides about amounts, and return the table."""
    facts, parameters = rates_of_own_classes(memory, market, setting)
    memory.show_table(_OWN, f"SELECT {_OF_RATE}, 1 AS rate_count FROM ({facts}) f", parameters)
    compared, of_terms = compare_terms(memory, replace(market, care_setting=setting), rates=_OWN)
    sql = f"{compared} SELECT {_PRICED} FROM {_OWN} f JOIN compared c ON {SAME_TERMS}"
    memory.show_table(f"{_KEPT}_{number}", sql, of_terms)
    return f"{_KEPT}_{number}"


_OWN = "rate_of_own_class"
"""The table in memory of the rates of a part of the codes."""


def _rates_sql(db: Snapshot, market: Market, codes: Sequence[BasketCode]) -> tuple[str, dict[str, Any]]:
    """Return the WITH clause of one code or of a list of codes, see _asking."""
    if codes:
        compared, of_codes = compared_codes(db, replace(market, code_type=None, code=None), codes)
        listed = {"numbers": [one.code for one in codes], "systems": [" ".join(one.systems) for one in codes]}
        sql = f"""{compared},
            listed AS (SELECT unnest($numbers) AS code, unnest($systems) AS systems),
            every AS MATERIALIZED (
                SELECT f.* FROM compared f SEMI JOIN listed a ON a.code = f.code
                    AND (a.systems = '' OR list_contains(string_split(a.systems, ' '), f.code_type))),
            rates AS MATERIALIZED (SELECT {_PRICED} FROM every f WHERE wcfs IS NOT NULL)"""
        return sql, {**of_codes, **listed}
    compared, of_terms = with_compared_terms(db, market)
    facts, of_facts = market_facts(db, market)
    sql = f"""{compared},
        every AS ({facts}),
        rates AS MATERIALIZED (
            SELECT {_PRICED} FROM every f JOIN compared c ON {SAME_TERMS} WHERE c.wcfs IS NOT NULL)"""
    return sql, of_terms | of_facts
