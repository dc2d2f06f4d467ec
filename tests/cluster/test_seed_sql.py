"""The seed's SQL gives one answer: DuckDB's on one machine's store, and that of engines on what is published."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from core.cluster.publication.publish import Publisher
from core.store.generations.store import Store
from core.store.sql import parquet_rows
from tests.cluster.duckdb_iceberg import connect_duckdb
from tests.cluster.files import job_of, load_single, run, write_rates
from tests.cluster.seed_sql import QUERIES, TABLES, for_polars, for_spark, name_tables, rounded

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")

Answers = dict[str, Counter[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """Return a session of a Sail server of this process."""
    if find_spec("pysail") is None:
        pytest.skip("needs Sail: uv sync --group cluster-dev")
    # PySpark takes a process without a main file, such as a worker of the tests, for one of its own doctests.
    if not hasattr(sys.modules["__main__"], "__file__"):
        sys.modules["__main__"].__file__ = __file__
    from pysail.spark import SparkConnectServer  # noqa: PLC0415 - an optional dependency
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an optional dependency

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{server.listening_address[1]}").getOrCreate()
    yield session
    session.stop()
    server.stop()


@pytest.mark.parametrize("place", ["file"], indirect=True)
def test_the_seed_s_sql_gives_one_answer(
    publisher: Publisher, tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_rates(tmp_path / "files", 2)
    for path in paths:
        run(job_of(publisher.place, path, tmp_path))
    publisher.claim_all()
    publisher.finish()
    single = load_single(Store(tmp_path / "single"), paths)
    with duckdb.connect() as connection:
        answers = {
            section: rounded(
                connection.execute(name_tables(query, lambda name: parquet_rows(single.paths(name)))).fetchall()
            )
            for section, query in QUERIES.items()
        }
    assert all(answers[section] for section in ("3.1", "3.2", "3.3", "3.4", "8.3"))

    def ask(read: Callable[[str], Any]) -> Answers:
        for name in TABLES:
            read(name).createOrReplaceTempView(name)
        return {
            section: rounded([tuple(row) for row in spark.sql(for_spark(query)).collect()])
            for section, query in QUERIES.items()
        }

    assert ask(lambda name: spark.read.parquet(*single.paths(name))) == answers
    # The files of the tables' newest snapshots: as plain Parquet, and by each engine's own reader of Iceberg.
    tables = {name: publisher.catalog.table(name) for name in TABLES}
    files = {name: [task.file.file_path for task in table.scan().plan_files()] for name, table in tables.items()}
    assert ask(lambda name: spark.read.parquet(*files[name])) == answers
    assert ask(lambda name: spark.read.format("iceberg").load(tables[name].location())) == answers

    def ask_duckdb(read: Callable[[str], str]) -> Answers:
        with connect_duckdb() as connection:
            return {
                section: rounded(connection.execute(name_tables(query, read)).fetchall())
                for section, query in QUERIES.items()
            }

    assert ask_duckdb(lambda name: parquet_rows(files[name])) == answers
    assert ask_duckdb(lambda name: f"iceberg_scan('{tables[name].metadata_location}')") == answers

    def ask_polars(read: Callable[[str], pl.LazyFrame]) -> Answers:
        context = pl.SQLContext({name: read(name) for name in TABLES})
        return {
            section: rounded(context.execute(for_polars(query)).collect().rows()) for section, query in QUERIES.items()
        }

    assert ask_polars(lambda name: pl.scan_parquet(files[name])) == answers
    monkeypatch.setenv("POLARS_ICEBERG_PLANNER", "pyiceberg")
    assert ask_polars(lambda name: pl.scan_iceberg(tables[name])) == answers
