"""A market's rates as SQL: of the files, or of the tables in memory that the questions of a page share."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from core.queries.market.market import Market
from core.queries.market.market_filters import (
    PROFILE_FILTERS,
    PROVIDER_FILTERS,
    STATE_MEAN,
    ZIPS_NEAR,
    all_of,
    profile_condition,
    with_often_asked,
)
from core.queries.rules.paid_less import with_codes_paid_less
from core.queries.rules.rate_kinds import CARE_SETTINGS_OF_SETS
from core.store.connection import Snapshot
from core.store.generations.manifest import BY_GROUP
from core.store.market.market_facts import MONTHS
from core.store.market.market_months import (
    in_months,
)
from core.store.market_snapshot import MarketSnapshot, code_snapshot, market_snapshot
from core.store.schema.profile_tables import OF_ZIP
from core.store.schema.tables import DIM_GROUP_AREA, FACT_RATE, GROUP_PROFILE
from core.store.sql import used_parameters
from core.store.views import COUNTED_RATE, MARKET_FACT, payee_sql, with_group_areas


def knows_areas(db: Snapshot) -> bool:
    """Return whether the area of any provider group is known."""
    return bool(db.manifest.rows(DIM_GROUP_AREA.name))


def uses_own_areas(db: Snapshot, market: Market) -> bool:
    """Return whether rates are compared in their providers' own areas: nothing else is asked for, and some are known.

    They are not if `db` is a cache in which areas are not counted.
    """
    return wants_own_areas(db, market) and (db.market_values is None or db.counts_areas)


def wants_own_areas(db: Snapshot, market: Market) -> bool:
    """Return whether the areas of provider groups are to be shown: nothing else is asked for, and some are known."""
    return market.area != STATE_MEAN and knows_areas(db)


@contextmanager
def market_cache(db: Snapshot, market: Market, *, areas: bool = False) -> Iterator[Snapshot]:
    """Yield the generation with `counted_rate` of the unfiltered market, where that is one code's or one provider's.

    Every question about the market has the same answer there, and is answered sooner: many facts differ only in whose
    they are. Filters, orders and pages that a visitor asks for next find the rows in memory. With `areas`, rates are
    counted by the areas of their groups as well, which takes longer.
    """
    if market.code is None and not market.of_provider:
        yield db
        return
    facts = market.unfiltered
    of_code, month = _code_values(market), facts.months_sql
    if of_code is None:
        table = BY_GROUP if market.code is None else FACT_RATE.name
        with market_snapshot(db, facts.where, facts.parameters, table, areas=areas, month=month) as cached:
            yield cached
        return
    with market_snapshot(
        db,
        lambda memory: _where_in_memory(memory, facts),
        facts.parameters,
        areas=areas,
        month=month,
        code_values=of_code,
    ) as cached:
        yield cached


@contextmanager
def percent_cache(db: Snapshot, market: Market) -> Iterator[Snapshot]:
    """Yield a snapshot for several questions about percents of one market, which compares its rates once.

    A code's or a provider's rates are in memory, counted by area if they are compared in their own areas. Of a market
    without either, only what the rates are compared with is kept, see with_compared_terms.
    """
    if market.code or market.of_provider:
        with market_cache(db, market, areas=uses_own_areas(db, market)) as cached:
            yield cached
        return
    with facts_in_memory(db, market) as memory:
        yield memory


@contextmanager
def facts_in_memory(db: Snapshot, market: Market) -> Iterator[MarketSnapshot]:
    """Yield the generation with tables of its own: the facts of the market's code if it has one, and not too many."""
    if isinstance(db, MarketSnapshot):
        yield db
        return
    with code_snapshot(db, _code_values(market)) as found:
        yield found


def _code_values(market: Market) -> dict[str, Any] | None:
    """Return what chooses the facts of the market's code; None if it is not of one code, or of every month."""
    # Of all payers: the facts of a code are read once, whichever payer is looked at.
    months = market.without("payer").months
    if market.code is None or not months:
        return None
    of_code = {name: getattr(market, name) for name in ("state", "code_type", "code") if getattr(market, name)}
    return {**of_code, MONTHS: months}


