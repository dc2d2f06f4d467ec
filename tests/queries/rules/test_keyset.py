"""Pages that begin after a row's key hold what sorted pages hold, nulls and ties included."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries import rates
from core.queries.parties import organizations
from core.queries.rules import keyset
from core.queries.rules.keyset import Order, ascending, descending, order_by
from core.queries.yardstick import medicare

ORDERS = [
    ascending("a", "id"),
    descending("a") + ascending("id"),
    ascending("a") + descending("b") + ascending("id"),
    descending("t.a") + ascending("t.b", "t.id"),
]
ROWS = st.lists(
    st.tuples(st.sampled_from([None, 0.0, 0.1, 0.30000000000000004, 5e-324]), st.sampled_from([None, "", "a", "é"])),
    max_size=12,
)


class Row:
    def __init__(self, a: float | None, b: str | None, id: int) -> None:  # noqa: A002
        self.a, self.b, self.id = a, b, id


@given(ROWS, st.sampled_from(ORDERS), st.integers(1, 4))
def test_a_walk_by_keys_is_the_sorted_table(
    values: list[tuple[float | None, str | None]], order: Order, size: int
) -> None:
    with duckdb.connect() as db:
        db.execute("CREATE TABLE t (a DOUBLE, b VARCHAR, id BIGINT)")
        if values:
            db.executemany("INSERT INTO t VALUES (?, ?, ?)", [[*row, number] for number, row in enumerate(values)])
        whole = db.execute(f"SELECT id FROM t ORDER BY {order_by(order)}").fetchall()
        walked: list[tuple[int]] = []
        last: keyset.RowKey | None = None
        while True:
            condition, parameters = keyset.rows_after(order, last)
            sql = f"SELECT * FROM t WHERE {condition} ORDER BY {order_by(order)} LIMIT {size}"
            found = [Row(*row) for row in db.execute(sql, parameters).fetchall()]
            walked += [(row.id,) for row in found]
            if len(found) < size or len(walked) > len(whole):
                break
            last = keyset.row_key(order, found[-1])
    assert walked == whole


@pytest.mark.parametrize(
    ("orders", "row"),
    [
        (rates.ORDERS, rates.RateRow),
        (medicare.ORDERS, medicare.Comparison),
        (organizations.ORDERS, organizations.Organization),
    ],
)
def test_every_order_is_made_of_the_row_s_columns_and_is_total(orders: dict[str, Order], row: type) -> None:
    for name, order in orders.items():
        assert {term.name for term in order} <= set(row.__annotations__), name
        assert order[-1].name in {"fact_uid", "tin_type"}, name
        assert order[0].descending == (name.startswith("-") or name == "rates"), name
