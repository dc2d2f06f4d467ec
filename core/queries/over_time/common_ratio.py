"""Prices that moved by one ratio: the same percents of a newer schedule, which are no raise and no cut of a contract.

A contract that pays 155% of Medicare, and one that pays 290%, both pay 3.8% less for a code when a newer release of the
schedule has 3.8% less for it. Told as cuts, these look like negotiations. The figures prove only that prices of
several levels moved by one ratio; that they are percents of a schedule is proven where the new ones are round percents
of one amount of Medicare's.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median_low

from core.queries.comparison.percent_of_areas import AmountsOfAreas, PercentsOfAreas, list_amounts_of_areas
from core.queries.market.market import Market
from core.queries.over_time.matching import MATCHED, match
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot

TOLERANCE = 0.001
"""How far a ratio may be from the common one: amounts are rounded, and a newer release moves localities a little apart.
"""

LEAST_SHARE = 0.5
"""The share of the prices that went one way that have to have the common ratio."""

LEAST_PRICES, LEAST_CODES = 2, 10
"""The different prices of a code, or the codes of a payer, of which one ratio is no coincidence."""


@dataclass(frozen=True)
class MovedPrices:
    """The lowest and highest prices of organizations whose prices all went one way, for one code on the same terms."""

    payer_slug: str
    reporting_entity_name: str
    code: str
    modifier: str
    what: str
    old_lowest: float
    old_highest: float
    new_lowest: float
    new_highest: float
    organizations: int

    @property
    def ratios(self) -> tuple[float, float]:
        """The ratio of the later price to the earlier one, of the lowest and of the highest."""
        return self.new_lowest / self.old_lowest, self.new_highest / self.old_highest

    @property
    def pairs(self) -> set[tuple[float, float]]:
        """The earlier and the later price at both ends."""
        return {(self.old_lowest, self.new_lowest), (self.old_highest, self.new_highest)}


@dataclass(frozen=True)
class CommonRatio:
    """A ratio that most prices of a payer moved by that went one way, from one month to a later one."""

    payer_slug: str
    reporting_entity_name: str
    what: str
    """up or down."""
    ratio: float
    """The later price as a share of the earlier one: 0.962 is 3.8% less."""
    organizations: int
    """How many have it: tax IDs, each once for each code and its terms."""
    of: int
    """How many went the same way."""
    codes: int
    pairs: tuple[tuple[float, float], ...]
    """The different prices that moved by it, the earlier and the later one: the lowest and highest of each."""
    percents: PercentsOfAreas | None = None
    """The round percents of Medicare's newest amounts that the later prices are, where all of them are some."""

    @property
    def is_common(self) -> bool:
        """Whether enough of those that went the same way have it."""
        return self.organizations >= LEAST_SHARE * self.of


@dataclass(frozen=True)
class RatiosOfCodes:
    """How many prices of a payer that went one way have the common ratio of their code's."""

    payer_slug: str
    reporting_entity_name: str
    what: str
    organizations: int
    of: int
    codes: int
    """The codes that have a common ratio of prices of several levels."""


@dataclass(frozen=True)
class CommonRatios:
    """What is told of the prices of a market that moved by one ratio."""

    single: list[CommonRatio]
    by_code: list[RatiosOfCodes]
    """Of a market of several codes."""


NO_RATIOS = CommonRatios([], [])


def list_common_ratios(db: Snapshot, market: Market, before: str) -> CommonRatios:
    """Return the ratio of each payer and direction that most of its prices in dollars moved by: the most first.

    Of a market of one code, it is one ratio of prices of several levels; of others, one of several codes.
    """
    with match(db, market, before) as memory:
        rows = read_rows(
            memory,
            MovedPrices,
            f"""SELECT payer_slug, coalesce(reporting_entity_name, payer_slug) AS reporting_entity_name, code, modifier,
                       what, old_lowest, old_highest, new_lowest, new_highest, count(*) AS organizations
                FROM {MATCHED} LEFT JOIN dim_reporting_entity USING (payer_slug)
                WHERE what IN ('up', 'down') AND kind = 'dollars' AND old_lowest > 0 GROUP BY ALL ORDER BY ALL""",
        )
    if market.code is None:
        return CommonRatios(find_ratios_of_payers(rows), find_ratios_of_codes(rows))
    found = find_ratios_of_code(rows)
    amounts = list_amounts_of_areas(db, market.state, [market.code] if found else [])
    modifiers = sorted({row.modifier for row in rows})
    return CommonRatios([_with_percents(one, amounts, market.code, modifiers) for one in found], [])