def counted_rates(db: Snapshot, market: Market, *, areas: bool = False) -> tuple[str, dict[str, Any]]:
    """Return SQL that selects the market's rates, and its parameters. A row stands for `rate_count` rates.

    The columns are those of `counted_rate`, see `Snapshot.market_snapshot`. Where `db` has no cache, they are all of
    market_facts. A cache has `group_area` or not.
    """
    if db.market_values is None:
        facts, parameters = market_facts(db, market, areas=areas)
        return f"(SELECT f.*, 1 AS rate_count FROM ({facts}) f)", parameters
    cached, asked = db.market_values, market.unfiltered.parameters
    # The cache of a provider has all of its codes.
    of_code = [name for name in ("code_type", "code") if name not in cached]
    if cached != {name: value for name, value in asked.items() if name not in of_code}:
        raise ValueError("the cache is of another market")
    # The cached facts are already those of the network, NPI or TIN, and no longer say whose they are. Conditions that
    # all of them meet are left out: DuckDB keeps the plan of a question without parameters.
    names = [name for name in market.filter_names if name not in PROVIDER_FILTERS]
    filters = {name: getattr(market, name) for name in (*of_code, *names) if getattr(market, name)}
    of_rates = from_memory(db, market, all_of(filters, "", counted=True, measured=market.measured_filters))
    selection = f"SELECT * FROM {COUNTED_RATE} f WHERE {of_rates}"
    return _selected(db, COUNTED_RATE, selection, filters)


def class_of_all_sql(market: Market, stated: str) -> str:
    """Return SQL of the class of a market's rate: the one asked for if it is a measured one, or else what is stated."""
    return f"'{market.billing_class}'" if market.is_measured else stated


def rates_of_market(db: Snapshot, market: Market) -> tuple[str, dict[str, Any]]:
    """Return SQL of the market's facts with all their columns, and its parameters: from memory where `db` has them."""
    if db.code_values is None:
        where = with_codes_paid_less(db, market.code, market.where)
        return f"(SELECT f.* FROM {FACT_RATE.name} f WHERE {where})", market.parameters
    selection = f"SELECT f.* FROM {MARKET_FACT} f WHERE {_where_in_memory(db, market)}"
    # Of all payers, whose months may be more than those of one.
    parameters = {**market.without("payer").parameters, **market.parameters}
    return _selected(db, MARKET_FACT, selection, used_parameters(selection, parameters))


def _where_in_memory(db: Snapshot, market: Market) -> str:
    """Return the condition of the market's filters on the facts of its code, AS f: in memory where `db` has them."""
    names, whole = market.filter_names, market.without("payer")
    of_profile = [name for name in names if name in PROFILE_FILTERS] if db.code_values is not None else []
    others = [name for name in names if name not in of_profile]
    where = from_memory(db, market, all_of(others, whole.months_sql, measured=market.measured_filters))
    if of_profile:
        where += f" AND f.pg_uid IN (SELECT pg_uid FROM {_chosen_groups(db, whole, of_profile)})"
    return where


