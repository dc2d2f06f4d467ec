"""Files are written in whole row groups, whatever blocks come in."""

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from core.store.parquet.writer import write_table
from core.store.schema.tables import DIM_PAYER_BRIDGE


@given(blocks=st.lists(st.lists(st.sampled_from(["a", "b", "é", ""]), max_size=25), max_size=6), encoded=st.booleans())
def test_rows_come_back_in_whole_row_groups(blocks: list[list[str]], encoded: bool) -> None:
    tables = []
    for block in blocks:
        column = pa.array(block, pa.string())
        column = column.dictionary_encode() if encoded else column
        tables.append(pa.table({"reporting_entity_name_raw": column, "payer_slug": column}))
    with TemporaryDirectory() as directory:
        path = Path(directory) / "x.parquet"
        rows = [name for block in blocks for name in block]
        assert write_table(path, DIM_PAYER_BRIDGE, tables, 10) == len(rows)
        file = pq.ParquetFile(path)
        groups = [file.metadata.row_group(n).num_rows for n in range(file.metadata.num_row_groups)]
        assert all(group == 10 for group in groups[:-1])
        assert file.schema_arrow.equals(DIM_PAYER_BRIDGE.arrow)
        assert file.read()["payer_slug"].to_pylist() == rows
        assert pl.read_parquet(path)["payer_slug"].to_list() == rows
        assert [row[0] for row in duckdb.sql(f"SELECT payer_slug FROM '{path}'").fetchall()] == rows
        for number in range(len(groups)):
            statistics = file.metadata.row_group(number).column(0).statistics
            mine = rows[number * 10 : number * 10 + 10]
            if mine:
                assert (statistics.min, statistics.max) == (min(mine), max(mine)), "queries skip row groups by these"
        file.close()
