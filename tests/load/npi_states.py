"""Say in which state an NPI is, as the NPPES register does."""

import polars as pl

from core.store.generations.store import Store
from core.store.parquet.writer import write_table
from core.store.schema.tables import DIM_NPI


def place(store: Store, **states: str) -> None:
    """Says in which state NPIs are, as `load_nppes` does."""
    with store.write() as transaction:
        path = transaction.new_file("dim_npi")
        places = {"npi": [npi.removeprefix("npi") for npi in states], "state": list(states.values())}
        none = [None] * len(states)
        rows = pl.DataFrame({name: places.get(name, none) for name in DIM_NPI.names}).sort("npi")
        transaction.put("dim_npi", path, write_table(path, DIM_NPI, [rows.to_arrow().cast(DIM_NPI.arrow)]))
        transaction.commit()
