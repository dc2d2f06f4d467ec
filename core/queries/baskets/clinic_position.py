"""A clinic's rates against its market: the position of each line at each payer, and what the gap comes to.

The market is what others are paid: a clinic's own rates are not among those that it is compared with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.basket_medians import compared_list
from core.queries.classes.classes_of_codes import ClassesOfList
from core.queries.comparison.compared_rates import IS_ODD_SQL
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS, FILTERS
from core.queries.market.market_rates import market_facts
from core.queries.parties.billed_services import MEMBERS, services_sql
from core.queries.parties.line_medians import LEAST_FOR_PERCENTILES
from core.queries.rules.columns import BillingClass, Code, CodeName, Modifier, PayerName, PayerSlug, described
from core.queries.rules.far_from_others import far_sql
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.named_rows import read_by_key
from core.queries.rules.organization_price import price_sql
from core.queries.rules.percentiles import FEW_RATES, median
from core.store.connection import Snapshot
from core.store.sql import used_parameters

NO_RATE = "no rate of this payer for the code"
OTHER_KIND = "only rates that are not dollars for one service"
OTHER_TERMS = "no rate with this class, modifier, and setting"
NOT_THEIRS = "rates for others, none for this organization"
NO_OTHERS = "no other rates: all of the payer's rates are this organization's"
REASONS = (NO_RATE, OTHER_KIND, OTHER_TERMS, NOT_THEIRS, NO_OTHERS)
"""Why a line has no position at a payer: a closed list."""

MOST_OWN_CODES = 300


@dataclass(frozen=True)
class Clinic:
    """Whose rates are looked at: an organization's, a tax ID's, or those of some NPIs; nobody's if none is given."""

    organization: str | None = None
    tin: str | None = None
    npis: tuple[str, ...] = ()

    @property
    def condition(self) -> str:
        """The condition on a fact AS f that it is the clinic's."""
        if self.npis:
            return "f.pg_uid IN (SELECT pg_uid FROM group_by_npi WHERE list_contains($clinic_npis, npi))"
        for name in ("tin", "organization"):
            if getattr(self, name):
                return FILTERS[name].restrict("")
        return "false"

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of the condition."""
        if self.npis:
            return {"clinic_npis": list(self.npis)}
        return {"tin": self.tin} if self.tin else {"organization": self.organization} if self.organization else {}

    @property
    def members(self) -> str:
        """SQL of the clinic's NPIs, with the parameters of `values`; empty text for nobody's."""
        if self.npis:
            return "SELECT unnest($clinic_npis::VARCHAR[])"
        return MEMBERS["tin"] if self.tin else MEMBERS["organization"] if self.organization else ""


@dataclass(frozen=True)
class AskedLine:
    """A line whose position is asked for. Without a rate of its own, the clinic's published rate is looked at."""

    code: BasketCode
    modifier: str = ""
    setting: str = ""
    units: float | None = None
    rate: float | None = None
    payer: str = ""
    """The key of the only payer that the line is compared with; empty for every payer."""

    def is_of(self, payer: str) -> bool:
        """Return whether the line is compared with a payer's rates."""
        return self.payer in {"", payer}


