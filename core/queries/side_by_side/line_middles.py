"""The middle organization of each payer in each line of payers that are compared: see middle_by_payer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from core.fields.places.care_setting import SURGICAL_CENTER, is_surgical_center
from core.queries.baskets.basket_medians import compared_list
from core.queries.baskets.others_of_state import find_middles_of_state
from core.queries.classes.class_counts import CodeClassCount, count_classes_of_codes
from core.queries.classes.classes_of_codes import rates_of_list, write_all_terms
from core.queries.comparison.compared_rates import SAME_TERMS, SAME_TERMS_AND_AREA
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS, NOT_STATED, STATE_MEAN
from core.queries.market.market_rates import market_cache, uses_own_areas
from core.queries.parties.middle_by_payer import dollars_of_compared, middles_sql
from core.queries.rules.measured_class import LIKE_CLASSES
from core.queries.rules.named_rows import read_rows
from core.queries.rules.percentiles import median, percentile_list
from core.queries.yardstick.medicare import with_compared_terms
from core.store.connection import Snapshot
from core.store.sql import used_parameters


@dataclass(frozen=True)
class ComparedLine:
    """What the rates of a line have in common: those of a code of some systems, a class, exact modifiers, a setting."""

    systems: tuple[str, ...]
    code: str
    billing_class: str | None
    modifier: str
    care_setting: str | None

    def class_of(self, one: CodeClassCount) -> str:
        """Return whose fees the rates of a count are: as they are measured, unless the line is as files label them."""
        return one.measured if self.billing_class in LIKE_CLASSES else one.billing_class

    def has(self, one: CodeClassCount, *, divided: bool) -> bool:
        """Return whether the rates of a count are of this line. Lines are `divided` where no setting is asked for."""
        if (one.code, one.modifiers) != (self.code, self.modifier) or one.code_type not in self.systems:
            return False
        if not one.has("billing_class", self.billing_class or NOT_STATED):
            return False
        is_center = self.class_of(one) != "professional" and is_surgical_center(one.settings)
        if self.care_setting == SURGICAL_CENTER or is_center:
            return not divided or (is_center and self.care_setting == SURGICAL_CENTER)
        return one.has("care_setting", self.care_setting)


@dataclass(frozen=True)
class LineMiddle:
    """The middle organization of a payer in a line, by the line's position."""

    position: int
    payer_slug: str | None
    """None for all payers together, who have no middle organization."""
    rates: int
    """Their number of rates, without those that figures leave out."""
    rates_at: tuple[float, float, float, float, float]
    """The five percentiles of these rates."""
    organizations: int
    """How many tax IDs have these rates; 0 if none is known, and then there is no middle."""
    middle: float | None
    middle_percent: float | None
    """The percent of Medicare in the middle of the organizations'."""
    paid_at: tuple[float, ...] | None
    """The 10th, 25th, 50th, 75th, and 90th percentiles of the organizations' prices, each of which is one of them."""
    one_contract: int
    """How many of the organizations are under the contract with most of them."""
    percent_of_rates: float | None
    """The percent of Medicare in the middle of the rates, each counted once."""


