"""Runs of price rows as a reading leaves them, of chosen sizes."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.load.staging.price_runs import PriceRun, PriceRunWriter, field_table, list_keys


def write_run(
    path: Path, counts: dict[str, int], item_fields: pa.Table | None = None, price_fields: pa.Table | None = None
) -> PriceRun:
    """Write a run of `counts` rows of each code, each row of one group, with hashes spread evenly over each code."""
    names = sorted(counts)
    codes = field_table([("CPT", name) for name in names], ("code_type", "code"))
    item_fields = codes if item_fields is None else item_fields
    price_fields = pa.table({"rate": []}) if price_fields is None else price_fields
    each = np.array([counts[name] for name in names])
    total = int(each.sum())
    hashes = np.concatenate([np.linspace(0, 2**64 - 2**30, count, dtype=np.uint64) for count in each])
    columns: dict[str, npt.NDArray[Any]] = {
        "item_fields": np.repeat(np.arange(len(names)), each).astype(np.uint32),
        "price_fields": np.zeros(total, np.uint32),
        "rate": np.arange(total, dtype=np.float64),
        "hash_0": hashes,
        "hash_1": hashes,
        "piece": np.zeros(total, np.uint32),
        "repeats": np.zeros(total, np.bool_),
    }
    with PriceRunWriter(path) as writer:
        writer.add(columns, list_keys(np.ones(total, np.uint64), np.ones(total, np.int64)))
        starts = np.concatenate([[0], np.cumsum(each)])
        return writer.finish(item_fields, price_fields, codes, starts)