@dataclass(frozen=True)
class ClinicPosition:
    """One line of a clinic at one payer: its rate, its place among the payer's rates, and what the gap comes to."""

    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    code: Code
    name: CodeName
    billing_class: BillingClass
    modifier: Modifier
    care_setting: Annotated[
        str | None,
        described("Value of the filter `care_setting` for the line's rates; null where they are not divided.", None),
    ]
    setting: Annotated[
        str,
        described(
            "The setting of the line in words; empty if none is given. For a professional's rates, office means all "
            "but those for facilities alone, and the others all but those for other places alone.",
            "office",
        ),
    ]
    units: Annotated[float | None, described("Base units: how often the line is rendered, as given; null if not.", 120)]
    services: Annotated[
        float | None,
        described("Services of the code that the clinic's NPIs billed to Medicare in a year; null if not known.", 40.0),
    ]
    rate: Annotated[
        float | None, described("The rate given with the line, or the clinic's price, the middle of its rates.", 95.0)
    ]
    is_given: Annotated[bool, described("Whether the rate was given with the line.", False)]
    own_rates: Annotated[int, described("Number of the payer's rates for the line that are the clinic's.", 2)]
    lowest: Annotated[float | None, described("Lowest of the clinic's rates, in dollars; null if one is given.", 90.0)]
    highest: Annotated[
        float | None, described("Highest of the clinic's rates, in dollars; null if one is given.", 100.0)
    ]
    prices: Annotated[
        int,
        described(
            "Number of different rates among the clinic's own: of several, the file does not say which applies. "
            "0 if a rate is given.",
            2,
        ),
    ]
    percentile: Annotated[
        float | None,
        described(
            "The position of `rate` among this payer's rates for others: the share of these that are lower, those "
            "equal counting half: 0.25 is 25%. Null where all of the payer's rates are the clinic's.",
            0.25,
        ),
    ]
    above: Annotated[int | None, described("Number of the payer's rates for others that are higher than `rate`.", 52)]
    median: Annotated[
        float | None,
        described(
            "Median of the payer's rates for the line that are not the clinic's; null where all are the clinic's.",
            104.0,
        ),
    ]
    market: Annotated[
        float | None, described("Median of all payers' rates for the line that are not the clinic's.", 110.0)
    ]
    median_with_own: Annotated[
        float | None,
        described("Median of all of the payer's rates for the line, the clinic's included: that of the basket.", 103.0),
    ]
    market_with_own: Annotated[
        float | None,
        described(
            "Median of all payers' rates for the line, the clinic's included: that of the code's page.",
            109.0,
        ),
    ]
    rates: Annotated[int, described("Number of the payer's rates for the line, the clinic's included.", 70)]
    others: Annotated[int, described("Number of the payer's rates for the line that are not the clinic's.", 68)]
    percent: Annotated[float | None, described("The rate against Medicare's amount: 1.2 is 120%.", 1.2)]
    gap: Annotated[float | None, described("The rate minus the payer's `median`, in dollars.", -9.0)]
    total: Annotated[
        float | None,
        described(
            "The gap times the units, once for a line without. If no line has units, times `services`, null where "
            "these are not known; and once if they are known of no line. Null where `others` is below "
            f"{FEW_RATES}: a gap to so few rates is in no sum.",
            -1080.0,
        ),
    ]
    reason: Annotated[str | None, described("Why the line has no position at the payer.", None)]

    @property
    def to_median(self) -> float | None:
        """The share by which the rate would have to rise to be the payer's median; None if it is not below it."""
        return self.median / self.rate - 1 if self.rate and self.median and self.rate < self.median else None

    @property
    def is_thin(self) -> bool:
        """Whether the line has a gap, but to so few rates that it counts in no sum."""
        return self.gap is not None and self.others < FEW_RATES

    @property
    def has_spread(self) -> bool:
        """Whether the clinic has several rates for the line, of which `rate` is the one in the middle."""
        return self.lowest != self.highest

    @property
    def gaps_of_spread(self) -> tuple[float, float] | None:
        """The gaps of the lowest and of the highest of the clinic's rates; None if it has only one."""
        if self.lowest is None or self.highest is None or self.median is None or not self.has_spread:
            return None
        return self.lowest - self.median, self.highest - self.median

    @property
    def is_ranked(self) -> bool:
        """Whether the payer has so few rates that a place among them says more than a percentile."""
        return self.ranked < LEAST_FOR_PERCENTILES

    @property
    def ranked(self) -> int:
        """The payer's rates for others, and the clinic's own as one among them."""
        return self.others + 1


