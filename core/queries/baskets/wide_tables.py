"""Baskets as wide tables, a column for each code: as people paste them into a model of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, make_dataclass
from typing import Annotated, Any

from core.queries.baskets.basket_answer import BasketAnswer
from core.queries.market.market import Market
from core.queries.market.market_filters import NO_MODIFIER
from core.queries.market.market_rates import market_facts
from core.queries.rules.columns import BusinessName, PayerName, PayerSlug, RateCount, TinType, TinValue, described
from core.queries.rules.listed_codes import in_codes
from core.queries.rules.named_rows import read_rows
from core.queries.rules.percentiles import median
from core.store.connection import Snapshot


@dataclass(frozen=True)
class OrganizationMedian:
    """The median of one tax ID's rates in dollars for one code, all payers together."""

    tin_type: TinType
    tin_value: TinValue
    business_name: BusinessName
    code: str
    rates: RateCount
    p50: float


def list_organization_medians(db: Snapshot, answer: BasketAnswer) -> list[OrganizationMedian]:
    """Return the medians of each tax ID and code of a basket, each code of its class, by tax ID.

    A rate counts once for each tax ID of its provider group.
    """
    found: list[OrganizationMedian] = []
    for market, positions in answer.classes.group_alike().items():
        found += _medians_of_class(db, market, [answer.codes[position].code for position in positions])
    return sorted(found, key=_by_tax_id)


def _by_tax_id(one: OrganizationMedian) -> tuple[bool, str, str, str, str]:
    return one.business_name is None, one.business_name or "", one.tin_value, one.tin_type, one.code


def _medians_of_class(db: Snapshot, market: Market, numbers: Iterable[str]) -> list[OrganizationMedian]:
    facts, parameters = market_facts(db, market)
    listed, bound = in_codes(numbers)
    return read_rows(
        db,
        OrganizationMedian,
        f"""WITH f AS (
                SELECT pg_uid, code, negotiated_rate FROM ({facts}) f
                WHERE {listed} AND rate_kind(negotiated_type, negotiation_arrangement) = 'dollars'),
            t AS (SELECT DISTINCT pg_uid, tin_type, tin_value FROM xref_group_tin
                  WHERE pg_uid IN (SELECT pg_uid FROM f)),
            m AS (SELECT tin_type, tin_value, code, count(*) AS rates, {median("negotiated_rate")} AS p50
                  FROM f JOIN t USING (pg_uid) GROUP BY ALL)
            SELECT tin_type, tin_value, business_name, code, rates, p50
            FROM m LEFT JOIN named_tin USING (tin_type, tin_value)""",
        {**parameters, **bound},
    )


def widen_by_payer(answer: BasketAnswer) -> tuple[list[Any], type[Any]]:
    """Return a row for each payer, with its index and a column for each code, and the rows' dataclass."""
    row_type, columns = _wide_type(answer, "PayerRow", [("payer_slug", PayerSlug), ("payer", PayerName)])
    cells = {(one.payer_slug, one.position): one.p50 for one in answer.medians}
    return [
        row_type(
            **_market_values(answer, answer.market.month_of(one.payer_slug)),
            payer_slug=one.payer_slug,
            payer=one.reporting_entity_name,
            **{name: cells.get((one.payer_slug, at)) for at, name in columns.items()},
        )
        for one in answer.indexes
    ], row_type


def widen_by_organization(answer: BasketAnswer, found: Sequence[OrganizationMedian]) -> tuple[list[Any], type[Any]]:
    """Return a row for each tax ID, with a column for each code, and the rows' dataclass."""
    of_organization = [("tin_type", TinType), ("tin_value", TinValue), ("business_name", BusinessName)]
    row_type, columns = _wide_type(answer, "OrganizationRow", [*of_organization, ("rates", RateCount)])
    by_tin: dict[tuple[str, str, str | None], list[OrganizationMedian]] = {}
    for one in found:
        by_tin.setdefault((one.tin_type, one.tin_value, one.business_name), []).append(one)
    rows = []
    for (tin_type, tin_value, name), medians in by_tin.items():
        p50 = {one.code: one.p50 for one in medians}
        rows.append(
            row_type(
                **_market_values(answer, answer.market.newest_month),
                tin_type=tin_type,
                tin_value=tin_value,
                business_name=name,
                rates=sum(one.rates for one in medians),
                **{column: p50.get(answer.codes[at].code) for at, column in columns.items()},
            )
        )
    return rows, row_type


def _wide_type(answer: BasketAnswer, name: str, first: Sequence[tuple[str, Any]]) -> tuple[type[Any], dict[int, str]]:
    """Return a dataclass with a column for each code that has rates, and these columns by position of the code."""
    columns: dict[int, str] = {}
    for at in answer.everybody:
        code = answer.codes[at]
        column = "code_" + "".join(one if one.isalnum() else "_" for one in code.code)
        columns[at] = column if column not in columns.values() else f"{column}_{at}"
    market = [("state", str), ("year_month", str), ("billing_class", str | None), ("modifier", str | None)]
    medians = [
        (column, Annotated[float | None, described(f"Median for {answer.codes[at].code}, in dollars.", 95.0)])
        for at, column in columns.items()
    ]
    return make_dataclass(name, [*market, *first, *medians], frozen=True), columns


def _market_values(answer: BasketAnswer, month: str) -> dict[str, Any]:
    """Return what all codes of a row have in common; the class is null where each code has its own."""
    market = answer.market
    return {
        "state": market.state,
        "year_month": month,
        "billing_class": market.billing_class,
        "modifier": "" if market.modifier == NO_MODIFIER else market.modifier,
    }
