"""The prices that a rule is looked for in, and what each candidate schedule pays for them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from core.queries.comparison.area_amounts import NATION, locality_values
from core.queries.comparison.asked_place import asked_place
from core.queries.comparison.compared_rates import SAME_TERMS, SAME_TERMS_AND_AREA, TERMS, compared_terms_sql
from core.queries.comparison.lookup_scope import bind_codes, find_scope, list_codes
from core.queries.comparison.lookups import keep_lookups
from core.queries.contract_rule.code_families import family_of
from core.queries.contract_rule.fit_rule import Floats
from core.queries.market.market import Market
from core.queries.market.market_rates import RATE_COUNT, counted_rates, percent_cache, uses_own_areas
from core.queries.rules.columns import CodeType, Modifier, NegotiatedRate, ReleaseMonth, described
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.sql import quote

PHYSICIAN_SCHEDULE = "medicare_prof"

COMPARED_RATES = "rule_compared_rate"
"""A table in memory of a market's rates that have a percent of Medicare, with the amount that they are compared with
on every page: that in their provider's area, of the release in force. `rates` says how many a row stands for."""

_COMPARED_TERMS = "rule_compared_terms"
"""A table in memory that COMPARED_RATES is joined from: what rates of the same terms in an area are compared with."""

_PLACE = ("release", "contractor", "locality", "state")
_MAX_LISTED_CODES = 2_000


@dataclass(frozen=True)
class CommonPrice:
    """A rate in dollars of a code with its modifier, in or out of a facility.

    Of a payer it is the most common one, and of those that are equally common the lowest. Of one provider or contract,
    each different rate is a price. `rates` have this amount, of `all_rates` for the same service. `medicare` is what
    these are compared with on every page: the amount in their provider's area, of the release in force. Providers in
    several areas have several such amounts; it is that of the rate whose percent is in the middle, of two the lower.
    """

    code_type: CodeType
    code: str
    modifier: Modifier
    facility: bool
    negotiated_rate: NegotiatedRate
    rates: int
    all_rates: int
    medicare: float
    area: str | None
    release: str

    @property
    def family(self) -> str:
        """The family of services that the code belongs to."""
        return family_of(self.code)


@dataclass(frozen=True)
class _ContractPrice(CommonPrice):
    """A price of all contracts, if the number of its contract is -1, or of one."""

    contract: int


@dataclass(frozen=True)
class CandidateSchedule:
    """One release of the physician fee schedule in one payment locality."""

    release: ReleaseMonth
    state: Annotated[str, described("State of the locality.", "TX")]
    contractor: Annotated[str, described("Medicare contractor, five digits.", "04412")]
    locality: Annotated[str, described("Number of the locality, two digits.", "18")]
    locality_name: Annotated[str, described("Name of the locality as CMS has it.", "HOUSTON")]
    conversion_factor: Annotated[float | None, described("Dollars per relative value unit.", 32.3465)]


@contextmanager
def rule_cache(db: Snapshot, market: Market) -> Iterator[MarketSnapshot]:
    """Yield a snapshot that shows COMPARED_RATES of the market, which the questions on that snapshot share."""
    market = replace(market, yardstick=None)
    if isinstance(db, MarketSnapshot):
        db.make_for(COMPARED_RATES, market, lambda: _keep_compared_rates(db, market))
        yield db
        return
    with percent_cache(db, market) as cached, rule_cache(cached, market) as shown:
        yield shown


