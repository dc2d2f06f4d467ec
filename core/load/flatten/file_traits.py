"""What is known of a file only when all of it has been read, and is a reason to read it again in another way."""

from dataclasses import dataclass

SAMPLED_CHUNK_BYTES = 1 << 20
"""Of chunks from this size on, only some are searched for lists given twice: it takes 3% of the time of reading."""

SAMPLE = 3
"""One in so many long chunks is searched."""


@dataclass(frozen=True)
class FileTraits:
    """The traits of one file."""

    exact_ids: frozenset[str] = frozenset()
    """The provider group ids that the file defines in two spellings, see `id_spellings`."""
    has_repeats: bool = False
    """Whether an element was found that has a list twice. Then all chunks are searched for others."""

    def searches(self, piece: int, chunk_bytes: int) -> bool:
        """Return whether a piece of the file is searched for lists given twice."""
        return self.has_repeats or chunk_bytes < SAMPLED_CHUNK_BYTES or piece % SAMPLE == 0


NO_TRAITS = FileTraits()
