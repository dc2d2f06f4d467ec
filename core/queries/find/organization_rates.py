"""How many rates and codes each organization has, counted once per generation, so that a search can say so at once."""

from typing import Any

from core.fields.codes.code_family import HCPCS_SYSTEMS, LABORATORY_TESTS
from core.queries import coverage
from core.queries.find.known_providers import MEMBER_GROUPS_SQL
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.rules.code_families import family_sql
from core.store.connection import QueryTimeout, QueryTooLarge, Snapshot
from core.store.generations.manifest import BY_GROUP

MAX_COUNTED_RATES = 10_000_000
"""Of how many rates of the newest months those of each organization are counted: some seconds, once per generation.

Of more, the search lists organizations without numbers.
"""

_PROCEDURE = f"""code_type IN {HCPCS_SYSTEMS} AND regexp_full_match(code, '[0-9]{{5}}')
    AND {family_sql()} <> '{LABORATORY_TESTS}'"""


def organization_rates(db: Snapshot) -> list[Any]:
    """Return an Arrow table for each state with the rates of organizations by `key`, of each payer's newest month.

    There is at least one. `rates` counts each rate once, and `codes` its different codes. `procedures` are the codes of
    procedures and visits among them that have a rate in dollars: a list of laboratory tests, or of percents of the
    charge, is not what a clinic is looked up for.
    """
    return db.ask_once(_count)


def _count(db: Snapshot) -> list[Any]:
    states = list(dict.fromkeys(period.state for period in coverage.list_periods(db)))
    markets = [with_latest(db, Market(state, "")) for state in states]
    counted = sum(coverage.count_market_rates(db, market) for market in markets) <= MAX_COUNTED_RATES
    try:
        return _count_markets(db, markets if counted else [])
    except (QueryTimeout, QueryTooLarge):
        # The numbers are a help. Nobody waits for them twice.
        return _count_markets(db, [])


def _count_markets(db: Snapshot, markets: list[Market]) -> list[Any]:
    tables = [db.arrow_rows(_count_sql(one.where), one.parameters) for one in markets]
    return tables or [db.arrow_rows(_count_sql("false"), {})]


def _count_sql(where: str) -> str:
    return f"""
    WITH member AS ({MEMBER_GROUPS_SQL}),
    fact AS (
        SELECT f.state, f.year_month, f.pg_uid, f.code_type, f.code, count(*) AS rates,
               bool_or(rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars') AS priced
        FROM {BY_GROUP} f WHERE {where} GROUP BY ALL),
    -- Thousands of groups have the same codes: those of one contract. Each list of codes is joined once.
    group_codes AS (
        SELECT state, year_month, pg_uid, sum(rates)::BIGINT AS rates,
               hash(list_sort(list(hash(code_type, code, priced)))) AS code_list
        FROM fact GROUP BY ALL),
    listed AS (
        SELECT code_list, code_type, code, priced FROM fact
        JOIN (SELECT code_list, min(pg_uid) AS pg_uid, arg_min(year_month, pg_uid) AS year_month
              FROM group_codes GROUP BY code_list) USING (year_month, pg_uid)),
    procedure AS (SELECT DISTINCT code_type, code FROM listed WHERE {_PROCEDURE}),
    of_list AS (
        SELECT code_list, code_type, code, priced AND procedure.code IS NOT NULL AS is_priced_procedure
        FROM listed LEFT JOIN procedure USING (code_type, code)),
    of_member AS (SELECT key, state, rates, code_list FROM member JOIN group_codes USING (year_month, pg_uid)),
    counted AS (
        SELECT key, state, count(DISTINCT (code_type, code)) AS codes,
               count(DISTINCT (code_type, code)) FILTER (is_priced_procedure) AS procedures
        FROM (SELECT DISTINCT key, state, code_list FROM of_member) JOIN of_list USING (code_list) GROUP BY ALL)
    SELECT key, state, rates, codes, procedures
    FROM (SELECT key, state, sum(rates)::BIGINT AS rates FROM of_member GROUP BY ALL) JOIN counted USING (key, state)"""
