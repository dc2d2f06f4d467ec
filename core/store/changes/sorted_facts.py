"""Read sorted files of facts as streams of blocks, by state and month, and merge them in constant memory."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.runtime.files import delete_file
from core.store.generations.layout import StateMonth
from core.store.parquet.row_group_bounds import bounds, find_runs
from core.store.parquet.sorted_merge import merge_sorted
from core.store.parquet.writer import DEFAULT_SIZES, FileSizes, write_table
from core.store.schema.tables import FACT_RATE

_PERIOD = list(StateMonth._fields)


class FactFile:
    """A file with the facts' columns: runs of row groups, mostly one, each sorted by FACT_RATE.order."""

    def __init__(self, path: str) -> None:
        self._file = pq.ParquetFile(path, read_dictionary=FACT_RATE.dictionary_columns, page_checksum_verification=True)
        self._runs = find_runs(bounds(Path(path), FACT_RATE.order))
        self._held: dict[range, tuple[int, pa.Table]] = {}
        self._groups: dict[StateMonth, list[int]] = {}
        self._mixed: set[int] = set()
        for group in range(self._file.num_row_groups):
            periods = self._periods_in(group)
            for period in periods:
                self._groups.setdefault(period, []).append(group)
            if len(periods) > 1:
                self._mixed.add(group)

    @property
    def periods(self) -> list[StateMonth]:
        """Return the states and months that the file has rows of."""
        return list(self._groups)

    def close(self) -> None:
        """Close the file."""
        self._held = {}
        self._file.close()

    def blocks(self) -> Iterator[pa.Table]:
        """Yield all rows as they are in the file, one row group at a time."""
        for group in range(self._file.num_row_groups):
            yield self._read(group)

    def blocks_of(self, period: StateMonth) -> Iterator[pa.Table]:
        """Yield the rows of one state and month, sorted. Text columns except fact_uid are dictionary-encoded."""
        groups = self._groups.get(period, ())
        runs = [run for run in self._runs if any(group in run for group in groups)]
        yield from _merge_runs([self._blocks_of_run(period, run) for run in runs])

    def marked_rows(self, marks: npt.NDArray[np.bool_]) -> Iterator[pa.Table]:
        """Yield the rows that are marked, sorted. `marks` has a mark for each row as they are in the file."""
        yield from _merge_runs([self._marked_rows_of_run(marks, run) for run in self._runs])

    def _read(self, group: int) -> pa.Table:
        return self._file.read_row_group(group, columns=list(FACT_RATE.names))

    def _blocks_of_run(self, period: StateMonth, run: range) -> Iterator[pa.Table]:
        for group in self._groups.get(period, ()):
            if group not in run:
                continue
            if run not in self._held or self._held[run][0] != group:
                # Keep the row group: the next state and month may be in it as well.
                self._held[run] = group, self._read(group)
            block = self._held[run][1]
            if group in self._mixed:
                state, year_month = (block[name].cast(pa.string()) for name in _PERIOD)
                block = block.filter(pc.and_(pc.equal(state, period.state), pc.equal(year_month, period.year_month)))
            yield block

    def _marked_rows_of_run(self, marks: npt.NDArray[np.bool_], run: range) -> Iterator[pa.Table]:
        start = sum(self._file.metadata.row_group(group).num_rows for group in range(run.start))
        for group in run:
            block = self._read(group)
            marked = marks[start : start + block.num_rows]
            start += block.num_rows
            if marked.all():
                yield block
            elif marked.any():
                yield block.filter(pa.array(marked))

    def _periods_in(self, group: int) -> list[StateMonth]:
        lowest, highest = self._bounds(group)
        if lowest == highest and None not in lowest:
            return [StateMonth(str(lowest[0]), str(lowest[1]))]
        columns = self._file.read_row_group(group, columns=_PERIOD)
        distinct = columns.group_by(_PERIOD).aggregate([]).to_pylist()
        return sorted(StateMonth(row["state"], row["year_month"]) for row in distinct)

    def _bounds(self, group: int) -> tuple[tuple[str | None, ...], tuple[str | None, ...]]:
        """Return the lowest and the highest state and month of a row group, from its statistics."""
        metadata = self._file.metadata.row_group(group)
        names = self._file.schema_arrow.names
        statistics = [metadata.column(names.index(name)).statistics for name in _PERIOD]
        if not all(s is not None and s.has_min_max for s in statistics):
            return (None,), (None,)
        return tuple(s.min for s in statistics), tuple(s.max for s in statistics)


def _merge_runs(runs: Sequence[Iterator[pa.Table]]) -> Iterator[pa.Table]:
    return runs[0] if len(runs) == 1 else merge_sorted(runs, FACT_RATE.order, whole_keys=False)


def periods_of(paths: Iterable[str]) -> dict[StateMonth, list[str]]:
    """Return the states and months in sorted files of facts, in order, each with the files that have rows of it."""
    found: dict[StateMonth, list[str]] = {}
    for path in paths:
        file = FactFile(path)
        for period in file.periods:
            found.setdefault(period, []).append(path)
        file.close()
    return dict(sorted(found.items()))


def merge_facts(
    paths: Sequence[str], period: StateMonth, work: Path, sizes: FileSizes = DEFAULT_SIZES
) -> Iterator[pa.Table]:
    """Yield the rows of one state and month from several sorted files as one sorted stream.

    Temporary files go below `work`.
    """
    most = sizes.max_merged_streams
    if len(paths) > most:
        folder = work / f"merged-{len(paths)}"
        folder.mkdir(exist_ok=True)
        fewer = []
        for start in range(0, len(paths), most):
            path = folder / f"{start}.parquet"
            blocks = merge_facts(paths[start : start + most], period, work, sizes)
            write_table(path, FACT_RATE, blocks, sizes.row_group_rows)
            fewer.append(str(path))
        yield from merge_facts(fewer, period, work, sizes)
        for path_made in fewer:
            delete_file(Path(path_made))
        with suppress(OSError):  # Windows keeps files that are open, and the writer's folder goes as a whole anyway
            folder.rmdir()
        return
    files = [FactFile(path) for path in paths]
    try:
        yield from merge_sorted([file.blocks_of(period) for file in files], FACT_RATE.order, whole_keys=False)
    finally:
        for file in files:
            file.close()
