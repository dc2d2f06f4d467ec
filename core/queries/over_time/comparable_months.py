"""The pairs of months that can be compared: those in which one payer has rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from core.queries.coverage import Coverage
from core.queries.market.market import Market
from core.store.connection import Snapshot


@dataclass(frozen=True)
class ComparableMonths:
    """Two months in which a payer has rates in a state, and how many rates it has in the later one."""

    state: str
    later: str
    earlier: str
    payer_slug: str
    reporting_entity_name: str
    rates: int


def list_comparable_months(
    loaded: Sequence[Coverage], later: str = "", earlier: str = ""
) -> Sequence[ComparableMonths]:
    """Return the pairs of months of each payer, newest first, and of the same months the payer with most rates first.

    `later` and `earlier` are the months asked for; empty text stands for any.
    """
    months: dict[tuple[str, str], list[Coverage]] = {}
    for row in sorted(loaded, key=lambda one: one.year_month):
        if row.rates:
            months.setdefault((row.state, row.payer_slug), []).append(row)
    found = [
        ComparableMonths(
            after.state, after.year_month, before.year_month, slug, after.reporting_entity_name, after.rates
        )
        for (_, slug), rows in months.items()
        for before, after in combinations(rows, 2)
        if later in {"", after.year_month} and earlier in {"", before.year_month}
    ]
    found.sort(key=lambda one: (-one.rates, one.state, one.payer_slug))
    return sorted(found, key=lambda one: (one.later, one.earlier), reverse=True)


def keep_months_of_code(db: Snapshot, market: Market, loaded: Sequence[Coverage]) -> list[Coverage]:
    """Return those rows whose payer has rates of the market's code in the month. An empty state stands for all."""
    of_code = Market(market.state, "", market.code_type, market.code)
    rows = db.rows(
        f"""SELECT DISTINCT f.state, payer_slug, f.year_month
            FROM fact_rate f JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name
            WHERE {of_code.where}""",
        of_code.parameters,
    )
    there = {tuple(map(str, row)) for row in rows}
    return [row for row in loaded if (row.state, row.payer_slug, row.year_month) in there]
