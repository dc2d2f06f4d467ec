"""A provider's rates in memory, with their percents of Medicare and their positions in the market.

Where the rates of a line of the market are divided into two sides, outside facilities and in them, each rate is
compared with those of its side (docs/decisions/0087).
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from core.fields.codes.accompanying_code import is_accompanying
from core.fields.codes.code_family import HCPCS_SYSTEMS, family_of
from core.fields.codes.performing_specialties import list_unfit_families
from core.fields.places.care_setting import FACILITY_OR_UNSTATED, NON_FACILITY_OR_UNSTATED, PLACE_OF_SETTING, SIDES
from core.queries.comparison.area_amounts import locality_values
from core.queries.comparison.asked_place import asked_place
from core.queries.comparison.compared_rates import EXTREMES_SQL, compared_sql
from core.queries.comparison.left_out import is_odd_sql
from core.queries.comparison.lookup_scope import bind_codes, find_scope, list_codes
from core.queries.comparison.lookups import keep_lookups
from core.queries.comparison.usual_side import READING, UsualSide, list_usual_sides
from core.queries.market.market import Market
from core.queries.market.market_rates import counted_rates, market_cache, uses_own_areas
from core.queries.parties.area_percents import PAYER_LINE, show_area_percents
from core.queries.parties.billed_services import MEMBERS, list_leading_specialties, services_sql
from core.queries.parties.line_medians import (
    EITHER,
    INSIDE,
    LINE,
    NO_PLACE,
    OUTSIDE,
    PLACES_OF_SETS,
    TERMS,
    side_of_rate_sql,
)
from core.queries.parties.lines_in_figures import LINES_OF_CODES, keep_lines_in_figures, percent_of_side_sql
from core.queries.rules.far_from_others import far_sql
from core.queries.rules.organization_price import price_sql
from core.queries.rules.paid_less import IS_PAID_LESS, with_codes_paid_less
from core.queries.rules.rate_kinds import FACILITY_PLACES
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.sql import used_parameters
from core.vocabulary.services import FAMILIAR_CODES, plain_names

PLACED_RATES, CODE_RATES = "placed_rate", "provider_code_rate"
"""Tables in memory: a provider's rates with their percents and positions, and the same by code.

Where several prices are percents of areas' amounts, `of_areas` is that of the rate. `is_odd` says that the rate is
a likely error.
"""

_COMPARED, _SERVICES = "provider_compared", "provider_service"
"""Tables in memory: a provider's rates with their percents, and what it bills to Medicare."""

_SIDED, _SIDE_OF_SETS, _USUAL = "provider_sided", "side_of_set", "usual_in_facilities"
"""Tables in memory: the rates with the side that each is compared on, the sides of sets of places, and the codes that
are usually in facilities."""

_PLACED, _AREA_PERCENTS, _USUAL_CODES = "rate_in_place", "provider_area_percent", "usual_code"
"""Tables in memory that PLACED_RATES is joined from."""


def _show_usual_codes(provider: MarketSnapshot, specialties: Collection[str]) -> None:
    """Show _USUAL_CODES: each code's family, and how usual it is for a provider with these specialties, from 4 to 0.

    First the few codes that everybody knows, if these specialties usually perform them; then others of the
    vocabulary's few hundred that they perform; then other familiar ones, and parts of services; then any other; and
    last what only comes with another service. Of most families, such as visits, anybody performs the codes.
    """
    unfit = set(list_unfit_families(specialties))
    codes = provider.rows(f"SELECT DISTINCT code_type, code FROM {_COMPARED} ORDER BY ALL")
    ranked = [(code_type, code, _rank_usual(code_type, code, unfit)) for code_type, code in codes]
    provider.show_texts(
        _USUAL_CODES,
        ("code_type", "code", "family", "usual", "usual_of_part"),
        [(*one, family_of(*one), str(rank), str(min(rank, _PART))) for *one, rank in ranked],
    )


_PART = 2
"""How usual a part of a service is at most."""


def _rank_usual(code_type: str, code: str, unfit: Collection[str]) -> int:
    if is_accompanying(code_type, code):
        return 0
    if (code_type, code) not in plain_names():
        return 1
    if family_of(code_type, code) in unfit:
        return _PART
    return 4 if code in FAMILIAR_CODES else 3


_PAYER_LINE = ", ".join(PAYER_LINE)

_OF_BOTH_SIDES = ", ".join((*TERMS, "reporting_entity_name"))
_EITHER = "if(is_either, rate_count, 0)"
_OWN_RATES = f"""sum(rate_count) OVER (PARTITION BY {_PAYER_LINE}) + sum({_EITHER}) OVER (PARTITION BY {_OF_BOTH_SIDES})
    - sum({_EITHER}) OVER (PARTITION BY {_PAYER_LINE})"""
"""SQL of how many of a line's rates are the provider's: those for either side are in the market of both."""


