"""The forty rows of docs/checked-by-hand.md: their arithmetic is right. Bench compares them with the program."""

import re
from decimal import ROUND_HALF_UP, Decimal

import pytest

from bench.checked_by_hand import HandRow, read_page

ROWS = read_page()
_SUM = re.compile(r"\(([^()]+)\) x ([\d.]+) = ([\d.]+)(?:, capped at ([\d.]+))?")


def test_there_are_forty_rows() -> None:
    assert [row.number for row in ROWS] == list(range(1, 41))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.payer} {row.code}")
def test_the_arithmetic_is_right(row: HandRow) -> None:
    of_localities = []
    for terms, factor, result, cap in _SUM.findall(row.arithmetic):
        units = sum(Decimal(value) * Decimal(index) for value, index in re.findall(r"([\d.]+)x([\d.]+)", terms))
        amount = (units * Decimal(factor)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert amount == Decimal(result)
        assert not cap or Decimal(cap) < amount
        of_localities.append(Decimal(cap or result))
    if "mean" in row.arithmetic:
        # The localities whose sum is not written out.
        written = _SUM.sub("", row.arithmetic)
        of_localities += [Decimal(one) for one in re.findall(r"(?<![\d-])\d+\.\d\d(?!\d)", written)]
        assert row.amount == sum(of_localities) / len(of_localities)
    elif of_localities:
        assert [row.amount] == of_localities
    if row.amount is not None:
        assert row.percent == (100 * row.rate / row.amount).quantize(Decimal("0.01"), ROUND_HALF_UP)
