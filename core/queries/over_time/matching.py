"""The rules that match what organizations are paid in one month with what they are paid in another.

No other module has a copy of these rules. Provider groups are renumbered, split, and merged with each file, and they
gain and lose members. So a rate is matched by whom it pays, not by its group: by payer, tax ID, code, and terms, the
columns of PAID_KEY. A group without a known tax ID is known by its members' NPIs, each as if it were a tax ID of its
own. How often a payer repeats an amount depends on how it cuts its groups, so each distinct amount counts once. Likely
errors are no amounts, unless there are no others: what counts is what the organization's price is made of.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from core.queries.comparison.left_out import marked_sql
from core.queries.coverage import list_coverage
from core.queries.market.market import Market
from core.queries.market.market_filters import FILTERS
from core.queries.market.market_rates import facts_in_memory, rates_of_market
from core.queries.over_time.left_out_of_codes import marked_of_codes_sql
from core.queries.rules.organization_price import lower_median
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot, code_snapshot
from core.store.schema.tables import XREF_GROUP_NPI, XREF_GROUP_TIN
from core.store.sql import used_parameters
from core.store.views import MARKET_FACT

PAYEE = ("payer_slug", "code_system", "code", "tin_type", "tin_value")
"""Who is paid by whom for what. CPT and HCPCS are one system: payers label the same code either way."""

TERMS = ("billing_class", "modifier", "setting", "place", "severity_of_illness", "kind")
"""The terms of a rate. Amounts of different terms are never put together."""

PAID_KEY = (*PAYEE, *TERMS)
"""What a rate has in common with the same rate of another month."""

OUTCOMES = {
    "up": "The same tax ID, code, and terms, and as many amounts: one or more are higher, and none is lower.",
    "down": "The same tax ID, code, and terms, and as many amounts: one or more are lower, and none is higher.",
    "unclear": "The same tax ID, code, and terms, but another number of amounts, or some higher and some lower, or "
    "nothing but likely errors in a month: it is neither a raise nor a cut.",
    "added": "The payer has no rate of this tax ID for this code in the earlier month.",
    "gone": "The payer has no rate of this tax ID for this code in the later month.",
    "terms": "The tax ID has rates for this code in both months, but with these terms and filters only in one.",
    "same": "The same tax ID, code, and terms, and all amounts are the same.",
    "unmatched": "The file does not say who the provider is, so the rates cannot be matched.",
}
"""What can become of what a tax ID is paid for a code."""

MATCHED = "matched"
"""The table in memory of what tax IDs are paid in two months. See `match`."""

_OF_TAX_ID = ("tin", "organization", "system")
"""The filters that choose tax IDs rather than groups. Of a group, the other tax IDs do not count then."""

PLACE = """CASE
    WHEN billing_class <> 'institutional' OR billing_class IS NULL THEN place_setting(coalesce(service_codes, []))
    ELSE CASE institutional_schedule(coalesce(service_codes, []), setting, code_type)
        WHEN 'opps' THEN if(len(coalesce(service_codes, [])) = 0 AND setting IS NULL, 'unstated', 'outpatient')
        WHEN 'asc' THEN 'surgical center' WHEN 'inpatient' THEN 'inpatient'
        ELSE 'other place' END END"""
"""SQL of where a service is rendered, in a word. A list of places that gains one mostly stays the same kind of place.
A rate without places is compared with an outpatient amount of Medicare's, but its place is not stated."""

_FEW = 2
"""The lowest and the highest of so many amounts are all of them."""


@contextmanager
def match(db: Snapshot, market: Market, before: str) -> Iterator[MarketSnapshot]:
    """Yield a snapshot with MATCHED: what each tax ID is paid in the month `before` and in the market's month.

    It has a row for each PAID_KEY with the `code_type`, `what` (one of OUTCOMES), and for both months the amount in the
    middle, of two the lower one (old, new), the lowest and the highest amount, the number of distinct amounts, and the
    number of rates. Likely errors are in none of these, unless there is nothing else: `left_out` is how many other
    rates are some. Of an organization, which has few, it has the distinct amounts themselves as well (old_prices,
    new_prices). Only payers with rates in both months are compared: see list_compared_payers. `tin_value` is null where
    nobody knows who is paid.
    """
    compared = "|".join(sorted(list_compared_payers(db, market, before)))
    key = (MATCHED, before, compared, *sorted(market.parameters.items()))
    broad = Market(
        market.state,
        market.year_month,
        market.code_type,
        market.code,
        payer=market.payer,
        **{name: getattr(market, name) for name in _OF_TAX_ID},
    )

    is_broad = broad.parameters == market.parameters

    def ask() -> Any:
        for month, name in ((before, "before"), (market.year_month, "after")):
            paid = paid_by_tax_id(db, replace(market, year_month=month))
            # Without filters both are the same. A whole payer's may be too large to be kept until it is asked again.
            known = paid if is_broad else paid_by_tax_id(db, replace(broad, year_month=month))
            memory.shown.add(f"paid_{name}", paid)
            memory.shown.add(f"known_{name}", known)
        # The lists of a whole payer's amounts are needed to match them, and not afterwards.
        kept = "*" if names_organization(market) else "* REPLACE (NULL AS old_prices, NULL AS new_prices)"
        return memory.arrow_rows(f"SELECT {kept} FROM ({_MATCH})", {"compared": compared.split("|")})

    with code_snapshot(db, None) as memory:
        memory.shown.add(MATCHED, db.markets.make(key, ask))
        yield memory


