"""Read and change stores in tests."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from core.queries.rules.rate_kinds import MACROS
from core.runtime.last_runs import FOLDER
from core.store.connection import QueryLimits, Snapshot
from core.store.generations.integrity.checksums import checksum_of
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.reader import Reader
from core.store.schema.tables import DIM_PAYER_BRIDGE, TABLES

ENDLESS = "SELECT sum(a.i * b.i) FROM range(10000000) a(i), range(10000000) b(i)"
"""A query that does not end within any test's patience."""


def open_snapshot(store: Store, **limits: Any) -> Snapshot:
    """Return the newest generation of a store, of which a question may use what `limits` say, see QueryLimits."""
    # Tests look at answers, not at speed: on a busy machine a query may take longer than a visitor would be let wait.
    usual: dict[str, Any] = {"memory": "512MB", "temp_directory": str(store.root / "tmp"), "seconds": 60}
    found = Reader(store, QueryLimits(**(usual | limits)), MACROS).snapshot()
    assert found is not None
    return found


def table(store: Store, name: str) -> pl.DataFrame:
    """Return all rows of a table."""
    manifest = store.manifest()
    assert manifest is not None
    paths = manifest.paths(store.root, name)
    return pl.read_parquet(paths) if paths else pl.DataFrame(TABLES[name].arrow.empty_table())


def payers_shown(store: Store) -> list[str]:
    """Return the names in the payer bridge, as the table's stable path has them."""
    return pl.read_parquet(store.root / DIM_PAYER_BRIDGE.path)["payer_slug"].to_list()


def put(transaction: Transaction, *names: str) -> None:
    """Replace the rows of the payer bridge by these names."""
    path = transaction.new_file("dim_payer_bridge")
    rows = pa.table({"reporting_entity_name_raw": list(names), "payer_slug": list(names)})
    transaction.put("dim_payer_bridge", path, write_table(path, DIM_PAYER_BRIDGE, [rows]))


def change(store: Store, *names: str) -> None:
    """Publish a new generation whose payer bridge consists of these names."""
    with store.write() as transaction:
        put(transaction, *names)
        transaction.commit()


def listing(root: Path) -> dict[str, bytes]:
    """Return every file of a store with its content. How a command ended is recorded beside the store, not in it."""
    files = [path for path in root.rglob("*") if path.is_file() and path.name != ".lock" and path.parent.name != FOLDER]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def copy_store(root: Path, target: Path) -> Path:
    """Copy a store that other processes may be reading, and return where the copy is."""
    return shutil.copytree(root, target, symlinks=True, ignore=shutil.ignore_patterns(".lock", "tmp"))


def publish_wrong(store: Store, path: str, rows: pa.Table) -> None:
    """Replace a file's rows as a defect of the program would: the manifest has the new checksum and size."""
    file = Path(path)
    file.chmod(0o644)
    pq.write_table(rows, file)
    manifest = store.root / "manifest.json"
    fields = json.loads(manifest.read_text())
    for recorded in (one for files in fields["tables"].values() for one in files):
        if store.root / recorded["path"] == file:
            recorded |= {"bytes": file.stat().st_size, "checksum": checksum_of(file)}
    manifest.write_text(json.dumps(fields))
