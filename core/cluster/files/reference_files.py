"""Reference data that loading needs on every machine: the register of providers, and official titles of codes."""

from pathlib import Path

from core.cluster.files.cluster_files import content_name
from core.cluster.files.receipts import ClusterFile
from core.cluster.place import StorePlace
from core.store.generations.store import Store
from core.store.schema.tables import DIM_CODE_OFFICIAL, DIM_TAXONOMY, NPPES
from core.store.upkeep.copying import copy_file

_NEEDED = (NPPES, DIM_TAXONOMY, DIM_CODE_OFFICIAL)


def upload_reference(place: StorePlace, store: Store) -> tuple[ClusterFile, ...]:
    """Upload what the store of the machine that starts a run knows of providers and codes. Return the files."""
    manifest = store.manifest()
    found = []
    for table in _NEEDED:
        for file in manifest.tables.get(table.name, ()) if manifest else ():
            if file.rows:
                path = store.root / file.path
                target = f"_reference/{table.name}-{content_name(path)}.parquet"
                if not place.list(target):
                    place.write(target, path)
                found.append(ClusterFile(table.name, target, file.rows, file.bytes))
    return tuple(found)


def seed_scratch(scratch: Store, place: StorePlace, files: tuple[ClusterFile, ...], cache: Path) -> None:
    """Give a scratch store the reference data. Each machine downloads it once, to `cache`."""
    if not files:
        return
    with scratch.write() as transaction:
        for file in files:
            here = cache / file.path
            place.download(file.path, here)
            path = transaction.new_file(file.table)
            path.unlink(missing_ok=True)
            copy_file(here, path, link=True)
            transaction.put(file.table, path, file.rows)
        transaction.commit()
