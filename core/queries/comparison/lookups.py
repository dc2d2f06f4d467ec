"""What a comparison looks up: the release of each schedule that is in force, and what it says of the codes."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from core.fields.codes.billing_code import CODE_WIDTHS
from core.queries.comparison.area_amounts import keep_localities
from core.queries.comparison.lookup_scope import BOUND_CODES, LookupScope, ReleaseInForce, as_listed
from core.queries.comparison.schedules import MS_DRG, SCHEDULES, Price, Schedule
from core.queries.comparison.state_schedule import COMPENSATION_TABLES, kept_name
from core.queries.market.market import Market
from core.store.connection import Snapshot
from core.store.market.market_months import month_parameters
from core.store.market_snapshot import MarketSnapshot
from core.store.schema.tables import TABLES

_CODES = f"[$code::VARCHAR, lpad($code::VARCHAR, {CODE_WIDTHS[MS_DRG]}, '0')]"
"""SQL of how schedules may list the parameter `$code`: a DRG has three digits there."""

_KEPT_PERIODS, _KEPT_CODES = "period_in_force", "listed_price"
"""The tables in memory that keep_lookups makes, besides one of each schedule that lists the codes."""

_OF_RATES = ("of_state", "of_month")
"""The state and month of the rates that a row of a schedule is for."""


def lookups_sql(scope: LookupScope) -> str:
    """Return the queries of a WITH clause, after `picked` of compared_rates.py, that end in `listed_code`.

    `periods` has the release of each schedule in force in each state and month, `codes` the codes as schedules list
    them, and `listed_code` what the schedules say of these.
    """
    if scope.is_kept:
        return f"""
        periods AS (SELECT * REPLACE (loaded::BOOLEAN AS loaded) FROM {_KEPT_PERIODS}),
        codes AS (SELECT DISTINCT listed_as AS code FROM picked),
        listed_code AS (SELECT * FROM {_KEPT_CODES})"""
    codes = "DISTINCT listed_as" if scope.periods is None else f"unnest({BOUND_CODES if scope.has_codes else _CODES})"
    return f"""
        periods AS ({_periods(scope)}),
        codes AS (SELECT {codes} AS code {"FROM picked" if scope.periods is None else ""}),
        listed_code(schedule, code_system, state, year_month, code, prices, passes_on) AS (
            {" UNION ALL ".join(_listed_codes(scope))})"""


def keep_lookups(
    db: Snapshot, market: Market, scope: LookupScope, codes: Collection[str] = (), *, areas: bool = False
) -> LookupScope:
    """Return the scope with its look-ups kept as tables of the market in memory, if they are of a few months and of one
    code, or of the list `codes` for which the scope was found.

    With `areas`, the amounts of areas are looked up as well. They are kept for one code only.
    They do not depend on the market's filters. The rows of schedules are found by their codes in memory, so that no
    question has a parameter or reads a file: its plan is kept, and that of the comparison as well.
    """
    if not isinstance(db, MarketSnapshot) or scope.periods is None:
        return scope
    if (db.market_values if scope.has_codes else db.code_values) is None:
        return scope
    asked = as_listed(codes or filter(None, [market.code]))
    areas = areas and not scope.has_codes
    key = (scope.schedules, market.state, market.months, areas, *asked)
    return db.make_for(_KEPT_CODES, key, lambda: _keep(db, market, scope, asked, areas=areas))


def _keep(
    db: MarketSnapshot, market: Market, scope: LookupScope, asked: Collection[str], *, areas: bool
) -> LookupScope:
    periods = list(_periods_in_force(scope, market))
    db.show_texts(_KEPT_PERIODS, _Period._fields, periods)
    listing = [one for one in scope.schedules if _show_rows(db, f"bench_{one.kind}", one.kind, periods, asked)]
    if scope.has_compensation:
        for table in COMPENSATION_TABLES:
            _show_rows(db, table, "wcfs", periods, asked)
    # One at least, for the types of the columns.
    listed = " UNION ALL ".join(
        _listed_sql(one, ", ".join(f"b.{name}" for name in _OF_RATES), f"{kept_name(f'bench_{one.kind}')} b", "true")
        for one in listing or scope.schedules[:1]
    )
    names = "schedule, code_system, state, year_month, code, prices, passes_on"
    made_from = {"state": market.state, "codes": asked, **month_parameters(market.months)}
    query = f"WITH listed_code({names}) AS ({listed}) SELECT * FROM listed_code"
    db.keep_table(_KEPT_CODES, query, {}, made_from=made_from)
    if areas:
        keep_localities(db, market.state, asked)
    return replace(scope, is_kept=True, keeps_areas=areas)


class _Period(NamedTuple):
    """A row of what the query `periods` finds, as texts."""

    state: str
    year_month: str
    schedule: str
    release: str
    in_force: str
    rows_state: str
    loaded: str


def _periods_in_force(scope: LookupScope, market: Market) -> Iterator[_Period]:
    """Yield the release of each schedule that is in force in the state and each month of the market."""
    months = month_parameters(market.months)
    for parameter, of_month in (scope.periods or {}).items():
        month = months[parameter.removeprefix("$")]
        for kind, one in of_month.items():
            rows_state, loaded = "US" if one.is_national else market.state, str(one.has_state).lower()
            yield _Period(market.state, month, kind, one.release, one.ended or month, rows_state, loaded)


def _show_rows(db: MarketSnapshot, table: str, kind: str, periods: Iterable[_Period], codes: Collection[str]) -> bool:
    """Show what the releases in force of a schedule say of the codes, and return whether they say anything.

    A row stands for each month of rates in which its release is in force.
    """
    # The lines with modifiers of a compensation schedule are by release, all others by month.
    by_month = "year_month" in TABLES[table].names
    parts = [
        (
            {"state": one.rows_state, **({"year_month": one.in_force} if by_month else {"release": one.release})},
            (one.state, one.year_month),
        )
        for one in periods
        if one.schedule == kind
    ]
    return bool(db.show_parts(kept_name(table), TABLES[table], "code", codes, parts, _OF_RATES))


def _last_month(kind: str, release: str) -> str:
    """Return SQL of the last month that the table of a kind has a release for: the end of the schedule's year."""
    fiscal = "".join(
        f" WHEN '{one.kind}' THEN (left({release}, 4)::INT + (right({release}, 2) > '{one.last_month:02}')::INT)"
        f" || '-{one.last_month:02}'"
        for one in SCHEDULES
        if one.last_month < 12
    )
    return f"CASE {kind}{fiscal} ELSE left({release}, 4) || '-12' END"