_MEANT_RATES = f"""(
    SELECT *, if(is_odd, 0, odd_of_line)::BIGINT AS left_out
    FROM (SELECT *, sum(if(is_odd, rate_count, 0)) OVER line AS odd_of_line, bool_and(is_odd) OVER line AS is_all_odd
          FROM {PLACED_RATES} WINDOW line AS (PARTITION BY {_PAYER_LINE}))
    WHERE NOT is_odd OR is_all_odd)"""
"""SQL of the rates that the figures of a line are of: odd ones are `left_out`, unless there are no others."""


@contextmanager
def placed_rates(db: Snapshot, provider: Snapshot, market: Market) -> Iterator[MarketSnapshot]:
    """Yield the provider's facts in memory with PLACED_RATES: each rate's percent of Medicare and its position.

    A row stands for `rate_count` rates. These tables are kept: other pages, orders, and words find them there.
    """
    if not isinstance(provider, MarketSnapshot):
        whole = market.unfiltered.without("code_type", "code")
        with (
            market_cache(db, whole, areas=uses_own_areas(db, market)) as cached,
            placed_rates(db, cached, market) as memory,
        ):
            yield memory
        return
    provider.make_for(PLACED_RATES, market, lambda: _keep_tables(provider, market))
    yield provider


def _keep_tables(provider: MarketSnapshot, market: Market) -> None:
    _keep_services(provider, market)
    _keep_placed_rates(provider, market)
    provider.keep_table(
        CODE_RATES,
        # Both sides of a line stand together: they are sorted by the larger of their figures.
        f"""SELECT *, max(market_rates) OVER of_line AS most_market_rates, max(p50) OVER of_line AS most_p50
            FROM (
                SELECT {_PAYER_LINE}, family, services, usual, common, count(*) AS rates,
                       min(negotiated_rate) AS lowest, {price_sql()} AS p50,
                       max(negotiated_rate) AS highest, count(DISTINCT negotiated_rate) AS prices,
                       count(DISTINCT pos_set_id) AS place_lists,
                       {price_sql("percent")} AS percent, count(percent) AS compared,
                       {EXTREMES_SQL}, market, market_rates, {price_sql("position")} AS percentile, left_out
                FROM (SELECT *, unnest(range(rate_count)) FROM {_MEANT_RATES}) GROUP BY ALL)
            WINDOW of_line AS (PARTITION BY {_OF_BOTH_SIDES})""",
        {},
        made_from=market.parameters,
    )


def _keep_placed_rates(provider: MarketSnapshot, market: Market) -> None:
    areas = uses_own_areas(provider, market)
    rates, of_rates = counted_rates(provider, market, areas=areas)
    codes = list_codes(provider, rates, of_rates)
    compared = compared_sql(
        "true",
        rates,
        place=asked_place(market),
        basis=market.basis,
        yardstick=market.yardstick,
        scope=keep_lookups(provider, market, find_scope(provider, market, codes), codes),
        areas=areas,
        localities=locality_values(provider) if areas else None,
    )
    # Three questions take DuckDB half as long as one: it carries the lists of the lines through fewer joins.
    provider.keep_table(
        _COMPARED,
        f"""{compared}
            SELECT code_type, code, kind, billing_class, billing_code_modifier AS modifier, reporting_entity_name,
                   pos_set_id, setting, negotiated_rate, percent, negotiated_rate / other_amount AS other_percent,
                   rate_count FROM compared""",
        {**market.parameters, **of_rates, "codes": bind_codes(codes)},
    )
    paid_less = with_codes_paid_less(provider, None, IS_PAID_LESS)
    # A rate without a place is outside facilities if Medicare pays less in them.
    of_places = f"if(p.side = '{NO_PLACE}', if({paid_less}, '{OUTSIDE}', '{EITHER}'), p.side)"
    provider.keep_for_all_markets(
        _SIDE_OF_SETS, f"SELECT *, is_mostly_facility(service_codes) AS is_inside FROM ({PLACES_OF_SETS})", {}
    )
    side = side_of_rate_sql(of_places)
    keep_lines_in_figures(provider, market, _COMPARED, paid_less, _SIDE_OF_SETS, side)
    _keep_sided_rates(provider, market, codes, side)
    same_line = " AND ".join(f"f.{name} IS NOT DISTINCT FROM m.{name}" for name in LINE)
    members = MEMBERS[_named_by(market)]
    # Where the market is not known, nothing is left out.
    is_odd = f"(kind = 'dollars' AND {is_odd_sql(market, 'negotiated_rate', 'middle_of_all')})"
    leading = list_leading_specialties(provider, members, used_parameters(members, market.parameters))
    _show_usual_codes(provider, leading)
    provider.keep_table(
        _PLACED,
        f"""SELECT c.* EXCLUDE (middle_of_all), family, s.services,
                   if(c.modifier <> '', usual_of_part, usual)::INTEGER AS usual, u.services AS common,
                   kind = 'dollars' AND {far_sql("negotiated_rate", "market", "market_rates")} AS is_far,
                   {is_odd} AS is_odd
            FROM (
                SELECT f.* EXCLUDE (own, is_either), m.median AS market, m.rates AS market_rates, m.middle_of_all,
                       CASE WHEN own < m.all_rates THEN m.positions[list_position(m.amounts, f.negotiated_rate)] END
                           AS position
                -- All of the market's rates may be the provider's own: then their positions say nothing.
                FROM (SELECT *, {_OWN_RATES} AS own FROM {_SIDED}) f
                LEFT JOIN {LINES_OF_CODES} m ON {same_line}) c
            JOIN {_USUAL_CODES} k ON k.code_type = c.code_type AND k.code = c.code
            LEFT JOIN {_SERVICES} s ON s.code = c.code AND c.code_type IN {HCPCS_SYSTEMS}
            LEFT JOIN code_use u ON u.code = c.code AND c.code_type IN {HCPCS_SYSTEMS}""",
        {},
        made_from=market.parameters,
    )
    show_area_percents(provider, market, _PLACED, _AREA_PERCENTS)
    same_payer_line = " AND ".join(f"a.{name} = coalesce(p.{name}, '')" for name in PAYER_LINE)
    provider.keep_table(
        PLACED_RATES,
        f"""SELECT p.*, a.of_areas::DOUBLE AS of_areas FROM {_PLACED} p
            LEFT JOIN {_AREA_PERCENTS} a ON {same_payer_line} AND p.negotiated_rate = a.price::DOUBLE""",
        {},
        made_from={**market.parameters, "area_percents": True},
    )


