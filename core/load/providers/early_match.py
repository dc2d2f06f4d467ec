"""Find out which provider groups filters want as soon as a file's definitions of groups have been read."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from core.load.batch.batch_record import BatchRecord
from core.load.providers.group_key import group_key
from core.load.providers.provider_filter import match_provider_filters
from core.load.providers.wanted_groups import WantedGroups
from core.load.rate_filters import StateFilters
from core.load.staging.group_key_set import Keys, distinct, union
from core.load.staging.rate_group_lists import ALL_FILTERS
from core.store.changes.known_facts import known_groups
from core.store.generations.layout import StateMonth
from core.store.generations.store import Transaction
from core.store.schema.tables import DIM_PROVIDER_GROUP
from core.store.writer_connection import connect_for_writing


@dataclass(frozen=True)
class EarlyMatch:
    """Matches groups against filters before rates are read. `work` is a directory for what does not fit in memory.

    `loaded` has the records of earlier loads of the file, by state. The facts that they have added stay, whatever
    filters want now, so rates of their groups are not left out either.
    """

    transaction: Transaction
    work: Path
    wanted: StateFilters
    loaded: dict[str, BatchRecord]

    @property
    def matcher(self) -> Callable[[Path], WantedGroups] | None:
        """Return `match`, or None if groups do not decide: each filter wants all of them."""
        return self.match if any(one.of_providers for one in self.wanted.filters) else None

    def fits(self, loaded: dict[str, BatchRecord]) -> bool:
        """Return whether what was left out is right for a file that turns out to have been loaded before, or not."""
        return self.matcher is None or all(self.loaded.get(state) is record for state, record in loaded.items())

    def match(self, spools: Path) -> WantedGroups:
        """Return the groups that a filter wants, given the directory with the spools of all definitions.

        Members that are at another URL are not known yet, so groups that have some may be wanted by any filter.
        """
        filters = self.wanted.filters
        defined, elsewhere = _read_keys(spools, "group_parts"), _read_keys(spools, "locations")
        with closing(connect_for_writing(self.work)) as connection:
            masks = match_provider_filters(connection, self.transaction, spools, defined, filters)
            stored = {state: self._stored_keys(connection, state) for state in self.loaded}
        keys = union([defined[masks != 0], elsewhere, *stored.values()])
        found = np.zeros(len(keys), np.uint64)
        found[np.searchsorted(keys, defined[masks != 0])] = masks[masks != 0]
        found[np.searchsorted(keys, elsewhere)] = ALL_FILTERS
        for state, each in stored.items():
            found[np.searchsorted(keys, each)] |= np.uint64(self.wanted.bits[state])
        return WantedGroups(keys, found, sum(1 << bit for bit, one in enumerate(filters) if not one.of_providers))

    def _stored_keys(self, connection: duckdb.DuckDBPyConnection, state: str) -> Keys:
        """Return the keys of the groups that the store's facts of the file for a state name."""
        record = self.loaded[state]
        period = StateMonth(state, record["year_month"])
        known = known_groups(connection, self.transaction, record["batch_id"], period)
        paths = self.transaction.paths(DIM_PROVIDER_GROUP.name)
        if not known or not paths:
            return np.zeros(0, np.uint64)
        groups = pl.scan_parquet(paths).filter(pl.col("pg_uid").is_in(pl.Series(sorted(known)).implode()))
        raws = groups.select("provider_group_id_raw").collect().to_series()
        return distinct(np.array([group_key(raw) for raw in raws], np.uint64))


def _read_keys(spools: Path, name: str) -> Keys:
    found = pl.scan_parquet(str(spools / f"{name}-*.parquet")).select(pl.col("key").unique()).collect().to_series()
    return distinct(found.to_numpy())