def _keep_compared_rates(db: MarketSnapshot, market: Market) -> None:
    areas = uses_own_areas(db, market)
    rates, parameters = counted_rates(db, market, areas=areas)
    codes = list_codes(db, rates, parameters)
    compared = compared_terms_sql(
        rates,
        RATE_COUNT,
        place=asked_place(market),
        basis=market.basis,
        scope=keep_lookups(db, market, find_scope(db, market, codes), codes),
        areas=areas,
        localities=locality_values(db) if areas else None,
    )
    db.keep_table(
        _COMPARED_TERMS,
        f"""{compared}
            SELECT {TERMS}, size, group_area, schedule, basis, medicare, area, release
            FROM compared WHERE medicare > 0""",
        {**market.parameters, **parameters, "codes": bind_codes(codes)},
        made_from=market.parameters,
    )
    # A payer's contracts are told apart by their groups. The cache of a provider no longer says whose rates are.
    db.keep_table(
        COMPARED_RATES,
        f"""SELECT {"" if market.of_provider else "f.pg_uid,"} f.code_type, f.code, f.billing_code_modifier,
                   f.negotiated_rate, c.schedule, c.basis, c.medicare, c.area, c.release,
                   sum(f.rate_count)::BIGINT AS rates
            FROM {rates} f JOIN {_COMPARED_TERMS} c ON {SAME_TERMS_AND_AREA if areas else SAME_TERMS} GROUP BY ALL""",
        parameters,
        made_from=market.parameters,
    )


def list_common_prices(db: Snapshot, market: Market) -> list[CommonPrice]:
    """Return the prices of a market that are compared with the physician fee schedule, by code."""
    return list_contract_prices(db, market, ())[0]


def list_contract_prices(
    db: Snapshot, market: Market, contracts: Sequence[Sequence[str]]
) -> tuple[list[CommonPrice], list[list[CommonPrice]]]:
    """Return the prices of a market as list_common_prices does, and those of each contract, by its provider groups.

    A contract pays one service several prices: they are all listed, as they are for a market of one provider. A
    provider group may be in several contracts. All are read at once: what a rate is compared with takes longest.
    """
    with rule_cache(db, market) as cached:
        return _list_contract_prices(cached, market, contracts)


def _list_contract_prices(
    db: Snapshot, market: Market, contracts: Sequence[Sequence[str]]
) -> tuple[list[CommonPrice], list[list[CommonPrice]]]:
    service, compared_with = "code_type, code, modifier, facility", "medicare, area, release"
    whose, of_contracts, groups = "", "", {}
    every_price = "true" if market.of_provider else "contract >= 0"
    if contracts:
        whose = "pg_uid,"
        of_contracts = f"""UNION ALL
            SELECT number, {service}, negotiated_rate, {compared_with}, sum(rates)::BIGINT FROM compared_rate
            JOIN (SELECT unnest($groups) AS pg_uid, unnest($numbers) AS number) USING (pg_uid) GROUP BY ALL"""
        listed = [(group, number) for number, some in enumerate(contracts) for group in some]
        groups = {"groups": [group for group, _ in listed], "numbers": [number for _, number in listed]}
    found = read_rows(
        db,
        _ContractPrice,
        f"""WITH compared_rate AS MATERIALIZED (
                SELECT {whose} if(code_type = 'HCPCS', 'CPT', code_type) AS code_type, code,
                       regexp_extract(basis, 'modifier (.*)$', 1) AS modifier,
                       contains(basis, ' facility') AS facility, negotiated_rate, {compared_with},
                       sum(rates)::BIGINT AS rates
                FROM {COMPARED_RATES} WHERE schedule = '{PHYSICIAN_SCHEDULE}' GROUP BY ALL),
            of_area AS (
                SELECT -1 AS contract, {service}, negotiated_rate, {compared_with}, sum(rates)::BIGINT AS rates
                FROM compared_rate GROUP BY ALL
                {of_contracts}),
            -- Of a price, the lowest percent is that of the highest amount.
            counted AS (
                SELECT * REPLACE ((sum(rates) OVER price)::BIGINT AS rates)
                FROM of_area
                WINDOW price AS (PARTITION BY contract, {service}, negotiated_rate),
                       until AS (price ORDER BY medicare DESC, area, release ROWS UNBOUNDED PRECEDING)
                QUALIFY 2 * sum(of_area.rates) OVER until >= sum(of_area.rates) OVER price
                    AND 2 * (sum(of_area.rates) OVER until - of_area.rates) < sum(of_area.rates) OVER price)
            SELECT *, (sum(rates) OVER service)::BIGINT AS all_rates FROM counted
            WINDOW service AS (PARTITION BY contract, {service})
            QUALIFY {every_price} OR
                1 = row_number() OVER (PARTITION BY contract, {service} ORDER BY rates DESC, negotiated_rate)
            ORDER BY contract, code, modifier, facility, negotiated_rate""",
        groups,
    )
    of_all: list[CommonPrice] = []
    of_each: list[list[CommonPrice]] = [[] for _ in contracts]
    for one in found:
        (of_all if one.contract < 0 else of_each[one.contract]).append(one)
    return of_all, of_each