def _keep_sided_rates(provider: MarketSnapshot, market: Market, codes: Sequence[str], side: str) -> None:
    """Show the rates with the side that each is compared on, where the rates of its line are divided into sides.

    A rate for either side is on the one that is asked for, or else where the code is usually rendered, so that it
    counts once. Its percent of Medicare is that of the side.
    """
    usual = list_usual_sides(provider)
    inside = [
        (code, part) for code in codes for part in ("", READING) if code in usual and _is_inside(usual[code], part)
    ]
    provider.show_texts(_USUAL, ("code", "part"), inside)
    place = market.pos or PLACE_OF_SETTING.get(market.care_setting or "")
    asked = market.care_setting
    if place:
        asked = FACILITY_OR_UNSTATED if place in FACILITY_PLACES else NON_FACILITY_OR_UNSTATED
    either = (
        f"'{asked}'"
        if asked in SIDES
        else f"""if((f.code, if(f.modifier = '{READING}', '{READING}', '')) IN (SELECT (code, part) FROM {_USUAL}),
                   '{FACILITY_OR_UNSTATED}', '{NON_FACILITY_OR_UNSTATED}')"""
    )
    terms = ", ".join(TERMS)
    same = " AND ".join(f"f.{name} IS NOT DISTINCT FROM m.{name}" for name in TERMS)
    provider.keep_table(
        _SIDED,
        f"""SELECT f.* EXCLUDE (side, other_percent, is_inside, setting) REPLACE (
                       {percent_of_side_sql("f", "f")} AS percent),
                   care_setting IS NOT NULL AND side = '{EITHER}' AS is_either
            FROM (
                SELECT f.*, CASE
                    WHEN m.code IS NULL AND NOT (bool_or(side = '{INSIDE}') OVER own
                        AND bool_or(side = '{OUTSIDE}') OVER own) THEN NULL
                    WHEN side = '{INSIDE}' THEN '{FACILITY_OR_UNSTATED}'
                    WHEN side = '{OUTSIDE}' THEN '{NON_FACILITY_OR_UNSTATED}'
                    ELSE {either} END AS care_setting
                FROM (
                    SELECT f.*, {side} AS side, coalesce(p.is_inside, false) AS is_inside
                    FROM {_COMPARED} f LEFT JOIN {_SIDE_OF_SETS} p ON p.pos_set_id = f.pos_set_id) f
                LEFT JOIN (SELECT DISTINCT {terms} FROM {LINES_OF_CODES} WHERE care_setting IS NOT NULL) m
                    ON {same}
                WINDOW own AS (PARTITION BY {", ".join(f"f.{name}" for name in TERMS)})) f""",
        {},
        made_from=market.parameters,
    )


def _is_inside(usual: UsualSide, modifier: str) -> bool:
    return usual.side_of(modifier) == FACILITY_OR_UNSTATED


def _named_by(market: Market) -> str:
    """Return which filter names the provider of a market."""
    return next(name for name in MEMBERS if getattr(market, name))


def _keep_services(provider: MarketSnapshot, market: Market) -> None:
    """Show what the provider billed to Medicare, by code."""
    sql = services_sql(provider, MEMBERS[_named_by(market)])
    provider.keep_table(_SERVICES, sql, used_parameters(sql, market.parameters))
