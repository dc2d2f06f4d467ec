"""The distinct lists of provider groups that rates name, each stored once and referred to by number."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.load.load_sizes import DEFAULT_SIZES
from core.load.staging.price_runs import list_keys

ALL_FILTERS = (1 << 64) - 1
"""The mask of a list of groups of which nobody knows yet which filters want them."""


@dataclass
class RateGroupLists:
    """The lists of provider groups met so far, by number. The numbers outlive the runs that refer to them.

    A list none of whose groups is wanted is not kept: its "number" is minus the number of its groups, which is all that
    is needed to count its rates.
    """

    max_bytes: int = DEFAULT_SIZES.cached_field_bytes
    by_references: dict[bytes, int] = field(default_factory=dict)
    """List numbers by the JSON text of provider_references."""
    by_written_out: dict[bytes, int] = field(default_factory=dict)
    """Numbers of lists of one group by the JSON text of provider_groups."""
    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    repeats: "array[int]" = field(default_factory=lambda: array("B"))
    """For each list, whether it names a group more than once."""
    keys: "array[int]" = field(default_factory=lambda: array("Q"))
    """The group keys of all lists, one list after the other."""
    masks: dict[int, int] = field(default_factory=dict)
    """For each list of which it is known, a bit for each filter that wants one of its groups."""
    text_bytes: int = 0

    def add(self, keys: "list[int] | array[int]", text: bytes | None = None, mask: int = ALL_FILTERS) -> int:
        """Add a list of group keys and return its number. With `text` the list can be found again."""
        number = len(self.sizes)
        if mask != ALL_FILTERS:
            self.masks[number] = mask
            self.text_bytes += 100
        self.keys.extend(keys)
        self.sizes.append(len(keys))
        self.repeats.append(len(keys) > 1 and len(set(keys)) < len(keys))
        if text is not None:
            self.by_references[text] = number
            self.text_bytes += len(text)
        return number

    def set_aside(self, size: int, text: bytes | None) -> int:
        """Return the number of a list of `size` groups, none of which is wanted."""
        if text is not None:
            self.by_references[text] = -size
            self.text_bytes += len(text) + 120
        return -size

    def mask_of(self, number: int) -> int:
        """Return a bit for each filter that may want one of a list's groups."""
        return self.masks.get(number, ALL_FILTERS)

    def add_written_out(self, texts: Sequence[bytes], keys: npt.NDArray[np.uint64]) -> None:
        """Add a list of one group for each text of provider_groups."""
        number, count = len(self.sizes), len(texts)
        self.by_written_out.update(zip(texts, range(number, number + count), strict=True))
        self.text_bytes += sum(map(len, texts))
        self.keys.frombytes(keys.tobytes())
        self.sizes.extend([1] * count)
        self.repeats.frombytes(bytes(count))

    @property
    def is_full(self) -> bool:
        """Return whether the lists have outgrown their memory and should start over."""
        return self.text_bytes + 8 * len(self.keys) + 120 * len(self.sizes) > self.max_bytes

    def keys_of(self, number: int) -> "array[int]":
        """Return the group keys of one list."""
        start = sum(self.sizes[:number])
        return self.keys[start : start + self.sizes[number]]

    def unfold(
        self, numbers: npt.NDArray[np.uint32], block_keys: int
    ) -> Iterator[tuple[npt.NDArray[np.uint32], pa.LargeListArray]]:
        """Yield some of `numbers` at a time, with the lists they stand for: about `block_keys` group keys together."""
        nested = list_keys(np.frombuffer(self.keys, np.uint64), np.frombuffer(self.sizes, np.uint32))
        blocks = np.cumsum(np.frombuffer(self.sizes, np.uint32)[numbers], dtype=np.int64) // block_keys
        for block in np.split(numbers, np.flatnonzero(np.diff(blocks)) + 1):
            yield block, nested.take(pa.array(block))
