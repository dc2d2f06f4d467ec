"""What to do about the store that is no fault of the data: a layout that is outgrown, files that have become many.

Advice fails no check. The bounds of a file are the rules of thumb the project began with: beyond 8 GB or 100 million
rows of one file, to rewrite it with each addition takes too long.
"""

from core.store.changes.compact import MIN_SMALL_FILES, SMALL_BYTES, find_crowded_shards
from core.store.changes.provider_order import without_copy
from core.store.generations.layout import layout_named
from core.store.generations.manifest import Manifest
from core.store.schema.tables import FACT_RATE

MAX_FILE_BYTES = 8_000_000_000
MAX_FILE_ROWS = 100_000_000
MAX_ROWS_WITHOUT_COPY = 5_000_000
"""So many facts of one file make the pages of providers slow where they have no copy by group."""


def advise(
    manifest: Manifest,
    wanted_layout: str | None = None,
    max_rows_without_copy: int = MAX_ROWS_WITHOUT_COPY,
    min_small_files: int = MIN_SMALL_FILES,
    small_bytes: int = SMALL_BYTES,
) -> list[str]:
    """Sentences, each with the command that helps. `wanted_layout` is the one the settings ask for, if they do."""
    found = []
    layout = layout_named(manifest.layout)
    if wanted_layout and wanted_layout != layout.name:
        found.append(
            f"BEACONPOINT_FACT_LAYOUT is {wanted_layout}, the store's layout is {layout.name} and stays so until: "
            f"manage.py reshard --to {wanted_layout}"
        )
    files = manifest.tables.get(FACT_RATE.name, ())
    large = max(files, key=lambda file: max(file.rows / MAX_FILE_ROWS, file.bytes / MAX_FILE_BYTES), default=None)
    if layout.next and large and (large.rows > MAX_FILE_ROWS or large.bytes > MAX_FILE_BYTES):
        found.append(
            f"the layout {layout.name} is outgrown: a file has {large.rows:,} facts and {large.bytes / 1e9:,.1f} GB; "
            f"over {MAX_FILE_ROWS:,} facts or {MAX_FILE_BYTES / 1e9:.0f} GB each addition takes long: "
            f"manage.py reshard --to {layout.next}"
        )
    slow = [file for file in without_copy(manifest) if file.rows > max_rows_without_copy]
    if slow:
        found.append(
            f"{sum(file.rows for file in slow):,} facts have no copy by provider group, so that pages of an NPI or tax "
            "number look through all of a month: manage.py copy_by_group"
        )
    shards = find_crowded_shards(manifest, min_small_files=min_small_files, small_bytes=small_bytes)
    if shards:
        files_in_all = sum(len(shard.files) for shard in shards)
        found.append(
            f"{len(shards)} states and months have many small files, {files_in_all:,} in all, each of which a question "
            "may have to open: manage.py compact"
        )
    return found