def _selected(db: Snapshot, table: str, selection: str, parameters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return SQL of a selection from a table in memory, and its parameters: none where the selection can be kept."""
    has_condition = bool(parameters)
    selection, parameters = with_often_asked(selection, parameters)
    return _keep_if(has_condition, db, table, selection, parameters)


_MAX_SELECTED = 20_000
"""Of how many rows a selection is kept. Copying more takes longer than planning a page's questions again."""


def keep_selected(db: Snapshot, table: str, selection: str, parameters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return SQL of a selection from what counted_rates or rates_of_market returns, and its parameters.

    It is kept as those are, if it has no parameters and the `table` is in memory.
    """
    is_shown = (db.market_values if table == COUNTED_RATE else db.code_values) is not None
    return _keep_if(is_shown and not parameters, db, table, selection, parameters)


def _keep_if(
    worth: bool, db: Snapshot, table: str, selection: str, parameters: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    if worth and isinstance(db, MarketSnapshot) and db.count_shown(table) <= _MAX_SELECTED:
        return db.keep_selection(table, selection, parameters), {}
    return f"({selection})", parameters


def _chosen_groups(db: Snapshot, market: Market, names: Sequence[str]) -> str:
    """Return the table in memory of the groups of a code with a provider who meets these of PROFILE_FILTERS."""
    values = "|".join(f"{name}={getattr(market, name)}" for name in names)
    table = f"groups_{values.encode().hex()}"
    members = market_members(db, market)
    chosen = f"SELECT DISTINCT pg_uid FROM {members} WHERE {members_condition(db, market, names)}"
    db.keep_table(table, chosen, market.parameters)
    return table


def members_condition(db: Snapshot, market: Market, names: Iterable[str]) -> str:
    """Return the condition on market_members that these of PROFILE_FILTERS set."""
    return from_memory(db, market, profile_condition(names))


def from_memory(db: Snapshot, market: Market, condition: str) -> str:
    """Return a condition that reads what it needs from tables in memory, where `db` can show them.

    They are made once, for all codes: the settings of care of each set of places, and the ZIP codes around a place.
    """
    condition = with_codes_paid_less(db, market.code, condition)
    if not isinstance(db, MarketSnapshot):
        return condition
    if CARE_SETTINGS_OF_SETS in condition:
        db.shown.add(_CARE_SETTINGS, db.ask_once(_care_settings_of_sets))
        condition = condition.replace(CARE_SETTINGS_OF_SETS, f"SELECT * FROM {_CARE_SETTINGS}")
    if ZIPS_NEAR in condition:
        db.keep_for_all_markets(_NEAR_ZIPS, ZIPS_NEAR, {"near": market.near})
        condition = condition.replace(ZIPS_NEAR, f"SELECT zip FROM {_NEAR_ZIPS}")
    return condition


def _care_settings_of_sets(db: Snapshot) -> Any:
    return db.arrow_rows(CARE_SETTINGS_OF_SETS, {})


_CARE_SETTINGS, _NEAR_ZIPS = "care_setting_of_set", "near_zip"
"""The tables in memory that from_memory shows."""


def market_members(db: Snapshot, market: Market) -> str:
    """Return SQL of the rows of group_profile for the groups of a code: from memory where `db` has its facts.

    A row is what some providers of a group have in common. Of 300,000 rows of a month, a code has a few hundred.
    """
    if not isinstance(db, MarketSnapshot) or db.code_values is None:
        return f"(SELECT * FROM {GROUP_PROFILE.name} WHERE {in_months('year_month', market.months_sql)})"
    # Of all payers, so that the table in memory is the same whichever is looked at.
    months = market.without("payer").month_names
    db.make_for(
        _MEMBERS,
        tuple(months),
        lambda: db.show_rows_of(_MEMBERS, GROUP_PROFILE.name, "pg_uid", _OF_MEMBER, of=MARKET_FACT, months=months),
    )
    return _MEMBERS


_OF_MEMBER = ("zip", "city", "specialty", "entity_type", *OF_ZIP, "npis")
"""What is known of the providers of a group, and how many they are."""

_MEMBERS = "market_member"
"""The table in memory of what the providers of a code's groups are."""


OF_PROVIDER_GROUP = ("batch_id", "network_names")
"""What questions look up about provider groups: the same for all, so that it is in memory once."""


def groups_sql(facts: str) -> str:
    """Return SQL of the provider groups of `facts`, SQL of facts, each with its number of `rates`."""
    return f"SELECT pg_uid, count(*) AS rates FROM {facts} GROUP BY pg_uid"


def market_facts(db: Snapshot, market: Market, *, areas: bool = False) -> tuple[str, dict[str, Any]]:
    """Return what rates_of_market does, with `payee`, and with `group_area` if `areas` are asked for."""
    rates, parameters = rates_of_market(db, market)
    facts = f"SELECT f.*, {payee_sql(db.manifest)} AS payee FROM {rates} f"
    if not areas:
        return facts, parameters
    sql = with_group_areas(facts, market.months_sql)
    return sql, parameters | used_parameters(sql, market.parameters)


RATE_COUNT = "sum(rate_count)::BIGINT"
"""SQL of how many rates the rows of counted_rates stand for."""
