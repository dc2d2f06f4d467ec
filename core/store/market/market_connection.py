"""A connection whose tables are exchanged between questions, and which plans a question without parameters once.

Planning takes most of a small question's time: 17 of the 22 ms of a comparison with Medicare. DuckDB keeps the plan of
a prepared statement only if it has no parameters and no table of the catalog has changed since. It also trusts in the
statistics that tables had when it planned: after other rows are put into a temporary table, such plans return wrong
rows or crash. So the tables here are Arrow tables behind a name that stays. DuckDB asks the name for its rows whenever
it reads them, and knows no statistics of them (docs/decisions/0062).
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow.dataset import Dataset, Expression

from core.store.read_arrow import read_arrow

MAX_PLANS = 100
"""How many questions one connection has planned at a time. A page has about ten; filters make others."""

MAX_BYTES = 64 << 20
"""How much memory the plans of a database may keep. A plan keeps the tables of its last answer, one to three MB."""


class _ShownTable(Dataset):  # type: ignore[misc]
    """What DuckDB reads under a table's name: the Arrow table that is shown at the moment.

    DuckDB asks a dataset for a scanner of the columns and rows that a question needs. Arrow's own scanner starts
    threads and takes half a millisecond for each table of each question; choosing columns takes a twentieth of that.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.empty = table.schema.empty_table()

    @property
    def schema(self) -> pa.Schema:
        return self.empty.schema

    def scanner(self, columns: list[str] | None = None, filter: Expression | None = None) -> "_Scanner":  # noqa: A002
        asked = self.table if columns is None else self.table.select(columns)
        if filter is None:
            return _Scanner(asked)
        try:
            return _Scanner(asked.filter(filter))
        except pa.ArrowInvalid:
            # DuckDB 2.0 does not ask for columns that only rows are chosen by. All columns of the rows are copied then,
            # and a kept plan holds them until it is asked again.
            return _Scanner(self.table.filter(filter).select(asked.column_names))


class _Scanner:
    """What DuckDB takes the rows of a scan from."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def to_reader(self) -> pa.RecordBatchReader:
        return self._table.to_reader()


class MarketConnection:
    """A connection for one thread at a time. It answers as a cursor of DuckDB does."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._shown: dict[str, _ShownTable] = {}
        self._plans: OrderedDict[str, str] = OrderedDict()
        self._planned = 0

    def show(self, tables: Mapping[str, pa.Table]) -> None:
        """Make these the connection's own tables, and those shown before that are not among them empty."""
        for name, shown in self._shown.items():
            if name not in tables:
                shown.table = shown.empty
        for name, table in tables.items():
            self.add(name, table)

    def add(self, name: str, table: pa.Table) -> None:
        """Show one more table, or another one under the same name."""
        shown = self._shown.get(name)
        if shown is not None and shown.schema == table.schema:
            shown.table = table
            return
        if shown is not None:
            self._forget_plans()
        self._shown[name] = _ShownTable(table)
        self._connection.register(name, self._shown[name])

    def table(self, name: str) -> pa.Table:
        """Return the table that is shown under a name."""
        return self._shown[name].table

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> "MarketConnection":
        """Ask a question. The plan of one without parameters is kept."""
        if parameters:
            self._connection.execute(sql, parameters)
        else:
            self._connection.execute(f"EXECUTE {self._plan(sql)}")
        return self

    def read_arrow(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pa.Table:
        """Return all rows of a question's answer as an Arrow table. The plan of one without parameters is kept."""
        return read_arrow(self._connection, sql if parameters else f"EXECUTE {self._plan(sql)}", parameters)

    def _plan(self, sql: str) -> str:
        name = self._plans.get(sql)
        if name is not None:
            self._plans.move_to_end(sql)
            return name
        self._planned += 1
        name = f"plan_{self._planned}"
        self._connection.execute(f"PREPARE {name} AS {sql}")
        self._plans[sql] = name
        if len(self._plans) > MAX_PLANS:
            _, oldest = self._plans.popitem(last=False)
            self._connection.execute(f"DEALLOCATE {oldest}")
        return name

    def memory_in_use(self) -> int:
        """Return how many bytes the connection's database has in memory, that of other connections included."""
        self.execute("SELECT coalesce(sum(memory_usage_bytes), 0)::BIGINT FROM duckdb_memory()")
        ((found,),) = self.fetchall()
        return int(found)

    def forget_older_plans(self) -> None:
        """Forget the half of the plans that was not used for longest."""
        for _ in range((len(self._plans) + 1) // 2):
            _, oldest = self._plans.popitem(last=False)
            self._connection.execute(f"DEALLOCATE {oldest}")

    def _forget_plans(self) -> None:
        """Forget all plans: DuckDB does not notice that a name stands for a table with other columns now."""
        for name in self._plans.values():
            self._connection.execute(f"DEALLOCATE {name}")
        self._plans.clear()

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the remaining rows of the question."""
        return self._connection.fetchall()

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        """Return the next rows of the question."""
        return self._connection.fetchmany(size)

    @property
    def description(self) -> list[Any]:
        """The columns of the question."""
        return list(self._connection.description or ())

    def interrupt(self) -> None:
        """Stop the question that is being answered."""
        self._connection.interrupt()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
