"""One figure per payer for a whole basket: its medians against the market's, and against Medicare.

docs/method.md explains the figures to readers. A code that a payer does not price is left out of that payer's index on
both sides, so that no payer looks cheap or dear because of what it does not price. How much of the basket is left is
its coverage, and below MIN_COVERAGE there is no index.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.basket_medians import CodeMedian
from core.queries.rules.columns import PayerName, PayerSlug, RateCount, described
from core.store.connection import Snapshot

MIN_COVERAGE = 0.5
"""The least share of a basket that a payer must price to have an index."""

Weights = Literal["volumes", "medicare", "equal"]
WEIGHTS: tuple[Weights, ...] = ("volumes", "medicare", "equal")


@dataclass(frozen=True)
class PayerIndex:
    """One payer's rates for a basket in one figure."""

    payer_slug: PayerSlug
    reporting_entity_name: PayerName
    index: Annotated[
        float | None,
        described(
            "The payer's medians against the market's, weighted: 1.1 is 110%, 10% above the market. Null if the payer "
            "prices less than half of the basket.",
            1.1,
        ),
    ]
    percent: Annotated[
        float | None,
        described(
            "The payer's medians as a percent of Medicare, or of the yardstick asked for; null as `index` is.", 1.31
        ),
    ]
    coverage: Annotated[float, described("Share of the basket that the payer prices, by weight: 0.9 is 90%.", 0.9)]
    codes: Annotated[int, described("Number of the basket's codes that the payer prices.", 36)]
    codes_of_basket: Annotated[int, described("Number of the basket's codes that any payer prices.", 40)]
    rates: RateCount


def choose_weights(
    asked: str | None, codes: Sequence[BasketCode], services: Mapping[str, float]
) -> tuple[Weights, list[float]]:
    """Return which weights are used, and the volume of each code; zeros for weights that are equal.

    The best that there are, unless the visitor asks for others: volumes, then Medicare's services, then equal weights.
    """
    possible: dict[Weights, list[float]] = {
        "volumes": [one.volume or 0.0 for one in codes],
        "medicare": [services.get(one.code, 0.0) for one in codes],
    }
    for name in [asked, *possible]:
        for known, volumes in possible.items():
            if name == known and any(volumes):
                return known, volumes
        if name == "equal":
            break
    return "equal", [0.0] * len(codes)


def index_payers(
    medians: Sequence[CodeMedian],
    weights: tuple[Weights, Sequence[float]],
    payers: Mapping[str, str],
) -> list[PayerIndex]:
    """Return the index of each payer, highest first; payers that price too little of the basket come last."""
    name, volumes = weights
    market = {one.position: one for one in medians if one.payer_slug is None and one.p50 > 0}
    dollars = {at: 1.0 if name == "equal" else volumes[at] * one.p50 for at, one in market.items()}
    in_medicare = {
        at: 1.0 if name == "equal" else volumes[at] * one.medicare for at, one in market.items() if one.medicare
    }
    by_payer: dict[str, list[CodeMedian]] = {}
    for one in medians:
        if one.payer_slug is not None and one.position in market:
            by_payer.setdefault(one.payer_slug, []).append(one)
    found = []
    for slug, priced in by_payer.items():
        coverage = sum(dollars[one.position] for one in priced) / (sum(dollars.values()) or 1)
        is_enough = coverage >= MIN_COVERAGE
        ratios = ((dollars[one.position], one.p50 / market[one.position].p50) for one in priced)
        percents = (
            (in_medicare[one.position], one.percent)
            for one in priced
            if one.percent is not None and one.position in in_medicare
        )
        found.append(
            PayerIndex(
                payer_slug=slug,
                reporting_entity_name=payers.get(slug, slug),
                index=_weighted_mean(ratios) if is_enough else None,
                percent=_weighted_mean(percents) if is_enough else None,
                coverage=coverage,
                codes=len(priced),
                codes_of_basket=len(market),
                rates=sum(one.rates for one in priced),
            )
        )
    return sorted(found, key=lambda one: (one.index is None, -(one.index or one.coverage), one.payer_slug))


def _weighted_mean(values: Iterable[tuple[float, float]]) -> float | None:
    """Return the mean of values with weights; None if nothing has a weight."""
    pairs = list(values)
    total = sum(weight for weight, _ in pairs)
    return sum(weight * value for weight, value in pairs) / total if total else None


def services_of_medicare(
    db: Snapshot, codes: Sequence[BasketCode], specialties: Sequence[str] = ()
) -> dict[str, float]:
    """Return how many services of each code Medicare paid for in a year, of some specialties or of all."""
    numbers = [one.code for one in codes]
    if specialties:
        rows = db.rows(
            """SELECT code, sum(services) FROM specialty_use
               WHERE list_contains($codes, code) AND list_contains($specialties, specialty) GROUP BY code""",
            {"codes": numbers, "specialties": list(specialties)},
        )
    else:
        rows = db.rows("SELECT code, services FROM code_use WHERE list_contains($codes, code)", {"codes": numbers})
    return {str(code): float(services) for code, services in rows}
