"""Join the small files of a state and month into few large ones."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, groupby, islice
from pathlib import Path

from core.cluster.files.cluster_files import content_name, folder_of, write_cluster_file
from core.cluster.files.merge_batches import sorted_blocks
from core.cluster.files.receipts import ClusterFile
from core.cluster.place import StorePlace
from core.cluster.publication.publication_log import replace_facts
from core.cluster.publication.publish import Publisher, fetch_files
from core.cluster.scratch import scratch_folder
from core.store.schema.tables import FACT_RATE
from core.store.sql import parquet_rows
from core.store.writer_connection import connect_for_writing

FILE_GROUPS = 100
"""Row groups of a compacted file: 12 million rates, about 260 MB."""
_GROUP_ROWS = 122_880


@dataclass(frozen=True)
class CompactedMonth:
    """What became of one state and month."""

    state: str
    year_month: str
    rows: int
    before: int
    after: int
    published: bool
    """False if another compaction has replaced some of the files meanwhile. Its result stands."""


def compact(
    publisher: Publisher, states: Sequence[str] | None, more_than: int, scratch: Path, memory: str = "1GB"
) -> Iterator[CompactedMonth]:
    """Compact each state and month that has more files than `more_than`. Then publish a generation.

    Rates that are published meanwhile stay as they are. A compaction whose files another one has replaced gives way.
    """
    publisher.log.read()
    live = [file for file in publisher.log.live_facts() if not states or file.state in states]
    live.sort(key=lambda file: (file.state, file.year_month, file.path))
    for (state, month), group in groupby(live, key=lambda file: (file.state, file.year_month)):
        old = list(group)
        if len(old) > more_than:
            new = _join(publisher.place, old, scratch, memory)
            published = replace_facts(publisher.log, old, new)
            yield CompactedMonth(state, month, sum(file.rows for file in old), len(old), len(new), published)
    publisher.finish()


def _join(place: StorePlace, old: Sequence[ClusterFile], scratch: Path, memory: str) -> list[ClusterFile]:
    first = old[0]
    found = []
    with scratch_folder(scratch) as work:
        paths = fetch_files(place, old, work)
        with closing(connect_for_writing(work, memory)) as connection:
            blocks = sorted_blocks(connection, FACT_RATE, f"SELECT * FROM {parquet_rows(paths)}", _GROUP_ROWS)
            for first_block in blocks:
                path = work / "joined.parquet"
                rows = write_cluster_file(path, FACT_RATE, chain([first_block], islice(blocks, FILE_GROUPS - 1)))
                folder = folder_of(FACT_RATE.name, first.state, first.year_month)
                target = f"{folder}/compacted-{content_name(path)}.parquet"
                place.write(target, path)
                found.append(
                    ClusterFile(FACT_RATE.name, target, rows, path.stat().st_size, first.state, first.year_month)
                )
    if sum(file.rows for file in found) != sum(file.rows for file in old):
        raise AssertionError(f"{first.state} {first.year_month}: a compaction must keep every row")
    return found
