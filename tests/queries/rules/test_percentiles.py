"""Means."""

import math
import random

import duckdb
import pytest

from core.queries.rules.percentiles import mean


def mean_of(values: list[float]) -> float | None:
    rows = duckdb.execute(f"SELECT {mean('rate')} FROM (SELECT unnest($1::DOUBLE[]) AS rate)", [values]).fetchall()
    found: float | None = rows[0][0]
    return found


def test_a_mean_is_the_same_in_any_order() -> None:
    chance = random.Random(1)
    values = [442.54, 442.55, 0.1, 884.99] * 500
    assert len({sum(chance.sample(values, len(values))) for _ in range(20)}) > 1, "as numbers, they are not"
    assert {mean_of(chance.sample(values, len(values))) for _ in range(20)} == {442.545}


@pytest.mark.parametrize("values", [[0.1], [1e-9, 3.0], [12.3456789, 1e14], [1e300, 1.0], [1e15] * 3])
def test_a_mean_is_exact(values: list[float]) -> None:
    found = mean_of(values)
    assert found is not None
    assert math.isclose(found, math.fsum(values) / len(values), rel_tol=1e-9)


def test_nothing_has_no_mean() -> None:
    assert mean_of([]) is None
