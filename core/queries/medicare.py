"""Negotiated rates against Medicare's schedules, by the rules of `comparison`: tables for the page."""

from dataclasses import dataclass

from core.queries.comparison import compared
from core.queries.keyset import Key, after
from core.queries.market import Market
from core.store.connection import Snapshot

ORDERS = {
    "percent": "percent NULLS LAST, negotiated_rate, fact_uid",
    "-percent": "percent DESC NULLS LAST, negotiated_rate, fact_uid",
    "rate": "negotiated_rate, fact_uid",
    "-rate": "negotiated_rate DESC, fact_uid",
}


@dataclass(frozen=True)
class Comparison:
    """One rate against the amount of its basis, or the reason why there is none. A percent of 1 is 100 %."""

    fact_uid: str
    reporting_entity_name: str
    payer_slug: str
    code_type: str
    code: str
    billing_class: str | None
    modifier: str
    places: str
    kind: str
    negotiated_rate: float
    provider_group_id_raw: str
    basis: str | None
    detail: str | None
    medicare: float | None
    release: str | None
    percent: float | None
    plausible: bool | None
    wcfs: float | None
    reason: str | None


@dataclass(frozen=True)
class Spread:
    """The percents of one payer, the `implausible` ones (below 50 % or above 3,000 %) among them."""

    reporting_entity_name: str
    payer_slug: str
    rates: int
    implausible: int
    p10: float
    p25: float
    p50: float
    p75: float
    p90: float


@dataclass(frozen=True)
class Basis:
    """How many rates are compared with one schedule's amounts, and of which release these are."""

    basis: str
    release: str
    rates: int


@dataclass(frozen=True)
class Outcomes:
    """What became of the rates: total = the rates of all bases + those of all reasons."""

    total: int
    bases: list[Basis]
    reasons: dict[str, int]

    @property
    def compared(self) -> int:
        """How many rates have a percent."""
        return sum(basis.rates for basis in self.bases)


def comparisons(
    db: Snapshot, market: Market, order: str, limit: int, offset: int, last: Key | None = None
) -> list[Comparison]:
    """The rates from `offset` on, at most `limit`, in one of ORDERS; of those after the row with the key `last`."""
    condition, key = after(ORDERS[order], last)
    rows = db.rows(
        f"""{compared(market.where)}
            SELECT fact_uid, reporting_entity_name, payer_slug(reporting_entity_name), code_type, code, billing_class,
                   billing_code_modifier, places, kind, negotiated_rate, provider_group_id_raw,
                   basis, detail, medicare, release, percent, plausible, wcfs, reason
            FROM compared WHERE {condition} ORDER BY {ORDERS[order]} LIMIT $limit OFFSET $offset""",
        {**market.parameters, **key, "limit": limit, "offset": offset},
    )
    return [Comparison(*row) for row in rows]


def outcomes(db: Snapshot, market: Market) -> Outcomes:
    """How many rates have which basis, and how many have no percent, by reason: most first."""
    rows = db.rows(
        f"""{compared(market.where)}
            SELECT basis, release, reason, count(*) FROM compared GROUP BY ALL ORDER BY 4 DESC, 1, 2, 3""",
        market.parameters,
    )
    return Outcomes(
        sum(row[3] for row in rows),
        [Basis(row[0], row[1], row[3]) for row in rows if row[0] is not None],
        {row[2]: row[3] for row in rows if row[2] is not None},
    )


def spreads(db: Snapshot, market: Market) -> list[Spread]:
    """The percents by payer, each rate counted once."""
    rows = db.rows(
        f"""{compared(market.where)}
            SELECT reporting_entity_name, payer_slug(reporting_entity_name), count(*),
                   count(*) FILTER (NOT plausible),
                   quantile_cont(percent, [0.1, 0.25, 0.5, 0.75, 0.9])
            FROM compared WHERE percent IS NOT NULL GROUP BY ALL ORDER BY 1""",
        market.parameters,
    )
    return [Spread(*row[:4], *row[4]) for row in rows]