def find_ratios_of_code(rows: Iterable[MovedPrices]) -> list[CommonRatio]:
    """Return the common ratio of each payer and direction that has one, of the rows of one code."""
    found = (_find_ratio(some) for some in _by_direction(rows))
    return _most_first(one for one in found if len(one.pairs) >= LEAST_PRICES and one.is_common)


def find_ratios_of_payers(rows: Iterable[MovedPrices]) -> list[CommonRatio]:
    """Return the ratio of each payer and direction that is one for many codes."""
    found = (_find_ratio(some) for some in _by_direction(rows))
    return _most_first(one for one in found if one.codes >= LEAST_CODES and one.is_common)


def find_ratios_of_codes(rows: Iterable[MovedPrices]) -> list[RatiosOfCodes]:
    """Return of each payer and direction how many prices have the common ratio of their code's, if most have."""
    found = []
    for some in _by_direction(rows):
        by_code: dict[str, list[MovedPrices]] = defaultdict(list)
        for row in some:
            by_code[row.code].append(row)
        ratios = [one for of_code in by_code.values() for one in find_ratios_of_code(of_code)]
        together, of = sum(one.organizations for one in ratios), sum(row.organizations for row in some)
        if len(ratios) >= LEAST_CODES and together >= LEAST_SHARE * of:
            first = some[0]
            found.append(
                RatiosOfCodes(
                    first.payer_slug, first.reporting_entity_name, first.what, together, of, codes=len(ratios)
                )
            )
    return sorted(found, key=lambda one: (-one.organizations, one.payer_slug, one.what))


def _by_direction(rows: Iterable[MovedPrices]) -> list[list[MovedPrices]]:
    found: dict[tuple[str, str], list[MovedPrices]] = defaultdict(list)
    for row in rows:
        found[row.payer_slug, row.what].append(row)
    return list(found.values())


def _most_first(found: Iterable[CommonRatio]) -> list[CommonRatio]:
    return sorted(found, key=lambda one: (-one.organizations, one.payer_slug, one.what))


def _find_ratio(rows: Sequence[MovedPrices]) -> CommonRatio:
    """Return the ratio of most organizations of one payer whose prices went one way."""
    alike, first = _alike(rows), rows[0]
    pairs = sorted({pair for one in alike for pair in one.pairs})
    ratio = median_low([one.ratios[1] for one in alike for _ in range(one.organizations)]) if alike else 1.0
    return CommonRatio(
        payer_slug=first.payer_slug,
        reporting_entity_name=first.reporting_entity_name,
        what=first.what,
        ratio=ratio,
        organizations=sum(one.organizations for one in alike),
        of=sum(one.organizations for one in rows),
        codes=len({one.code for one in alike}),
        pairs=tuple(pairs),
    )


def _alike(rows: Sequence[MovedPrices]) -> list[MovedPrices]:
    """Return the rows of most organizations whose ratios are within TOLERANCE of one of them."""
    each = sorted((row for row in rows if abs(row.ratios[0] - row.ratios[1]) <= TOLERANCE), key=lambda row: row.ratios)
    best, best_count, first, count = (0, 0), 0, 0, 0
    for last, row in enumerate(each):
        count += row.organizations
        while row.ratios[0] - each[first].ratios[0] > 2 * TOLERANCE:
            count -= each[first].organizations
            first += 1
        if count > best_count:
            best, best_count = (first, last + 1), count
    return each[slice(*best)]


def _with_percents(one: CommonRatio, amounts: AmountsOfAreas, code: str, modifiers: Iterable[str]) -> CommonRatio:
    """Return a ratio with the round percents of Medicare's amounts that its later prices are, if all of them are."""
    later = {new for _, new in one.pairs}
    found = (amounts.find(code, modifier, later) for modifier in modifiers)
    return replace(one, percents=next((some for some in found if some), None))
