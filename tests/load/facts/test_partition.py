"""How price rows are cut into partitions: each row once, codes together, and a common code in even parts."""

from collections import Counter
from pathlib import Path

from core.load.facts.partition import partition_price_runs
from core.load.facts.run_slices import Partition
from core.load.load_sizes import LoadSizes
from core.load.staging.price_runs import HASH_SHIFT
from tests.load.facts.made_runs import write_run


def codes_and_sizes(partitions: list[Partition]) -> list[tuple[str, int]]:
    """Return the codes of each partition, joined, and its number of rows."""
    found = []
    for partition in partitions:
        codes: Counter[str] = Counter()
        for part in partition.slices:
            names = part.run.table("item_fields").column("code").to_pylist()
            codes.update(
                names[place] for place in part.run.read(part.start, part.end).column("item_fields").to_pylist()
            )
        found.append(("+".join(sorted(codes)), codes.total()))
    return found


def sizes(least: int, most: int) -> LoadSizes:
    return LoadSizes(min_partition_rows=least, max_partition_rows=most)


def test_codes_are_taken_in_order_until_the_next_would_be_too_many(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {"A": 3, "B": 3, "C": 4, "D": 1, "E": 5})
    assert codes_and_sizes(partition_price_runs([run], 1, sizes(6, 6))) == [("A+B", 6), ("C+D", 5), ("E", 5)]


def test_a_code_of_twice_the_wanted_rows_stays_whole_and_one_of_more_is_cut_evenly(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {"A": 4, "B": 20, "C": 4, "D": 44, "E": 4})
    found = codes_and_sizes(partition_price_runs([run], 1, sizes(10, 10)))
    # 44 rows of a code are ceil(44 / 10) = 5 parts by their hash.
    assert [code for code, _ in found] == ["A", "B", "C", "D", "D", "D", "D", "D", "E"]
    assert [size for _, size in found if size > 9] == [20]
    assert all(8 <= size <= 9 for code, size in found if code == "D")


def test_the_rows_of_a_code_with_one_hash_share_a_partition_whichever_run_they_are_in(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / "one", {"A": 30, "B": 2}), write_run(tmp_path / "two", {"A": 30})]
    partitions = partition_price_runs(runs, 1, sizes(10, 10))
    assert sum(size for _, size in codes_and_sizes(partitions)) == 62
    where: dict[int, set[int]] = {}
    for partition in partitions:
        for part in partition.slices:
            rows = part.run.read(part.start, part.end)
            for code, value in zip(
                rows.column("item_fields").to_pylist(), rows.column("hash_0").to_pylist(), strict=True
            ):
                if code == 0:
                    where.setdefault(value >> int(HASH_SHIFT), set()).add(partition.number)
    assert len(where) == 30
    assert all(len(numbers) == 1 for numbers in where.values())


def test_a_small_file_has_a_few_partitions_for_each_worker(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {f"{code:02}": 10 for code in range(80)})
    for workers in (1, 2):
        assert len(partition_price_runs([run], workers, sizes(1, 1000))) == 4 * workers


def test_no_runs_are_no_partitions() -> None:
    assert partition_price_runs([], 2) == []
