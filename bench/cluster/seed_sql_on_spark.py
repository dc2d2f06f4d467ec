"""Ask Spark the seed's SQL, with Iceberg's own library, of what `python -m bench.cluster sql DIRECTORY` has made.

Spark needs Java, and an environment of its own. The library comes as a file in a Python package:

    uv venv spark-venv && uv pip install --python spark-venv pyspark==3.5.9 snowpark-connect-deps-iceberg==1.0.3
    spark-venv/bin/python -m bench.cluster.seed_sql_on_spark DIRECTORY
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.cluster.seed_sql import QUERIES, TABLES, for_spark, rounded


def main() -> None:
    """Print for each source which queries give the answer of DuckDB on one machine's store."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - only in an environment of its own

    root = Path(sys.argv[1])
    asked = json.loads((root / "asked.json").read_text(encoding="utf-8"))
    expected = json.loads((root / "answers.json").read_text(encoding="utf-8"))
    jar = find_jar()
    jars = [jar, *sys.argv[2:]]
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.jars", ",".join(jars))
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    print(f"Spark {session.version}, {Path(jar).name}")
    for source in ("store", "published", "metadata"):
        for name in TABLES:
            read(session, source, asked[name][source]).createOrReplaceTempView(name)
        told = []
        for section, query in QUERIES.items():
            rows = [tuple(row) for row in session.sql(for_spark(query)).collect()]
            told.append(f"{section} {'same' if rounded(rows) == rounded(expected[section]) else 'OTHER'}")
        print(f"Spark    {'Iceberg' if source == 'metadata' else source:10} {', '.join(told)}", flush=True)
    session.stop()


def read(session: Any, source: str, where: Any) -> Any:
    """Return a table: from Parquet files, or from the metadata of an Iceberg table."""
    return session.read.format("iceberg").load(where) if source == "metadata" else session.read.parquet(*where)


def find_jar() -> str:
    """Return the path of Iceberg's library for Spark 3.5 and Scala 2.12."""
    package = find_spec("snowpark_connect_deps_iceberg")
    places = package.submodule_search_locations if package else None
    found = [path for place in places or () for path in Path(place).rglob("iceberg-spark-runtime-3.5_2.12-*.jar")]
    if not found:
        sys.exit("no library of Iceberg for Spark: uv pip install snowpark-connect-deps-iceberg")
    return str(found[0])


if __name__ == "__main__":
    main()