def _periods(scope: LookupScope) -> str:
    """Return SQL of the release of each schedule that is in force in each of the states and months of the facts."""
    if scope.periods is None:
        return f"""
            SELECT p.state, p.year_month, b.kind AS schedule, max(b.release) AS release,
                   least(p.year_month, {_last_month("b.kind", "max(b.release)")}) AS in_force,
                   arg_max(list_has_any(b.states, ['US', p.state]), b.release) AS loaded,
                   -- A national schedule has one row for all states.
                   arg_max(if(list_contains(b.states, 'US'), 'US', p.state), b.release) AS rows_state
            FROM (SELECT DISTINCT state, year_month FROM picked) p
            JOIN dim_benchmark b ON b.state IN ('US', p.state) AND b.release <= p.year_month
            GROUP BY p.state, p.year_month, b.kind"""
    rows = [
        f"($state, {month}, '{kind}', '{one.release}', {one.in_force(month)}, {one.has_state}, {one.rows_state})"
        for month, periods in scope.periods.items()
        for kind, one in periods.items()
    ]
    # Without any row, a first one keeps the types and is not loaded.
    values = ", ".join(rows or ["($state, '', '', '', '', false, '')"])
    return f"""
            SELECT state::VARCHAR AS state, year_month::VARCHAR AS year_month, schedule, release,
                   in_force::VARCHAR AS in_force, loaded, rows_state::VARCHAR AS rows_state
            FROM (VALUES {values}) AS v(state, year_month, schedule, release, in_force, loaded, rows_state)"""


