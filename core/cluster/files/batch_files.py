"""Turn what a scratch store has of one batch into files on the object store, and last of all a receipt."""

from collections.abc import Iterator
from pathlib import Path

from core.cluster.files.cluster_files import content_name, folder_of, read_blocks, table_named, write_cluster_file
from core.cluster.files.receipts import REJECTS_TABLE, ClusterFile, Receipt, put_receipt
from core.cluster.place import StorePlace
from core.load.outcome import LoadOutcome
from core.store.generations.layout import StateMonth
from core.store.generations.manifest import DataFile
from core.store.generations.store import Store
from core.store.schema.tables import (
    DIM_BATCH,
    DIM_CODE,
    DIM_NPI,
    DIM_PAYER_BRIDGE,
    DIM_POS_SET,
    DIM_PROVIDER_GROUP,
    DIM_REPORTING_ENTITY,
    DIM_TIN,
    FACT_RATE,
    XREF_BATCH_PLAN,
    XREF_BATCH_SOURCE,
    XREF_BUNDLED_CODE,
    XREF_GROUP_LOCATION,
    XREF_GROUP_NPI,
    XREF_GROUP_TIN,
    XREF_POS,
    XREF_TIN_NPI,
)

OF_ONE_BATCH = (
    DIM_BATCH, DIM_PROVIDER_GROUP, XREF_BATCH_PLAN, XREF_BATCH_SOURCE, XREF_GROUP_LOCATION, XREF_GROUP_NPI,
    XREF_GROUP_TIN,
)  # fmt: skip
"""Tables whose keys contain a batch or a provider group of one: no two batches have a row in common."""

OF_SEVERAL_BATCHES = (
    DIM_CODE, DIM_NPI, DIM_PAYER_BRIDGE, DIM_POS_SET, DIM_REPORTING_ENTITY, DIM_TIN, XREF_BUNDLED_CODE, XREF_POS,
    XREF_TIN_NPI,
)  # fmt: skip
"""Tables that several batches have rows of. They are merged in order of the batches, see merge_batches.py."""

PUBLISHED = (FACT_RATE, *OF_ONE_BATCH, *OF_SEVERAL_BATCHES)
"""The tables that a load fills. What follows from them and from reference data is made where the data is served."""


def upload_batch(place: StorePlace, scratch: Store, outcomes: tuple[LoadOutcome, ...], work: Path) -> Receipt:
    """Upload the files of the one batch that a scratch store of the layout state_month has. Return its receipt.

    The receipt is the last object that is written: what a killed task has uploaded is not seen by anyone, and uploading
    it again has the same names.
    """
    manifest = scratch.loaded()
    batch_id = outcomes[0].record["batch_id"]
    rejects = [(REJECTS_TABLE, file) for file in manifest.rejects.values()]
    tables = [(table.name, file) for table in PUBLISHED for file in manifest.tables.get(table.name, ())]
    files = [
        _upload(place, name, Path(scratch.root / file.path), batch_id, period, work)
        for name, file in (*tables, *rejects)
        if file.rows or name == REJECTS_TABLE
        for period in _periods(name, file)
    ]
    receipt = Receipt(
        batch_id=batch_id,
        source=str(outcomes[0].record["source"]),
        filters={one.record["state"]: str(one.record["filters"]) for one in outcomes},
        rows=sum(file.rows for file in files if file.table == FACT_RATE.name),
        files=tuple(files),
    )
    return put_receipt(place, receipt)


def _periods(name: str, file: DataFile) -> Iterator[StateMonth]:
    if name == FACT_RATE.name:
        state, month = (part.partition("=")[2] for part in file.shard.split("/"))
        yield StateMonth(state, month)
    else:
        yield StateMonth("", "")


def _upload(place: StorePlace, name: str, path: Path, batch_id: str, period: StateMonth, work: Path) -> ClusterFile:
    table, written = table_named(name), work / "upload.parquet"
    rows = write_cluster_file(written, table, read_blocks(path, table))
    target = f"{folder_of(name, *period)}/{batch_id}-{content_name(written)}.parquet"
    place.write(target, written)
    size = written.stat().st_size
    written.unlink()
    return ClusterFile(name, target, rows, size, *period)
