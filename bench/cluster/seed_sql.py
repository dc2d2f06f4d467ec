"""Ask the seed's SQL of several engines: of one machine's Parquet files, and of what is published.

    python -m bench.cluster sql DIRECTORY                  makes both in DIRECTORY, and asks DuckDB, Polars, and Sail
    python -m bench.cluster.seed_sql_on_spark DIRECTORY    asks Spark, in an environment of its own, of the same

DuckDB is asked the queries as they are. The others have them in their dialects, see tests/cluster/seed_sql.py.
"""

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from core.cluster.place import StorePlace
from core.demo.payer_files import write_files
from core.store.generations.store import Store
from core.store.sql import parquet_rows
from tests.cluster.duckdb_iceberg import connect_duckdb
from tests.cluster.files import job_of, load_single, make_publisher, run
from tests.cluster.seed_sql import QUERIES, TABLES, for_polars, for_spark, name_tables, rounded

Rows = Counter[tuple[Any, ...]]


def measure_seed_sql(directory: str) -> None:
    """Print for each engine and source which queries give the answer of DuckDB on one machine's store."""
    root = Path(directory)
    if not (root / "asked.json").exists():
        publish(root)
    asked = json.loads((root / "asked.json").read_text(encoding="utf-8"))
    expected = read_answers(root)
    for section, rows in expected.items():
        print(f"{section}: {sum(rows.values())} rows")
    for source in ("store", "published"):
        report("DuckDB", source, expected, ask_duckdb(lambda name, of=source: parquet_rows(asked[name][of])))
    report("DuckDB", "Iceberg", expected, ask_duckdb(lambda name: f"iceberg_scan('{asked[name]['metadata']}')"))
    os.environ["POLARS_ICEBERG_PLANNER"] = "pyiceberg"
    catalog = make_publisher(StorePlace((root / "place").as_uri()), root).catalog
    for source in ("store", "published"):
        report("Polars", source, expected, ask_polars(lambda name, of=source: pl.scan_parquet(asked[name][of])))
    report("Polars", "Iceberg", expected, ask_polars(lambda name: pl.scan_iceberg(catalog.table(name))))
    ask_sail(asked, expected)


def publish(root: Path) -> None:
    """Load the demo's files into one machine's store, and publish them. Note where the tables' files are."""
    (root / "sources").mkdir(parents=True)
    paths = write_files(root / "sources")
    place = StorePlace((root / "place").as_uri())
    for path in paths:
        problems = run(job_of(place, path, root)).problems
        assert not problems, problems
    publisher = make_publisher(place, root)
    publisher.claim_all()
    publisher.finish()
    single = load_single(Store(root / "single"), list(paths))
    asked = {}
    for name in TABLES:
        table = publisher.catalog.table(name)
        asked[name] = {
            "store": single.paths(name),
            "published": [task.file.file_path for task in table.scan().plan_files()],
            "iceberg": table.location(),
            "metadata": table.metadata_location,
        }
    with duckdb.connect() as connection:
        answers = {
            section: connection.execute(name_tables(query, lambda name: parquet_rows(single.paths(name)))).fetchall()
            for section, query in QUERIES.items()
        }
    (root / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    (root / "asked.json").write_text(json.dumps(asked), encoding="utf-8")


def read_answers(root: Path) -> dict[str, Rows]:
    """Return the answers of DuckDB on one machine's store, by section."""
    found = json.loads((root / "answers.json").read_text(encoding="utf-8"))
    return {section: rounded(rows) for section, rows in found.items()}


def report(engine: str, source: str, expected: dict[str, Rows], ask: Callable[[str], list[Any]]) -> None:
    """Ask the queries, and print which gave the expected answer."""
    told = []
    for section, query in QUERIES.items():
        try:
            right = rounded(ask(query)) == expected[section]
        except Exception as error:  # noqa: BLE001 - each engine has its own
            told.append(f"{section} refused ({' '.join(str(error).split())[:90]})")
        else:
            told.append(f"{section} {'same' if right else 'OTHER'}")
    print(f"{engine:8} {source:10} {', '.join(told)}", flush=True)


def ask_duckdb(name: Callable[[str], str]) -> Callable[[str], list[Any]]:
    """Return how DuckDB is asked, with what reads a table."""
    connection = connect_duckdb()
    return lambda query: connection.execute(name_tables(query, name)).fetchall()


def ask_polars(read: Callable[[str], pl.LazyFrame]) -> Callable[[str], list[Any]]:
    """Return how Polars is asked, with what reads a table."""
    context = pl.SQLContext({name: read(name) for name in TABLES})
    return lambda query: context.execute(for_polars(query)).collect().rows()


def ask_sail(asked: dict[str, dict[str, Any]], expected: dict[str, Rows]) -> None:
    """Ask Sail, which speaks Spark's dialect and protocol."""
    from pysail.spark import SparkConnectServer  # noqa: PLC0415 - an optional dependency
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an optional dependency

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{server.listening_address[1]}").getOrCreate()
    ask_spark("Sail", session, asked, expected)
    session.stop()
    server.stop()


def ask_spark(engine: str, session: Any, asked: dict[str, dict[str, Any]], expected: dict[str, Rows]) -> None:
    """Ask a session of Spark's protocol: Parquet files of the store and of what is published, and Iceberg's tables."""
    sources: dict[str, Callable[[str], Any]] = {
        "store": lambda name: session.read.parquet(*asked[name]["store"]),
        "published": lambda name: session.read.parquet(*asked[name]["published"]),
        "Iceberg": lambda name: session.read.format("iceberg").load(asked[name]["iceberg"]),
    }
    for source, read in sources.items():
        for name in TABLES:
            read(name).createOrReplaceTempView(name)
        report(engine, source, expected, lambda query: [tuple(row) for row in session.sql(for_spark(query)).collect()])
