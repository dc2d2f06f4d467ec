"""Read one file: the values of its root stay here, its elements go to whichever worker is free."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from pathlib import Path

import polars as pl

from core.load.flatten.file_pieces import FilePiece, Flattened
from core.load.flatten.file_traits import NO_TRAITS, FileTraits
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.providers.wanted_groups import WantedGroups
from core.load.rate_filters import RateFilter
from core.load.worker_tasks import ReadTask, finish_flattening, flatten_piece, leave_out_unwanted, write_definitions
from core.runtime.errors import NotJsonError, PayerFileError
from core.runtime.progress import Progress
from core.runtime.workers import Workers
from core.tic import header
from core.tic.array_splitter import STREAMED, ArraySplitter, ElementChunk, RootValue
from core.tic.source import Source

GroupMatcher = Callable[[Path], WantedGroups]
"""Returns which groups filters want, given the directory of the spools with all definitions of groups."""

_RATES, _REFERENCES = STREAMED


@dataclass(frozen=True)
class FileContent:
    """What one file contains. Its rows are on disk."""

    batch_id: str
    bytes_read: int
    """Bytes of JSON."""
    directory: Path
    """Where its spools and runs are."""
    root: dict[str, bytes | None]
    """The root's values as JSON text, None for one too long to keep."""
    items: int
    """The number of elements of in_network."""
    pieces: pl.DataFrame
    """Where each piece is in the file: number, array, first_element, first_rate."""
    flattened: list[Flattened]
    own_notes: Counter[str] = field(default_factory=Counter)
    """Oddities of the file as a whole."""

    @property
    def rows_read(self) -> int:
        """Return the number of fact rows: prices times the groups they name."""
        return sum(each.rows_read for each in self.flattened)

    @property
    def rows_filtered(self) -> int:
        """Return the number of rows whose code no filter wants."""
        return sum(each.rows_filtered for each in self.flattened)

    @property
    def rejected(self) -> Counter[str]:
        """Return the number of rows left out while reading, by reason."""
        return sum((each.rejected for each in self.flattened), Counter())

    def rejected_for(self, bits: int) -> Counter[str]:
        """Return the number of rows left out while reading that one of some filters may have wanted, by reason.

        `bits` has a bit for each of these filters.
        """
        found: Counter[str] = Counter()
        for (mask, reason), rows in self.rejected_by_mask.items():
            if mask & bits:
                found[reason] += rows
        return found

    @property
    def rejected_by_mask(self) -> Counter[tuple[int, str]]:
        """Return the same number by the filters that may want the rate, a bit each, and by reason."""
        return sum((each.rejected_by_mask for each in self.flattened), Counter())

    @property
    def notes(self) -> Counter[str]:
        """Return the number of oddities that are not rows, by kind."""
        return sum((each.notes for each in self.flattened), self.own_notes)

    @property
    def pos_sets(self) -> dict[str, tuple[str, ...]]:
        """Return the sets of places of service, by id."""
        return {key: codes for each in self.flattened for key, codes in each.pos_sets.items()}


def read_file(
    source: Source,
    directory: Path,
    filters: tuple[RateFilter, ...],
    workers: Workers,
    progress: Progress | None = None,
    sizes: LoadSizes = DEFAULT_SIZES,
    traits: FileTraits = NO_TRAITS,
    match_groups: GroupMatcher | None = None,
) -> FileContent:
    """Read a file into spools and runs below `directory`, which is new.

    `traits` are what an earlier reading of the file has shown. `match_groups` finds out which groups are wanted; rates
    of others are left out unexamined. Raise PayerFileError if the file cannot be read, or is not an in-network file.
    """
    reading = _Reading(source, workers, progress, match_groups)
    quick, careful = (ReadTask(source.name, directory / way, filters, sizes, traits) for way in ("quick", "careful"))
    try:
        return reading.read(quick, careful=False)
    except NotJsonError:
        # Either the file is broken or a quick cut was wrong, which is rare. Careful cuts find out.
        workers.renew()
        return reading.read(careful, careful=True)


class _LateReferencesError(Exception):
    """Rates come before definitions of their groups."""


