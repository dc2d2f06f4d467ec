"""A private PostgreSQL with a store's rows, and the indexes its users would create.

It does not listen on the network: a separate cluster in a directory, on a Unix socket, run by an unprivileged user.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.csv as pc

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
BYTES_PER_FACT = 450
"""Of disk: the row, its indexes, and room for the log and for sorting."""

TABLES = (
    "fact_rate", "xref_group_npi", "xref_group_tin", "xref_tin_npi", "xref_pos", "dim_code", "dim_tin", "dim_npi",
    "dim_batch", "dim_provider_group", "bench_medicare_prof",
)  # fmt: skip
INDEXES = (
    "fact_rate (state, year_month, code_type, code)", "fact_rate (pg_uid)",
    "xref_group_npi (npi)", "xref_group_npi (pg_uid)",
    "xref_group_tin (tin_value)", "xref_group_tin (pg_uid)",
    "xref_tin_npi (npi)", "xref_tin_npi (tin_value)",
    "xref_pos (pos)", "dim_code (code)", "dim_tin (tin_value)", "dim_npi (npi)", "dim_provider_group (pg_uid)",
    "bench_medicare_prof (state, year_month, code_type, code)",
)  # fmt: skip
SETTINGS = {
    "shared_buffers": "1GB", "work_mem": "64MB", "maintenance_work_mem": "512MB", "max_wal_size": "8GB",
    "random_page_cost": "1.1", "effective_cache_size": "4GB", "fsync": "off", "listen_addresses": "",
}  # fmt: skip
"""As for a machine of 4 GB with a solid-state disk. Without fsync, which makes loading faster and reading not."""


@contextmanager
def postgres(work: Path, source: duckdb.DuckDBPyConnection, what: str, part: float) -> Iterator[psycopg.Connection]:
    """Return a connection to a cluster in `work` that has the tables of `source`, and that part of the facts.

    `what` identifies what is loaded: a cluster that has the same is used again.
    """
    user = "postgres" if os.getuid() == 0 else None
    data, loaded = work / "data", work / "loaded"
    if not loaded.exists() or loaded.read_text() != what:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        if user:
            shutil.chown(work, user)
        _run(user, "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C")
    options = " ".join(f"-c {name}={value!r}" for name, value in SETTINGS.items())
    _run(user, "pg_ctl", "start", "-w", "-D", data, "-l", work / "log", "-o", f"{options} -k {work}")
    try:
        with psycopg.connect(host=str(work), user="bench", dbname="postgres", autocommit=True) as connection:
            if not loaded.exists():
                _load(connection, source, part)
                loaded.write_text(what)
            yield connection
    finally:
        _run(user, "pg_ctl", "stop", "-m", "fast", "-D", data)


def room(work: Path, facts: int) -> None:
    """End the program if the disk does not have room for that many facts."""
    work.parent.mkdir(parents=True, exist_ok=True)
    free, needed = shutil.disk_usage(work.parent).free, facts * BYTES_PER_FACT
    if free < needed:
        sys.exit(f"{work}: {free / 1e9:.0f} GB free; {facts:,} facts take some {needed / 1e9:.0f}: --postgres-rows")


def for_postgres(statement: str) -> str:
    """Return a statement with parameters written as psycopg expects them."""
    return re.sub(r"\$(\w+)", r"%(\1)s", statement)


def _load(connection: psycopg.Connection, source: duckdb.DuckDBPyConnection, part: float) -> None:
    began = time.monotonic()
    plain = pc.WriteOptions(include_header=False)
    for table in TABLES:
        # Lists are loaded as text: no question is about them.
        columns = [(name, _type(kind)) for name, kind, *_ in source.execute(f"DESCRIBE {table}").fetchall()]
        connection.execute(f"CREATE UNLOGGED TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns)})")
        chosen = ", ".join(f"{name}::VARCHAR AS {name}" if kind == "text" else name for name, kind in columns)
        # fact_uid is a hash: those below a bound are a part of every month and code alike.
        some = f"WHERE fact_uid < '{int(part * 16**8):08x}'" if table == "fact_rate" and part < 1 else ""
        rows = source.execute(f"SELECT {chosen} FROM {table} {some}").to_arrow_reader(100_000)
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy:
            for batch in rows:
                block = pa.BufferOutputStream()
                pc.write_csv(batch, block, plain)
                copy.write(block.getvalue().to_pybytes())
        print(f"  PostgreSQL: {table} at {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    for index in INDEXES:
        connection.execute(f"CREATE INDEX ON {index}")
    connection.execute("VACUUM ANALYZE")
    size = connection.execute("SELECT pg_database_size(current_database())").fetchall()[0][0]
    print(f"  PostgreSQL: {size / 1e9:.1f} GB, loaded in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _type(kind: str) -> str:
    numbers = {"DOUBLE": "double precision", "BIGINT": "bigint", "INTEGER": "integer", "DATE": "date"}
    return numbers.get(kind, "boolean" if kind == "BOOLEAN" else "text")


def _run(user: str | None, program: str, *words: str | Path) -> None:
    done = subprocess.run(
        [PROGRAMS / program, *words], user=user, cwd="/", text=True, check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{program}: {done.stderr}")
