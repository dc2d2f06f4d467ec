"""The rates that figures leave out unless they are asked in, as likely errors.

A rate in dollars is one of them if it is implausible (below 50% or above 3,000% of Medicare) and beyond the others as
well: over five times, or under a fifth of, the median of its code, class, and modifier in the market, of all payers.
One of the two says too little. A fifth of a payer's prices may be below half of Medicare, and a rate far from the
others may be what a hospital has negotiated. Where Medicare has no amount, nothing is left out.

Which rates they are is decided once for the market's code and class, whatever its other filters. So a rate that is left
out in the state is left out in a city and on the page of its payer. Medicare's amounts are the state's means: a likely
error is off by more than areas differ.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

from core.queries.comparison.asked_place import asked_place
from core.queries.comparison.compared_rates import (
    PLAUSIBLE_SQL,
    SAME_TERMS,
    SAME_TERMS_OF_ANY_SIZE,
    TERMS,
    compared_terms_sql,
    odd_sql,
)
from core.queries.comparison.lookup_scope import find_scope
from core.queries.comparison.lookups import keep_lookups
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS, COUNTED, PROVIDER_FILTERS
from core.queries.market.market_rates import (
    RATE_COUNT,
    class_of_all_sql,
    counted_rates,
    facts_in_memory,
    keep_selected,
    market_cache,
    market_facts,
    rates_of_market,
    uses_own_areas,
)
from core.queries.rules.far_from_others import beyond_sql
from core.queries.rules.percentiles import median
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.sql import quote
from core.store.views import COUNTED_RATE, MARKET_FACT, payee_sql

COLUMNS = f"{TERMS}, negotiated_rate"
"""What says which rates are left out: all rates that are equal in these are, or none."""

_IS_LEFT_OUT = f"f.negotiated_rate = c.negotiated_rate AND {SAME_TERMS_OF_ANY_SIZE}"
_DOLLARS = "rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'"


def counts_everything(market: Market) -> bool:
    """Return whether the likely errors are asked into the market's figures."""
    return market.implausible == COUNTED


def is_odd_sql(market: Market, rate: str, middle: str) -> str:
    """Return SQL of what odd_sql says of a rate: false if the market's figures count everything."""
    return "false" if counts_everything(market) else odd_sql(rate, middle)


def has_left_out(db: Snapshot, market: Market) -> bool:
    """Return whether any rate of the market's code and class is left out of its figures."""
    return bool(_show_left_out_of_figures(db, market))


def counted_in_figures(db: Snapshot, market: Market, *, areas: bool = False) -> tuple[str, dict[str, Any]]:
    """Return what counted_rates does, without the rates that figures leave out."""
    rates, parameters = counted_rates(db, market, areas=areas)
    odd = _show_left_out_of_figures(db, market)
    if not odd:
        return rates, parameters
    return keep_selected(db, COUNTED_RATE, f"SELECT f.* FROM {rates} f {_without(odd)}", parameters)


def rates_with_counts(db: Snapshot, market: Market, *, areas: bool = False) -> tuple[str, dict[str, Any]]:
    """Return what counted_rates does, where a rate that figures leave out has a `rate_count` of 0.

    So what such a rate is compared with is found, and not counted.
    """
    rates, parameters = counted_rates(db, market, areas=areas)
    odd = _show_left_out_of_figures(db, market)
    if not odd:
        return rates, parameters
    selection = f"SELECT f.* REPLACE (if({_among(odd)}, 0, f.rate_count) AS rate_count) FROM {rates} f"
    return keep_selected(db, COUNTED_RATE, selection, parameters)


def rates_in_figures(db: Snapshot, market: Market) -> tuple[str, dict[str, Any]]:
    """Return what rates_of_market does, without the rates that figures leave out."""
    rates, parameters = rates_of_market(db, market)
    odd = _show_left_out_of_figures(db, market)
    if not odd:
        return rates, parameters
    selection = f"SELECT f.* EXCLUDE (payee) FROM {_with_payee(db, rates)} f {_without(odd)}"
    return keep_selected(db, MARKET_FACT, selection, parameters)


