"""Advice about the store rather than its data: an outgrown layout, too many small files, a missing copy,
and files that were loaded whole for several states.

Advice does not fail a check. The limits of a file are rules of thumb: beyond 8 GB or 100 million rows, it takes too
long to rewrite the file with each addition.
"""

from core.fields.texts.clean_text import clean_text
from core.queries.loaded_files import list_shared_files
from core.store.changes.compact import MIN_SMALL_FILES, SMALL_BYTES, find_crowded_shards
from core.store.changes.provider_order import without_copy
from core.store.connection import Snapshot
from core.store.generations.layout import layout_named
from core.store.generations.manifest import Manifest
from core.store.schema.tables import FACT_RATE

MAX_FILE_BYTES = 8_000_000_000
MAX_FILE_ROWS = 100_000_000
MAX_ROWS_WITHOUT_COPY = 5_000_000
"""Provider pages are slow if a file with more facts than this has no copy by provider group."""


def advise_of_shared_files(db: Snapshot) -> list[str]:
    """Return a sentence for each file that was loaded whole for several states, with providers of all of them."""
    return [
        f"the file of {clean_text(one.reporting_entity_name)}, {one.year_month}, has the same {one.rates:,} rates in "
        f"{' and '.join(one.states)}, wherever the providers practice. To keep only those that may be of each "
        f"state's own providers, after load_nppes: manage.py correct_rates --payer {one.payer_slug} --year-month "
        f"{one.year_month} --outside-state --reason 'not of the state'"
        for one in list_shared_files(db)
    ]


def advise(
    manifest: Manifest,
    wanted_layout: str | None = None,
    max_rows_without_copy: int = MAX_ROWS_WITHOUT_COPY,
    min_small_files: int = MIN_SMALL_FILES,
    small_bytes: int = SMALL_BYTES,
) -> list[str]:
    """Return sentences, each with the command to run. `wanted_layout` is the one that the settings ask for, if any."""
    found = []
    layout = layout_named(manifest.layout)
    if wanted_layout and wanted_layout != layout.name:
        found.append(
            f"BEACONPOINT_FACT_LAYOUT is {wanted_layout}, but the store's layout is {layout.name}. To change it: "
            f"manage.py reshard --to {wanted_layout}"
        )
    files = manifest.tables.get(FACT_RATE.name, ())
    large = max(files, key=lambda file: max(file.rows / MAX_FILE_ROWS, file.bytes / MAX_FILE_BYTES), default=None)
    if layout.next and large and (large.rows > MAX_FILE_ROWS or large.bytes > MAX_FILE_BYTES):
        found.append(
            f"a file has {large.rows:,} facts and {large.bytes / 1e9:,.1f} GB, too many for the layout {layout.name}: "
            f"over {MAX_FILE_ROWS:,} facts or {MAX_FILE_BYTES / 1e9:.0f} GB each addition takes long. To change it: "
            f"manage.py reshard --to {layout.next}"
        )
    slow = [file for file in without_copy(manifest) if file.rows > max_rows_without_copy]
    if slow:
        found.append(
            f"{sum(file.rows for file in slow):,} facts have no copy by provider group, so pages of an NPI or tax ID "
            "read a whole month. To make one: manage.py copy_by_group"
        )
    shards = find_crowded_shards(manifest, min_small_files=min_small_files, small_bytes=small_bytes)
    if shards:
        files_in_all = sum(len(shard.files) for shard in shards)
        found.append(
            f"{len(shards)} states and months have many small files, {files_in_all:,} in all, and a query may open "
            "each of them. To merge them: manage.py compact"
        )
    return found
