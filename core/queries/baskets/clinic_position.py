"""A clinic's rates against its market: the position of each line at each payer, and what the gap comes to.

The market is what others are paid: a clinic's own rates are not among those that it is compared with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.basket_medians import compared_list
from core.queries.baskets.clinic_gaps import BY_SERVICES, dollars_of, weigh
from core.queries.baskets.clinic_rows import AskedLine, Clinic, ClinicPosition
from core.queries.classes.classes_of_codes import ClassesOfList
from core.queries.comparison.compared_rates import IS_ODD_SQL
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS
from core.queries.market.market_rates import market_facts
from core.queries.parties.billed_services import services_sql
from core.queries.rules.far_from_others import far_sql
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.named_rows import read_by_key
from core.queries.rules.organization_price import price_sql
from core.queries.rules.percentiles import median
from core.store.connection import Snapshot
from core.store.schema.tables import XREF_GROUP_TIN
from core.store.sql import used_parameters

NO_RATE = "no rate of this payer for the code"
OTHER_KIND = "only rates that are not dollars for one service"
OTHER_TERMS = "no rate with this class, modifier, and setting"
NOT_THEIRS = "rates for others, none for this organization"
NO_OTHERS = "no other rates: all of the payer's rates are this organization's"
REASONS = (NO_RATE, OTHER_KIND, OTHER_TERMS, NOT_THEIRS, NO_OTHERS)
"""Why a line has no position at a payer: a closed list."""

MOST_OWN_CODES = 300


def list_positions(
    db: Snapshot,
    market: Market,
    clinic: Clinic,
    lines: Sequence[AskedLine],
    classes: ClassesOfList,
    payers: dict[str, str],
) -> list[ClinicPosition]:
    """Return the position of each line at each payer that has rates of the clinic, the largest shortfall first.

    Without units, what counts is how often the clinic's NPIs billed the code to Medicare: a rare code with a wide gap
    matters less than a visit. Shortfalls whose services are not known follow those that are, by their gap.
    If no organization is given, the payers are all that price a line. `classes` are those of the lines.
    """
    if not lines:
        return []
    found: dict[tuple[int, str | None], _Found] = {}
    for some in _with_each_code_once(lines, classes):
        found |= _positions(db, market, clinic, some, classes)
    counts = _count_rates(db, market, [line.code for line in lines])
    services = list_services(db, clinic)
    by_services = weigh(lines, services) == BY_SERVICES
    everybody = {at: row for (at, slug), row in found.items() if slug is None}
    slugs = sorted(
        {line.payer for line in lines if line.payer}
        | {slug for (at, slug), row in found.items() if slug and row.own is not None and lines[at].is_of(slug)}
    )
    rows = []
    for slug in slugs:
        for at, line in enumerate(lines):
            if not line.is_of(slug):
                continue
            row = found.get((at, slug))
            own = row.own if row else None
            rendered = services.get(line.code.code)
            times = rendered if by_services else 1 if line.units is None else line.units
            of_line = classes.of_codes[at].market
            found_here = _position(of_line, line, slug, payers.get(slug, slug), row, everybody.get(at), own, counts)
            gap = None if found_here.is_thin else found_here.gap
            total = None if gap is None or times is None else gap * times
            rows.append(replace(found_here, services=rendered, total=total))
    return sorted(rows, key=_largest_shortfall_first)


def _with_each_code_once(lines: Sequence[AskedLine], classes: ClassesOfList) -> list[dict[int, AskedLine]]:
    """Return the lines with their numbers, parted so that no code is looked at in two places in one part."""
    parts: list[tuple[dict[str, str | None], dict[int, AskedLine]]] = []
    for at, line in enumerate(lines):
        code, setting = line.code.code, classes.of_codes[at].market.care_setting
        settings, part = next((one for one in parts if one[0].get(code, setting) == setting), ({}, {}))
        if not part:
            parts.append((settings, part))
        settings[code], part[at] = setting, line
    return [part for _, part in parts]


def list_services(db: Snapshot, clinic: Clinic) -> dict[str, float]:
    """Return how often the clinic's NPIs billed each code to Medicare in a year."""
    if not clinic.members:
        return {}
    sql = services_sql(db, clinic.members)
    return {str(code): float(number) for code, number in db.rows(sql, used_parameters(sql, clinic.values))}


def _largest_shortfall_first(one: ClinicPosition) -> tuple[Any, ...]:
    dollars = dollars_of(one)
    is_shortfall = one.gap is not None and one.gap < 0
    return (
        one.rate is None,
        one.gap is None,
        one.is_thin,
        not is_shortfall,
        one.total is None,
        dollars or 0,
        one.payer_slug,
        one.code,
        one.modifier,
    )


