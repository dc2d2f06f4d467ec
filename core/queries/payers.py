"""Payers side by side for some codes: dollars only, and one class and modifier at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field

from core.fields.code_list import WantedCode
from core.queries.rules.columns import (
    BillingClass,
    Code,
    CodeName,
    CodeType,
    Modifier,
    PayerName,
    RateCount,
    RateP10,
    RateP25,
    RateP50,
    RateP75,
    RateP90,
    described,
)
from core.queries.rules.market import NO_MODIFIER, Market
from core.store.connection import Snapshot

ALL = "All payers together"


@dataclass(frozen=True)
class PayerSpread:
    """The rates in dollars of one payer for one code, class and modifier, each rate counted once."""

    code_type: CodeType
    code: Code
    name: CodeName
    billing_class: BillingClass
    modifier: Modifier
    payer_slug: Annotated[
        str | None,
        described(
            "Key of the payer, for the parameter `payer`; null for all payers together.", "example_peach_health_plan"
        ),
    ]
    reporting_entity_name: PayerName
    rates: RateCount
    p10: RateP10
    p25: RateP25
    p50: RateP50
    p75: RateP75
    p90: RateP90
    base_p50: Annotated[
        float | None,
        described("Median of the payer given as `base`, or of all payers; null if it has no such rate.", 95.0),
    ]
    difference: Annotated[
        float | None,
        described("p50 against base_p50: 0.1 is 10% above; null if there is no base_p50 or it is zero.", 0.1),
    ]

    @property
    def line(self) -> tuple[str, str, str | None, str]:
        """Return what the spreads that may be compared have in common."""
        return self.code_type, self.code, self.billing_class, self.modifier

    @property
    def terms(self) -> dict[str, str | None]:
        """Return the filters that select these rates on other pages, as far as filters can."""
        modifier = self.modifier or NO_MODIFIER
        return {
            "code_type": None if "/" in self.code_type else self.code_type,
            "code": self.code,
            "billing_class": self.billing_class,
            "modifier": None if "," in modifier else modifier,
            "payer": self.payer_slug,
        }


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


def compare_payers(
    db: Snapshot, market: Market, wanted: Sequence[WantedCode], base: str | None
) -> tuple[list[PayerSpread], list[AskedCode]]:
    """The spreads by code (in the list's order), class, modifier and payer, all payers together first; and the codes.

    A code without a system stands for each system that has it; CPT and HCPCS are then one, as payers label the same
    code either way. The market's own code and payer do not matter. `base` is a payer_slug, or None for all payers.
    """
    anything = replace(market, code_type=None, code=None, payer=None)
    meanings = [(place, *meaning) for place, one in enumerate(wanted) for meaning in one.meanings]
    numbers = {f"code{n}": code for n, code in enumerate(sorted({code for _, _, code in meanings}))}
    rows = db.rows(
        f"""WITH asked AS (
                SELECT unnest($places) AS place, unnest($systems::VARCHAR[]) AS system, unnest($codes) AS code),
            f AS (
                SELECT place, if(a.system IS NULL AND f.code_type IN ('CPT', 'HCPCS'), NULL, f.code_type) AS system,
                       f.code_type, f.code, f.billing_class, f.billing_code_modifier AS modifier, payer_slug,
                       rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars' AS dollars, f.negotiated_rate
                FROM fact_rate f
                JOIN asked a ON a.code = f.code AND (a.system IS NULL OR a.system = f.code_type)
                JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name
                WHERE {anything.where} AND f.code IN ({", ".join(f"${name}" for name in numbers)})),
            spreads AS (
                SELECT place, system, list_distinct([min(code_type), max(code_type)]) AS types, code, billing_class,
                       modifier, grouping(payer_slug) = 0 AS of_payer, payer_slug, dollars, count(*) AS rates,
                       quantile_cont(negotiated_rate, [0.1, 0.25, 0.5, 0.75, 0.9]) AS spread
                FROM f
                GROUP BY GROUPING SETS (
                    (place, system, code, billing_class, modifier, dollars, payer_slug),
                    (place, system, code, billing_class, modifier, dollars)))
            SELECT place, system, list_sort(types), s.code, name, billing_class, modifier,
                   payer_slug, reporting_entity_name, dollars, rates, spread
            FROM spreads s
            LEFT JOIN dim_reporting_entity USING (payer_slug)
            LEFT JOIN dim_code d ON d.code_type = types[1] AND d.code = s.code
            ORDER BY place, system, s.code, billing_class NULLS LAST, modifier,
                     of_payer, lower(reporting_entity_name), payer_slug""",
        {
            **anything.parameters,
            **numbers,
            "places": [place for place, _, _ in meanings],
            "systems": [system for _, system, _ in meanings],
            "codes": [code for _, _, code in meanings],
        },
    ) if wanted else []  # fmt: skip
    return _spreads(rows, base), _counted(rows, wanted)


def _spreads(rows: list[tuple[Any, ...]], base: str | None) -> list[PayerSpread]:
    """The rows in dollars, each beside its base."""
    dollars = [row for row in rows if row[9]]
    bases = {_line(row): row[11][2] for row in dollars if row[7] == base}
    everybody = {_line(row): row for row in dollars if row[7] is None}
    found = []
    for row in dollars:
        _, _, _, code, _, billing_class, modifier, slug, payer, _, rates, (p10, p25, p50, p75, p90) = row
        of_all, compared = everybody[_line(row)], bases.get(_line(row))
        label, name = "/".join(of_all[2]), of_all[4]
        difference = p50 / compared - 1 if compared else None
        payer = (payer or slug) if slug else ALL
        found.append(
            PayerSpread(
                label,
                code,
                name,
                billing_class,
                modifier,
                slug,
                payer,
                rates,
                p10,
                p25,
                p50,
                p75,
                p90,
                compared,
                difference,
            )
        )
    return found


def _line(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Place in the list, system, code, class and modifier."""
    return row[0], row[1], row[3], row[5], row[6]


def _counted(rows: list[tuple[Any, ...]], wanted: Sequence[WantedCode]) -> list[AskedCode]:
    dollars, others = [0] * len(wanted), [0] * len(wanted)
    for row in rows:
        if row[7] is None:
            (dollars if row[9] else others)[row[0]] += row[10]
    return [
        AskedCode(ListedCode(one.code_type, one.code), dollars[place], others[place])
        for place, one in enumerate(wanted)
    ]
