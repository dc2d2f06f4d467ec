"""The choices of each filter of a market, with how many rates each choice would leave."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from core.fields.places.care_setting import FACILITY_OR_UNSTATED, SIDES, place_rank
from core.fields.places.place_of_service import EVERY_PLACE
from core.queries.comparison.overruled_labels import list_overruled_labels
from core.queries.market.market import Market
from core.queries.market.market_filters import (
    CARE_SETTING_IN_FACILITIES,
    CARE_SETTING_MEASURED,
    FILTERS,
    NO_MODIFIER,
    filter_condition,
    with_often_asked,
)
from core.queries.market.market_rates import (
    OF_PROVIDER_GROUP,
    counted_rates,
    facts_in_memory,
    from_memory,
    groups_sql,
    rates_of_market,
)
from core.queries.rules.columns import described
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.schema.tables import DIM_PROVIDER_GROUP

_COLUMNS = {name: one.counted for name, one in FILTERS.items() if one.column}
"""The fact's column behind each filter by a term of the rate."""

_VALUES = {
    "payer": "payer_slug(value), [value]",
    "pos": "value, (SELECT service_codes FROM dim_pos_set p WHERE p.pos_set_id = value)",
    "care_setting": """value, (
        SELECT care_settings(split_part(value, '|', 1), service_codes, of_places)
            || care_sides(split_part(value, '|', 1), service_codes)
        FROM (SELECT *, place_settings(service_codes) AS of_places FROM dim_pos_set) p
        WHERE p.pos_set_id = split_part(value, '|', 2))""",
    "modifier": "'', list_distinct(string_split(value, ','))",
}
"""The value to offer and its parts, where it is not the column itself: a set of places is offered place by place."""


@dataclass(frozen=True)
class Choice:
    """One value of a filter, and the number of rates that the market would have with it."""

    filter: Annotated[str, described("The parameter to set.", "billing_class")]
    value: Annotated[str, described("The value to give it.", "professional")]
    label: Annotated[str, described("How the value is displayed.", "professional")]
    rates: Annotated[int, described("Number of rates with this value of the filter.", 12)]
    chosen: Annotated[bool, described("Whether the request already has this value.", False)]


@dataclass(frozen=True)
class _ValueCount:
    """A value of a filter's column, its parts, and how many rates have it."""

    filter: str
    value: str
    parts: list[str] | None
    rates: int


def count_choices(db: Snapshot, market: Market, names: Iterable[str] = tuple(_COLUMNS)) -> dict[str, list[Choice]]:
    """Return the choices of each filter, most rates first, in the market with all its other filters."""
    names = list(names)
    set_filters = [name for name in _COLUMNS if getattr(market, name) is not None]
    rates, parameters = counted_rates(db, market.unfiltered)
    # All filters are counted in one pass: rates are grouped by the columns that matter and by which of the market's
    # filters they meet. The choices of one filter are then the groups that meet all the others.
    counted = dict(_COLUMNS)
    if "care_setting" in names and list_overruled_labels(db, market.unfiltered):
        counted["care_setting"] = CARE_SETTING_MEASURED
    if "care_setting" in names and market.care_setting == FACILITY_OR_UNSTATED:
        counted["care_setting"] = from_memory(db, market, CARE_SETTING_IN_FACILITIES)
    columns = ", ".join(f"{column} AS {name}" for name, column in counted.items() if name in names)
    conditions = {
        name: from_memory(db, market, filter_condition(name, "", counted=True, measured=market.measured_filters))
        for name in set_filters
    }
    fits = "".join(f", {condition} AS fits_{name}" for name, condition in conditions.items())
    counts = " UNION ALL ".join(_count_values_sql(name, set_filters) for name in names)
    cube = f"SELECT {columns}{fits}, sum(rate_count) AS n FROM {rates} f GROUP BY ALL"
    parameters |= {name: getattr(market, name) for name in set_filters}
    if isinstance(db, MarketSnapshot):
        # Alone, so that the counts have no parameters.
        table = db.keep_selection("_".join(("cube", *names, *set_filters)), *with_often_asked(cube, parameters))
        cube, parameters = f"SELECT * FROM {table}", {}
    rows = read_rows(
        db,
        _ValueCount,
        f"""WITH cube AS MATERIALIZED ({cube}), counts(filter, value, parts, rates) AS ({counts})
            SELECT * FROM counts""",
        parameters,
    )
    found: dict[str, list[Choice]] = {}
    for name in names:
        of_filter = [(row.value, row.parts or [], row.rates) for row in rows if row.filter == name]
        found[name] = _choices(market, name, _SPLIT.get(name, _keep)(of_filter, getattr(market, name)))
    return found