@dataclass(frozen=True)
class _Reading:
    """Reads one file, in one of several ways."""

    source: Source
    workers: Workers
    progress: Progress | None
    match_groups: GroupMatcher | None

    def read(self, task: ReadTask, *, careful: bool) -> FileContent:
        """Read the file from its beginning, and once more if groups are wanted that it defines after its rates."""
        pieces = self._split(task, careful=careful)
        try:
            counts = dict(self._flatten(task, pieces))
        except _LateReferencesError:
            self.workers.renew()
            task = replace(task, directory=task.directory / "late")
            references = self._split(task, careful=careful)
            counts = dict(self._flatten_some(task, (each for each in references if each.array == _REFERENCES)))
            self._leave_out_unwanted(task)
            # The pieces have the same numbers as before: the file is split in the same way.
            pieces = self._split(task, careful=careful)
            counts |= self._flatten_some(task, (each for each in pieces if each.array != _REFERENCES))
        return self._finish(task, pieces, [counts[number] for number in range(len(pieces.kinds))])

    def _split(self, task: ReadTask, *, careful: bool) -> "_PieceReader":
        task.directory.mkdir(parents=True, exist_ok=True)
        splitter = ArraySplitter(
            self.source.name,
            self.source.read_blocks(self.progress),
            directory=task.directory,
            careful=careful,
            chunk_bytes=task.sizes.chunk_bytes,
            giant_bytes=task.sizes.giant_item_bytes,
        )
        return _PieceReader(self.source.name, splitter.parts())

    def _flatten(self, task: ReadTask, pieces: Iterable[FilePiece]) -> Iterator[tuple[int, int]]:
        """Flatten pieces. Yield each one's number and the number of its elements.

        With filters on providers, the definitions of groups are matched as soon as rates begin. Raise
        _LateReferencesError if there are none yet, or if more of them come later.
        """
        coming = self.workers.begin(pieces)
        if self.match_groups is None:
            yield from self._flatten_some(task, coming)
            return
        defined, has_begun, knows_wanted = 0, False, False
        for array, run in groupby(coming, key=lambda each: each.array):
            found: Iterator[FilePiece] = run
            if array == _RATES and not has_begun:
                first = next(found)
                found, has_begun, knows_wanted = chain([first], found), True, defined > 0
                if knows_wanted:
                    self._leave_out_unwanted(task)
                elif b'"provider_references"' in bytes(first.chunk.text):
                    raise _LateReferencesError
                # Otherwise the file writes out its groups at each rate, and all rates are examined.
            for number, count in self._flatten_some(task, found):
                defined += count if array == _REFERENCES else 0
                if array == _REFERENCES and count and knows_wanted:
                    raise _LateReferencesError
                yield number, count

    def _flatten_some(self, task: ReadTask, pieces: Iterable[FilePiece]) -> Iterator[tuple[int, int]]:
        numbers: list[int] = []

        def tasks() -> Iterator[tuple[ReadTask, FilePiece]]:
            for piece in pieces:
                numbers.append(piece.number)
                yield task, piece

        for position, count in enumerate(self.workers.map(flatten_piece, tasks())):
            yield numbers[position], count

    def _leave_out_unwanted(self, task: ReadTask) -> None:
        assert self.match_groups is not None  # noqa: S101 - only then groups are matched
        self.workers.each(write_definitions, task)
        self.match_groups(task.directory).save(task.directory)
        self.workers.each(leave_out_unwanted, task)

    def _finish(self, task: ReadTask, pieces: "_PieceReader", counts: list[int]) -> FileContent:
        name = self.source.name
        if _RATES not in pieces.root:
            for key in pieces.root:
                header.refuse_other_kinds(name, key)
            raise PayerFileError(f"{name}: has no in_network array; expected an in-network file")
        flattened = self.workers.each(finish_flattening, task)
        return FileContent(
            batch_id=self.source.batch_id,
            bytes_read=self.source.bytes_read,
            directory=task.directory,
            root=pieces.root,
            items=_count_items(pieces.kinds, counts),
            pieces=_locate_pieces(pieces.kinds, counts),
            flattened=flattened,
            own_notes=Counter(self.source.notes),
        )


@dataclass(frozen=True)
class _PieceKind:
    """What a piece is: part of an array, and perhaps of a giant item, of which it may be the first part."""

    array: str
    giant: bool
    first: bool


@dataclass(frozen=True)
class _PieceReader:
    """Yields the pieces of a file. Meanwhile `root` and `kinds` fill up."""

    name: str
    parts: Iterator[RootValue | ElementChunk]
    root: dict[str, bytes | None] = field(default_factory=dict)
    """The root's values so far."""
    kinds: list[_PieceKind] = field(default_factory=list)
    """What the pieces so far are."""

    def __iter__(self) -> Iterator[FilePiece]:
        for part in self.parts:
            chunk = part if isinstance(part, ElementChunk) else self._keep(part)
            if chunk:
                self.root.setdefault(chunk.array, b"[]")
                self.kinds.append(_PieceKind(chunk.array, giant=chunk.head is not None, first=chunk.first))
                yield FilePiece(len(self.kinds) - 1, chunk)

    def _keep(self, value: RootValue) -> ElementChunk | None:
        """Keep a value of the root. Return the chunk if it stands for one of the streamed arrays."""
        if not header.is_empty_value(value.text):
            header.refuse_other_kinds(self.name, value.key)
        self.root[value.key] = value.text
        return _as_chunk(self.name, value) if value.key in STREAMED else None


def _as_chunk(name: str, value: RootValue) -> ElementChunk | None:
    """Return the elements of a streamed array that is not an array: none for null, one for an object."""
    if value.text is None:
        raise PayerFileError(f"{name}: {value.key} is one large object; expected an array")
    found = value.text.strip()
    if found == b"null":
        return None
    if not found.startswith(b"{"):
        raise PayerFileError(f"{name}: {value.key} is {found[:20].decode('utf-8', 'replace')}; expected an array")
    return ElementChunk(value.key, found, 0)


def _count_items(kinds: list[_PieceKind], counts: list[int]) -> int:
    """Return the number of elements of in_network. `counts` has a piece's elements, or rates of a giant item."""
    pieces = zip(kinds, counts, strict=True)
    return sum((kind.first if kind.giant else count) for kind, count in pieces if kind.array == "in_network")


def _locate_pieces(kinds: list[_PieceKind], counts: list[int]) -> pl.DataFrame:
    """Return FileContent.pieces: the position of each piece's first element, and of its first rate in a giant item."""
    elements: Counter[str] = Counter()
    rates = 0
    rows = []
    for number, (kind, count) in enumerate(zip(kinds, counts, strict=True)):
        if kind.giant:
            elements[kind.array] += kind.first
            rates = 0 if kind.first else rates
            rows.append((number, kind.array, elements[kind.array] - 1, rates))
            rates += count
        else:
            rows.append((number, kind.array, elements[kind.array], 0))
            elements[kind.array] += count
    schema = {"number": pl.Int64, "array": pl.String, "first_element": pl.Int64, "first_rate": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")
