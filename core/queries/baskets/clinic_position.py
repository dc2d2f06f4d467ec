"""A clinic's rates against its market: the position of each line at each payer, and what the gap comes to.

The market is what organizations are paid, each counted once, see docs/decisions/0096-a-clinic-among-organizations.md.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.clinic_area import AreaPrices, OwnPrices, list_area_prices
from core.queries.baskets.clinic_gaps import BY_SERVICES, weigh
from core.queries.baskets.clinic_market import (
    LineAtPayer,
    LineMarket,
    OtherPayers,
    find_markets,
    list_other_payers,
    list_payers_middles,
    with_own_rates,
)
from core.queries.baskets.clinic_rows import AskedLine, Clinic, ClinicPosition
from core.queries.classes.classes_of_codes import ClassesOfList
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS, PROFILE_FILTERS
from core.queries.market.market_rates import market_facts
from core.queries.parties.billed_services import services_sql
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.named_rows import read_by_key
from core.store.connection import Snapshot
from core.store.sql import used_parameters

NO_RATE = "no rate of this payer for the code"
OTHER_KIND = "only rates that are not dollars for one service"
OTHER_TERMS = "no rate with this class, modifier, and setting"
NOT_THEIRS = "rates for others, none for this organization"
NO_OTHERS = "no other organization: nobody else has a rate of this payer"
NO_TAX_IDS = "the tax IDs behind the payer's rates are not known"
REASONS = (NO_RATE, OTHER_KIND, OTHER_TERMS, NOT_THEIRS, NO_OTHERS, NO_TAX_IDS)
"""Why a line has no position at a payer: a closed list."""

MOST_OWN_CODES = 300


@dataclass(frozen=True)
class CountsOfCode:
    """How many rates of any terms a payer has for a code: in dollars, and of other kinds."""

    dollars: int
    others: int


@dataclass(frozen=True)
class Positions:
    """The position of each line at each payer, and what it is known from."""

    rows: Sequence[ClinicPosition] = ()
    counts: Mapping[tuple[Any, ...], CountsOfCode] = field(default_factory=dict)
    """By payer and code."""
    paying: Collection[str] = ()
    """The payers whose rates the lines' markets are of."""
    errors: int = 0
    """How many rates of the lines' markets are likely errors: left out, unless they are asked in."""


def find_positions(
    db: Snapshot,
    market: Market,
    clinic: Clinic,
    lines: Sequence[AskedLine],
    classes: ClassesOfList,
    payers: dict[str, str],
) -> Positions:
    """Return the position of each line at each payer that has rates of the clinic, the largest shortfall first.

    Without units, what counts is how often the clinic's NPIs billed the code to Medicare: a rare code with a wide gap
    matters less than a visit. Shortfalls whose services are not known follow those that are, by their percent: dollars
    of a drug's unit and of an operation do not compare. The clinic's own rates count wherever the market is looked at.
    If no organization is given, the payers are all that price a line. `classes` are those of the lines.
    """
    if not lines:
        return Positions()
    found: dict[LineAtPayer, LineMarket] = {}
    for some in _with_each_code_once(lines, classes):
        found |= find_markets(db, market, clinic, some, classes)
    middles, others = list_payers_middles(found), list_other_payers(found, payers)
    paying = {slug for _, slug in found}
    if where := [name for name in PROFILE_FILTERS if getattr(market, name)] if clinic.values else []:
        whole: dict[LineAtPayer, LineMarket] = {}
        for some in _with_each_code_once(lines, classes):
            whole |= find_markets(db, market.without(*where), clinic, some, classes)
        found = with_own_rates(found, whole)
    counts = _count_rates(db, market, [line.code for line in lines])
    services = list_services(db, clinic)
    by_services = weigh(lines, services) == BY_SERVICES
    in_area = list_area_prices(db, market, clinic, _own_prices(lines, found))
    own_middles = {
        key
        for key, its in in_area.items()
        if its.is_own and its.price != found[key].table_price == found[key].compared_middle
    }
    found |= {key: _in_area(found[key], its) for key, its in in_area.items()}
    slugs = sorted(
        {line.payer for line in lines if line.payer}
        | {slug for (at, slug), row in found.items() if row.own is not None and lines[at].is_of(slug)}
    )
    rows = []
    for slug in slugs:
        for at, line in enumerate(lines):
            if not line.is_of(slug):
                continue
            row = found.get((at, slug))
            rendered = services.get(line.code.code)
            times = rendered if by_services else line.units
            here = _position(classes.of_codes[at].market, line, slug, payers.get(slug, slug), row)
            here = replace(
                here,
                payers_middle=middles.get(at),
                **vars(others.get((at, slug), OtherPayers())),
                services=rendered,
                reason=_reason(row, counts.get((slug, line.code.code))) if here.gap_to_middle is None else None,
            )
            if prices := in_area.get((at, slug)):
                here = replace(
                    here,
                    percent=prices.percent,
                    area=prices.area.title() or None,
                    own_area=prices.own_area.title() if prices.own_area else None,
                    tiers=prices.tiers,
                    areas=prices.percents.words,
                    middle_is_own=(at, slug) in own_middles,
                )
            rows.append(_with_totals(here, times))
    errors = _count_errors(lines, classes, found)
    return Positions(sorted(rows, key=_largest_shortfall_first), counts, paying, errors)


def _with_totals(one: ClinicPosition, times: float | None) -> ClinicPosition:
    """Return a line with what its gaps come to; without, if it counts in no sum, or nobody knows how often it is."""
    if not one.counts or times is None or one.gap_to_middle is None:
        return one
    raised = None if one.high is None or one.rate is None else max(one.high - one.rate, 0.0) * times
    return replace(one, total_gap=one.gap_to_middle * times, total_to_high=raised)


