"""Where the rows of a provider's page stand among organizations: the figures of its report, beside its rates."""

from collections.abc import Sequence
from dataclasses import replace

from core.fields.codes.basket_list import read_basket
from core.fields.codes.code_list import WantedCode
from core.queries.baskets.basket_codes import basket_codes
from core.queries.baskets.clinic_class import choose_classes_of_lines
from core.queries.baskets.clinic_position import find_positions
from core.queries.baskets.clinic_rows import AskedLine, Clinic, ClinicPosition
from core.queries.coverage import list_payers
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASSES, FILTERS
from core.queries.parties.provider_rates import CodeRates
from core.store.connection import Snapshot

MOST_PLACED = 50
"""Of more rows, none is set among organizations: a page of them would take twice as long."""


def clinic_of(market: Market) -> Clinic | None:
    """Return the clinic that a market's provider is; None for a health system, which has many."""
    if market.system:
        return None
    return Clinic(market.organization, market.tin, (market.npi,) if market.npi else ())


def list_row_positions(
    db: Snapshot, market: Market, clinic: Clinic, rows: Sequence[CodeRates]
) -> list[ClinicPosition | None]:
    """Return the position of each row as the clinic's report has it; None for a row that is not compared there.

    The report compares a code of each payer in one class and setting. A row is the one that is compared there if its
    price is the clinic's in the table of organizations.
    """
    lines = {}
    for row in rows:
        if row.kind == "dollars" and "," not in row.modifier and (row.code, row.modifier) not in lines:
            found = basket_codes(db, read_basket(str(WantedCode(None, row.code))))
            lines[row.code, row.modifier] = AskedLine(found[0], row.modifier) if found else None
    asked = [line for line in lines.values() if line]
    anywhere = market.without("code_type", "code", CLASSES, *FILTERS)
    classes = choose_classes_of_lines(db, anywhere, clinic, asked)
    positions = find_positions(db, anywhere, clinic, asked, classes, dict(list_payers(db)))
    by_line = {(one.payer_slug, one.code, one.modifier): one for one in positions.rows}
    return [_if_same(row, by_line.get((row.payer_slug, row.code, row.modifier))) for row in rows]


def place_rows(db: Snapshot, market: Market, total: int, rows: Sequence[CodeRates]) -> list[CodeRates]:
    """Return some of a provider's `total` rows with the figures that its page shows beside each."""
    clinic = clinic_of(market)
    if clinic is None or total > MOST_PLACED:
        return list(rows)
    positions = list_row_positions(db, market, clinic, rows)
    return [_with_position(row, one) if one else row for row, one in zip(rows, positions, strict=True)]


def _with_position(row: CodeRates, position: ClinicPosition) -> CodeRates:
    if position.area and position.rate is not None:
        percent = position.percent if row.percent_of_areas is None else row.percent_of_areas
        row = replace(row, rate=position.rate, rate_percent=percent, rate_area=position.area)
    if position.gap_to_middle is None:
        return row
    return replace(
        row,
        middle=position.middle,
        middle_difference=position.difference,
        paid_more=position.paid_more,
        other_organizations=position.other_organizations,
    )


def _if_same(row: CodeRates, position: ClinicPosition | None) -> ClinicPosition | None:
    if position is None or row.kind != "dollars" or position.compared_price != row.p50:
        return None
    return position if row.care_setting in {None, position.care_setting} else None