@dataclass(frozen=True)
class UnplacedPayer:
    """A payer without a position in some lines or, if it has none at all, in all of them."""

    reporting_entity_name: str
    lines: int
    of_all: bool
    other_terms: int
    """The lines for which it has only rates of other classes, modifiers, or settings."""


def list_left_out(
    db: Snapshot,
    market: Market,
    lines: Sequence[AskedLine],
    positions: Sequence[ClinicPosition],
    payers: Mapping[str, str],
) -> list[UnplacedPayer]:
    """Return which of these payers, names by key, have no rate in the market of some lines, in the order given."""
    if not lines:
        return []
    counts = _count_rates(db, market, [line.code for line in lines])
    by_payer: dict[str, list[ClinicPosition]] = {}
    for one in positions:
        by_payer.setdefault(one.payer_slug, []).append(one)
    found = []
    for slug, name in payers.items():
        asked = [line for line in lines if line.is_of(slug)]
        if asked and slug not in by_payer:
            others = [(slug, line.code.code) in counts for line in asked]
            found.append(UnplacedPayer(name, len(asked), of_all=True, other_terms=sum(others)))
        elif outside := [one for one in by_payer.get(slug, ()) if one.reason == OTHER_TERMS]:
            found.append(UnplacedPayer(name, len(outside), of_all=False, other_terms=len(outside)))
    return found


@dataclass(frozen=True)
class _Found:
    rates: int
    others: int
    median: float | None
    with_own: float
    own: float | None
    own_rates: int
    lowest: float | None
    highest: float | None
    prices: int
    medicare: float | None
    percentile: float | None
    above: int | None
    tins: int


def _positions(
    db: Snapshot, market: Market, clinic: Clinic, lines: Mapping[int, AskedLine], classes: ClassesOfList
) -> dict[tuple[int, str | None], _Found]:
    """Return what the rates of each line and payer say, and of each line and all payers together, by its number.

    No code is in two lines that are looked at in different places.
    """
    markets = {line.code.code: classes.of_codes[at].market for at, line in lines.items()}
    terms = [one for at in lines for one in classes.terms[at]]
    compared, parameters = compared_list(db, market.without("code_type", "code", *CLASS_FILTERS), terms, markets)
    rows = read_by_key(
        db,
        ("position", "payer_slug"),
        _Found,
        f"""{compared},
            items AS (
                SELECT unnest($positions) AS position, unnest($modifiers) AS modifier, unnest($own::DOUBLE[]) AS given),
            each AS MATERIALIZED (
                SELECT i.position, payer_slug, f.negotiated_rate, f.medicare, f.percent, i.given, f.pg_uid,
                       {clinic.condition} AS ours
                FROM compared f
                JOIN items i ON i.position = f.position AND i.modifier = f.billing_code_modifier
                JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name
                WHERE f.kind = 'dollars'),
            of_line AS (
                SELECT position, payer_slug, count(*) AS every, {median("negotiated_rate")} AS middle
                FROM each GROUP BY ALL),
            m AS (
                SELECT *, {IS_ODD_SQL} AS is_odd
                FROM (SELECT *, {far_sql("negotiated_rate", "middle", "every")} AS is_far
                      FROM each JOIN of_line USING (position, payer_slug))),
            sums AS (
                SELECT position, payer_slug, count(*) AS rates, count(*) FILTER (NOT ours) AS others,
                       {median("negotiated_rate", "NOT ours")} AS median, {median("negotiated_rate")} AS with_own,
                       any_value(given) AS given_rate, coalesce(given_rate, {price_sql(condition="ours")}) AS own,
                       count(*) FILTER (ours) AS own_rates,
                       CASE WHEN given_rate IS NULL THEN min(negotiated_rate) FILTER (ours) END AS lowest,
                       CASE WHEN given_rate IS NULL THEN max(negotiated_rate) FILTER (ours) END AS highest,
                       CASE WHEN given_rate IS NULL THEN count(DISTINCT negotiated_rate) FILTER (ours) ELSE 0 END
                           AS prices,
                       coalesce({median("medicare", "ours")}, {median("medicare")}) AS medicare
                FROM m GROUP BY GROUPING SETS ((position, payer_slug), (position))),
            amounts AS (
                SELECT position, payer_slug, negotiated_rate, count(*) AS equal FROM m WHERE NOT ours GROUP BY ALL),
            -- How many rates of others are lower, those that are equal counting half, and how many are higher.
            standing AS (
                SELECT a.position, a.payer_slug,
                       sum(CASE WHEN negotiated_rate < s.own THEN equal
                                WHEN negotiated_rate = s.own THEN equal / 2 ELSE 0 END) AS lower,
                       sum(equal * (negotiated_rate > s.own)::INTEGER)::BIGINT AS above
                FROM amounts a JOIN sums s USING (position, payer_slug) WHERE s.own IS NOT NULL GROUP BY ALL),
            sharing AS (
                SELECT o.position, o.payer_slug, count(DISTINCT (x.tin_type, x.tin_value)) AS tins
                FROM (SELECT DISTINCT position, payer_slug, pg_uid FROM each WHERE ours) o
                JOIN {XREF_GROUP_TIN.name} x ON x.pg_uid = o.pg_uid GROUP BY ALL)
            SELECT s.* EXCLUDE (given_rate), p.lower / others AS percentile,
                   CASE WHEN s.own IS NOT NULL THEN coalesce(p.above, 0) END AS above, coalesce(tins, 0) AS tins
            FROM sums s LEFT JOIN standing p USING (position, payer_slug)
            LEFT JOIN sharing USING (position, payer_slug)""",
        {
            **parameters,
            **clinic.values,
            "positions": list(lines),
            "modifiers": [line.modifier for line in lines.values()],
            "own": [line.rate for line in lines.values()],
        },
    )
    return {(int(at), slug): row for (at, slug), row in rows.items()}


