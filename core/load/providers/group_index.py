"""The provider groups that a file's rates name, as tables that every process can look into."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from core.load.providers.group_key_set import Keys
from core.load.providers.group_members import NAMED_KEY
from core.store.schema import ids

_DIRECT = 1 << 26
"""Where every key is below this, a table by key tells a group's place at once."""

_AT_ONCE = 250_000


class GroupIndex:
    """The groups in `directory`, sorted by key; a group's number in that order is its place."""

    def __init__(self, directory: Path) -> None:
        self.keys: Keys = _load(directory / "keys.npy")
        self.hashes: ids.type_of_hash = _load(directory / "hashes.npy")
        """The hash of the fact's provider part."""
        self.strings: pa.Table = pa.ipc.open_file(pa.memory_map(str(directory / "strings.arrow"))).read_all()
        """provider_group_id_raw and pg_uid."""
        masks = directory / "masks.npy"
        self.masks: npt.NDArray[np.uint64] | None = np.load(masks) if masks.exists() else None
        """A bit for each filter that wants the group; None where all are wanted."""
        self._direct = np.zeros(0, np.int32)
        if len(self.keys) and int(self.keys[-1]) < _DIRECT:
            self._direct = np.zeros(int(self.keys[-1]) + 1, np.int32)
            self._direct[self.keys] = np.arange(len(self.keys), dtype=np.int32)

    def __len__(self) -> int:
        return len(self.keys)

    def places(self, keys: Keys) -> npt.NDArray[np.int32]:
        """The places of the groups that have these keys."""
        if len(self._direct):
            return self._direct.take(keys)
        encoded = pa.array(keys).dictionary_encode()
        places = np.searchsorted(self.keys, encoded.dictionary.to_numpy()).astype(np.int32)
        found: npt.NDArray[np.int32] = places.take(encoded.indices.to_numpy())
        return found

    def find(self, keys: Keys) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
        """The places of the groups that have these keys, and whether there is such a group at all."""
        if len(self._direct):
            near = np.minimum(keys, len(self._direct) - 1)
            places: npt.NDArray[np.int32] = self._direct.take(near)
        else:
            places = np.searchsorted(self.keys, keys).astype(np.int32)
        there = self.keys.take(places, mode="clip") == keys if len(self.keys) else np.zeros(len(keys), np.bool_)
        return np.minimum(places, max(len(self.keys) - 1, 0)), there

    @property
    def frame(self) -> pl.DataFrame:
        """key, raw and pg_uid of each."""
        strings = pl.DataFrame(self.strings)
        return pl.DataFrame({"key": self.keys}).with_columns(
            raw=strings["provider_group_id_raw"], pg_uid=strings["pg_uid"]
        )


def write_groups(directory: Path, batch_id: str, keys: Keys, named: pl.DataFrame) -> None:
    """Writes the groups of `keys` (distinct and sorted), of which `named` tells the raw ids from NAMED_KEY on.

    `named` has the columns key and raw, sorted by key.
    """
    directory.mkdir()
    np.save(directory / "keys.npy", keys)
    hashes = np.zeros((len(keys), 2), np.uint64)
    schema = pa.schema([("provider_group_id_raw", pa.string()), ("pg_uid", pa.string())])
    with pa.ipc.new_file(str(directory / "strings.arrow"), schema) as writer:
        for start in range(0, len(keys), _AT_ONCE):
            raws = raw_ids(keys[start : start + _AT_ONCE], named)
            some = pl.DataFrame({"provider_group_id_raw": raws}).with_columns(
                pg_uid=ids.pg_uid_expr(pl.lit(batch_id), pl.col("provider_group_id_raw"))
            )
            hashes[start : start + len(some)] = ids.part_hash(some, ids.PROVIDER_PART)
            writer.write_table(some.to_arrow().cast(schema))
    np.save(directory / "hashes.npy", hashes)


def raw_ids(keys: Keys, named: pl.DataFrame) -> pl.Series:
    """The groups' ids in the payer's file, by key."""
    raws = pl.Series(keys).cast(pl.String)
    places = np.flatnonzero(keys >= NAMED_KEY)
    if len(places):
        found = named["key"].to_numpy()
        rows = np.searchsorted(found, keys[places])
        if not np.array_equal(found.take(rows, mode="clip"), keys[places]):
            raise ValueError("a provider group's key has no id")
        raws = raws.scatter(pl.Series(places), named["raw"].gather(pl.Series(rows)))
    return raws


def _load(path: Path) -> npt.NDArray[np.uint64]:
    # What is mapped is in memory once for all processes; an empty array cannot be.
    try:
        found: npt.NDArray[np.uint64] = np.load(path, mmap_mode="r")
    except ValueError:
        found = np.load(path)
    return found
