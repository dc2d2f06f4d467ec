"""Turn price rows into fact rows: one for each price and provider group, each distinct fact once.

This is done partition by partition. A partition is a range of billing codes, or of a code with very many rows a range
of hashes. All rows that can produce the same fact are in one partition, so partitions can be built by any process, in
any order.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from core.load.facts.fact_rows import FactRows, Prices, read_prices
from core.load.facts.run_slices import Partition
from core.load.facts.write_segment import write_segment
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.providers.group_index import GroupIndex
from core.load.rate_filters import RateFilter, code_mask
from core.load.staging.group_key_set import distinct
from core.store.changes.known_facts import read_known
from core.store.changes.segment import Segment
from core.store.generations.layout import StateMonth
from core.store.schema import ids

BoolArray = npt.NDArray[np.bool_]

ALL_BITS = (1 << 64) - 1


@dataclass(frozen=True)
class FactScope:
    """What all facts of one file have in common, and where its groups are."""

    period: StateMonth
    reporting_entity_name: str
    groups: Path
    """The directory of the group index."""
    directory: Path
    """Where the facts go."""
    filters: tuple[RateFilter, ...]
    """The filters of all states that the file is loaded for."""
    bits: int = ALL_BITS
    """Which of the filters are this state's."""
    known: Path | None = None
    """The file of fact_uids that are not to be added, see `known_facts`."""
    sizes: LoadSizes = DEFAULT_SIZES

    @property
    def constants(self) -> dict[str, str]:
        """Return the columns of the fact that are the same in all facts of the file."""
        return {**self.period._asdict(), "reporting_entity_name": self.reporting_entity_name}

    @cached_property
    def hash(self) -> npt.NDArray[np.uint64]:
        """Return the hash of the fact's scope part, of shape (1, 2)."""
        return ids.part_hash(pl.DataFrame([self.constants]), ids.SCOPE_PART)


@dataclass(frozen=True)
class BuiltFacts:
    """What became of a partition. Its rows are those of the segment + duplicates + filtered + known."""

    state: str
    segment: Segment | None
    """The new facts, None if there are none."""
    duplicates: int
    filtered: int
    known: int
    """Rows whose fact is in the store already, or was taken out of it for good."""
    used: npt.NDArray[np.int32] | None
    """The positions of the groups that facts name, None if those are all groups that price rows name."""


def build_facts(state: dict[str, Any], scope: FactScope, partition: Partition) -> BuiltFacts:
    """Build the facts of a partition, sorted, as a segment. Workers run this."""
    groups: GroupIndex = state.setdefault("groups", None) or GroupIndex(scope.groups)
    state["groups"] = groups
    prices, rows = read_prices(partition, groups)
    total = len(rows)
    known, wanted, used = _find_known(scope, groups, prices, rows), _find_wanted(scope, groups, prices, rows), None
    if wanted is not None:
        # A fact that an earlier load has added is in the store, even if no filter wants it any longer.
        wanted |= known
        rows, known = rows.select(wanted), known[wanted]
        used = distinct(rows.group_of)
    filtered = total - len(rows)
    repeated = _find_repeated(scope, groups, prices, rows)
    if repeated.any():
        rows, known = rows.select(~repeated), known[~repeated]
    if known.any():
        rows = rows.select(~known)
    path = scope.directory / f"facts-{scope.period.state}-{partition.number:06}.parquet"
    segment = write_segment(path, prices, rows, groups, scope.constants, scope.hash) if len(rows) else None
    return BuiltFacts(
        state=scope.period.state,
        segment=segment,
        duplicates=int(repeated.sum()),
        filtered=filtered,
        known=int(known.sum()),
        used=used,
    )


def _find_wanted(scope: FactScope, groups: GroupIndex, prices: Prices, rows: FactRows) -> BoolArray | None:
    """Return which rows a filter wants, None for all.

    A filter wants a row if it wants both the code and the group, so the bits of the filters that want the code are
    combined with the bits of those that want the group.
    """
    if groups.masks is None:
        return None
    items = prices.item_fields.select(["code_type", "code"]).to_pylist()
    masks = np.array([code_mask(scope.filters, item["code_type"], item["code"]) for item in items], np.uint64)
    masks &= np.uint64(scope.bits)
    wanted: BoolArray = (masks[prices.item_of][rows.price_of] & groups.masks[rows.group_of]) != 0
    return wanted


def _find_repeated(scope: FactScope, groups: GroupIndex, prices: Prices, rows: FactRows) -> BoolArray:
    """Return which rows' facts appear earlier in the file.

    Comparing the fact_uids of all rows would cost as much as everything else together, so first the rows are found
    that can be repeated at all: those of prices with equal hashes, and those of a price whose list names a group twice.
    In most files that is one row in a thousand. The hashes' first words decide, which may include a few rows too many.
    Rows are put in the order of the file's pieces, so the first of several equal facts stays. Within a piece the runs
    keep the order of the file.
    """
    repeated = np.zeros(len(rows), np.bool_)
    order = np.argsort(prices.hashes[:, 0], kind="stable")
    same = np.diff(prices.hashes[order, 0]) == 0
    suspect = prices.repeats.copy()
    suspect[order[1:][same]] = True
    suspect[order[:-1][same]] = True
    if suspect.any():
        suspects = np.flatnonzero(suspect[rows.price_of])
        suspects = suspects[np.argsort(prices.piece[rows.price_of[suspects]], kind="stable")]
        uids = rows.uids(prices, groups, scope.hash, suspects)
        first = pl.DataFrame({"a": uids[:, 0], "b": uids[:, 1]}).select(pl.struct("a", "b").is_first_distinct())
        repeated[suspects[~first.to_series().to_numpy()]] = True
    return repeated


def _find_known(scope: FactScope, groups: GroupIndex, prices: Prices, rows: FactRows) -> BoolArray:
    """Return which rows' facts are not to be added, because they are in the store or were taken out of it."""
    found = np.zeros(len(rows), np.bool_)
    if scope.known is None:
        return found
    uids = rows.uids(prices, groups, scope.hash)
    new = pl.DataFrame({"a": uids[:, 0], "b": uids[:, 1]}).with_row_index("row")
    start = 0
    # The facts of the store are read some at a time: all of them may not fit the memory of a worker.
    while len(known := read_known(scope.known, start, scope.sizes.known_facts)):
        old = pl.DataFrame({"a": known[:, 0], "b": known[:, 1]})
        found[new.join(old, on=["a", "b"], how="semi")["row"].to_numpy()] = True
        start += len(known)
    return found
