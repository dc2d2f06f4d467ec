"""The tax IDs of a payer, to choose one whose contract is looked at."""

from dataclasses import dataclass

from core.queries.market.market import Market
from core.queries.rules.columns import BusinessName, GroupCount, TinType, TinValue
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.views import NAMED_TIN


@dataclass(frozen=True)
class PayerTin:
    """A tax ID with provider groups at a payer in a month."""

    tin_type: TinType
    tin_value: TinValue
    business_name: BusinessName
    groups: GroupCount


def list_payer_tins(db: Snapshot, market: Market, limit: int) -> list[PayerTin]:
    """Return the tax IDs with the most provider groups at the market's payer in its month."""
    return read_rows(
        db,
        PayerTin,
        f"""SELECT t.*, business_name
            FROM (SELECT tin_type, tin_value, count(DISTINCT pg_uid) AS groups FROM xref_group_tin
                  WHERE year_month = $year_month AND payer_slug = $payer GROUP BY ALL
                  ORDER BY groups DESC, tin_value, tin_type LIMIT {limit:d}) t
            LEFT JOIN {NAMED_TIN} USING (tin_type, tin_value)
            ORDER BY groups DESC, tin_value, tin_type""",
        {"year_month": market.year_month, "payer": market.payer},
    )
