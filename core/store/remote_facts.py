"""Answer about states whose facts are not on this machine: from the files of a published store, on S3.

A store may name such files in a table of its own, REMOTE_FACTS, which is a small file in each generation: so the
generation pins them. Everything else, from providers to fee schedules, is on this machine. Only snapshots know of these
facts. Commands that write or check a store's files see a table like any other, and leave the facts alone.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from core.store.generations.manifest import DataFile, Manifest, StoreError
from core.store.schema.tables import FACT_RATE
from core.store.sql import quote

REMOTE_FACTS = "remote_facts"


def locate(root: Path, file: DataFile) -> str:
    """Return where a file can be read: its absolute path, or its address on S3."""
    return file.path if file.remote else str(root / file.path)


def write_remote_facts(path: Path, files: Sequence[DataFile]) -> int:
    """Write a file of REMOTE_FACTS. Return the number of its rows."""
    rows = [{"url": one.path, "shard": one.shard, "rows": one.rows, "bytes": one.bytes} for one in files]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return len(rows)


def with_remote_facts(root: Path, manifest: Manifest) -> Manifest:
    """Return a generation with the facts on S3 that it names beside those on this machine."""
    found = [
        DataFile(row["url"], row["rows"], row["bytes"], row["shard"])
        for path in manifest.paths(root, REMOTE_FACTS)
        for row in pq.read_table(path).to_pylist()
    ]
    if not found:
        return manifest
    # Those of this machine first: DuckDB reads the first file's columns when it is told of the view.
    facts = (*manifest.tables.get(FACT_RATE.name, ()), *found)
    return replace(manifest, tables={**manifest.tables, FACT_RATE.name: facts})


def remote_folders(files: Iterable[DataFile]) -> list[str]:
    """Return the folders on S3 that those of the facts' files are in that are there: `s3://bucket/prefix/fact_rate/`."""
    middle = f"/{FACT_RATE.name}/"
    return sorted({file.path.partition(middle)[0] + middle for file in files if file.remote})


def allow_s3(connection: duckdb.DuckDBPyConnection, folders: Sequence[str]) -> None:
    """Let a connection read folders on S3, with the keys that the environment has.

    DuckDB has no setting against writing there: that is up to the key. Raise StoreError if its extension is missing.
    """
    extension = _extension()
    connection.execute(f"LOAD {quote(str(extension))}")
    address = os.environ.get("AWS_ENDPOINT_URL", "")
    options = {
        "KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", ""),
        "SECRET": os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
        "SESSION_TOKEN": os.environ.get("AWS_SESSION_TOKEN", ""),
        "REGION": os.environ.get("AWS_REGION", ""),
        "ENDPOINT": address.partition("://")[2].rstrip("/"),
    }
    stated = ", ".join(f"{name} {quote(value)}" for name, value in options.items() if value)
    if address:
        stated += f", URL_STYLE 'path', USE_SSL {str(address.startswith('https')).lower()}"
    for number, folder in enumerate(folders):
        connection.execute(f"CREATE SECRET s3_{number} (TYPE s3, SCOPE {quote(folder)}, {stated})")
    connection.execute("SET enable_http_metadata_cache = true")


@cache
def _extension() -> Path:
    found = find_spec("duckdb_extension_httpfs")
    folder = Path(found.origin).parent if found and found.origin else Path()
    path = folder / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
    if not found or not path.exists():
        raise StoreError(
            "this store reads some states from S3, which needs DuckDB's extension httpfs: uv sync --group cluster, or "
            "copy all states (see docs/cluster.md)"
        )
    return path
