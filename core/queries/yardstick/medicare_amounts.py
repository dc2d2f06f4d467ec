"""Medicare's amounts for the rates of a code, by their terms."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple

from core.queries.comparison.area_amounts import WHOLE_STATE
from core.queries.market.market import Market
from core.queries.market.market_filters import STATE_MEAN
from core.queries.market.market_rates import uses_own_areas
from core.queries.rules.columns import described
from core.queries.rules.named_rows import read_rows
from core.queries.yardstick.medicare import with_compared_terms
from core.store.connection import Snapshot
from core.store.sql import used_parameters


class ScheduleTerms(NamedTuple):
    """The terms of a rate that decide, with its code and state, which amount it is compared with."""

    year_month: str
    billing_class: str | None
    setting: str | None
    modifier: str
    pos_set_id: str
    negotiated_type: str | None
    negotiation_arrangement: str | None
    payee: str
    size: str
    group_area: str | None
    """The area of the rate's provider group, as dim_group_area has it; None for the mean of the state."""


@dataclass(frozen=True)
class Amount:
    """The amount of the yardstick for all `rates` with the same terms, or the reason why there is none.

    wcfs is the amount of the state's workers' compensation schedule, and wcfs_basis, wcfs_release, and wcfs_reason say
    of it what basis and reason say of Medicare's.
    """

    basis: str | None
    medicare: float | None
    area: str | None
    release: str | None
    rule: str | None
    reason: str | None
    rates: int
    wcfs: float | None
    wcfs_basis: str | None
    wcfs_release: str | None
    wcfs_reason: str | None

    @property
    def area_words(self) -> str:
        """What the amount is of: the state's mean, or the provider's own area."""
        return "state’s mean" if self.area in WHOLE_STATE else "provider’s area"

    def percent(self, rate: float) -> float | None:
        """Return a rate with these terms as a percent of the yardstick: 1 is 100%."""
        return None if self.medicare is None else rate / self.medicare

    def percent_of_schedule(self, rate: float) -> float | None:
        """Return a rate with these terms as a percent of the state's schedule: 1 is 100%."""
        return None if self.wcfs is None else rate / self.wcfs


@dataclass(frozen=True)
class _TermsAmount(Amount):
    """An amount with the terms that it is for."""

    year_month: str
    billing_class: str | None
    setting: str | None
    modifier: str
    pos_set_id: str
    negotiated_type: str | None
    negotiation_arrangement: str | None
    payee: str
    size: str
    group_area: str | None

    @property
    def terms(self) -> ScheduleTerms:
        """Return the terms alone."""
        return ScheduleTerms(*(getattr(self, name) for name in ScheduleTerms._fields))


def find_amounts(db: Snapshot, market: Market) -> dict[ScheduleTerms, Amount]:
    """Return the amounts of the market's yardstick for its rates by their terms. The market is of one code.

    The amounts are the state's means, and where `db` counts areas, those in each area of the market's groups.
    """
    own_areas = uses_own_areas(db, market)
    if own_areas and not db.counts_areas:
        market, own_areas = replace(market, area=STATE_MEAN), False
    terms, of_terms = with_compared_terms(db, market, counted=True, everywhere=own_areas)
    sql = f"""{terms}
            SELECT year_month, billing_class, setting, billing_code_modifier AS modifier, pos_set_id, negotiated_type,
                   negotiation_arrangement, payee, size, group_area, basis, medicare, area, release, rule, reason,
                   rate_count AS rates, wcfs, wcfs_basis, wcfs_release, wcfs_reason FROM compared"""
    rows = read_rows(db, _TermsAmount, sql, used_parameters(sql, of_terms))
    return {row.terms: row for row in rows}


@dataclass(frozen=True)
class AmountLine:
    """An amount of the yardstick, and the number of rates that are compared with it."""

    basis: Annotated[str, described("Fee schedule and setting of the amount.", "MPFS non-facility")]
    amount: Annotated[float, described("Amount in dollars: Medicare's, or that of the yardstick asked for.", 86.4)]
    rates: Annotated[int, described("Number of rates that are compared with the amount.", 12)]
    area: Annotated[
        str | None,
        described(
            "What the amount is of: `state mean` over the areas of the state, `state, not rural`, or null where the "
            "schedule has no areas. A rate is compared with the amount of its provider's own area where that is known.",
            "state mean",
        ),
    ] = None


def count_amount_lines(found: Mapping[ScheduleTerms, Amount]) -> list[AmountLine]:
    """Return the distinct means of the state, those that most rates are compared with first."""
    counts: dict[tuple[str, float, str | None], int] = {}
    for terms, one in found.items():
        if terms.group_area is None and one.basis is not None and one.medicare is not None:
            of_area = one.basis, one.medicare, one.area
            counts[of_area] = counts.get(of_area, 0) + one.rates
    lines = [AmountLine(basis, amount, rates, area) for (basis, amount, area), rates in counts.items()]
    return sorted(lines, key=lambda line: (-line.rates, line.basis))
