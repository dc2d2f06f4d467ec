"""The provider groups that a file's rates name, as arrays on disk that every process can look into."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from core.load.providers.group_key import NAMED_KEY
from core.load.staging.group_key_set import Keys
from core.store.schema import ids

MAX_TABLE_KEY = 1 << 26
"""If every key is below this, a table by key gives a group's position directly (256 MB at most)."""

ROWS_PER_BATCH = 250_000


class GroupIndex:
    """The groups in `directory`, sorted by key. A group's position is counted in that order."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.keys: Keys = load_mapped(directory / "keys.npy")
        self.hashes: ids.type_of_hash = load_mapped(directory / "hashes.npy")
        """The hash of the fact's provider part."""
        self.strings: pa.Table = pa.ipc.open_file(pa.memory_map(str(directory / "strings.arrow"))).read_all()
        """provider_group_id_raw and pg_uid."""
        masks = directory / "masks.npy"
        self.masks: npt.NDArray[np.uint64] | None = np.load(masks) if masks.exists() else None
        """For each group a bit for each filter that wants it, None if every group is wanted."""
        self._position_of_key = np.zeros(0, np.int32)
        if len(self.keys) and int(self.keys[-1]) < MAX_TABLE_KEY:
            self._position_of_key = np.zeros(int(self.keys[-1]) + 1, np.int32)
            self._position_of_key[self.keys] = np.arange(len(self.keys), dtype=np.int32)

    def __len__(self) -> int:
        return len(self.keys)

    def positions(self, keys: Keys) -> npt.NDArray[np.int32]:
        """Return the positions of the groups with these keys, all of which are in the index."""
        if len(self._position_of_key):
            return self._position_of_key.take(keys)
        # A partition names few groups many times, so the distinct keys are searched for.
        encoded = pa.array(keys).dictionary_encode()
        positions = np.searchsorted(self.keys, encoded.dictionary.to_numpy()).astype(np.int32)
        found: npt.NDArray[np.int32] = positions.take(encoded.indices.to_numpy())
        return found

    def find(self, keys: Keys) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
        """Return the positions of the groups with these keys, and whether the index has such a group."""
        if len(self._position_of_key):
            near = np.minimum(keys, len(self._position_of_key) - 1)
            positions: npt.NDArray[np.int32] = self._position_of_key.take(near)
        else:
            positions = np.searchsorted(self.keys, keys).astype(np.int32)
        there = self.keys.take(positions, mode="clip") == keys if len(self.keys) else np.zeros(len(keys), np.bool_)
        return np.minimum(positions, max(len(self.keys) - 1, 0)), there

    @property
    def frame(self) -> pl.DataFrame:
        """Return the key, the raw id and the pg_uid of each group."""
        strings = pl.DataFrame(self.strings)
        return pl.DataFrame({"key": self.keys}).with_columns(
            raw=strings["provider_group_id_raw"], pg_uid=strings["pg_uid"]
        )


def write_group_index(directory: Path, batch_id: str, keys: Keys, named: pl.DataFrame) -> None:
    """Write the groups of `keys`, which are distinct and sorted, for GroupIndex.

    `named` has the raw ids of the keys from NAMED_KEY on: columns key and raw, sorted by key.
    """
    directory.mkdir()
    np.save(directory / "keys.npy", keys)
    hashes = np.zeros((len(keys), 2), np.uint64)
    schema = pa.schema([("provider_group_id_raw", pa.string()), ("pg_uid", pa.string())])
    with pa.ipc.new_file(str(directory / "strings.arrow"), schema) as writer:
        for start in range(0, len(keys), ROWS_PER_BATCH):
            raws = raw_ids(keys[start : start + ROWS_PER_BATCH], named)
            some = pl.DataFrame({"provider_group_id_raw": raws}).with_columns(
                pg_uid=ids.pg_uid_expr(pl.lit(batch_id), pl.col("provider_group_id_raw"))
            )
            hashes[start : start + len(some)] = ids.part_hash(some, ids.PROVIDER_PART)
            writer.write_table(some.to_arrow().cast(schema))
    np.save(directory / "hashes.npy", hashes)


def write_masks(groups: GroupIndex, masks: npt.NDArray[np.uint64]) -> None:
    """Write which filters want each group, so that an index opened from now on has `masks`."""
    np.save(groups.directory / "masks.npy", masks)


def read_named_keys(directory: Path) -> pl.DataFrame:
    """Return the keys of ids that are not whole numbers, with the ids: columns key and raw, sorted by key.

    `directory` is that of the file's spools. Raise ValueError if two ids share a key, see `group_key`.
    """
    spool = pl.scan_parquet(str(directory / "groups-*.parquet")).select("key", "raw")
    found = spool.filter(pl.col("key") >= NAMED_KEY).collect().unique().sort("key")
    if found["key"].n_unique() != len(found):
        raise ValueError("two provider group ids of the file have the same 63 bits of their MD5 sums")
    return found


def raw_ids(keys: Keys, named: pl.DataFrame) -> pl.Series:
    """Return the groups' ids in the payer's file, given their keys."""
    raws = pl.Series(keys).cast(pl.String)
    positions = np.flatnonzero(keys >= NAMED_KEY)
    if len(positions):
        found = named["key"].to_numpy()
        rows = np.searchsorted(found, keys[positions])
        if not np.array_equal(found.take(rows, mode="clip"), keys[positions]):
            raise ValueError("a provider group's key has no id")
        raws = raws.scatter(pl.Series(positions), named["raw"].gather(pl.Series(rows)))
    return raws


def load_mapped(path: Path) -> npt.NDArray[np.uint64]:
    """Return an array that `np.save` has written, mapped into memory."""
    # A mapped array is in memory once for all processes. An empty array cannot be mapped.
    try:
        found: npt.NDArray[np.uint64] = np.load(path, mmap_mode="r")
    except ValueError:
        found = np.load(path)
    return found