def list_compared_payers(db: Snapshot, market: Market, before: str) -> set[str]:
    """Return the payers with rates in both months.

    A payer without a file of one month has not lost or gained its organizations: nothing is known of them.
    """
    loaded = [row for row in list_coverage(db) if row.state == market.state and row.rates]
    olds = {row.payer_slug for row in loaded if row.year_month == before}
    return {row.payer_slug for row in loaded if row.year_month == market.year_month and row.payer_slug in olds}


def names_organization(market: Market) -> bool:
    """Return whether a market is that of a tax ID, an organization, or a health system."""
    return any(getattr(market, name) for name in _OF_TAX_ID)


def count_payees(db: Snapshot) -> Mapping[tuple[str, str], float]:
    """Return how many tax IDs a provider group has on average, at least 1, by payer and month."""
    return db.ask_once(_count_payees)


def _count_payees(db: Snapshot) -> Mapping[tuple[str, str], float]:
    rows = db.rows(
        f"""SELECT payer_slug, year_month, greatest(1, count(*) / count(DISTINCT pg_uid))
            FROM {XREF_GROUP_TIN.name} GROUP BY payer_slug, year_month"""
    )
    return {(str(slug), str(month)): float(mean) for slug, month, mean in rows}


def paid_by_tax_id(db: Snapshot, market: Market) -> Any:
    """Return what each tax ID is paid in a market of one month, an Arrow table with a row for each PAID_KEY.

    Each distinct amount counts once in the median, however many groups repeat it, and likely errors do not, unless
    there is nothing else. The answer is kept for other questions: a month that is compared with several is read once.
    """
    return db.markets.make(("paid", *sorted(market.parameters.items())), lambda: _ask_paid(db, market))


def _ask_paid(db: Snapshot, market: Market) -> Any:
    with facts_in_memory(db, market) as memory:
        facts, parameters = rates_of_market(memory, market)
        payees = _payees(memory, market)
        marked = marked_sql(memory, market, facts) if market.code else marked_of_codes_sql(db, market, facts)
        sql = _paid(f"({marked})", payees, with_prices=names_organization(market))
        # Only what reads files gains from several threads.
        asking = db if memory.code_values is None else memory
        return asking.arrow_rows(sql, parameters | used_parameters(sql, market.parameters))


def _payees(memory: MarketSnapshot, market: Market) -> str:
    """Return SQL of who is paid through each group: its tax IDs, or its NPIs if it has none."""
    chosen = " AND ".join(FILTERS[name].condition for name in _OF_TAX_ID if getattr(market, name)) or "true"
    if memory.code_values is None:
        tins = f"(SELECT * FROM {XREF_GROUP_TIN.name} WHERE year_month = $year_month)"
        npis = f"(SELECT * FROM {XREF_GROUP_NPI.name} WHERE year_month = $year_month)"
    else:
        tins, npis, alone = "market_tin", "market_npi", "group_without_tin"
        month, of_group = [market.year_month], "pg_uid"
        memory.show_rows_of(
            tins, XREF_GROUP_TIN.name, of_group, ["tin_type", "tin_value"], of=MARKET_FACT, months=month
        )
        memory.show_table(alone, f"SELECT DISTINCT pg_uid FROM {MARKET_FACT} ANTI JOIN {tins} USING (pg_uid)", {})
        memory.show_rows_of(npis, XREF_GROUP_NPI.name, of_group, ["npi"], of=alone, months=month)
    return f"""(
        SELECT pg_uid, tin_type, tin_value FROM {tins} WHERE {chosen}
        UNION ALL
        SELECT pg_uid, 'npi', npi FROM {npis} WHERE {"true" if chosen == "true" else "false"}
            AND pg_uid NOT IN (SELECT pg_uid FROM {tins}))"""


