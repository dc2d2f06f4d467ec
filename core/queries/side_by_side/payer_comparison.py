"""Payers compared for a list of codes: rates in dollars only, one class and modifier at a time.

A payer's rates stand in the line of the class that they are measured as (core/queries/rules/measured_class.py), unless
the market is of a class that files state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field

from core.fields.codes.code_list import WantedCode
from core.fields.places.care_setting import (
    FACILITY_OR_UNSTATED,
    HOSPITALS,
    NON_FACILITY_OR_UNSTATED,
    SURGICAL_CENTER,
)
from core.queries.comparison.overruled_labels import list_overruled_labels
from core.queries.market.market import Market
from core.queries.parties.middle_by_payer import (
    choose_market_price,
    compare_with,
    is_by_organizations,
    list_others_prices,
)
from core.queries.rules.columns import (
    Code,
    described,
)
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.measured_class import (
    LIKE_CLASSES,
    MEASURED_CLASS_OF_FACT,
    OTHER_CLASS,
    like_sql,
)
from core.queries.rules.named_rows import read_rows
from core.queries.rules.paid_less import is_paid_less
from core.queries.rules.percentiles import FIVE_PERCENTILES, percentile_columns, percentile_list
from core.queries.rules.rate_kinds import CARE_SETTINGS_OF_SETS, stated_care_of_fact
from core.queries.side_by_side.line_middles import ComparedLine, LineMiddle, list_line_middles
from core.queries.side_by_side.payer_spread import PricedSpread
from core.store.connection import Snapshot

ALL = "All payers together"


@dataclass(frozen=True)
class ListedCode(WantedCode):
    """A code of the list. Without a code system, it stands for every system that has it."""

    code_type: Annotated[str | None, described("Code system, if the list names one.", "CPT")]
    code: Code


@dataclass(frozen=True)
class AskedCode:
    """The number of rates for one code of the list."""

    wanted: Annotated[ListedCode, Field(description="The code as listed.")]
    dollars: Annotated[int, described("Number of rates in dollars for one service; these are compared.", 12)]
    others: Annotated[int, described("Number of other rates; these are not compared.", 12)]
    left_out: Annotated[
        int,
        described(
            "Number of rates in dollars that figures leave out, as likely errors, counted on each side of a code.",
            0,
        ),
    ]


@dataclass(frozen=True)
class _CodeSpread:
    """The distribution of the rates of one payer, or of all (payer_slug is None), for one meaning of a listed code."""

    position: int  # in the list of codes
    system: str | None  # None for CPT and HCPCS together
    types: list[str]  # the code systems that payers label the code with
    code: str
    name: str | None
    billing_class: str | None
    modifier: str
    care_setting: str | None
    payer_slug: str | None
    reporting_entity_name: str | None
    labeled: str | None
    dollars: bool
    rates: int
    counted: int
    """The rates that no line before has: a rate on both sides of a professional's stands in both lines."""
    p10: float
    p25: float
    p50: float
    p75: float
    p90: float

    @property
    def line(self) -> tuple[Any, ...]:
        """What the distributions that may be compared have in common."""
        return self.position, self.system, self.code, self.billing_class, self.modifier, self.care_setting


