"""Write rows into a store as the loaders would, for tests of what is derived from them."""

from typing import Any

import polars as pl

from core.store.generations.store import Store
from core.store.parquet.writer import write_table
from core.store.schema.tables import TABLES


def write_rows(store: Store, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Replace the rows of tables; columns that a row leaves out are null."""
    with store.write() as transaction:
        for name, found in rows.items():
            declared = TABLES[name]
            frame = pl.DataFrame(
                [{**dict.fromkeys(declared.names), **row} for row in found],
                schema=pl.DataFrame(declared.arrow.empty_table()).schema,
            ).sort(declared.order)
            path = transaction.new_file(name)
            transaction.put(name, path, write_table(path, declared, [frame.to_arrow().cast(declared.arrow)]))
        transaction.commit()
