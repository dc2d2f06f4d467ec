"""Reads one file with a workers: its root's values here, its elements wherever a member is free."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import polars as pl

from core.load import WORKER_MODULES
from core.load.flatten.flatten_elements import FilePiece, Flattened
from core.load.rate_filters import RateFilter
from core.load.worker_tasks import ReadTask, finish, flatten
from core.runtime.errors import NotJsonError, PayerFileError
from core.runtime.progress import Progress
from core.runtime.workers import SingleProcess, Workers, start_workers
from core.tic import header
from core.tic.array_splitter import STREAMED, ArraySplitter, ElementChunk, RootValue
from core.tic.source import Source

SMALL_FILE_PIECES = 4
"""A file of fewer pieces than this is read by the calling process alone: to gather a workers takes longer."""


@dataclass
class FileContent:
    """What one file was found to hold; its rows are on disk."""

    directory: Path
    """Where its spools and runs are."""
    root: dict[str, bytes | None]
    """The root's values as JSON text; None for one too long to keep."""
    items: int
    pieces: pl.DataFrame
    """number, array, first_element, first_rate: where each piece stood, to tell places in the file."""
    flattened: list[Flattened]
    workers: Workers
    """Who has read it, to be closed."""

    @property
    def rows_read(self) -> int:
        """Prices times the groups they name."""
        return sum(each.rows_read for each in self.flattened)

    @property
    def rows_filtered(self) -> int:
        """Rows whose code no filter wants."""
        return sum(each.rows_filtered for each in self.flattened)

    @property
    def rejected(self) -> Counter[str]:
        """Rows left out while reading, by reason."""
        return sum((each.rejected for each in self.flattened), Counter())

    @property
    def notes(self) -> Counter[str]:
        """Oddities that are no rows."""
        return sum((each.notes for each in self.flattened), Counter())

    @property
    def pos_sets(self) -> dict[str, tuple[str, ...]]:
        """Sets of places of service, by id."""
        return {key: codes for each in self.flattened for key, codes in each.pos_sets.items()}


@dataclass
class _Pieces:
    """The pieces of a file, as they come, and what was learnt on the way."""

    name: str
    parts: Iterator[RootValue | ElementChunk]
    root: dict[str, bytes | None] = field(default_factory=dict)
    runs: list[tuple[str, bool, bool]] = field(default_factory=list)
    """Of each piece: its array, whether it is part of a giant item, and whether an element begins with it."""

    def __iter__(self) -> Iterator[FilePiece]:
        for part in self.parts:
            run = part if isinstance(part, ElementChunk) else self._value(part)
            if run:
                self.root.setdefault(run.array, b"[]")
                self.runs.append((run.array, run.head is not None, run.first))
                yield FilePiece(len(self.runs) - 1, run)

    def _value(self, value: RootValue) -> ElementChunk | None:
        """Keeps a value of the root; what stands for one of the streamed arrays is a run of it."""
        header.refuse_other_kinds(self.name, value.key)
        self.root[value.key] = value.text
        return _as_run(self.name, value) if value.key in STREAMED else None

    def check(self) -> None:
        """Raises PayerFileError where the file has ended and is no in-network file."""
        if "in_network" not in self.root:
            raise PayerFileError(f"{self.name}: has no in_network array; expected an in-network file")

    def items(self, counts: list[int]) -> int:
        """How many elements in_network has."""
        told = zip(self.runs, counts, strict=True)
        return sum((first if giant else count) for (array, giant, first), count in told if array == "in_network")

    def table(self, counts: list[int]) -> pl.DataFrame:
        """The columns of Content.pieces; `counts` tells how many elements (or a giant item's rates) each piece had."""
        elements: Counter[str] = Counter()
        rates = 0
        rows = []
        for number, ((array, giant, first), count) in enumerate(zip(self.runs, counts, strict=True)):
            if giant:
                elements[array] += first
                rates = 0 if first else rates
                rows.append((number, array, elements[array] - 1, rates))
                rates += count
            else:
                rows.append((number, array, elements[array], 0))
                elements[array] += count
        schema = {"number": pl.Int64, "array": pl.String, "first_element": pl.Int64, "first_rate": pl.Int64}
        return pl.DataFrame(rows, schema=schema, orient="row")


def read_file(
    source: Source, directory: Path, filters: tuple[RateFilter, ...], members: int, progress: Progress | None = None
) -> FileContent:
    """Reads a file into spools and runs below `directory`, which is new, with a workers of up to `members` processes.

    Raises PayerFileError for a file that cannot be read, or is none of its kind.
    """
    try:
        return _read(source, directory / "quick", filters, members, progress, careful=False)
    except NotJsonError:
        # Either the file is broken or a cut was wrong, which is rare; careful cuts tell.
        return _read(source, directory / "careful", filters, members, progress, careful=True)


def _read(
    source: Source,
    directory: Path,
    filters: tuple[RateFilter, ...],
    members: int,
    progress: Progress | None,
    *,
    careful: bool,
) -> FileContent:
    directory.mkdir(parents=True)
    splitter = ArraySplitter(source.name, source.chunks(progress), directory=directory, careful=careful)
    pieces = _Pieces(source.name, splitter.parts())
    coming = iter(pieces)
    first = list(islice(coming, SMALL_FILE_PIECES))
    workers = start_workers(members, WORKER_MODULES) if len(first) == SMALL_FILE_PIECES else SingleProcess()
    try:
        reading = ReadTask(source.name, directory, filters)
        counts = list(workers.map(flatten, ((reading, piece) for piece in chain(first, coming))))
        pieces.check()
        flattened = workers.each(finish, reading)
    except BaseException:
        workers.close()
        raise
    return FileContent(directory, pieces.root, pieces.items(counts), pieces.table(counts), flattened, workers)


def _as_run(name: str, value: RootValue) -> ElementChunk | None:
    """A streamed array that is no array: null is an empty one, an object the one element of one."""
    if value.text is None:
        raise PayerFileError(f"{name}: {value.key} is one large object; expected an array")
    found = value.text.strip()
    if found == b"null":
        return None
    if not found.startswith(b"{"):
        raise PayerFileError(f"{name}: {value.key} is {found[:20].decode('utf-8', 'replace')}; expected an array")
    return ElementChunk(value.key, found, 0)