def count_months(db: Snapshot, market: Market) -> list[Choice]:
    """Return how many rates the market would have in each month of its state, newest first.

    `db` is the generation itself: a market cache has one month.
    """
    anywhen = market.in_any_month
    rows = db.rows(
        f"SELECT year_month, count(*) FROM fact_rate f WHERE {anywhen.where} GROUP BY 1 ORDER BY 1 DESC",
        anywhen.parameters,
    )
    return [Choice("year_month", month, month, n, month == market.year_month) for month, n in rows]


def _count_values_sql(name: str, set_filters: list[str]) -> str:
    others = " AND ".join(f"fits_{other}" for other in set_filters if other != name) or "true"
    return f"""SELECT '{name}', {_VALUES.get(name, "value, [value]")}, n
               FROM (SELECT {name} AS value, sum(n)::BIGINT AS n FROM cube WHERE {others} GROUP BY 1)"""


_Rows = list[tuple[str, list[str], int]]
"""A value, its parts, and how many rates have it."""


def _keep(rows: _Rows, _chosen: str | None) -> Iterable[tuple[str, str, int]]:
    return ((value, value, n) for value, _, n in rows)


def _payers(rows: _Rows, _chosen: str | None) -> Iterable[tuple[str, str, int]]:
    names = {slug: name for slug, (name,), _ in sorted(rows)}
    return ((slug, name, sum(n for other, _, n in rows if other == slug)) for slug, name in names.items())


def _places(rows: _Rows, chosen: str | None) -> Iterable[tuple[str, str, int]]:
    # A set that contains CSTM-00 matches every place.
    everywhere = sum(n for _, places, n in rows if EVERY_PLACE in places)
    counts: dict[str, int] = dict.fromkeys((EVERY_PLACE, chosen or EVERY_PLACE), everywhere) if everywhere else {}
    for _, places, n in rows:
        for place in places:
            if place != EVERY_PLACE:
                counts[place] = counts.get(place, everywhere) + (0 if EVERY_PLACE in places else n)
    return ((place, place, n) for place, n in counts.items())


def _modifiers(rows: _Rows, _chosen: str | None) -> Iterable[tuple[str, str, int]]:
    counts: dict[str, int] = {}
    for _, modifiers, n in rows:
        for modifier in modifiers:
            counts[modifier or NO_MODIFIER] = counts.get(modifier or NO_MODIFIER, 0) + n
    return ((modifier, modifier, n) for modifier, n in counts.items())


def _care_settings(rows: _Rows, chosen: str | None) -> Iterable[tuple[str, str, int]]:
    counts: dict[str, int] = {}
    for _, settings, n in rows:
        for setting in settings:
            # A side is offered by the tabs of the classes.
            if setting == chosen or setting not in SIDES:
                counts[setting] = counts.get(setting, 0) + n
    return ((setting, setting, n) for setting, n in counts.items())


_SPLIT = {"care_setting": _care_settings, "payer": _payers, "pos": _places, "modifier": _modifiers}


def count_networks(db: Snapshot, market: Market) -> list[Choice]:
    """Return the choices of the filter by network. A rate whose group is in several networks counts in each."""
    others = market.without("network")
    with facts_in_memory(db, market) as memory:
        facts, parameters = rates_of_market(memory, others)
        memory.keep_table("market_group", groups_sql(facts), parameters)
        memory.show_rows_of(
            "group_network",
            DIM_PROVIDER_GROUP.name,
            "pg_uid",
            OF_PROVIDER_GROUP,
            of="market_group",
            months=others.month_names,
        )
        found = memory.rows(
            """SELECT name, sum(rates)::BIGINT
               FROM (SELECT unnest(network_names) AS name, rates FROM market_group JOIN group_network USING (pg_uid))
               GROUP BY name"""
        )
    rows = [(name, name, n) for name, n in found]
    return _choices(market, "network", rows)


def _choices(market: Market, name: str, rows: Iterable[tuple[str, str, int]]) -> list[Choice]:
    chosen = getattr(market, name)
    found = [Choice(name, value, label, n, value == chosen) for value, label, n in rows]
    if chosen is not None and not any(choice.chosen for choice in found):
        found.append(Choice(name, chosen, chosen, 0, True))
    # Payers list dozens of places with the same rates: the common ones come first.
    rank = place_rank if name == "pos" else lambda value: value
    return sorted(found, key=lambda choice: (-choice.rates, rank(choice.value)))
