"""Row groups of several files put together in one, against the rows themselves."""

from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.store.parquet import thrift
from core.store.parquet.row_group_copier import RowGroupCopier, read_footer

ROWS = 40
ROW_GROUPS, CHUNKS, COMPRESSED, ORDINAL = 4, 1, 6, 7
INDEXES = {4, 5, 6, 7}
"""Numbers of fields in the footer, in a row group, and of a column chunk's indexes, see parquet.thrift."""


def rows_of(start: int, count: int) -> pa.Table:
    numbers = range(start, start + count)
    return pa.table(
        {
            "text": pa.array([f"v{n % 7}" for n in numbers]).dictionary_encode(),
            "number": pa.array([None if n % 5 == 0 else n * 1.5 for n in numbers], pa.float64()),
            "list": pa.array([[str(n)] * (n % 3) for n in numbers], pa.list_(pa.string())),
        }
    )


def written(path: Path, table: pa.Table, group: int) -> Path:
    pq.write_table(table, path, compression="zstd", row_group_size=group, store_schema=False, write_page_index=True)
    return path


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=4))
def test_any_row_groups_are_their_rows(
    tmp_path_factory: pytest.TempPathFactory, taken: list[tuple[int, int, int]]
) -> None:
    directory = tmp_path_factory.mktemp("stitched")
    files = [written(directory / f"{n}.parquet", rows_of(100 * n, ROWS), 10) for n in range(4)]
    with RowGroupCopier(directory / "all.parquet") as stitcher:
        for file, first, end in taken:
            stitcher.add(files[file], first, end)
        rows = stitcher.finish()
    wanted = [row for file, first, end in taken for row in rows_of(100 * file, ROWS)[10 * first : 10 * end].to_pylist()]
    assert pq.read_table(directory / "all.parquet").to_pylist() == wanted
    assert pl.read_parquet(directory / "all.parquet").to_dicts() == wanted
    assert rows == len(wanted) == pq.read_metadata(directory / "all.parquet").num_rows
    found = duckdb.sql(f"SELECT count(*), sum(number) FROM '{directory}/all.parquet'").fetchall()
    assert found == [(len(wanted), sum(row["number"] or 0 for row in wanted) if wanted else None)]


def test_a_footer_comes_out_as_it_went_in(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", rows_of(0, 1000), 30)
    content = path.read_bytes()
    size = int.from_bytes(content[-8:-4], "little")
    assert thrift.write_struct(read_footer(path)) == content[-8 - size : -8]


def test_page_indexes_are_left_behind(tmp_path: Path) -> None:
    # Their offsets would lead into other bytes of the new file.
    path = written(tmp_path / "a.parquet", rows_of(0, 30), 10)
    with RowGroupCopier(tmp_path / "b.parquet") as copier:
        copier.add(path, 1, 3)
        copier.finish()
    indexed, copied = (
        {number for group in read_footer(file)[ROW_GROUPS][1][1] for chunk in group[CHUNKS][1][1] for number in chunk}
        for file in (path, tmp_path / "b.parquet")
    )
    assert indexed & INDEXES == INDEXES
    assert copied & INDEXES == set()


def test_another_schema_is_refused(tmp_path: Path) -> None:
    first = written(tmp_path / "a.parquet", rows_of(0, 10), 5)
    second = written(tmp_path / "b.parquet", rows_of(0, 10).drop(["list"]), 5)
    with RowGroupCopier(tmp_path / "c.parquet") as stitcher:
        stitcher.add(first)
        with pytest.raises(ValueError, match="another schema"):
            stitcher.add(second)


def test_a_file_that_is_not_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match="not a Parquet file"):
        read_footer(tmp_path / "a.parquet")


def test_the_sizes_of_a_row_group_are_the_sums_of_its_columns(tmp_path: Path) -> None:
    written(tmp_path / "a.parquet", rows_of(0, 30), 10)
    narrow = written(tmp_path / "narrow.parquet", rows_of(0, 10).drop(["list"]), 10)
    with RowGroupCopier(tmp_path / "b.parquet") as copier:
        copier.add(tmp_path / "a.parquet", 1, 3)
        copier.add_widened(narrow, 0, read_footer(narrow), written(tmp_path / "one.parquet", rows_of(0, 10), 10))
        copier.finish()
    groups = read_footer(tmp_path / "b.parquet")[ROW_GROUPS][1][1]
    # The writer of these files gives row groups no number, so they get none.
    assert not any(ORDINAL in group for group in groups)
    metadata = pq.read_metadata(tmp_path / "b.parquet")
    for number in range(3):
        group = metadata.row_group(number)
        columns = [group.column(column) for column in range(group.num_columns)]
        assert group.total_byte_size == sum(column.total_uncompressed_size for column in columns)
        assert groups[number][COMPRESSED][1] == sum(column.total_compressed_size for column in columns)
