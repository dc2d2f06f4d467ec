"""The largest moves of a price that many organizations have in common, from one month to another.

A median change of thousands of prices is near zero though one contract's price of a code is a fifth of what it was.
"""

from dataclasses import dataclass

from core.queries.code_titles import with_titles
from core.queries.market.market import Market
from core.queries.over_time.changes import OfCode, OfPayer, OfTerms
from core.queries.over_time.matching import MATCHED, TERMS, match
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot

MOST_MOVES = 3
"""How many are named."""

LEAST_ORGANIZATIONS = 10
"""A move of fewer is not among the largest, however far it goes."""

LEAST_CHANGE = 0.05
"""What moved less is no large move: a newer release of a fee schedule does as much."""


@dataclass(frozen=True)
class LargeMove(OfTerms, OfCode, OfPayer):
    """A price of organizations that are paid the same for a code in both months, and what it has become."""

    old: float
    new: float
    organizations: int

    @property
    def percent(self) -> float:
        """The change: 0.1 is up 10%."""
        return self.new / self.old - 1


def list_largest_moves(db: Snapshot, market: Market, before: str) -> list[LargeMove]:
    """Return the largest moves of prices in dollars, the largest first; of a market without a code, one of each code.

    A move is as large as its ratio and its number of organizations: twice as much for 20 is as large as four times as
    much for ten.
    """
    one_of_code = "" if market.code else "QUALIFY 1 = row_number() OVER (PARTITION BY code_system, code ORDER BY {})"
    size = "organizations * abs(ln(new / old)) DESC, code, payer_slug, old, new, billing_class, modifier, place"
    with match(db, market, before) as memory:
        rows = read_rows(
            memory,
            LargeMove,
            f"""WITH moves AS (
                    SELECT payer_slug, code_system, code, {", ".join(TERMS)}, old, new, min(code_type) AS code_type,
                           count(*) AS organizations
                    FROM {MATCHED} WHERE kind = 'dollars' AND what IN ('up', 'down') AND old > 0 AND new > 0
                    GROUP BY payer_slug, code_system, code, {", ".join(TERMS)}, old, new
                    HAVING organizations >= {LEAST_ORGANIZATIONS} AND abs(new / old - 1) >= {LEAST_CHANGE})
                SELECT payer_slug, coalesce(reporting_entity_name, payer_slug) AS reporting_entity_name, m.code_type,
                       m.code, name, {", ".join(name for name in TERMS if name != "kind")}, old, new, organizations
                FROM (SELECT * FROM moves {one_of_code.format(size)}) m
                LEFT JOIN dim_reporting_entity USING (payer_slug)
                LEFT JOIN dim_code d ON (d.code_type, d.code) = (m.code_type, m.code)
                ORDER BY {size.replace("code,", "m.code,", 1)} LIMIT {MOST_MOVES}""",
        )
    return with_titles(db, rows)
