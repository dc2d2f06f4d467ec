"""Negotiated rates against Medicare's schedules, by the rules of `comparison`: tables for the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from core.queries.rules.columns import (
    BillingClass,
    Code,
    CodeType,
    FactUid,
    Modifier,
    NegotiatedRate,
    PayerName,
    PayerSlug,
    RateCount,
    RateKind,
    RawGroupId,
    ReleaseMonth,
    described,
)
from core.queries.rules.comparison import LEAST_PLAUSIBLE, MOST_PLAUSIBLE, compared_sql
from core.queries.rules.keyset import RowKey, rows_after
from core.queries.rules.market import Market, counted_rates
from core.store.connection import Snapshot

ORDERS = {
    "percent": "percent NULLS LAST, negotiated_rate, fact_uid",
    "-percent": "percent DESC NULLS LAST, negotiated_rate, fact_uid",
    "rate": "negotiated_rate, fact_uid",
    "-rate": "negotiated_rate DESC, fact_uid",
}

_PLAUSIBLE_TIMES = f"between {LEAST_PLAUSIBLE:g} and {MOST_PLAUSIBLE:g} times"


@dataclass(frozen=True)
class Comparison:
    """One rate with its percent of Medicare, or the reason why it has none."""

    fact_uid: FactUid
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    code_type: CodeType
    code: Code
    billing_class: BillingClass
    modifier: Modifier
    places: Annotated[
        str, described("Where the service is provided: facility, non-facility, mixed or unstated.", "non-facility")
    ]
    kind: RateKind
    negotiated_rate: NegotiatedRate
    provider_group_id_raw: RawGroupId
    basis: Annotated[
        str | None,
        described(
            "Medicare fee schedule and setting that the rate is compared with; null if there is a reason instead.",
            "MPFS non-facility",
        ),
    ]
    detail: Annotated[
        str | None, described("What the schedule says about the code: a status or an indicator.", "status A")
    ]
    medicare: Annotated[float | None, described("Medicare amount in dollars.", 86.4)]
    release: Annotated[str | None, described("Month in which the release of the schedule takes effect.", "2025-01")]
    percent: Annotated[float | None, described("Rate divided by the Medicare amount: 1 is 100%.", 1.2095)]
    plausible: Annotated[bool | None, described(f"Whether the rate is {_PLAUSIBLE_TIMES} the Medicare amount.", True)]
    wcfs: Annotated[
        float | None,
        described("Workers' compensation amount of the state in dollars, if its schedule is loaded.", None),
    ]
    reason: Annotated[str | None, described("Why the rate has no percent of Medicare.", None)]


@dataclass(frozen=True)
class Spread:
    """The percents of Medicare of one payer's rates."""

    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    rates: Annotated[int, described("Number of rates that have a percent of Medicare.", 12)]
    implausible: Annotated[
        int, described(f"Rates that are not {_PLAUSIBLE_TIMES} the Medicare amount; `rates` includes them.", 1)
    ]
    p10: Annotated[float, described("10th percentile of the percents of Medicare: 1 is 100%.", 0.85)]
    p25: Annotated[float, described("25th percentile.", 1.02)]
    p50: Annotated[float, described("Median percent of Medicare.", 1.21)]
    p75: Annotated[float, described("75th percentile.", 1.4)]
    p90: Annotated[float, described("90th percentile.", 1.75)]


@dataclass(frozen=True)
class Basis:
    """The number of rates that are compared with one release of a fee schedule."""

    basis: Annotated[
        str, described("Medicare fee schedule and setting that the rates are compared with.", "MPFS non-facility")
    ]
    release: ReleaseMonth
    rates: RateCount


@dataclass(frozen=True)
class Outcomes:
    """How many rates are compared with Medicare: total = the rates of all bases + those of all reasons."""

    total: int
    bases: list[Basis]
    reasons: dict[str, int]

    @property
    def compared(self) -> int:
        """Return how many rates have a percent of Medicare."""
        return sum(basis.rates for basis in self.bases)


def list_comparisons(
    db: Snapshot, market: Market, order: str, limit: int, offset: int, last: RowKey | None = None
) -> list[Comparison]:
    """The rates from `offset` on, at most `limit`, in one of ORDERS; of those after the row with the key `last`."""
    condition, key = rows_after(ORDERS[order], last)
    amounts_of_terms, _ = _compared_terms(db, market)
    rows = db.rows(
        f"""{amounts_of_terms}
            SELECT fact_uid, reporting_entity_name, payer_slug(reporting_entity_name), code_type, code, billing_class,
                   billing_code_modifier, places, kind, negotiated_rate, provider_group_id_raw,
                   basis, detail, medicare, release, percent, {_PLAUSIBLE}, wcfs, reason
            FROM (SELECT f.*, c.* EXCLUDE ({_TERMS}, negotiated_rate, percent, plausible, zero, rate_count),
                         f.negotiated_rate / c.medicare AS percent
                  FROM fact_rate f JOIN compared c ON {_SAME_TERMS} WHERE {market.where})
            WHERE {condition} ORDER BY {ORDERS[order]} LIMIT $limit OFFSET $offset""",
        {**market.parameters, **key, "limit": limit, "offset": offset},
    )
    return [Comparison(*row) for row in rows]