def facts_in_figures(db: Snapshot, market: Market, *, areas: bool = False) -> tuple[str, dict[str, Any]]:
    """Return what market_facts does, without the rates that figures leave out."""
    facts, parameters = market_facts(db, market, areas=areas)
    odd = _show_left_out_of_figures(db, market)
    return (f"SELECT f.* FROM ({facts}) f {_without(odd)}" if odd else facts), parameters


def marked_sql(db: Snapshot, market: Market, facts: str, *, has_payee: bool = False) -> str:
    """Return SQL of `facts`, SQL of facts, with the column `left_out`: whether figures leave the rate out by default.

    The facts of market_facts have a payee, and those of rates_of_market do not.
    """
    odd = _show_left_out(db, market)
    if not odd:
        return f"SELECT f.*, false AS left_out FROM {facts} f"
    if has_payee:
        return f"SELECT f.*, {_among(odd)} AS left_out FROM {facts} f"
    return f"SELECT f.* EXCLUDE (payee), {_among(odd)} AS left_out FROM {_with_payee(db, facts)} f"


def marked_as_left_out(db: Snapshot, facts: str, left_out: Any) -> str:
    """Return what marked_sql does, where `left_out` is an Arrow table of a few rates: their terms, and how much."""
    if not left_out.num_rows:
        return f"SELECT f.*, false AS left_out FROM {facts} f"
    among = _among(_written_out(left_out))
    return f"SELECT f.* EXCLUDE (payee), {among} AS left_out FROM {_with_payee(db, facts)} f"


def count_left_out(db: Snapshot, market: Market) -> int:
    """Return how many of the market's rates figures leave out by default. `db` may be a cache of the market."""
    odd = _show_left_out(db, market)
    if not odd:
        return 0
    rates, parameters = counted_rates(db, market)
    sql = f"SELECT coalesce({RATE_COUNT}, 0)::BIGINT FROM {rates} f WHERE {_among(odd)}"
    ((found,),) = db.rows(sql, parameters)
    return int(found)


def count_left_out_by_terms(db: Snapshot, market: Market) -> Counter[tuple[str | None, str | None, str]]:
    """Return how many rates the market's figures leave out: by payer, class, and modifier, and of all payers (None).

    Those of all payers have the class of class_of_all_sql. It is empty if nothing is left out.
    """
    found = Counter[tuple[str | None, str | None, str]]()
    odd = _show_left_out_of_figures(db, market)
    if not odd:
        return found
    rates, parameters = counted_rates(db, market)
    sql = f"""SELECT f.reporting_entity_name, f.billing_class, {class_of_all_sql(market, "f.billing_class")},
                     f.billing_code_modifier, {RATE_COUNT}
              FROM {rates} f WHERE {_among(odd)} GROUP BY ALL"""
    for payer, billing_class, class_of_all, modifier, rate_count in db.rows(sql, parameters):
        found[payer, billing_class, modifier] += rate_count
        found[None, class_of_all, modifier] += rate_count
    return found


def _among(odd: str) -> str:
    return f"EXISTS (SELECT 1 FROM {odd} c WHERE {_IS_LEFT_OUT})"


def _without(odd: str) -> str:
    return f"WHERE NOT {_among(odd)}"


def _with_payee(db: Snapshot, facts: str) -> str:
    return f"(SELECT f.*, {payee_sql(db.manifest)} AS payee FROM {facts} f)"


def _show_left_out_of_figures(db: Snapshot, market: Market) -> str:
    """Return what _show_left_out does; empty text if the market's figures count everything."""
    return "" if counts_everything(market) else _show_left_out(db, market)


def _show_left_out(db: Snapshot, market: Market) -> str:
    """Return SQL of the table of what is left out of the market's code, with COLUMNS; empty text if it has no rows."""
    if not market.code:
        return ""
    judged = _judged_market(market)
    key = ("left out", judged.state, judged.months, *(getattr(judged, name) for name in _CHOOSES))
    found = db.markets.make(key, lambda: _find_left_out(db, judged))
    if not found.num_rows:
        return ""
    if not isinstance(db, MarketSnapshot):
        return _written_out(found)
    return db.show_numbered("left_out", key, found)


