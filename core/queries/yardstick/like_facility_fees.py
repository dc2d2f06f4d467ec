"""Rates that count as a professional's against their file's word, and may be a facility's own fee all the same.

A label is overruled for a payer as a whole (core/queries/comparison/label_fit.py). Among its rates may be some that
are far above what professionals are paid, and about what OPPS pays a hospital. Percents alone cannot tell these from a
generous contract with physicians, so such a rate counts as the others of its payer, and a page whose figure it is says
so beside the figure. docs/decisions/0058 has the measurements.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from math import inf

from core.queries.comparison.left_out import counted_in_figures
from core.queries.comparison.overruled_labels import OverruledLabel, list_overruled_labels
from core.queries.market.market import Market
from core.queries.market.market_filters import STATE_MEAN
from core.queries.yardstick.medicare_amounts import Amount, ScheduleTerms, find_amounts
from core.store.connection import Snapshot

ABOVE_PHYSICIANS = 3.0
"""The multiple of the physician fee schedule that such a rate is above: Evry Health's middle is 1.33."""

LIKE_OPPS = (0.8, 2.5)
"""The multiples of OPPS, both included, at which a rate is about what a hospital is paid."""


@dataclass(frozen=True)
class LikeFacilityFee:
    """A rate that a payer's file calls institutional, and that may be a facility's own fee. Percents: 1 is 100%."""

    payer_slug: str
    reporting_entity_name: str
    negotiated_rate: float
    rates: int
    percent: float
    """Of the physician fee schedule, the state's mean."""
    percent_of_opps: float
    """Of OPPS, the state's mean."""


def is_like_facility_fee(percent: float, percent_of_opps: float) -> bool:
    """Return whether a rate that its file calls institutional may be a facility's own fee."""
    least, most = LIKE_OPPS
    return percent > ABOVE_PHYSICIANS and least <= percent_of_opps <= most


def list_like_facility_fees(
    db: Snapshot, market: Market, prices: Collection[float], amounts: Mapping[ScheduleTerms, Amount] | None = None
) -> list[LikeFacilityFee]:
    """Return the rates that are one of the `prices` and may be a facility's own fee, the highest first.

    The market is of one code, and `db` may be its cache. `amounts` are those of find_amounts, if they are known. There
    are none where a visitor has asked for one schedule, or measures by another yardstick than Medicare.
    """
    labels = {one.reporting_entity_name: one for one in list_overruled_labels(db, market) if _is_of_physicians(one)}
    if not labels or not prices or market.basis or market.yardstick:
        return []
    of_label = _by_terms(find_amounts(db, market) if amounts is None else amounts)
    overruled = {terms: one.medicare for terms, one in of_label.items() if one.rule == "fit" and one.medicare}
    least = ABOVE_PHYSICIANS * min(overruled.values(), default=inf)
    high_prices = sorted({price for price in prices if price > least})
    if not high_prices:
        return []
    rates, parameters = counted_in_figures(db, market)
    rows = db.rows(
        f"""SELECT f.reporting_entity_name, f.negotiated_rate, sum(f.rate_count)::BIGINT, f.year_month, f.billing_class,
                   f.setting, f.billing_code_modifier, f.pos_set_id, f.negotiated_type, f.negotiation_arrangement,
                   f.payee, rate_size(f.code, f.negotiated_rate)
            FROM {rates} f
            WHERE f.billing_class = 'institutional' AND f.payee = f.reporting_entity_name
                AND f.negotiated_rate IN (SELECT unnest($prices::DOUBLE[]))
            GROUP BY ALL ORDER BY f.negotiated_rate DESC, f.reporting_entity_name""",
        {**parameters, "prices": high_prices},
    )
    high = [
        (name, rate, number, terms, rate / overruled[terms])
        for name, rate, number, *values in rows
        if name in labels and (terms := ScheduleTerms._make((*values, None))) in overruled
    ]
    if not any(percent > ABOVE_PHYSICIANS for *_, percent in high):
        return []
    of_opps = _by_terms(find_amounts(db, replace(market, basis="opps", area=STATE_MEAN)))
    found = []
    for name, rate, number, terms, percent in high:
        opps = of_opps.get(terms)
        percent_of_opps = opps.percent(rate) if opps else None
        if percent_of_opps is not None and is_like_facility_fee(percent, percent_of_opps):
            slug = labels[name].payer_slug
            found.append(LikeFacilityFee(slug, name, rate, number, percent, percent_of_opps))
    return found


def _is_of_physicians(label: OverruledLabel) -> bool:
    return label.schedule == "mpfs" and label.label_schedule == "opps"


def _by_terms(amounts: Mapping[ScheduleTerms, Amount]) -> dict[ScheduleTerms, Amount]:
    """Return the state's means."""
    return {terms: one for terms, one in amounts.items() if terms.group_area is None}