def _paid(facts: str, payees: str, *, with_prices: bool) -> str:
    key = ", ".join(PAID_KEY)
    # Where there are few amounts, the lowest and the highest say what became of them.
    prices = "list(amount ORDER BY amount)"
    prices = prices if with_prices else f"if(count(*) > {_FEW}, {prices}, NULL)"
    figures = f"""{key}, min(code_type) AS code_type, {lower_median("amount")} AS middle, min(amount) AS lowest,
            max(amount) AS highest, count(*) AS amounts, sum(rates)::BIGINT AS rates, {prices} AS prices"""
    same = " AND ".join(f"m.{name} IS NOT DISTINCT FROM e.{name}" for name in PAID_KEY)
    # Groups without any member are kept, and counted as unmatched. Of a group with the tax ID that is asked for, only
    # that one counts.
    return f"""
        WITH f AS (
            SELECT f.pg_uid, payer_slug, f.code_type, f.code, f.billing_class, f.billing_code_modifier AS modifier,
                   f.setting, f.severity_of_illness, f.pos_set_id, f.negotiated_rate AS amount, left_out,
                   count(*) AS rates, rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind
            FROM {facts} f JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name GROUP BY ALL),
        placed AS (
            SELECT DISTINCT billing_class, setting, code_type, pos_set_id, {PLACE} AS place
            FROM (SELECT DISTINCT billing_class, setting, code_type, pos_set_id FROM f)
            LEFT JOIN dim_pos_set USING (pos_set_id)),
        amounts AS MATERIALIZED (
            SELECT payer_slug, if(f.code_type IN ('CPT', 'HCPCS'), 'CPT', f.code_type) AS code_system, f.code,
                   p.tin_type, p.tin_value, f.billing_class, modifier, f.setting, place, severity_of_illness, kind,
                   amount, bool_and(left_out) AS is_odd, min(f.code_type) AS code_type, sum(rates)::BIGINT AS rates
            FROM f
            JOIN placed s ON s.billing_class IS NOT DISTINCT FROM f.billing_class
                AND s.setting IS NOT DISTINCT FROM f.setting AND s.code_type = f.code_type
                AND s.pos_set_id IS NOT DISTINCT FROM f.pos_set_id
            LEFT JOIN {payees} p ON p.pg_uid = f.pg_uid
            GROUP BY ALL),
        -- Nearly all have no errors. Two aggregates of each kind would cost more than these joins with a few rows.
        errors AS MATERIALIZED (SELECT {figures} FROM amounts WHERE is_odd GROUP BY {key}),
        meant AS MATERIALIZED (
            SELECT m.*, coalesce(e.rates, 0) AS left_out
            FROM (SELECT {figures} FROM amounts WHERE NOT is_odd GROUP BY {key}) m LEFT JOIN errors e ON {same})
        SELECT *, false AS is_odd FROM meant
        UNION ALL BY NAME
        SELECT e.*, 0 AS left_out, true AS is_odd FROM errors e
        WHERE NOT EXISTS (SELECT 1 FROM meant m WHERE left_out > 0 AND {same})"""


_KEY = ", ".join(PAID_KEY)
_PAYEE = ", ".join(PAYEE)
_EACH = ("lowest", "highest", "amounts", "rates", "left_out")
"""What there is for both months besides the median."""


def _none_moved(direction: str) -> str:
    """Return SQL of whether no amount is on one side (< or >) of the one that it is paired with, the lowest with the
    lowest and so on."""
    ends = " AND ".join(f"NOT new_{end} {direction} old_{end}" for end in ("lowest", "highest"))
    others = f"list_bool_and(list_transform(old_prices, lambda one, nth: NOT new_prices[nth] {direction} one))"
    return f"({ends} AND coalesce({others}, true))"


_MATCH = f"""
    WITH paid AS (
        SELECT *, false AS later FROM paid_before UNION ALL BY NAME SELECT *, true AS later FROM paid_after),
    sides AS (
        SELECT {_KEY}, min(code_type) AS code_type,
               max(middle) FILTER (NOT later) AS old, max(middle) FILTER (later) AS new,
               {", ".join(f"max({name}) FILTER (NOT later) AS old_{name}" for name in _EACH)},
               {", ".join(f"max({name}) FILTER (later) AS new_{name}" for name in _EACH)},
               max(prices) FILTER (NOT later) AS old_prices, max(prices) FILTER (later) AS new_prices,
               bool_or(is_odd) AS has_odd
        FROM paid WHERE list_contains($compared, payer_slug) GROUP BY {_KEY})
    SELECT s.* EXCLUDE (has_odd), CASE
               WHEN tin_value IS NULL THEN 'unmatched'
               WHEN old IS NULL THEN if(b.known, 'terms', 'added')
               WHEN new IS NULL THEN if(a.known, 'terms', 'gone')
               -- Nobody knows which amount became which. A median of others moves although no amount did.
               WHEN new_amounts <> old_amounts THEN 'unclear'
               WHEN {_none_moved("<")} AND {_none_moved(">")} THEN 'same'
               -- What an error became, or what became an error, says nothing of anybody's pay.
               WHEN has_odd THEN 'unclear'
               WHEN {_none_moved("<")} THEN 'up'
               WHEN {_none_moved(">")} THEN 'down'
               ELSE 'unclear' END AS what
    FROM sides s
    LEFT JOIN (SELECT DISTINCT {_PAYEE}, true AS known FROM known_before) b USING ({_PAYEE})
    LEFT JOIN (SELECT DISTINCT {_PAYEE}, true AS known FROM known_after) a USING ({_PAYEE})"""
