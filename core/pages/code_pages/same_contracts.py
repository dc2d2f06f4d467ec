"""The change of the same contracts from one month to another, as the page of changes finds it.

A median of all rates also moves with which rates are in the file. Where a page says in a sentence what changed, it says
what became of the organizations that are in both months.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.pages.shared.market_choice import choose_months
from core.pages.shared.urls import to
from core.queries.coverage import list_coverage
from core.queries.market.market import Market
from core.queries.over_time.changes import TermsMoved, count_movements
from core.queries.over_time.common_ratio import CommonRatio, list_common_ratios
from core.queries.over_time.comparable_months import list_comparable_months
from core.store.connection import Snapshot


@dataclass(frozen=True)
class SameContracts:
    """What became of the organizations that a payer pays in both months, on the terms that most of them have."""

    earlier: str
    later: str
    moved: TermsMoved
    address: str
    """The page of changes with the same figure."""
    ratio: CommonRatio | None
    """The ratio that most prices moved by, if there is one."""


def list_same_contracts(db: Snapshot, market: Market, payers: Iterable[str], most: int) -> list[SameContracts]:
    """Return the changes of at most `most` payers, in their order, each between its newest two months with the code.

    A payer has none if no two months of it can be compared, or if nobody is in both.
    """
    found: list[SameContracts] = []
    loaded = list_coverage(db)
    for payer in payers:
        if len(found) == most:
            break
        asked = replace(market, payer=payer, latest=None)
        of_payer = [one for one in loaded if (one.state, one.payer_slug) == (asked.state, payer)]
        if not list_comparable_months(of_payer, asked.year_month):
            continue
        choice = choose_months(asked, "", db, loaded)
        if not choice.earlier_month:
            continue
        terms = count_movements(db, choice.market, choice.earlier_month, ["terms"]).terms
        lead = max((one for one in terms if one.kind == "dollars"), key=lambda one: (one.kept, one.after), default=None)
        if lead and lead.kept:
            address = to("changes", choice.market, **{"from": choice.earlier_month})
            ratios = list_common_ratios(db, choice.market, choice.earlier_month).single
            months = choice.earlier_month, choice.market.year_month
            found.append(SameContracts(*months, lead, address, next(iter(ratios), None)))
    return found
