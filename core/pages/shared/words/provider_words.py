"""What the page of a provider begins with: its figures, and its chart by family of codes."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from core.pages.charts import spread_chart
from core.pages.formats import write_percent
from core.pages.yardstick_words import YardstickWords
from core.queries.comparison.compared_rates import LEAST_PLAUSIBLE, MOST_PLAUSIBLE
from core.queries.parties.provider_summary import FamilyRates, ProviderPayer, ProviderSummary
from core.queries.rules.far_from_others import FAR_TIMES

MAX_BARS = 9
"""The families in the chart, those with most rates first. The table has all."""

MAX_FAMILIES = 8
"""The families that are shown at once."""

_LEAST_RATES = 3
"""A family with fewer rates that can be compared has no spread to draw."""


@dataclass(frozen=True)
class ProviderOnTop:
    """A provider's figures, its families and payers, and the chart of the families' percents of the yardstick."""

    summary: ProviderSummary
    families: Sequence[FamilyRates]
    payers: Sequence[ProviderPayer]
    chart: SafeString
    charted: int
    can_be_charted: int
    left_out: str

    @property
    def first_families(self) -> Sequence[FamilyRates]:
        """The families with most rates."""
        return self.families[:MAX_FAMILIES]

    @property
    def other_families(self) -> Sequence[FamilyRates]:
        """The families that are shown on demand."""
        return self.families[MAX_FAMILIES:]


def describe_provider(
    summary: ProviderSummary,
    families: Sequence[FamilyRates],
    payers: Sequence[ProviderPayer],
    measured: YardstickWords,
) -> ProviderOnTop:
    """Return what is shown of a provider. There is no chart if hardly any rate has a percent of the yardstick."""
    every = [_bar("All codes", summary), *(_bar(_begin_in_capitals(one.family), one) for one in families)]
    bars = [bar for bar in every if bar]
    return ProviderOnTop(
        summary=summary,
        families=families,
        payers=payers,
        chart=spread_chart.draw_spreads(
            bars[: MAX_BARS + 1], title=f"Percent of {measured.name} by family of codes", key=4
        ),
        charted=len(bars[1 : MAX_BARS + 1]),
        can_be_charted=len(bars) - 1,
        left_out=describe_left_out(summary, measured.name),
    )


def describe_left_out(summary: ProviderSummary, yardstick: str) -> str:
    """Return which rates are not counted in the figures, as likely errors; empty text if all are."""
    if not summary.odd or summary.odd == summary.rates:
        return ""
    middle = f" ({write_percent(summary.odd_p50)} in the middle)" if summary.below > 1 else ""
    reasons = [
        f"{summary.below:,} below {write_percent(LEAST_PLAUSIBLE)} of {yardstick}{middle}" if summary.below else "",
        f"{summary.above:,} above {write_percent(MOST_PLAUSIBLE)} of {yardstick}" if summary.above else "",
    ]
    far = f"over {FAR_TIMES} times, or under 1/{FAR_TIMES} of, the market’s median"
    return f"Not counted, as likely errors: {' and '.join(filter(None, reasons))}, and {far}."


def _bar(name: str, of: ProviderSummary | FamilyRates) -> spread_chart.Bar | None:
    """Return the bar of some percents; None if they are too few."""
    spread = (of.p10, of.p25, of.p50, of.p75, of.p90)
    known = [value for value in spread if value is not None]
    if of.compared < _LEAST_RATES or len(known) < len(spread):
        return None
    p10, p25, p50, p75, p90 = known
    return spread_chart.Bar(name, (p10, p25, p50, p75, p90))


def _begin_in_capitals(text: str) -> str:
    return text[:1].upper() + text[1:]
