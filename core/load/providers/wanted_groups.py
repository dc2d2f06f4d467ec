"""The provider groups that filters want, known before a file's rates are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from core.load.providers.group_index import load_mapped
from core.load.staging.group_key_set import Keys

MAX_DICT_KEYS = 1 << 18
"""Up to this number of groups, every process keeps them in a dict of its own (25 MB). More are searched for in a mapped
array, which takes ten times as long and no memory."""


@dataclass(frozen=True)
class WantedGroups:
    """The keys of groups that some filter wants, sorted, and for each a mask: bit n is set if filter n wants the group.

    A group whose members are known only when all of the file has been read has every bit. `of_all` are the bits of the
    filters that want every group.
    """

    keys: Keys
    masks: npt.NDArray[np.uint64]
    of_all: int = 0

    def save(self, directory: Path) -> None:
        """Write the groups below `directory`, for `load`."""
        np.save(directory / "wanted_keys.npy", self.keys)
        np.save(directory / "wanted_masks.npy", self.masks)
        np.save(directory / "wanted_of_all.npy", np.array([self.of_all], np.uint64))

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Return the groups that `save` has written."""
        keys, masks, of_all = (load_mapped(directory / f"wanted_{name}.npy") for name in ("keys", "masks", "of_all"))
        return cls(keys, masks, int(of_all[0]))

    def mask_of(self, keys: Sequence[int]) -> int:
        """Return the masks of a rate's groups, combined: 0 if no filter wants any of them."""
        mask = self.of_all
        if self._mask_by_key is not None:
            if self._mask_by_key.keys().isdisjoint(keys):  # the usual case, in one call
                return mask
            find = self._mask_by_key.get
            for key in keys:
                mask |= find(key, 0)
        elif len(keys):
            asked = np.asarray(keys, np.uint64)
            rows = np.searchsorted(self.keys, asked)
            found = self.masks.take(rows[self.keys.take(rows, mode="clip") == asked])
            mask |= int(np.bitwise_or.reduce(found)) if len(found) else 0
        return mask

    @cached_property
    def _mask_by_key(self) -> dict[int, int] | None:
        if len(self.keys) > MAX_DICT_KEYS:
            return None
        return dict(zip(self.keys.tolist(), self.masks.tolist(), strict=True))