@dataclass(frozen=True)
class PayerGap:
    """What the gaps at one payer come to, without the lines that are compared with fewer than FEW_RATES rates."""

    payer_slug: str
    reporting_entity_name: str
    priced: int
    below: int
    several: int
    """The priced lines for which the file has several of the clinic's prices, and does not say which applies."""
    below_at_lowest: int
    """The priced lines below the median with the lowest of the clinic's prices."""
    below_at_highest: int
    thin: int
    """The lines that are left out for the few rates that they are compared with."""
    totaled: int
    """The lines with a total: all that are priced, unless they are weighed by services that are not known of all."""
    shortfall: float
    """The sum of the totals of lines below the median, zero or less."""
    total: float
    """The sum of all totals."""
    unpriced: int


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


BY_UNITS, BY_SERVICES, ONCE = "units", "services", "once"


def weigh(lines: Sequence[AskedLine], services: Mapping[str, float]) -> str:
    """Return what the gaps of the lines are multiplied by: units, or else services billed to Medicare, or else one."""
    if any(line.units is not None for line in lines):
        return BY_UNITS
    return BY_SERVICES if any(line.code.code in services for line in lines) else ONCE


def list_services(db: Snapshot, clinic: Clinic) -> dict[str, float]:
    """Return how often the clinic's NPIs billed each code to Medicare in a year."""
    if not clinic.members:
        return {}
    sql = services_sql(db, clinic.members)
    return {str(code): float(number) for code, number in db.rows(sql, used_parameters(sql, clinic.values))}


def _largest_shortfall_first(one: ClinicPosition) -> tuple[Any, ...]:
    dollars = _dollars(one)
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


def _dollars(one: ClinicPosition) -> float | None:
    """Return what a line comes to: its total, or the gap where nobody knows how often it is rendered."""
    return one.gap if one.total is None else one.total


def sum_gaps(positions: Sequence[ClinicPosition]) -> list[PayerGap]:
    """Return what the gaps come to by payer, the largest shortfall first."""
    by_payer: dict[tuple[str, str], list[ClinicPosition]] = {}
    for one in positions:
        by_payer.setdefault((one.payer_slug, one.reporting_entity_name), []).append(one)
    found = [
        PayerGap(
            slug,
            name,
            priced=sum(one.gap is not None and not one.is_thin for one in some),
            below=sum((_dollars(one) or 0) < 0 and not one.is_thin for one in some),
            several=sum(not one.is_thin and one.gaps_of_spread is not None for one in some),
            below_at_lowest=sum(_is_below(one, 0) for one in some),
            below_at_highest=sum(_is_below(one, 1) for one in some),
            thin=sum(one.is_thin for one in some),
            totaled=sum(one.total is not None for one in some),
            shortfall=sum(min(one.total or 0, 0) for one in some),
            total=sum(one.total or 0 for one in some),
            unpriced=sum(one.reason is not None for one in some),
        )
        for (slug, name), some in by_payer.items()
    ]
    return sorted(found, key=lambda one: (one.shortfall, one.payer_slug))


def _is_below(one: ClinicPosition, at: int) -> bool:
    """Return whether the lowest (0) or the highest (1) of the clinic's prices is below the median, to the cent."""
    if one.is_thin or one.gap is None:
        return False
    gap = one.gaps_of_spread[at] if one.gaps_of_spread else one.gap
    return round(gap, 2) < 0


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
                SELECT i.position, payer_slug, f.negotiated_rate, f.medicare, f.percent, i.given,
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
                FROM amounts a JOIN sums s USING (position, payer_slug) WHERE s.own IS NOT NULL GROUP BY ALL)
            SELECT s.* EXCLUDE (given_rate), p.lower / others AS percentile,
                   CASE WHEN s.own IS NOT NULL THEN coalesce(p.above, 0) END AS above
            FROM sums s LEFT JOIN standing p USING (position, payer_slug)""",
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
