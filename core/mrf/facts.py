"""Sorted price rows to fact rows: one per price and provider group, each grain once."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from core.mrf.providers import NAMED_KEY
from core.store import ids
from core.store.schema import FACT_RATE


class FactBuilder:
    """Unfolds price rows of one file. `named` maps keys from NAMED_KEY on to raw ids: columns key and raw, sorted.

    After `blocks` has run dry, `rows` facts have been made, `duplicates` rows left out, and `used_keys` are the
    groups' keys that facts name, distinct and sorted.
    """

    def __init__(self, scope: dict[str, str], batch_id: str, named: pl.DataFrame) -> None:
        self.rows = 0
        self.duplicates = 0
        self._scope = scope
        self._batch_id = batch_id
        self._named_keys = named["key"].to_numpy()
        self._named_raws = named["raw"]
        self._used: list[npt.NDArray[np.uint64]] = []
        self._scope_hash = ids.part_hash(pl.DataFrame([scope]), ids.SCOPE_PART)

    @property
    def used_keys(self) -> npt.NDArray[np.uint64]:
        """The keys of the groups that facts name."""
        self._used = [np.unique(np.concatenate([*self._used, np.zeros(0, np.uint64)]))]
        return self._used[0]

    def blocks(self, prices: Iterator[pl.DataFrame]) -> Iterator[pa.Table]:
        """The fact rows, in the order of the price rows.

        A block of price rows holds all rows of each of its PRICE_KEYs. Columns but fact_uid and the rate are
        dictionary-encoded.
        """
        for block in prices:
            yield self._unfold(block)
            if len(self._used) > 64:
                _ = self.used_keys

    def raw_ids(self, keys: npt.NDArray[np.uint64]) -> pl.Series:
        """The groups' ids in the payer's file, by key."""
        raws = pl.Series(keys).cast(pl.String)
        named = np.flatnonzero(keys >= NAMED_KEY)
        if len(named):
            places = np.searchsorted(self._named_keys, keys[named])
            if not np.array_equal(self._named_keys.take(places, mode="clip"), keys[named]):
                raise ValueError("a provider group's key has no id")
            raws = raws.scatter(pl.Series(named), self._named_raws.gather(pl.Series(places)))
        return raws

    def _unfold(self, prices: pl.DataFrame) -> pa.Table:
        lists = prices["groups"]
        price_of = np.repeat(np.arange(len(prices), dtype=np.int32), lists.list.len().to_numpy())
        keys, group_of = np.unique(lists.explode().to_numpy(), return_inverse=True)
        groups = pl.DataFrame({"provider_group_id_raw": self.raw_ids(keys)}).with_columns(
            pg_uid=ids.pg_uid_expr(pl.lit(self._batch_id), pl.col("provider_group_id_raw"))
        )
        price_hash = prices.select("rate_hash_0", "rate_hash_1").to_numpy()
        words = price_hash[price_of]
        words ^= ids.part_hash(groups, ids.PROVIDER_PART)[group_of]
        words ^= self._scope_hash
        first = _first_of_each(words)
        if first is not None:
            self.duplicates += len(words) - len(first)
            words, price_of, group_of = words[first], price_of[first], group_of[first]
        self.rows += len(words)
        self._used.append(keys)
        return self._table(prices, groups, words, pa.array(price_of), pa.array(group_of.astype(np.int32)))

    def _table(
        self,
        prices: pl.DataFrame,
        groups: pl.DataFrame,
        words: ids.type_of_hash,
        price_of: pa.Array,
        group_of: pa.Array,
    ) -> pa.Table:
        columns: dict[str, pa.Array] = {
            "fact_uid": ids.fact_uid_text(words),
            "negotiated_rate": prices["negotiated_rate"].to_arrow().take(price_of),
        }
        nothing = pa.array(np.zeros(len(words), np.int32))
        for name, value in self._scope.items():
            columns[name] = pa.DictionaryArray.from_arrays(nothing, pa.array([value], pa.string()))
        for name in ("pg_uid", "provider_group_id_raw"):
            columns[name] = pa.DictionaryArray.from_arrays(group_of, _strings(groups[name]))
        for name in FACT_RATE.names:
            if name not in columns:
                encoded = _strings(prices[name]).dictionary_encode()
                columns[name] = pa.DictionaryArray.from_arrays(encoded.indices.take(price_of), encoded.dictionary)
        return pa.table({name: columns[name] for name in FACT_RATE.names})


def _strings(texts: pl.Series) -> pa.Array:
    return texts.to_arrow().cast(pa.string())


def _first_of_each(words: ids.type_of_hash) -> npt.NDArray[np.intp] | None:
    """The rows whose hash did not stand before, in order; None where that is all of them."""
    if pl.Series(words[:, 0]).n_unique() == len(words):
        return None
    frame = pl.DataFrame({"a": words[:, 0], "b": words[:, 1]}).with_row_index("row")
    first = frame.unique(["a", "b"], keep="first", maintain_order=True)["row"].to_numpy()
    return None if len(first) == len(words) else first.astype(np.intp)