def list_line_middles(
    db: Snapshot, market: Market, lines: Sequence[ComparedLine]
) -> Mapping[tuple[int, str | None], LineMiddle]:
    """Return the middle organizations by line and payer.

    Each line's are those of the tab Organizations with its filters and the payer. Of lines of one code in several
    settings, each is compared where it is rendered, so they are several questions.
    """
    if not lines:
        return {}
    codes = sorted({one.code for one in lines})
    of_code = replace(market, code_type=None, code=codes[0] if len(codes) == 1 else None, payer=None)
    asked = {name: getattr(market, name) for name in CLASS_FILTERS}
    found: dict[tuple[int, str | None], LineMiddle] = {}
    areas = of_code.code is not None and uses_own_areas(db, of_code)
    with market_cache(db, of_code, areas=areas) as cached:
        every = count_classes_of_codes(cached, of_code, codes)
        for part in _with_each_code_once(lines):
            write = partial(_write_terms, part, asked)
            terms = list(write(every))
            settings = {line.code: line.care_setting or market.care_setting for line in part.values()}
            measured = [at for at, line in part.items() if line.billing_class in LIKE_CLASSES]
            dollars, parameters = _dollars(cached, of_code, terms, settings, measured)
            others = find_middles_of_state(cached, of_code, codes, write, measured)
            sql = f"""{dollars}, {middles_sql(cached, of_code, "f", others)}
                SELECT position, payer_slug, rates, rates_at, coalesce(organizations, 0) AS organizations, middle,
                       middle_percent, paid_at, coalesce(one_contract, 0) AS one_contract, percent_of_rates
                FROM (SELECT position, payer_slug, count(*) AS rates, {percentile_list("negotiated_rate")} AS rates_at,
                             {median("own_percent")} AS percent_of_rates
                      FROM marked WHERE NOT is_odd GROUP BY GROUPING SETS ((position, payer_slug), (position)))
                LEFT JOIN middle USING (position, payer_slug)"""
            rows = read_rows(cached, LineMiddle, sql, parameters | used_parameters(sql, of_code.parameters))
            found |= {(one.position, one.payer_slug): one for one in rows}
    return found


def _write_terms(
    lines: Mapping[int, ComparedLine], asked: Mapping[str, str | None], counts: Sequence[CodeClassCount]
) -> Iterator[str]:
    """Yield the terms of the rates of each line that meet the filters that are asked for."""
    found = [one for one in counts if all(map(one.has, asked, asked.values()))]
    for at, line in lines.items():
        yield from write_all_terms(at, [one for one in found if line.has(one, divided=asked["care_setting"] is None)])


def _dollars(
    db: Snapshot, market: Market, terms: Sequence[str], settings: Mapping[str, str | None], measured: Sequence[int]
) -> tuple[str, dict[str, Any]]:
    """Return a WITH clause that ends in `f`, the rates in dollars of lines as middles_sql wants them.

    A code's rates are compared with what the other questions of its page have found for their terms, each in its own
    area where that is known. Those of several codes are compared anew, with the means of the state.
    """
    if market.code is None:
        markets = {code: replace(market, care_setting=setting) for code, setting in settings.items()}
        compared, parameters = compared_list(db, replace(market, area=STATE_MEAN), terms, markets, means=True)
        return f"{compared}, f AS MATERIALIZED ({dollars_of_compared('compared', measured)})", parameters
    areas = uses_own_areas(db, market)
    facts, parameters = rates_of_list(db, market, terms, areas=areas)
    compared, of_terms = with_compared_terms(db, replace(market, care_setting=settings[market.code]))
    # With areas, terms have a row for each area and one for the state's mean.
    rates = f"""(SELECT f.*, rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind, c.medicare,
                       f.negotiated_rate / c.medicare AS percent, f.negotiated_rate / c.medicare AS percent_of_state
                FROM ({facts}) f LEFT JOIN compared c ON {SAME_TERMS} AND c.group_area IS NULL)"""
    if areas:
        rates = f"""(SELECT f.* REPLACE (c.medicare AS medicare, f.negotiated_rate / c.medicare AS percent)
                     FROM {rates} f LEFT JOIN compared c ON {SAME_TERMS_AND_AREA})"""
    return f"{compared}, f AS MATERIALIZED ({dollars_of_compared(rates, measured)})", parameters | of_terms


def _with_each_code_once(lines: Sequence[ComparedLine]) -> list[dict[int, ComparedLine]]:
    """Return the lines by their positions, parted so that no code is looked at in two settings in one part."""
    parts: dict[str | None, dict[int, ComparedLine]] = {}
    for at, line in enumerate(lines):
        parts.setdefault(line.care_setting, {})[at] = line
    return list(parts.values())
