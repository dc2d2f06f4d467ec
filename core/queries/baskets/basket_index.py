"""One figure per payer for a whole basket: what its middle organization is paid against the market, and Medicare.

docs/method.md explains the figures to readers. A code that a payer does not price is left out of that payer's index on
both sides, so that no payer looks cheap or dear because of what it does not price. So is one that nobody else prices,
or that the payer, or everybody else, states no place for in facilities: there is no market for it. How much of the
whole basket is left is its coverage, and below MIN_COVERAGE there is no index. A code that nobody prices has no market
to weigh it by: it weighs its volume times the mean price of the others.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.basket_medians import CodeMedian
from core.queries.rules.columns import PayerName, PayerSlug, RateCount, described
from core.store.connection import Snapshot

MIN_COVERAGE = 0.5
"""The least share of a basket over which a payer has an index."""

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
            "Its prices against the market, weighted, without the codes of `unlike`: 1.1 is 10% above. Null if less "
            "than half of the basket is left.",
            1.1,
        ),
    ]
    percent: Annotated[
        float | None,
        described(
            "Its prices as a percent of Medicare, or of the yardstick asked for, without the codes of "
            "`unplaced`; null if less than half of the basket is left without these.",
            1.31,
        ),
    ]
    unlike: Annotated[
        int,
        described(
            "Number of these codes that are in `unplaced`, or that no other payer prices, except with codes of its "
            "`unplaced`, so that there is no market to compare with.",
            0,
        ),
    ]
    unplaced: Annotated[
        int,
        described(
            "Number of these codes that are left out: they are looked at in facilities, where Medicare pays less than "
            "outside, and the payer's rates state no place.",
            0,
        ),
    ]
    coverage: Annotated[
        float,
        described(
            "Share of the whole basket, by weight, that the index is over: what the payer prices without the codes of "
            "`unlike`. 0.9 is 90%. Below half, no index.",
            0.9,
        ),
    ]
    placed_coverage: Annotated[
        float,
        described(
            "Share of the whole basket, by weight, that the percent is over. Below half, no percent.",
            0.95,
        ),
    ]
    codes: Annotated[int, described("Number of the basket's codes that the payer prices.", 36)]
    codes_of_basket: Annotated[int, described("Number of the basket's codes, whether anybody prices them or not.", 44)]
    by_rates: Annotated[
        int,
        described(
            "Number of these codes that are compared by the payer's middle rate, see `by_organizations`.",
            0,
        ),
    ]
    by_one_contract: Annotated[
        int,
        described(
            "Number of these codes for which more than half of the payer's organizations are under one contract, whose "
            "price is then the payer's.",
            0,
        ),
    ]
    rates: RateCount
    dollars: Annotated[
        float | None,
        described(
            "What the payer pays for the units that were asked for, in dollars: units times its prices, of the codes "
            "that it has. Null without units.",
            563464.0,
        ),
    ] = None
    market_dollars: Annotated[
        float | None,
        described("The same units of the same codes at the market, in dollars.", 505000.0),
    ] = None
    medicare_dollars: Annotated[
        float | None,
        described(
            "The same units at 100 percent of Medicare, or of the yardstick asked for, in dollars: of those of these "
            "codes that have an amount.",
            401000.0,
        ),
    ] = None
    medicare_codes: Annotated[
        int | None, described("Number of the payer's codes that medicare_dollars has an amount for.", 36)
    ] = None
    one_percent: Annotated[
        float | None,
        described("What one percent of Medicare, or of the yardstick asked for, is worth, in dollars.", 4010.0),
    ] = None

    @property
    def compared(self) -> int:
        """The number of codes that the index is over."""
        return self.codes - self.unlike

    @property
    def placed(self) -> int:
        """The number of codes that the percent is over."""
        return self.codes - self.unplaced


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
    units: Sequence[float] = (),
) -> list[PayerIndex]:
    """Return the index of each payer, highest first; payers that price too little of the basket come last.

    `weights` has a volume for each code of the basket, and so has `units`, if a visitor has said what is rendered.
    """
    name, volumes = weights
    market = {one.position: one for one in medians if one.payer_slug is None and one.price > 0}
    dollars = {at: 1.0 if name == "equal" else volumes[at] * one.price for at, one in market.items()}
    in_medicare = {
        at: 1.0 if name == "equal" else volumes[at] * one.medicare for at, one in market.items() if one.medicare
    }
    every = [1.0] * len(volumes) if name == "equal" else volumes
    share_with_market = sum(every[at] for at in market) / (sum(every) or 1)
    by_payer: dict[str, list[CodeMedian]] = {}
    for one in medians:
        if one.payer_slug is not None and one.position in market:
            by_payer.setdefault(one.payer_slug, []).append(one)
    alone = _find_alone(medians)
    found = []
    for slug, priced in by_payer.items():
        placed = [one for one in priced if not one.is_aside]
        alike = [one for one in placed if one.position not in alone]
        coverage, of_placed = (
            share_with_market * sum(dollars[one.position] for one in some) / (sum(dollars.values()) or 1)
            for some in (alike, placed)
        )
        ratios = [(dollars[one.position], one.price / market[one.position].price) for one in alike]
        percents = [
            (in_medicare[one.position], one.percent)
            for one in placed
            if one.percent is not None and one.position in in_medicare
        ]
        index = PayerIndex(
            payer_slug=slug,
            reporting_entity_name=payers.get(slug, slug),
            index=_weighted_mean(ratios) if coverage >= MIN_COVERAGE else None,
            percent=_weighted_mean(percents) if of_placed >= MIN_COVERAGE else None,
            unlike=len(priced) - len(alike),
            unplaced=len(priced) - len(placed),
            coverage=coverage,
            placed_coverage=of_placed,
            codes=len(priced),
            codes_of_basket=len(volumes),
            by_rates=sum(not one.by_organizations for one in placed),
            by_one_contract=sum(one.is_one_contract for one in placed),
            rates=sum(one.rates for one in priced),
        )
        found.append(_with_dollars(index, placed, market, units) if units else index)
    return sorted(found, key=lambda one: (one.index is None, -(one.index or one.coverage), one.payer_slug))


def _find_alone(medians: Sequence[CodeMedian]) -> set[int]:
    """Return the positions of the codes with a single payer that can be compared: that is no market."""
    placed = Counter(one.position for one in medians if one.payer_slug is not None and not one.is_aside)
    return {position for position, payers in placed.items() if payers == 1}


def _with_dollars(
    index: PayerIndex, priced: Sequence[CodeMedian], market: Mapping[int, CodeMedian], units: Sequence[float]
) -> PayerIndex:
    """Add what some units of the codes that a payer prices cost: at the payer, in the market, and at Medicare."""
    amounts = [(units[one.position], market[one.position].medicare) for one in priced]
    known = [count * amount for count, amount in amounts if amount is not None]
    of_medicare = sum(known) if known else None
    return replace(
        index,
        dollars=sum(units[one.position] * one.price for one in priced),
        market_dollars=sum(units[one.position] * market[one.position].price for one in priced),
        medicare_dollars=of_medicare,
        medicare_codes=len(known),
        one_percent=None if of_medicare is None else of_medicare / 100,
    )


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
