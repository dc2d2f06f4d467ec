"""Read one file: the values of its root stay here, its elements go to whichever worker is free."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from core.load.flatten.file_traits import NO_TRAITS, FileTraits
from core.load.flatten.flatten_elements import FilePiece, Flattened
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.rate_filters import RateFilter
from core.load.worker_tasks import ReadTask, finish_flattening, flatten_piece
from core.runtime.errors import NotJsonError, PayerFileError
from core.runtime.progress import Progress
from core.runtime.workers import Workers
from core.tic import header
from core.tic.array_splitter import STREAMED, ArraySplitter, ElementChunk, RootValue
from core.tic.source import Source


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
) -> FileContent:
    """Read a file into spools and runs below `directory`, which is new.

    `traits` are what an earlier reading of the file has shown. Raise PayerFileError if the file cannot be read, or is
    not an in-network file.
    """
    quick, careful = (ReadTask(source.name, directory / way, filters, sizes, traits) for way in ("quick", "careful"))
    try:
        return _read(source, quick, workers, progress, careful=False)
    except NotJsonError:
        # Either the file is broken or a quick cut was wrong, which is rare. Careful cuts find out.
        workers.renew()
        return _read(source, careful, workers, progress, careful=True)


def _read(source: Source, task: ReadTask, workers: Workers, progress: Progress | None, *, careful: bool) -> FileContent:
    directory, sizes = task.directory, task.sizes
    directory.mkdir(parents=True)
    splitter = ArraySplitter(
        source.name,
        source.read_blocks(progress),
        directory=directory,
        careful=careful,
        chunk_bytes=sizes.chunk_bytes,
        giant_bytes=sizes.giant_item_bytes,
    )
    pieces = _PieceReader(source.name, splitter.parts())
    counts = list(workers.map(flatten_piece, ((task, piece) for piece in pieces)))
    if "in_network" not in pieces.root:
        for key in pieces.root:
            header.refuse_other_kinds(source.name, key)
        raise PayerFileError(f"{source.name}: has no in_network array; expected an in-network file")
    flattened = workers.each(finish_flattening, task)
    return FileContent(
        batch_id=source.batch_id,
        bytes_read=source.bytes_read,
        directory=directory,
        root=pieces.root,
        items=_count_items(pieces.kinds, counts),
        pieces=_locate_pieces(pieces.kinds, counts),
        flattened=flattened,
        own_notes=Counter(source.notes),
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
