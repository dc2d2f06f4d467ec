"""Parts of files with mistakes, and what the store has of them."""

from typing import Any

import polars as pl

from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.outcome import LoadOutcome
from core.store.generations.store import Store
from tests.stores import table

PIECES = [DEFAULT_SIZES, LoadSizes(chunk_bytes=150), LoadSizes(chunk_bytes=60, giant_item_bytes=120)]
PRICE = {"negotiated_type": "negotiated", "negotiated_rate": 100.0, "billing_class": "professional"}
NPIS = [1000000001, 1000000002, 1000000003]


def group(number: Any, npi: int, kind: Any = "ein", value: Any = "111111111") -> dict[str, Any]:
    members = [{"npi": [npi], "tin": {"type": kind, "value": value}}]
    return {"provider_group_id": number, "provider_groups": members}


def tins(store: Store) -> list[tuple[str, str]]:
    return table(store, "dim_tin").select("tin_type", "tin_value").rows()


def rates(store: Store) -> list[tuple[str, float]]:
    return sorted(table(store, "fact_rate").select("code", "negotiated_rate").rows())


def rejects(store: Store, outcome: LoadOutcome) -> list[tuple[Any, ...]]:
    path = store.root / "silver" / "rejects" / f"{outcome.record['batch_id']}.parquet"
    return pl.read_parquet(path).select("reason", "place", "value", "rows").rows() if path.exists() else []
