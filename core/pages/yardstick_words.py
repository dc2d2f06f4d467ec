"""What pages call the yardstick that percents are of: Medicare, or a state's workers' compensation schedule."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.pages.formats import write_month, write_state
from core.queries.market.market import Market
from core.queries.market.market_filters import OF_COMPENSATION, OF_MEDICARE
from core.queries.yardstick.compensation import AMOUNTS, CompensationAmount, CompensationRelease
from core.queries.yardstick.odd_releases import OddRelease


@dataclass(frozen=True)
class YardstickWords:
    """What a yardstick is called: in files (`key` in a column, `heading` in the headings of a workbook), in a sentence
    (`short` where the state is named), above a column of percents or of amounts, and below a chart."""

    key: str
    name: str
    short: str
    heading: str
    dated: str
    percent: str
    amount: str
    lines: str
    is_medicare: bool


def describe_yardstick(market: Market, release: CompensationRelease | None) -> YardstickWords:
    """Return what the yardstick of a market is called. `release` is that of its state's schedule, if there is one."""
    state = write_state(market.state)
    if market.yardstick != OF_COMPENSATION:
        return YardstickWords(
            key=OF_MEDICARE,
            name="Medicare",
            short="Medicare",
            heading="Medicare",
            dated="Medicare",
            percent="% of Medicare",
            amount="Medicare amount",
            lines=f"Medicare’s amounts, averaged over {state}",
            is_medicare=True,
        )
    name = f"the workers’ compensation schedule of {state}"
    dated = f"{name}, in effect from {write_month(release.release)}" if release else name
    return YardstickWords(
        key=OF_COMPENSATION,
        name=name,
        heading=f"the {state} schedule",
        short="the workers’ compensation schedule",
        dated=dated,
        percent="% of schedule",
        amount="Schedule amount",
        lines=f"amounts of {dated}",
        is_medicare=False,
    )


def describe_odd_release(one: OddRelease) -> str:
    """Return why a release may be of another year: it has its amounts, or its conversion factor."""
    said = []
    if one.same_as:
        said.append(
            f"The very same amounts as the release of {write_month(one.same_as)}: one may be of the wrong year."
        )
    if one.factor_of:
        of_year = " or ".join(f"${factor}" for factor in one.factors_of_year)
        instead = f", not of {one.release[:4]} ({of_year})" if of_year else ""
        said.append(f"Its conversion factor, ${one.conversion_factor}, is that of {one.factor_of}{instead}.")
    return " ".join(said)


def describe_allowed(rows: Sequence[CompensationAmount]) -> list[tuple[str, float]]:
    """Return what a schedule allows for a code: to whom and for which modifier, in words, and the amount in dollars."""
    found = []
    for row in rows:
        of_modifier = f" (modifier {row.modifier})" if row.modifier else ""
        for name, title in AMOUNTS.items():
            amount = getattr(row, name)
            if amount and name != "base_units":
                found.append((f"{title.lower()}{of_modifier}", amount))
    return found