_CHOOSES = ("code_type", "code", *CLASS_FILTERS)


def _judged_market(market: Market) -> Market:
    """Return the market whose rates are judged together: the code's, of the same class, of all payers."""
    return replace(market.of_code, **{name: getattr(market, name) for name in CLASS_FILTERS})


def _find_left_out(db: Snapshot, judged: Market) -> Any:
    if not isinstance(db, MarketSnapshot):
        with market_cache(db, judged) as cached, facts_in_memory(cached, judged) as memory:
            return _find_in_memory(memory, judged)
    return _find_in_memory(db, judged)


def _find_in_memory(memory: MarketSnapshot, judged: Market) -> Any:
    found = _find_beyond(memory, judged)
    if not found.num_rows:
        return found.drop_columns(["rate_count"])
    memory.shown.add(_BEYOND, found)
    scope = keep_lookups(memory, judged, find_scope(memory, judged), areas=uses_own_areas(memory, judged))
    compared = compared_terms_sql(_BEYOND, RATE_COUNT, place=asked_place(judged), scope=scope)
    return memory.arrow_rows(implausible_sql(_BEYOND, compared), judged.parameters)


def implausible_sql(rates: str, compared: str) -> str:
    """Return SQL of the implausible ones among the `rates`, a table of COLUMNS, which `compared` compares by terms."""
    columns = ", ".join(f"f.{name}" for name in COLUMNS.split(", "))
    return f"""{compared}
        SELECT * EXCLUDE (percent) FROM (
            SELECT {columns}, f.negotiated_rate / c.medicare AS percent
            FROM {rates} f JOIN compared c ON {SAME_TERMS})
        WHERE NOT ({PLAUSIBLE_SQL})"""


_BEYOND = "rate_beyond_others"
"""The table in memory of the rates beyond the others. Most codes have none, and need not be compared."""


def _find_beyond(memory: MarketSnapshot, judged: Market) -> Any:
    """Return the rates that are beyond the others of the code, each once, with its `rate_count`."""
    if memory.market_values is None or any(memory.market_values.get(name) for name in PROVIDER_FILTERS):
        # What is counted is of some provider groups only.
        facts, parameters = market_facts(memory, judged)
        rates, count = f"({facts})", "count(*)"
    else:
        (rates, parameters), count = counted_rates(memory, judged), RATE_COUNT
    of_class = "class_of_all IS NOT DISTINCT FROM o.class_of_all AND billing_code_modifier = o.modifier"
    sql = f"""
        WITH each AS MATERIALIZED (
            SELECT {COLUMNS}, {class_of_all_sql(judged, "f.billing_class")} AS class_of_all,
                   {count} AS rate_count
            FROM {rates} f WHERE {_DOLLARS} GROUP BY ALL),
        of_class AS (
            SELECT class_of_all, billing_code_modifier AS modifier, {median("negotiated_rate")} AS middle
            FROM (SELECT class_of_all, billing_code_modifier, negotiated_rate, unnest(range(rate_count)) FROM each)
            GROUP BY class_of_all, billing_code_modifier)
        SELECT {COLUMNS}, rate_count FROM each e JOIN of_class o ON e.{of_class}
        WHERE {beyond_sql("negotiated_rate", "o.middle")}"""
    return memory.arrow_rows(sql, parameters)


def _written_out(rows: Any) -> str:
    """Return SQL of a few rows, for a snapshot that has no tables of its own."""
    values = ", ".join(f"({', '.join(map(_literal, row.values()))})" for row in rows.to_pylist())
    return f"(SELECT * FROM (VALUES {values}) v({COLUMNS}))"


def _literal(value: str | float | None) -> str:
    if value is None:
        return "NULL::VARCHAR"
    return quote(value) if isinstance(value, str) else f"{value!r}::DOUBLE"
