"""What each family of services is paid: its main level with its share of the family's prices, and the middle of these.

The exhibits of a contract divide its services like this: a percent for visits, another for imaging.
"""

from collections.abc import Sequence

import numpy as np

from core.queries.comparison.area_amounts import NATION
from core.queries.comparison.compared_rates import is_plausible
from core.queries.contract_rule.code_families import FAMILIES
from core.queries.contract_rule.fit_rule import FAMILY_SHARE, MIN_PRICES, CandidateFit, Floats
from core.queries.contract_rule.levels_of_release import PricedByLevels, PriceLevel, find_levels_of_releases
from core.queries.contract_rule.priced_rates import CandidateSchedule
from core.queries.contract_rule.rule_rows import FamilyRule, RulePrice

MAIN_SHARE = 0.1
"""A level is a family's main one if it reproduces at least this share of its prices."""

_QUARTILES = (0.25, 0.5, 0.75)


def list_families_of_fit(
    fit: CandidateFit, schedule: CandidateSchedule, listed: Sequence[RulePrice]
) -> list[FamilyRule]:
    """Return the families of a rule of one schedule, with the multiple that it has for each.

    Without the prices themselves, their quartiles are left out.
    """
    of_family = _divide(listed)
    in_order = sorted(fit.families, key=lambda one: FAMILIES.index(one.family))
    return [
        FamilyRule(
            one.family,
            one.multiple,
            schedule.state == NATION,
            one.own,
            one.prices,
            one.explained,
            *_find_quartiles([listed[row] for row in of_family.get(one.family, ())]),
        )
        for one in in_order
    ]


def list_families_of_levels(
    levels: Sequence[PriceLevel], priced: PricedByLevels, listed: Sequence[RulePrice]
) -> list[FamilyRule]:
    """Return each family with the level that most of its prices have."""
    found = []
    for family, rows in _divide(listed).items():
        counts = np.bincount(priced.level[rows] + 1, minlength=len(levels) + 1)[1:]
        main = int(np.argmax(counts))
        level, count = (levels[main], int(counts[main])) if counts[main] >= MAIN_SHARE * len(rows) else (None, 0)
        found.append(_write_row(family, [listed[row] for row in rows], level, count, own=count > 0 and main > 0))
    return found


def find_families(
    candidates: Sequence[CandidateSchedule], amounts: Floats, listed: Sequence[RulePrice]
) -> list[FamilyRule]:
    """Return the families of prices that follow no rule together.

    A family of MIN_PRICES has a multiple if that reproduces FAMILY_SHARE of its prices to the cent.
    """
    rates, found = np.array([one.negotiated_rate for one in listed]), []
    for family, rows in _divide(listed).items():
        of_family = [listed[row] for row in rows]
        best = find_levels_of_releases(rates[rows], candidates, amounts[rows], 1) if len(rows) >= MIN_PRICES else None
        told = best if best and best.explained >= FAMILY_SHARE * len(rows) else None
        level = told.list_levels(candidates)[0] if told else None
        found.append(_write_row(family, of_family, level, told.explained if told else 0, own=level is not None))
    return found


def _write_row(
    family: str, prices: Sequence[RulePrice], level: PriceLevel | None, explained: int, *, own: bool
) -> FamilyRule:
    return FamilyRule(
        family,
        level.multiple if level else None,
        level.is_national if level else None,
        own,
        len(prices),
        explained,
        *_find_quartiles(prices),
    )


def _find_quartiles(prices: Sequence[RulePrice]) -> tuple[float | None, float | None, float | None]:
    percents = [one.percent for one in prices if one.percent is not None]
    if not percents:
        return None, None, None
    # Likely errors are left out, as on other pages, unless nothing else is known.
    low, middle, high = np.quantile(list(filter(is_plausible, percents)) or percents, _QUARTILES).tolist()
    return low, middle, high


def _divide(listed: Sequence[RulePrice]) -> dict[str, list[int]]:
    """Return which prices are of each family, in the order of the families."""
    found: dict[str, list[int]] = {family: [] for family in FAMILIES}
    for row, one in enumerate(listed):
        found[one.family].append(row)
    return {family: rows for family, rows in found.items() if rows}