def compare_payers(
    db: Snapshot, market: Market, wanted: Sequence[WantedCode], base: str | None
) -> tuple[list[PricedSpread], list[AskedCode]]:
    """Return the distributions of rates by code, class, modifier and payer, and how many rates each code has.

    Codes are in the list's order, and all payers together come before each payer. A code without a system stands for
    every system that has it; CPT and HCPCS are then one, because payers label the same code either way. The market's
    own code and payer have no effect. `base` is a payer_slug, or None for all payers.
    """
    if not wanted:
        return [], []
    anything = replace(market, code_type=None, code=None, payer=None)
    meanings = [(position, *meaning) for position, one in enumerate(wanted) for meaning in one.meanings]
    # A surgical center and a hospital are two lines, unless the market is of one setting. So are the two sides of a
    # professional's rates.
    measures = (market.billing_class is None or market.is_measured) and list_overruled_labels(db, anything)
    measured = MEASURED_CLASS_OF_FACT if measures else "f.billing_class"
    stated = stated_care_of_fact(measured, is_paid_less(db, {code for _, _, code in meanings}))
    places = f"""CASE WHEN {measured} = 'professional' THEN care.sides
                      WHEN is_center THEN ['{SURGICAL_CENTER}'] END"""
    if market.care_setting:
        places = "NULL::VARCHAR[]"
    same_line = " AND ".join(f"l.{name} IS NOT DISTINCT FROM a.{name}" for name in _LINE)
    # The join would do, but DuckDB skips no row groups by it.
    listed, numbers = in_codes(code for _, _, code in meanings)
    rows = read_rows(
        db,
        _CodeSpread,
        f"""WITH asked AS (
                SELECT unnest($positions) AS position, unnest($systems::VARCHAR[]) AS system, unnest($codes) AS code),
            care AS (
                SELECT stated, pos_set_id, sides,
                       list_contains(settings, '{SURGICAL_CENTER}') AND NOT list_has_any(settings, {list(HOSPITALS)})
                           AS is_center
                FROM ({CARE_SETTINGS_OF_SETS})),
            measured AS (
                SELECT position, if(a.system IS NULL AND f.code_type IN ('CPT', 'HCPCS'), NULL, f.code_type) AS system,
                       f.code_type, f.code, f.billing_class AS stated, {measured} AS measured,
                       f.billing_code_modifier AS modifier, payer_slug,
                       {places} AS places,
                       rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars' AS dollars, f.negotiated_rate
                FROM fact_rate f
                JOIN asked a ON a.code = f.code AND (a.system IS NULL OR a.system = f.code_type)
                JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name
                LEFT JOIN care ON care.stated = {stated} AND care.pos_set_id = f.pos_set_id
                WHERE {anything.where} AND {listed}),
            lined AS MATERIALIZED ({_lined("measured") if measures else _as_stated("measured")}),
            apart AS (
                SELECT {", ".join(_LINE)}, true AS is_apart FROM lined GROUP BY {", ".join(_LINE)}
                HAVING bool_or(places = ['{NON_FACILITY_OR_UNSTATED}'])
                    AND bool_or(places = ['{FACILITY_OR_UNSTATED}'])),
            f AS (
                SELECT l.*, unnest(CASE
                           WHEN is_apart OR places = ['{SURGICAL_CENTER}'] THEN places
                           ELSE [NULL] END) AS care_setting
                FROM lined l LEFT JOIN apart a ON {same_line}),
            spreads AS (
                SELECT position, system, list_distinct([min(code_type), max(code_type)]) AS types, code, billing_class,
                       if(billing_class IN {LIKE_CLASSES}, string_agg(DISTINCT stated, ' and ' ORDER BY stated), NULL)
                           AS labeled,
                       modifier, care_setting, grouping(payer_slug) = 0 AS of_payer, payer_slug, dollars,
                       count(*) AS rates,
                       count(*) FILTER (care_setting IS NULL OR care_setting = places[1]) AS counted,
                       {percentile_list("negotiated_rate")} AS percentiles
                FROM f
                GROUP BY GROUPING SETS (
                    (position, system, code, billing_class, modifier, care_setting, dollars, payer_slug),
                    (position, system, code, billing_class, modifier, care_setting, dollars)))
            SELECT position, system, list_sort(types) AS types, s.code, name, billing_class, modifier, care_setting,
                   payer_slug, reporting_entity_name, labeled, dollars, rates, counted,
                   {percentile_columns("percentiles", FIVE_PERCENTILES)}
            FROM spreads s
            LEFT JOIN dim_reporting_entity USING (payer_slug)
            LEFT JOIN dim_code d ON d.code_type = types[1] AND d.code = s.code
            ORDER BY position, system, s.code, billing_class NULLS LAST, modifier,
                     care_setting = '{FACILITY_OR_UNSTATED}', care_setting NULLS FIRST,
                     of_payer, lower(reporting_entity_name), payer_slug""",
        {
            **anything.parameters,
            **numbers,
            "positions": [position for position, _, _ in meanings],
            "systems": [system for _, system, _ in meanings],
            "codes": [code for _, _, code in meanings],
        },
    )
    in_dollars = [row for row in rows if row.dollars]
    middles = _list_middles(db, market, in_dollars)
    return _spreads(_in_figures(in_dollars, middles), base, anything, middles), _counted(rows, wanted, middles)


_LINE = ("position", "system", "code", "billing_class", "modifier", "dollars")
"""What the rates have in common that may be in one line, but for where the service is rendered."""


def _as_stated(rates: str) -> str:
    return f"SELECT *, stated AS billing_class FROM {rates}"


def _lined(rates: str) -> str:
    """Return SQL of the rates with the class of their line: by the label, unless one of the code is overruled."""
    of_code = "OVER (PARTITION BY position, system, code, modifier)"
    return f"""SELECT *, if(measured IN {tuple(OTHER_CLASS)} AND bool_or(measured <> stated) {of_code},
                            {like_sql("measured")}, stated) AS billing_class
               FROM {rates}"""


_Middles = Mapping[tuple[Any, str | None], LineMiddle]
"""The middle organizations by line and payer."""


def _list_middles(db: Snapshot, market: Market, rows: list[_CodeSpread]) -> _Middles:
    lines = {
        row.line: ComparedLine(tuple(row.types), row.code, row.billing_class, row.modifier, row.care_setting)
        for row in rows
        if row.payer_slug is None
    }
    found = list_line_middles(db, market, list(lines.values()))
    names = list(lines)
    return {(names[position], slug): one for (position, slug), one in found.items()}


