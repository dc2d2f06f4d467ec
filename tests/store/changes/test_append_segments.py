"""Facts in segments and row groups of any size, added to a shard, against a list that is sorted."""

from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runtime.workers import SingleProcess
from core.store.changes.append import append_segments
from core.store.changes.compact import compact
from core.store.changes.segment import Segment, segment_of
from core.store.changes.sorted_facts import merge_facts
from core.store.generations.layout import StateMonth
from core.store.generations.store import Store
from core.store.parquet.row_group_bounds import bounds, find_runs
from core.store.parquet.writer import FileSizes, write_table
from core.store.schema.tables import FACT_RATE

PERIOD = StateMonth("GA", "2025-08")
CODES = st.integers(10, 15).map(str)


def fact(number: int, code: str) -> dict[str, Any]:
    row = dict.fromkeys(FACT_RATE.names) | {"fact_uid": f"{number:032x}", "negotiated_rate": 1.0}
    texts = {column.name: "" for column in FACT_RATE.columns if column.type == "text"}
    return texts | {name: value for name, value in row.items() if value is not None} | {
        "state": PERIOD.state, "year_month": PERIOD.year_month, "code_type": "CPT", "code": code,
        "reporting_entity_name": "Payer",
    }  # fmt: skip


def write_segment(path: Path, facts: list[dict[str, Any]], group_rows: int) -> Segment:
    table = pa.Table.from_pylist(facts, FACT_RATE.arrow)
    return segment_of(path, write_table(path, FACT_RATE, [table], group_rows))


def cut(facts: list[dict[str, Any]], places: list[int]) -> list[list[dict[str, Any]]]:
    """Cut sorted facts at the places that are between two keys: a key is in one segment."""
    inside = {n for n in places if 0 < n < len(facts) and facts[n - 1]["code"] != facts[n]["code"]}
    ends = sorted({0, len(facts), *inside})
    return [facts[start:end] for start, end in pairwise(ends)]


@given(
    batches=st.lists(
        st.tuples(st.lists(CODES, min_size=1, max_size=24), st.lists(st.integers(1, 24), max_size=3)),
        min_size=1, max_size=4,
    ),
    group=st.integers(1, 4),
    segment_group=st.integers(1, 4),
    rewritten=st.sampled_from([1, 4, 1000]),
)  # fmt: skip
def test_any_facts_arrive_in_order_after_older_ones_of_their_key(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[tuple[list[str], list[int]]],
    group: int,
    segment_group: int,
    rewritten: int,
) -> None:
    """Read as facts are, from a file of a few sorted runs: of one run if an addition may rewrite all rows."""
    folder = tmp_path_factory.mktemp("store")
    sizes = FileSizes(row_group_rows=group, max_rewritten_rows=rewritten, max_runs=3)
    store = Store(folder / "data", sizes=sizes)
    expected: list[tuple[str, str]] = []
    for codes, places in batches:
        facts = [fact(len(expected) + n, code) for n, code in enumerate(sorted(codes))]
        with store.write() as transaction:
            segments = [
                write_segment(transaction.work / f"segment-{n}.parquet", part, segment_group)
                for n, part in enumerate(cut(facts, places))
            ]
            append_segments(transaction, segments, SingleProcess())
            transaction.commit()
        expected += [(row["code"], row["fact_uid"]) for row in facts]
    (path,) = store.paths(FACT_RATE.name)
    runs = find_runs(bounds(Path(path), FACT_RATE.order))
    assert len(runs) <= (1 if rewritten == 1000 else 3)
    tables = merge_facts([path], PERIOD, folder, sizes) if len(runs) > 1 else [pq.read_table(path)]
    found = [(row["code"], row["fact_uid"]) for table in tables for row in table.to_pylist()]
    if len(runs) == 1:
        assert found == sorted(expected, key=lambda row: row[0])
    assert [code for code, _ in found] == sorted(code for code, _ in expected)
    assert sorted(found) == sorted(expected)
    assert len(compact(store)) == (len(runs) > 1)
    (path,) = store.paths(FACT_RATE.name)
    in_order = pq.read_table(path, columns=["code", "fact_uid"]).to_pylist()
    assert [row["code"] for row in in_order] == sorted(code for code, _ in expected)
    assert len(in_order) == len(expected)


@given(st.lists(CODES, min_size=1, max_size=20), st.integers(1, 5))
def test_a_segment_knows_where_the_rows_of_each_key_end(
    tmp_path_factory: pytest.TempPathFactory, codes: list[str], group: int
) -> None:
    facts = [fact(n, code) for n, code in enumerate(sorted(codes))]
    segment = write_segment(tmp_path_factory.mktemp("segment") / "x.parquet", facts, group)
    known = segment.read_keys()
    counts = {code: len(list(rows)) for code, rows in groupby(sorted(codes))}
    assert [key[3] for key in known.keys] == list(counts)
    assert known.ends.tolist() == [sum(counts[c] for c in counts if c <= code) for code in counts]


def test_row_groups_that_are_written_again_have_even_sizes(tmp_path: Path) -> None:
    """A small addition to a full row group leaves two halves, not a full one and a crumb."""
    store = Store(tmp_path / "data", sizes=FileSizes(row_group_rows=10))
    for number, codes in enumerate((["11"] * 5 + ["13"] * 5, ["12"])):
        with store.write() as transaction:
            path = transaction.work / "segment.parquet"
            facts = [fact(100 * number + n, code) for n, code in enumerate(codes)]
            append_segments(transaction, [write_segment(path, facts, 10)], SingleProcess())
            transaction.commit()
    (only,) = store.paths(FACT_RATE.name)
    with pq.ParquetFile(only) as file:
        assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [6, 5]
