"""How many runs of price rows are left to be read at a time."""

from pathlib import Path

import pytest

from core.load.facts.merge_price_runs import merge_price_runs
from core.load.load_sizes import LoadSizes
from core.load.staging.price_runs import ItemFields, PriceFields, PriceRun, field_table
from core.runtime.workers import SingleProcess
from tests.load.facts.made_runs import write_run

PLAIN = PriceFields("negotiated", None, "professional", None, "", "", None)


@pytest.fixture
def runs(tmp_path: Path) -> list[PriceRun]:
    """Return three runs with 2, 3, and 4 rows of a code that all have, and a row of a code of their own."""
    found = []
    for number, own in enumerate(("99214", "99215", "99216")):
        items = [ItemFields("CPT", code, None, None, None) for code in ("99213", own)]
        run = write_run(
            tmp_path / f"run{number}",
            {"99213": 2 + number, own: 1},
            item_fields=field_table(items, ItemFields._fields),
            price_fields=field_table([PLAIN], PriceFields._fields),
        )
        found.append(run)
    return found


def test_as_many_runs_as_may_be_open_are_not_written_again(tmp_path: Path, runs: list[PriceRun]) -> None:
    assert merge_price_runs(runs, tmp_path, SingleProcess(), LoadSizes(open_runs=3)) is runs
    assert all(run.path.exists() for run in runs)


def test_more_runs_are_merged_until_they_are_few_enough(tmp_path: Path, runs: list[PriceRun]) -> None:
    merged = merge_price_runs(runs, tmp_path, SingleProcess(), LoadSizes(open_runs=2))
    assert [run.rows for run in merged] == [3 + 4, 5]
    assert merged[0].table("codes").column("code").to_pylist() == ["99213", "99214", "99215"]
    assert merged[0].table("codes").column("start").to_pylist() == [0, 5, 6]
    assert not any(run.path.exists() for run in runs)