def _count_errors(lines: Sequence[AskedLine], classes: ClassesOfList, found: Mapping[LineAtPayer, LineMarket]) -> int:
    """Return how many rates are likely errors: those of lines that are of the same market once."""
    by_market = {
        (lines[at].code, lines[at].modifier, classes.of_codes[at].market, slug): one.errors
        for (at, slug), one in found.items()
    }
    return sum(by_market.values())


def _own_prices(lines: Sequence[AskedLine], found: Mapping[LineAtPayer, LineMarket]) -> dict[LineAtPayer, OwnPrices]:
    return {
        (at, slug): OwnPrices(lines[at].code.code, lines[at].modifier, row.own_prices, _percent(row), slug)
        for (at, slug), row in found.items()
        if lines[at].rate is None and not row.is_odd
    }


def _percent(row: LineMarket) -> float | None:
    return row.own / row.medicare if row.own is not None and row.medicare else None


def _in_area(row: LineMarket, found: AreaPrices) -> LineMarket:
    """Return a row with the price of the clinic's own area in place of that in the middle of all areas.

    So is what others are paid by the same contract: they are compared in the clinic's area.
    """
    if not found.is_own:
        return row
    middle, others_middle, high = (
        found.price if price == row.table_price else price for price in (row.middle, row.others_middle, row.high)
    )
    return replace(row, own=found.price, own_prices=found.prices, middle=middle, others_middle=others_middle, high=high)


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
    is_shortfall = one.gap_to_middle is not None and one.gap_to_middle < 0
    return (
        one.rate is None,
        one.gap_to_middle is None,
        one.is_odd,
        one.is_thin,
        not is_shortfall,
        one.total_gap is None,
        _size(one),
        one.payer_slug,
        one.code,
        one.modifier,
    )


def _size(one: ClinicPosition) -> float:
    """Return by what lines of the same sort are sorted: dollars, or percents where nobody knows how many there are."""
    if one.total_gap is not None:
        return one.total_gap
    return (one.difference if one.counts else one.from_others) or 0.0


@dataclass(frozen=True)
class UnplacedPayer:
    """A payer without a position in some lines or, if it has none at all, in all of them."""

    reporting_entity_name: str
    lines: int
    of_all: bool
    other_terms: int
    """The lines for which it has only rates of other classes, modifiers, or settings."""


def list_left_out(lines: Sequence[AskedLine], positions: Positions, payers: Mapping[str, str]) -> list[UnplacedPayer]:
    """Return which of these payers, names by key, have no rate in the market of some lines, in the order given."""
    by_payer: dict[str, list[ClinicPosition]] = {}
    for one in positions.rows:
        by_payer.setdefault(one.payer_slug, []).append(one)
    found = []
    for slug, name in payers.items():
        asked = [line for line in lines if line.is_of(slug)]
        if asked and slug not in by_payer:
            others = [(slug, line.code.code) in positions.counts for line in asked]
            found.append(UnplacedPayer(name, len(asked), of_all=True, other_terms=sum(others)))
        elif outside := [one for one in by_payer.get(slug, ()) if one.reason == OTHER_TERMS]:
            found.append(UnplacedPayer(name, len(outside), of_all=False, other_terms=len(outside)))
    return found


def _count_rates(db: Snapshot, market: Market, codes: Sequence[BasketCode]) -> dict[tuple[Any, ...], CountsOfCode]:
    """Return how many rates of any terms each payer has for each code."""
    facts, parameters = market_facts(db, market.without("code_type", "code", *CLASS_FILTERS))
    listed, numbers = in_codes(one.code for one in codes)
    kind = "rate_kind(negotiated_type, negotiation_arrangement) = 'dollars'"
    return read_by_key(
        db,
        ("payer_slug", "code"),
        CountsOfCode,
        f"""SELECT payer_slug, code, count(*) FILTER ({kind}) AS dollars, count(*) FILTER (NOT {kind}) AS others
            FROM ({facts}) f JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name
            WHERE {listed} GROUP BY ALL""",
        {**parameters, **numbers},
    )


def _position(market: Market, line: AskedLine, slug: str, payer: str, row: LineMarket | None) -> ClinicPosition:
    own, middle = (row.own, row.compared_middle) if row else (None, None)
    # A gap to oneself is none.
    gap = own - middle if row and row.other_organizations and own is not None and middle is not None else None
    prices = row.own_prices if row else ()
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
        is_odd=bool(row and row.is_odd),
        own_rates=row.own_rates if row else 0,
        tins=row.tins if row else 0,
        lowest=prices[0] if prices else None,
        highest=prices[-1] if prices else None,
        prices=len(prices),
        odd_prices=row.odd_prices if row else 0,
        area=None,
        own_area=None,
        tiers=None,
        areas=None,
        compared_price=row.table_price if row else None,
        organizations=row.organizations if row else 0,
        other_organizations=row.other_organizations if row else 0,
        paid_less=row.less if row and own is not None else None,
        paid_same=row.same if row and own is not None else None,
        paid_more=row.more if row and own is not None else None,
        contracts_more=row.contracts_more if row and own is not None else None,
        one_contract=row.one_contract if row else 0,
        position=row.position if row else None,
        middle=middle,
        middle_is_own=False,
        high=row.high if row else None,
        payers_middle=None,
        **vars(OtherPayers()),
        rates=row.rates if row else 0,
        percent=_percent(row) if row else None,
        gap_to_middle=gap,
        difference=own / middle - 1 if gap is not None and own is not None and middle else None,
        total_gap=None,
        total_to_high=None,
        reason=None,
    )


def _reason(row: LineMarket | None, counts: CountsOfCode | None) -> str:
    if row:
        return NOT_THEIRS if row.own is None else NO_OTHERS if row.organizations else NO_TAX_IDS
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
