"""Distances equal those of an independent formula, in Python and in SQL."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries.market.distance import miles_between, miles_sql
from tests.queries.slow_distance import great_circle_miles

points = st.tuples(st.floats(-90, 90, allow_nan=False, width=32), st.floats(-180, 180, allow_nan=False, width=32))


@given(points, points)
def test_a_distance_is_that_of_the_reference(one: tuple[float, float], other: tuple[float, float]) -> None:
    expected = pytest.approx(great_circle_miles(one, other), abs=1e-6, rel=1e-7)
    near_antipodes = great_circle_miles(one, other) > 12_430
    assert miles_between(*one, *other) == (
        pytest.approx(great_circle_miles(one, other), abs=1) if near_antipodes else expected
    )
    ((by_sql,),) = duckdb.execute(f"SELECT {miles_sql('$a::DOUBLE', '$b::DOUBLE', '$c::DOUBLE', '$d::DOUBLE')}",
                                  dict(zip("abcd", (*one, *other), strict=True))).fetchall()  # fmt: skip
    assert by_sql == pytest.approx(miles_between(*one, *other), abs=1e-6, rel=1e-7)


def test_known_distances() -> None:
    # Atlanta to Savannah, and around the world's half.
    assert miles_between(33.753259, -84.389953, 32.074679, -81.088261) == pytest.approx(223.87, abs=0.01)
    assert miles_between(0, 0, 0, 180) == pytest.approx(12_436.8, abs=0.5)
    assert miles_between(33.0, -84.0, 33.0, -84.0) == 0
