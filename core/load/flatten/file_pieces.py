"""What a Flattener is given, piece by piece, and what it has made in the end."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.load.staging.price_runs import PriceRun
from core.tic.array_splitter import ElementChunk


@dataclass(frozen=True)
class FilePiece:
    """A chunk of elements with its number in the order of the file, by which spools refer to it."""

    number: int
    chunk: ElementChunk

    @property
    def array(self) -> str:
        """Return the array of the file's root that the chunk is from."""
        return self.chunk.array


@dataclass(frozen=True)
class Flattened:
    """What one Flattener has made of its pieces."""

    runs: list[PriceRun]
    used_keys: npt.NDArray[np.uint64]
    """The keys of the groups that price rows name, distinct and sorted."""
    rows_read: int
    rows_filtered: int
    rejected_by_mask: Counter[tuple[int, str]]
    """Rejected rows by the filters that want their code and may want one of their groups, a bit each, and by reason."""
    notes: Counter[str]
    pos_sets: dict[str, tuple[str, ...]]

    @property
    def rejected(self) -> Counter[str]:
        """Return the number of rejected rows by reason."""
        found: Counter[str] = Counter()
        for (_, reason), rows in self.rejected_by_mask.items():
            found[reason] += rows
        return found