def _compared_terms(db: Snapshot, market: Market) -> tuple[str, dict[str, Any]]:
    """Return a WITH clause whose `compared` has one row for all rates of the same terms, and its parameters.

    `rate_count` says how many rates a row stands for. Which amount a rate is compared with depends on its terms, not
    on how much it is, except for zero: see ScheduleTerms.
    """
    rates, parameters = counted_rates(db, market)
    terms = f"""(SELECT {_TERMS}, negotiated_rate = 0 AS zero, max(negotiated_rate) AS negotiated_rate,
                        sum(rate_count)::BIGINT AS rate_count
                 FROM {rates} GROUP BY ALL)"""
    return compared_sql("true", terms), parameters


_TERM_COLUMNS = (
    "state", "year_month", "code_type", "code", "billing_class", "setting", "billing_code_modifier", "pos_set_id",
    "negotiated_type", "negotiation_arrangement",
)  # fmt: skip
_TERMS = ", ".join(_TERM_COLUMNS)
_SAME_TERMS = " AND ".join(
    ["(f.negotiated_rate = 0) = c.zero", *(f"f.{name} IS NOT DISTINCT FROM c.{name}" for name in _TERM_COLUMNS)]
)
_PLAUSIBLE = f"percent BETWEEN {LEAST_PLAUSIBLE} AND {MOST_PLAUSIBLE}"


def count_outcomes(db: Snapshot, market: Market) -> Outcomes:
    """How many rates have which basis, and how many have no percent, by reason: most first."""
    amounts_of_terms, parameters = _compared_terms(db, market)
    rows = db.rows(
        f"""{amounts_of_terms}
            SELECT basis, release, reason, sum(rate_count)::BIGINT AS n FROM compared
            GROUP BY ALL ORDER BY n DESC, 1, 2, 3""",
        parameters,
    )
    return Outcomes(
        sum(row[3] for row in rows),
        [Basis(row[0], row[1], row[3]) for row in rows if row[0] is not None],
        {row[2]: row[3] for row in rows if row[2] is not None},
    )


def summarize_percents(db: Snapshot, market: Market) -> list[Spread]:
    """The percents by payer, each rate counted once."""
    rates, parameters = counted_rates(db, market)
    amounts_of_terms, _ = _compared_terms(db, market)
    rows = db.rows(
        f"""{amounts_of_terms}
            SELECT reporting_entity_name, payer_slug(reporting_entity_name), n, implausible, spread
            FROM (SELECT reporting_entity_name, count(*) AS n, count(*) FILTER (NOT {_PLAUSIBLE}) AS implausible,
                         quantile_cont(percent, [0.1, 0.25, 0.5, 0.75, 0.9]) AS spread
                  FROM (SELECT reporting_entity_name, f.negotiated_rate / c.medicare AS percent,
                               unnest(range(f.rate_count))
                        FROM {rates} f JOIN compared c ON {_SAME_TERMS} WHERE c.medicare IS NOT NULL)
                  GROUP BY ALL)
            ORDER BY 1""",
        parameters,
    )
    return [Spread(*row[:4], *row[4]) for row in rows]


class ScheduleTerms(NamedTuple):
    """What decides, beside the code, the state and the month, with which amount of Medicare a rate is compared."""

    billing_class: str | None
    setting: str | None
    modifier: str
    pos_set_id: str
    negotiated_type: str | None
    negotiation_arrangement: str | None
    zero: bool


@dataclass(frozen=True)
class Amount:
    """The Medicare amount of all `rates` with the same terms, or the reason why there is none."""

    basis: str | None
    medicare: float | None
    reason: str | None
    rates: int

    def percent(self, rate: float) -> float | None:
        """Return a rate with these terms as a percent of Medicare: 1 is 100%."""
        return None if self.medicare is None else rate / self.medicare


def find_amounts(db: Snapshot, market: Market) -> dict[ScheduleTerms, Amount]:
    """Medicare's amounts for the rates of a market of one code, by their terms."""
    amounts_of_terms, parameters = _compared_terms(db, market)
    rows = db.rows(
        f"""{amounts_of_terms}
            SELECT billing_class, setting, billing_code_modifier, pos_set_id, negotiated_type, negotiation_arrangement,
                   zero, basis, medicare, reason, rate_count FROM compared""",
        parameters,
    )
    return {ScheduleTerms(*row[:7]): Amount(*row[7:]) for row in rows}


@dataclass(frozen=True)
class AmountLine:
    """A Medicare amount, and the number of rates that are compared with it."""

    basis: Annotated[str, described("Medicare fee schedule and setting of the amount.", "MPFS non-facility")]
    amount: Annotated[float, described("Medicare amount in dollars.", 86.4)]
    rates: Annotated[int, described("Number of rates that are compared with the amount.", 12)]


def count_amount_lines(found: Mapping[ScheduleTerms, Amount]) -> list[AmountLine]:
    """The different amounts, those that most rates stand beside first."""
    counts: dict[tuple[str, float], int] = {}
    for one in found.values():
        if one.basis is not None and one.medicare is not None:
            counts[one.basis, one.medicare] = counts.get((one.basis, one.medicare), 0) + one.rates
    return sorted(
        (AmountLine(*key, rates) for key, rates in counts.items()), key=lambda line: (-line.rates, line.basis)
    )


def is_plausible(percent: float) -> bool:
    """Whether a rate may well be so much of Medicare."""
    return LEAST_PLAUSIBLE <= percent <= MOST_PLAUSIBLE
