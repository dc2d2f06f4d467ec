"""Which of a provider's prices are percents of Medicare in several areas, and which percent each is.

Such a price is no round percent of the amount of the provider's own area: 115% of Houston's amount is 118% of that of
Dallas. So these percents stand beside the rows of codes, and in the figures of all rates in place of the others.
"""

from collections.abc import Collection
from dataclasses import dataclass

from core.fields.codes.code_family import HCPCS_SYSTEMS
from core.queries.comparison.percent_of_areas import MAX_PRICES, PercentsOfAreas, SeveralPrices, list_amounts_of_areas
from core.queries.market.market import Market
from core.queries.parties.line_medians import LINE
from core.queries.rules.named_rows import read_rows
from core.queries.rules.organization_price import price_sql
from core.store.market_snapshot import MarketSnapshot
from core.store.sql import quote

MOST_SEARCHED = 500
"""A line of several prices takes a millisecond or two. The figures of a provider with more lines do without."""

PAYER_LINE = (*LINE, "reporting_entity_name")
"""What the rates of a row of a provider have in common."""


@dataclass(frozen=True)
class PricedLine:
    """The different prices of a line of a provider, and the percent of Medicare of the one in the middle."""

    code_type: str
    code: str
    kind: str
    billing_class: str | None
    modifier: str
    care_setting: str | None
    reporting_entity_name: str
    percent: float
    prices: list[float]


def find_percents_of_lines(
    memory: MarketSnapshot, market: Market, rates: str, codes: Collection[str] | None = None
) -> dict[tuple[str | None, ...], PercentsOfAreas]:
    """Return the lines of several prices that are a few percents of areas' amounts, by PAYER_LINE.

    `rates` is a table of a provider's rates with `percent` and `is_odd`. Without `codes`, all lines are searched, and
    none if they are many.
    """
    if market.basis or market.yardstick:
        return {}
    chosen = "" if codes is None else f"AND code IN ({', '.join(map(quote, sorted(codes))) or 'NULL'})"
    lines = read_rows(
        memory,
        PricedLine,
        f"""SELECT {", ".join(PAYER_LINE)}, {price_sql("percent")} AS percent,
                   list_sort(list(DISTINCT negotiated_rate)) AS prices
            FROM (SELECT *, unnest(range(rate_count)) FROM {rates})
            WHERE kind = 'dollars' AND code_type IN {HCPCS_SYSTEMS} {chosen} GROUP BY ALL
            HAVING count(percent) > 0 AND count(DISTINCT negotiated_rate) BETWEEN 2 AND {MAX_PRICES}""",
    )
    if not lines or (codes is None and len(lines) > MOST_SEARCHED):
        return {}
    of_areas = list_amounts_of_areas(memory, market.state, {line.code for line in lines})
    by_key = {tuple(getattr(line, name) for name in PAYER_LINE): line for line in lines}
    found = of_areas.find_of_contracts(
        {
            key: SeveralPrices(
                line.code, line.modifier, tuple(line.prices), line.care_setting, line.reporting_entity_name
            )
            for key, line in by_key.items()
        }
    )
    # A rate that is compared with a hospital's schedule is no percent of the physicians', whatever the cents say.
    return {key: its for key, its in found.items() if its.is_near(by_key[key].percent)}


AREA_PERCENT_COLUMNS = (*PAYER_LINE, "price", "of_areas")


def show_area_percents(memory: MarketSnapshot, market: Market, rates: str, table: str) -> None:
    """Show a table of texts with AREA_PERCENT_COLUMNS: the prices that are percents of areas' amounts."""
    rows = [
        (*("" if value is None else value for value in key), repr(price), repr(level.percent))
        for key, its in find_percents_of_lines(memory, market, rates).items()
        for level in its.levels
        for price, _ in level.prices
    ]
    memory.show_texts(table, AREA_PERCENT_COLUMNS, rows)