def list_candidates(db: Snapshot) -> Sequence[CandidateSchedule]:
    """Return every loaded release in every locality, newest first, of each the national amounts first."""
    return db.ask_once(_list_candidates)


def list_candidates_for(db: Snapshot, prices: Sequence[CommonPrice]) -> list[CandidateSchedule]:
    """Return the candidates for some prices: first those of the release that these are compared with on every page.

    Of releases that explain the prices equally well, the first is named.
    """
    in_force = {one.release for one in prices}
    return sorted(list_candidates(db), key=lambda one: one.release not in in_force)


def _list_candidates(db: Snapshot) -> Sequence[CandidateSchedule]:
    return read_rows(
        db,
        CandidateSchedule,
        f"""SELECT release, state, contractor, locality, locality_name, conversion_factor
           FROM (SELECT release, state, contractor, locality, any_value(locality_name) AS locality_name
                 FROM bench_medicare_prof_locality GROUP BY ALL)
           LEFT JOIN (SELECT release, any_value(conversion_factor) AS conversion_factor
                      FROM bench_medicare_prof GROUP BY release) USING (release)
           ORDER BY release DESC, state <> '{NATION}', state, contractor, locality""",
    )


def find_amounts_of(db: Snapshot, prices: Sequence[CommonPrice], candidates: Sequence[CandidateSchedule]) -> Floats:
    """Return what each candidate (column) pays for each price (row), in dollars; nan where it has no amount."""
    found: Floats = np.full((len(prices), len(candidates)), np.nan)
    if not prices or not candidates:
        return found
    states = ", ".join(sorted({quote(one.state) for one in candidates}))
    releases = ", ".join(sorted({quote(one.release) for one in candidates}))
    codes = {quote(one.code) for one in prices}
    # The codes are written out: DuckDB's client takes seconds to bind a list of 10,000. With very many, all are read.
    of_codes = f"AND code IN ({', '.join(sorted(codes))})" if len(codes) <= _MAX_LISTED_CODES else ""
    # The keys are one text each: DuckDB finds the row and the column of 300,000 amounts sooner than Python could.
    listed = db.arrow_rows(
        f"""WITH price AS (SELECT unnest(keys) AS key, generate_subscripts(keys, 1) - 1 AS row
                           FROM (SELECT string_split($prices, chr(10)) AS keys)),
                 place AS (SELECT unnest(keys) AS key, generate_subscripts(keys, 1) - 1 AS column
                           FROM (SELECT string_split($places, chr(10)) AS keys)),
                 amount AS (SELECT concat_ws('|', {", ".join(_PLACE)}) AS place,
                                   concat_ws('|', code, modifier) AS service,
                                   coalesce(nonfacility_rate, facility_rate) AS outside,
                                   coalesce(facility_rate, nonfacility_rate) AS inside
                            FROM bench_medicare_prof_locality
                            WHERE state IN ({states}) AND release IN ({releases}) {of_codes}),
                 paid AS (SELECT place, service || '|False' AS service, outside AS dollars FROM amount
                          UNION ALL SELECT place, service || '|True', inside FROM amount)
            SELECT price.row, place.column, dollars FROM paid
            JOIN price ON price.key = service JOIN place ON place.key = paid.place
            WHERE dollars > 0""",
        {
            "prices": "\n".join(f"{one.code}|{one.modifier}|{one.facility}" for one in prices),
            "places": "\n".join("|".join(getattr(one, name) for name in _PLACE) for one in candidates),
        },
    )
    row, column, dollars = (one.to_numpy() for one in listed.columns)
    found[row, column] = dollars
    return found