def _in_figures(rows: list[_CodeSpread], middles: _Middles) -> list[_CodeSpread]:
    """Return the rows without the rates that figures leave out, which are found where rates are compared."""
    found = []
    for row in rows:
        one = middles.get((row.line, row.payer_slug))
        if one:
            p10, p25, p50, p75, p90 = one.rates_at
            found.append(replace(row, rates=one.rates, p10=p10, p25=p25, p50=p50, p75=p75, p90=p90))
        elif (row.line, None) not in middles:
            found.append(row)
    return found


def _prices(rows: list[_CodeSpread], middles: _Middles) -> dict[tuple[Any, str | None], float]:
    """Return what each payer is compared by in each line, and the market of the line, whose payer is None."""
    found: dict[tuple[Any, str | None], float] = {}
    of_line: dict[Any, list[float]] = {}
    for row in rows:
        if row.payer_slug is not None:
            one = middles.get((row.line, row.payer_slug))
            is_by = one is not None and is_by_organizations(one.organizations)
            price = one.middle if one and one.middle is not None and is_by else row.p50
            found[row.line, row.payer_slug] = price
            of_line.setdefault(row.line, []).append(price)
    markets = {(line, None): choose_market_price(prices) for line, prices in of_line.items()}
    return found | {key: price for key, price in markets.items() if price is not None}


def _percents(middles: _Middles) -> dict[tuple[Any, str | None], float]:
    """Return the percents of Medicare of what is compared, as _prices has that: as far as they are known."""
    found: dict[tuple[Any, str | None], float] = {}
    of_line: dict[Any, list[float]] = {}
    for key, one in middles.items():
        if key[1] is None:
            continue
        percent = one.middle_percent if is_by_organizations(one.organizations) else one.percent_of_rates
        if percent is not None:
            found[key] = percent
            of_line.setdefault(key[0], []).append(percent)
    markets = {(line, None): choose_market_price(percents) for line, percents in of_line.items()}
    return found | {key: percent for key, percent in markets.items() if percent is not None}


def _spreads(rows: list[_CodeSpread], base: str | None, market: Market, middles: _Middles) -> list[PricedSpread]:
    """Return the rows, each with the median and the price of its base."""
    base_medians = {row.line: row.p50 for row in rows if row.payer_slug == base}
    everybody = {row.line: row for row in rows if row.payer_slug is None}
    prices, percents = _prices(rows, middles), _percents(middles)
    others = list_others_prices({(line, payer): price for (line, payer), price in prices.items() if payer is not None})
    found = []
    for row in rows:
        one, price = middles.get((row.line, row.payer_slug)), prices[row.line, row.payer_slug]
        others_price = others.get((row.line, row.payer_slug)) if row.payer_slug else None
        base_price, organizations = prices.get((row.line, base)), one.organizations if one else 0
        # One payer may label the code CPT and another HCPCS: the label and the name are those of all payers together.
        of_all, base_p50 = everybody[row.line], base_medians.get(row.line)
        is_by = row.payer_slug is not None and is_by_organizations(organizations)
        p10, p25, _, p75, p90 = one.paid_at if one and one.paid_at and is_by else (None,) * 5
        name = (row.reporting_entity_name or row.payer_slug) if row.payer_slug else ALL
        found.append(
            PricedSpread(
                code_type="/".join(of_all.types),
                code=row.code,
                name=of_all.name,
                billing_class=row.billing_class,
                modifier=row.modifier,
                care_setting=row.care_setting,
                payer_slug=row.payer_slug,
                reporting_entity_name=name or "",
                year_month=(market.month_of(row.payer_slug) if row.payer_slug else market.one_month) or None,
                labeled=row.labeled,
                rates=row.rates,
                p10=row.p10,
                p25=row.p25,
                p50=row.p50,
                p75=row.p75,
                p90=row.p90,
                base_p50=base_p50,
                organizations=organizations if row.payer_slug else None,
                price=price,
                by_organizations=row.payer_slug is None or is_by,
                price_p10=p10,
                price_p25=p25,
                price_p75=p75,
                price_p90=p90,
                percent=percents.get((row.line, row.payer_slug)),
                one_contract=(one.one_contract if one else 0) if row.payer_slug else None,
                base_price=base_price,
                difference=compare_with(price, base_price),
                others=others_price,
                against_others=compare_with(price, others_price),
            )
        )
    return found


def _counted(rows: list[_CodeSpread], wanted: Sequence[WantedCode], middles: _Middles) -> list[AskedCode]:
    """Return each code of the list with its numbers of rates in dollars, of others, and of those left out."""
    dollars, others, left_out = [0] * len(wanted), [0] * len(wanted), [0] * len(wanted)
    for row in rows:
        if row.payer_slug is None:
            (dollars if row.dollars else others)[row.position] += row.counted
            in_figures = middles.get((row.line, None)) if row.dollars else None
            left_out[row.position] += row.rates - in_figures.rates if in_figures else 0
    return [
        AskedCode(ListedCode(one.code_type, one.code), dollars[position], others[position], left_out[position])
        for position, one in enumerate(wanted)
    ]
