"""Find out which provider groups filters want as soon as a file's definitions of groups have been read."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from core.load.batch.batch_record import BatchRecord
from core.load.providers.group_key import group_key
from core.load.providers.provider_filter import match_provider_filters
from core.load.providers.wanted_groups import WantedGroups
from core.load.rate_filters import RateFilter
from core.load.staging.group_key_set import Keys, distinct, union
from core.load.staging.rate_group_lists import ALL_FILTERS
from core.store.generations.store import Transaction
from core.store.schema.tables import DIM_PROVIDER_GROUP
from core.store.writer_connection import connect_for_writing


@dataclass(frozen=True)
class EarlyMatch:
    """Matches groups against `filters` before rates are read. `work` is a directory for what does not fit in memory.

    `loaded` is the record of an earlier load of the file for the same state. The facts that it has added stay, whatever
    filters want now, so rates of their groups are not left out either.
    """

    transaction: Transaction
    work: Path
    filters: tuple[RateFilter, ...]
    loaded: BatchRecord | None

    @property
    def matcher(self) -> Callable[[Path], WantedGroups] | None:
        """Return `match`, or None if groups do not decide: some filter wants all of them."""
        return self.match if all(one.of_providers for one in self.filters) else None

    def fits(self, loaded: BatchRecord | None) -> bool:
        """Return whether what was left out is right for a file that turns out to have been loaded before, or not."""
        return self.matcher is None or self.loaded is loaded

    def match(self, spools: Path) -> WantedGroups:
        """Return the groups that a filter wants, given the directory with the spools of all definitions.

        Members that are at another URL are not known yet, so groups that have some may be wanted by any filter.
        """
        defined = _read_keys(spools, "group_parts")
        with closing(connect_for_writing(self.work)) as connection:
            masks = match_provider_filters(connection, self.transaction, spools, defined, self.filters)
        unknown = union([_read_keys(spools, "locations"), self._stored_keys()])
        keys = union([defined[masks != 0], unknown])
        found = np.zeros(len(keys), np.uint64)
        found[np.searchsorted(keys, defined[masks != 0])] = masks[masks != 0]
        found[np.searchsorted(keys, unknown)] = ALL_FILTERS
        return WantedGroups(keys, found)

    def _stored_keys(self) -> Keys:
        """Return the keys of the groups that the store's facts of the file name."""
        paths = self.transaction.paths(DIM_PROVIDER_GROUP.name)
        if self.loaded is None or not paths:
            return np.zeros(0, np.uint64)
        of_batch = pl.scan_parquet(paths).filter(pl.col("batch_id") == self.loaded["batch_id"])
        raws = of_batch.select("provider_group_id_raw").collect().to_series()
        return distinct(np.array([group_key(raw) for raw in raws], np.uint64))


def _read_keys(spools: Path, name: str) -> Keys:
    found = pl.scan_parquet(str(spools / f"{name}-*.parquet")).select(pl.col("key").unique()).collect().to_series()
    return distinct(found.to_numpy())
