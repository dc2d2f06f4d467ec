"""What the organization in the middle is paid for a code, for pages that begin with the rate in the middle.

A contract with several prices for every area counts once for each of them as rates, and once for each of its
organizations as organizations. So the two middles may be far apart, and a page that says one of them alone misleads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from core.queries.code_answer import AnswerSpread, MiddleOfRates, list_few_amounts
from core.queries.comparison.left_out import rates_in_figures
from core.queries.market.market import Market
from core.queries.market.market_filters import ALL_CLASSES
from core.queries.parties.organizations import show_tins
from core.queries.rules.columns import OneContract, described
from core.queries.rules.largest_contract import CONTRACT_OF_TIN, LARGEST_CONTRACT, is_mostly_one
from core.queries.rules.named_rows import read_row
from core.queries.rules.organization_price import lower_median
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot

NOTABLE_DIFFERENCE = 0.1
"""Two middles are both said if they differ by more than this share of the middle rate."""


@dataclass(frozen=True)
class MiddleOrganization:
    """The organizations with rates in dollars of one class, each counted once, and the one in the middle."""

    organizations: Annotated[int, described("Number of tax IDs (TINs) with rates in dollars of the class.", 12)]
    price: Annotated[
        float | None,
        described("The price in the middle of the organizations', of two the lower one; null if none is known.", 96.5),
    ]
    one_contract: OneContract

    @property
    def is_one_contract(self) -> bool:
        """Whether more than half of the organizations are under one contract, so that its price is the middle one."""
        return is_mostly_one(self.one_contract, self.organizations)

    def differs_from(self, middle_rate: float) -> bool:
        """Return whether its price is so far from the middle rate that a page has to say both."""
        if self.price is None or self.organizations < 2:
            return False
        return abs(self.price - middle_rate) > NOTABLE_DIFFERENCE * middle_rate


def find_middle_organization(db: Snapshot, market: Market) -> MiddleOrganization | None:
    """Return what count_totals says of the organization in the middle; None where the rates are not in memory.

    It costs a page little: the tax IDs of the groups of its rates are in memory. Rates of several classes have no
    middle.
    """
    if not isinstance(db, MarketSnapshot) or db.code_values is None or market.classes == ALL_CLASSES:
        return None
    facts, parameters = rates_in_figures(db, market)
    tins = show_tins(db, market)
    return read_row(
        db,
        MiddleOrganization,
        f"""WITH paid AS (
                SELECT {lower_median("negotiated_rate")} AS price, {CONTRACT_OF_TIN} AS contract
                FROM {facts} f JOIN {tins} USING (pg_uid)
                WHERE rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'
                GROUP BY tin_type, tin_value)
            SELECT count(*) AS organizations, {lower_median("price")} AS price, {LARGEST_CONTRACT} AS one_contract
            FROM paid""",
        parameters,
    )


def find_notable_middle(
    db: Snapshot, market: Market, spreads: Sequence[AnswerSpread] | Sequence[MiddleOfRates]
) -> MiddleOrganization | None:
    """Return the organization in the middle if a page that begins with the middle rate has to say both.

    `spreads` are those of the market, of all payers together first. A few rates are listed, and have no middle; those
    of several classes have several.
    """
    if not spreads or list_few_amounts(spreads[0]):
        return None
    together = [one for one in spreads if not isinstance(one, AnswerSpread) or one.reporting_entity_name is None]
    if len(together) > 1:
        return None
    found = find_middle_organization(db, market)
    return found if found and found.differs_from(together[0].p50) else None


def list_said_prices(spreads: Sequence[AnswerSpread], middle: MiddleOrganization | None) -> list[float]:
    """Return the prices that a page names: middles of rates, a few rates, and that of the middle organization."""
    few = [price for row in spreads for price in list_few_amounts(row)]
    return [*(row.p50 for row in spreads), *few, *([middle.price] if middle and middle.price is not None else [])]
