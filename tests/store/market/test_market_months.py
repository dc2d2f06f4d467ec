"""The months of a market, each with the payers whose rates of it are asked for."""

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from core.store.market.market_months import MarketMonth, facts_in_months, is_in_months, month_parameters

MONTHS = ("2025-06", "2025-07", "2025-08")
NAMES = ("Aetna", "Oscar")


@given(
    months=st.lists(
        st.builds(
            MarketMonth,
            st.sampled_from(MONTHS),
            st.none() | st.lists(st.sampled_from(NAMES), min_size=1, unique=True).map(tuple),
        ),
        min_size=1,
        unique_by=lambda one: one.year_month,
    ).map(tuple),
    year_month=st.sampled_from(MONTHS),
    name=st.sampled_from(NAMES),
)
def test_python_and_sql_agree_on_what_is_in_the_months(
    months: tuple[MarketMonth, ...], year_month: str, name: str
) -> None:
    fact = f"(SELECT '{year_month}' AS year_month, '{name}' AS reporting_entity_name) f"
    sql = f"SELECT {facts_in_months(months)} FROM {fact}"
    assert duckdb.execute(sql, month_parameters(months)).fetchall() == [(is_in_months(months, year_month, name),)]


def test_no_months_are_every_month() -> None:
    assert is_in_months((), "2025-08", "Aetna")