@dataclass(frozen=True)
class _Counts:
    dollars: int
    others: int


def _count_rates(db: Snapshot, market: Market, codes: Sequence[BasketCode]) -> dict[tuple[Any, ...], _Counts]:
    """Return how many rates of any terms each payer has for each code."""
    facts, parameters = market_facts(db, market.without("code_type", "code", *CLASS_FILTERS))
    listed, numbers = in_codes(one.code for one in codes)
    kind = "rate_kind(negotiated_type, negotiation_arrangement) = 'dollars'"
    return read_by_key(
        db,
        ("payer_slug", "code"),
        _Counts,
        f"""SELECT payer_slug, code, count(*) FILTER ({kind}) AS dollars, count(*) FILTER (NOT {kind}) AS others
            FROM ({facts}) f JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name
            WHERE {listed} GROUP BY ALL""",
        {**parameters, **numbers},
    )


def list_paying(db: Snapshot, market: Market, lines: Sequence[AskedLine]) -> set[str]:
    """Return the payers with rates in dollars of the market for any of the lines: its medians are of their rates."""
    if not lines:
        return set()
    facts, parameters = market_facts(db, market.without("code_type", "code"))
    listed, numbers = in_codes(line.code.code for line in lines)
    rows = db.rows(
        f"""SELECT DISTINCT payer_slug FROM ({facts}) f
            JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name
            WHERE {listed} AND rate_kind(negotiated_type, negotiation_arrangement) = 'dollars'""",
        {**parameters, **numbers},
    )
    return {str(slug) for (slug,) in rows}


def _position(
    market: Market,
    line: AskedLine,
    slug: str,
    payer: str,
    row: _Found | None,
    everybody: _Found | None,
    own: float | None,
    counts: dict[tuple[Any, ...], _Counts],
) -> ClinicPosition:
    gap = own - row.median if row and row.median is not None and own is not None else None
    return ClinicPosition(
        reporting_entity_name=payer,
        payer_slug=slug,
        code=line.code.code,
        name=line.code.title,
        billing_class=market.billing_class,
        care_setting=market.care_setting,
        modifier=line.modifier,
        setting=line.setting,
        units=line.units,
        services=None,
        rate=own,
        is_given=line.rate is not None,
        own_rates=row.own_rates if row else 0,
        tins=row.tins if row else 0,
        lowest=row.lowest if row else None,
        highest=row.highest if row else None,
        prices=row.prices if row else 0,
        percentile=row.percentile if row else None,
        above=row.above if row else None,
        median=row.median if row else None,
        market=everybody.median if everybody else None,
        median_with_own=row.with_own if row else None,
        market_with_own=everybody.with_own if everybody else None,
        rates=row.rates if row else 0,
        others=row.others if row else 0,
        percent=own / row.medicare if row and own is not None and row.medicare else None,
        gap=gap,
        total=None,
        reason=_reason(row, counts.get((slug, line.code.code))) if gap is None else None,
    )


def _reason(row: _Found | None, counts: _Counts | None) -> str:
    if row:
        return NOT_THEIRS if row.own is None else NO_OTHERS
    if counts is None:
        return NO_RATE
    return OTHER_TERMS if counts.dollars else OTHER_KIND


def list_own_codes(db: Snapshot, market: Market, clinic: Clinic) -> list[tuple[str, str]]:
    """Return the systems and codes for which the clinic has rates in dollars of the market's class."""
    facts, parameters = market_facts(db, replace(market, code_type=None, code=None, modifier=None))
    rows = db.rows(
        f"""SELECT DISTINCT code_type, code FROM ({facts}) f WHERE {clinic.condition}
                AND rate_kind(negotiated_type, negotiation_arrangement) = 'dollars' AND billing_code_modifier = ''
            ORDER BY code, code_type""",
        {**parameters, **clinic.values},
    )
    return [(str(system), str(code)) for system, code in rows]
