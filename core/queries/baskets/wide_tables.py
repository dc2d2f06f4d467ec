"""Baskets as wide tables, a column for each code: as people paste them into a model of their own."""

from collections.abc import Sequence
from dataclasses import dataclass, make_dataclass
from functools import partial
from typing import Annotated, Any

from core.queries.baskets.basket_answer import BasketAnswer
from core.queries.baskets.basket_medians import compared_list, write_terms_of_codes
from core.queries.baskets.others_of_state import find_middles_of_state
from core.queries.market.market_filters import CLASS_FILTERS, NO_MODIFIER
from core.queries.parties.dollar_rates import mark_odd_sql, unless_all_odd
from core.queries.parties.middle_by_payer import class_of_all_sql
from core.queries.parties.organizations import tins_of_groups
from core.queries.rules.columns import BusinessName, PayerName, PayerSlug, RateCount, TinType, TinValue, described
from core.queries.rules.named_rows import read_rows
from core.queries.rules.organization_price import price_sql
from core.store.connection import Snapshot
from core.store.sql import used_parameters

_Payers = Annotated[
    str, described("Names of the payers of the row's rates, from whose files the months are.", "Payer A")
]


@dataclass(frozen=True)
class OrganizationPrice:
    """What one tax ID is paid for one code, all payers together: see organization_price."""

    tin_type: TinType
    tin_value: TinValue
    business_name: BusinessName
    code: str
    rates: RateCount
    price: float
    payers: tuple[str, ...]
    """The names of the payers of these rates."""
    months: tuple[str, ...]
    """The months of their files."""


@dataclass(frozen=True)
class _Priced:
    tin_type: str
    tin_value: str
    business_name: str | None
    position: int
    rates: int
    price: float
    payers: list[str]
    months: list[str]


def list_organization_prices(db: Snapshot, answer: BasketAnswer) -> list[OrganizationPrice]:
    """Return the price of each tax ID and code of a basket, each code of its class, by tax ID.

    A rate counts once for each tax ID of its provider group.
    """
    markets = {answer.codes[at].code: choice.market for at, choice in enumerate(answer.classes.of_codes)}
    anything = answer.market.without("code_type", "code", *CLASS_FILTERS)
    terms = [one for of_code in answer.classes.terms for one in of_code]
    compared, parameters = compared_list(db, anything, terms, markets, means=True)
    measured = {at for at, choice in enumerate(answer.classes.of_codes) if choice.market.is_measured}
    write = partial(write_terms_of_codes, answer.codes, answer.classes)
    others = find_middles_of_state(db, answer.market, list(markets), write, measured)
    columns = ("position", "pg_uid", "negotiated_rate", "reporting_entity_name", "year_month")
    sql = f"""{compared},
            f AS MATERIALIZED (
                SELECT position, pg_uid, negotiated_rate, percent_of_state AS percent, reporting_entity_name,
                       year_month, {class_of_all_sql(measured)} AS class_of_all, billing_code_modifier AS modifier
                FROM compared f WHERE kind = 'dollars'),
            marked AS ({mark_odd_sql(anything, "f", columns, ("position",), others)}),
            t AS (SELECT DISTINCT pg_uid, tin_type, tin_value FROM {tins_of_groups(anything)}
                  WHERE pg_uid IN (SELECT pg_uid FROM f)),
            m AS (SELECT tin_type, tin_value, position, count(*) AS rates, {price_sql()} AS price,
                         list_sort(list(DISTINCT reporting_entity_name)) AS payers,
                         list_sort(list(DISTINCT year_month)) AS months
                  FROM (FROM marked JOIN t USING (pg_uid) {unless_all_odd("tin_type, tin_value, position")})
                  GROUP BY ALL)
            SELECT tin_type, tin_value, business_name, position, rates, price, payers, months
            FROM m LEFT JOIN named_tin USING (tin_type, tin_value)"""
    found = read_rows(db, _Priced, sql, parameters | used_parameters(sql, anything.parameters))
    return sorted(
        (
            OrganizationPrice(
                one.tin_type,
                one.tin_value,
                one.business_name,
                answer.codes[one.position].code,
                one.rates,
                one.price,
                tuple(one.payers),
                tuple(one.months),
            )
            for one in found
        ),
        key=_by_tax_id,
    )


def _by_tax_id(one: OrganizationPrice) -> tuple[bool, str, str, str, str]:
    return one.business_name is None, one.business_name or "", one.tin_value, one.tin_type, one.code


def widen_by_payer(answer: BasketAnswer) -> tuple[list[Any], type[Any]]:
    """Return a row for each payer, with its index and a column for each code, and the rows' dataclass."""
    row_type, columns = _wide_type(answer, "PayerRow", [("payer_slug", PayerSlug), ("payer", PayerName)], "Price")
    cells = {(one.payer_slug, one.position): one.price for one in answer.medians}
    return [
        row_type(
            **_market_values(answer, answer.market.month_of(one.payer_slug)),
            payer_slug=one.payer_slug,
            payer=one.reporting_entity_name,
            **{name: cells.get((one.payer_slug, at)) for at, name in columns.items()},
        )
        for one in answer.indexes
    ], row_type


def widen_by_organization(answer: BasketAnswer, found: Sequence[OrganizationPrice]) -> tuple[list[Any], type[Any]]:
    """Return a row for each tax ID, with a column for each code, and the rows' dataclass."""
    of_organization = [("tin_type", TinType), ("tin_value", TinValue), ("business_name", BusinessName)]
    row_type, columns = _wide_type(
        answer, "OrganizationRow", [*of_organization, ("payers", _Payers), ("rates", RateCount)], "Price"
    )
    by_tin: dict[tuple[str, str, str | None], list[OrganizationPrice]] = {}
    for one in found:
        by_tin.setdefault((one.tin_type, one.tin_value, one.business_name), []).append(one)
    rows = []
    for (tin_type, tin_value, name), of_codes in by_tin.items():
        prices = {one.code: one.price for one in of_codes}
        rows.append(
            row_type(
                **_market_values(answer, ", ".join(sorted({month for one in of_codes for month in one.months}))),
                payers="; ".join(sorted({name for one in of_codes for name in one.payers})),
                tin_type=tin_type,
                tin_value=tin_value,
                business_name=name,
                rates=sum(one.rates for one in of_codes),
                **{column: prices.get(answer.codes[at].code) for at, column in columns.items()},
            )
        )
    return rows, row_type


def _wide_type(
    answer: BasketAnswer, name: str, first: Sequence[tuple[str, Any]], figure: str
) -> tuple[type[Any], dict[int, str]]:
    """Return a dataclass with a column for each code that has rates, and these columns by position of the code."""
    columns: dict[int, str] = {}
    for at in answer.everybody:
        code = answer.codes[at]
        column = "code_" + "".join(one if one.isalnum() else "_" for one in code.code)
        columns[at] = column if column not in columns.values() else f"{column}_{at}"
    market = [("state", str), ("year_month", str), ("billing_class", str | None), ("modifier", str | None)]
    medians = [
        (column, Annotated[float | None, described(f"{figure} for {answer.codes[at].code}, in dollars.", 95.0)])
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