def _listed_codes(scope: LookupScope) -> Iterator[str]:
    """Yield SQL of what each schedule says of the codes picked, of the release in force in each of the facts' months.

    A code has one row. Its `prices` are a list, because some tables have a row for each modifier and one has columns; a
    code that is listed as CPT and as HCPCS has the prices of the CPT row first.
    """
    for number, schedule in enumerate(scope.schedules):
        if scope.periods is None:
            yield _listed_sql(
                schedule,
                "t.state, t.year_month",
                f"""bench_{schedule.kind} b JOIN periods t ON t.schedule = '{schedule.kind}'
                    AND b.state = t.rows_state AND b.year_month = t.in_force""",
                "b.code IN (SELECT code FROM codes)",
            )
            continue
        code = f"list_contains({_CODES}, b.code)" if MS_DRG in schedule.code_types else "b.code = $code"
        of_codes = "b.code IN (SELECT code FROM codes)" if scope.has_codes else code
        found = _months_by_rows(scope.periods, schedule.kind)
        for condition, months in found.items():
            rows = f"""(SELECT *, unnest([{", ".join(months)}]::VARCHAR[]) AS of_month FROM bench_{schedule.kind} b
                        WHERE {of_codes} AND {condition})"""
            yield _listed_sql(schedule, "$state::VARCHAR, of_month", f"{rows} b", "true")
        if not found and not number:  # for the types of the columns
            yield _listed_sql(schedule, "$state::VARCHAR, ''", f"bench_{schedule.kind} b", "false")


def _months_by_rows(periods: Mapping[str, Mapping[str, ReleaseInForce]], kind: str) -> dict[str, list[str]]:
    """Return the condition on each release's rows of a schedule, and the months of rates in which it is in force."""
    found: dict[str, list[str]] = {}
    for month, of_month in periods.items():
        if one := of_month.get(kind):
            found.setdefault(f"b.state = {one.rows_state} AND b.year_month = {one.in_force(month)}", []).append(month)
    return found


def _listed_sql(schedule: Schedule, of_facts: str, rows: str, where: str) -> str:
    """Return SQL of what the `rows` AS b of a schedule say. `of_facts` is SQL of the state and month of the rates."""
    return f"""
            SELECT '{schedule.kind}' AS schedule, '{schedule.code_system}' AS code_system, {of_facts}, b.code,
                   flatten(list_transform(list_sort(list({{'code_type': b.code_type, 'prices': {_prices(schedule)}}})),
                       lambda one: one.prices)) AS prices,
                   bool_or({schedule.passes_on}) AS passes_on
            FROM {rows}
            WHERE b.code_type IN ({", ".join(repr(one) for one in schedule.code_types)}) AND {where}
            GROUP BY ALL"""


def _prices(schedule: Schedule) -> str:
    """Return SQL of the list of prices in a row of a schedule's table."""
    prices = ", ".join(_price_struct(schedule, one) for one in schedule.prices)
    return f"""list_filter([{prices}], lambda one: one.modifier = '' OR one.outside IS NOT NULL
        OR one.inside IS NOT NULL OR one.reason IS NOT NULL)"""


def _price_struct(schedule: Schedule, price: Price) -> str:
    # Only the row without a modifier says whether a setting has an amount of its own.
    flags = (schedule.outside_na, schedule.inside_na) if price.modifier == "''" else ("false", "false")
    return f"""{{'modifier': {price.modifier}, 'outside': ({price.outside})::DOUBLE,
        'inside': ({price.inside})::DOUBLE, 'reason': ({price.reason})::VARCHAR, 'detail': ({schedule.detail})::VARCHAR,
        'outside_na': {flags[0]}, 'inside_na': {flags[1]}}}"""
