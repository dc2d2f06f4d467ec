"""What is published is what one machine would have, whatever is repeated, killed, or raced."""

import multiprocessing
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.cluster.copies.local_copy import LAYOUT, refresh_copy
from core.cluster.files.batch_files import PUBLISHED
from core.cluster.files.receipts import FOLDER, read_receipts
from core.cluster.place import PlaceError, StorePlace
from core.cluster.publication.compaction import compact
from core.cluster.publication.expiry import expire
from core.cluster.publication.publication_log import PublicationLog, replace_facts
from core.cluster.publication.publish import ClusterGeneration, Publisher, newest_generation
from core.cluster.running.load_job import LoadJob
from core.runtime.errors import BeaconError
from core.store.changes.corrections import remove, undo
from core.store.changes.selection import Selection
from core.store.generations.store import Store
from core.store.schema.tables import FACT_RATE, REMOVED_RATE
from core.store.upkeep.verify import verify
from tests.cluster.files import assert_same_stores, job_of, load_single, make_publisher, rows_of, run, write_rates


def _copy(place: StorePlace, directory: Path, *states: str, number: int | None = None) -> Store:
    store = Store(directory / "copy", LAYOUT)
    refresh_copy(store, place, states or ("GA",), directory / "copy-cache", number)
    return store


def _registered(publisher: Publisher, name: str) -> int:
    """Return the rows that a table of the catalog has."""
    return int(publisher.catalog.table(name).scan().count())


def test_a_published_store_has_what_one_machine_has(publisher: Publisher, tmp_path: Path) -> None:
    paths = write_rates(tmp_path / "files", 3, same=1)
    mixed = random.sample(paths, len(paths))
    for part in (mixed[:1], mixed[1:]):
        receipts = [one for path in part for one in run(job_of(publisher.place, path, tmp_path)).receipts]
        publisher.claim(receipts)
        generation = publisher.finish()
    assert generation.number in {1, 2}  # the second part may have nothing but the first one's content
    single = load_single(Store(tmp_path / "single"), paths)
    assert_same_stores(_copy(publisher.place, tmp_path), single)
    for table in PUBLISHED:
        assert _registered(publisher, table.name) == single.loaded().rows(table.name), table.name
    assert not list((tmp_path / "beaconpoint-cluster").glob("[0-9]*"))
    # Once more from the beginning, by somebody who knows nothing of the first run: nothing changes.
    again = make_publisher(publisher.place, tmp_path)
    for path in paths:
        run(job_of(publisher.place, path, tmp_path))
    again.claim_all()
    assert again.finish() == generation


def test_a_table_registers_each_file_once_however_many_publish(publisher: Publisher, tmp_path: Path) -> None:
    paths = write_rates(tmp_path / "files", 3)
    rows = sum(run(job_of(publisher.place, path, tmp_path)).receipts[0].rows for path in paths)
    receipts = read_receipts(publisher.place)
    racing = [make_publisher(publisher.place, tmp_path) for _ in range(3)]

    def publish(one: Publisher, seed: int) -> None:
        for receipt in random.Random(seed).sample(receipts, len(receipts)):
            one.claim([receipt])
        one.finish()

    threads = [threading.Thread(target=publish, args=each) for each in zip(racing, range(3), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    newest = newest_generation(publisher.place)
    assert newest
    assert newest.number == 3
    assert _registered(publisher, FACT_RATE.name) == rows
    # The control: without the note of the log's entry, registering the same files again doubles their rows.
    table = publisher.catalog.table(FACT_RATE.name)
    paths_again = [
        publisher.place.url_of(file.path) for one in receipts for file in one.files if file.table == FACT_RATE.name
    ]
    table.add_files(paths_again, check_duplicate_files=False)
    assert _registered(publisher, FACT_RATE.name) == 2 * rows


def _run_and_publish(place: StorePlace, paths: list[Path], directory: Path) -> None:
    for path in paths:
        run(job_of(place, path, directory))
        publisher = make_publisher(place, directory)
        publisher.claim_all()
        publisher.finish()


def test_a_run_that_is_killed_at_any_moment_goes_on(tmp_path: Path) -> None:
    place, paths = StorePlace((tmp_path / "place").as_uri()), write_rates(tmp_path / "files", 3)
    processes = multiprocessing.get_context("spawn")
    for seconds in (1.5, 2.2, 2.8, 3.4):
        process = processes.Process(target=_run_and_publish, args=(place, paths, tmp_path))
        process.start()
        process.join(seconds)
        process.kill()
        process.join()
    _run_and_publish(place, paths, tmp_path)
    publisher = make_publisher(place, tmp_path)
    single = load_single(Store(tmp_path / "single"), paths)
    assert_same_stores(_copy(place, tmp_path), single)
    for table in PUBLISHED:
        assert _registered(publisher, table.name) == single.loaded().rows(table.name), table.name
    assert not list((tmp_path / "beaconpoint-cluster").glob("[0-9]*"))


@pytest.mark.parametrize("place", ["file"], indirect=True)
def test_a_kill_between_two_tables_is_mended(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = write_rates(tmp_path / "files", 1)
    run(job_of(publisher.place, path, tmp_path))
    commit = type(publisher.catalog)._commit
    done: list[str] = []

    def stop(self: object, table: object, change: object, number: int) -> None:
        if len(done) in {1, 5}:
            done.append("killed")
            raise KeyboardInterrupt
        done.append("committed")
        commit(self, table, change, number)  # type: ignore[arg-type]

    monkeypatch.setattr(type(publisher.catalog), "_commit", stop)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            _claim_and_finish(make_publisher(publisher.place, tmp_path))
        assert newest_generation(publisher.place) is None
    _claim_and_finish(make_publisher(publisher.place, tmp_path))
    single = load_single(Store(tmp_path / "single"), [path])
    for table in PUBLISHED:
        assert _registered(publisher, table.name) == single.loaded().rows(table.name), table.name


def _claim_and_finish(publisher: Publisher) -> None:
    publisher.claim_all()
    publisher.finish()


def _rows_at(publisher: Publisher, generation: ClusterGeneration) -> dict[str, int]:
    """Return the rows of each table in a generation, read from the files of its snapshot."""
    return {
        name: publisher.catalog.table(name).scan(snapshot_id=int(snapshot)).to_arrow().num_rows if snapshot else 0
        for name, snapshot in generation.snapshots.items()
    }


@pytest.mark.parametrize("place", ["s3"], indirect=True)
def test_a_pinned_generation_stays_as_it_is(publisher: Publisher, tmp_path: Path) -> None:
    paths = write_rates(tmp_path / "files", 4)
    single = Store(tmp_path / "single")
    for path in paths[:2]:
        run(job_of(publisher.place, path, tmp_path))
    _claim_and_finish(publisher)
    pinned = newest_generation(publisher.place)
    assert pinned
    # A reader of the generation, while more is loaded, published, and compacted.
    reader, seen, ended = make_publisher(publisher.place, tmp_path), [], threading.Event()

    def read() -> None:
        while not ended.is_set():
            seen.append(_rows_at(reader, pinned))

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        try:
            for path in paths[2:]:
                run(job_of(publisher.place, path, tmp_path))
                _claim_and_finish(publisher)
            assert [one.published for one in compact(publisher, None, 1, tmp_path / "scratch")] == [True]
        finally:
            ended.set()
        reading.result()
    load_single(single, paths[:2])
    expected = {table.name: single.loaded().rows(table.name) for table in PUBLISHED}
    assert [*seen, _rows_at(reader, pinned)] == [expected] * (len(seen) + 1)
    assert_same_stores(_copy(publisher.place, tmp_path / "old", number=pinned.number), single)
    # The newest one has all rows, in one file; what was replaced is deleted when its time is over, and leftovers are.
    publisher.place.write(f"{FACT_RATE.name}/state=GA/year_month=2025-08/leftover.parquet", b"of a killed task")
    everything = load_single(Store(tmp_path / "everything"), paths)
    assert expire(publisher, 1).objects == 0
    assert expire(publisher, -1).objects >= 5
    copy = _copy(publisher.place, tmp_path)
    assert_same_stores(copy, everything)
    assert len(copy.paths(FACT_RATE.name)) == 1
    assert _registered(publisher, FACT_RATE.name) == everything.loaded().rows(FACT_RATE.name)


def test_a_compaction_gives_way_to_a_faster_one(tmp_path: Path) -> None:
    place = StorePlace((tmp_path / "place").as_uri())
    for path in write_rates(tmp_path / "files", 3):
        run(job_of(place, path, tmp_path))
    publisher = make_publisher(place, tmp_path)
    _claim_and_finish(publisher)
    old = publisher.log.live_facts()
    slow = PublicationLog(place)
    assert replace_facts(publisher.log, old[:2], [old[0]])
    assert not replace_facts(slow, old, [])
    assert len(slow.live_facts()) == 2


def test_a_batch_is_loaded_for_all_its_states_in_one_pass(tmp_path: Path) -> None:
    place = StorePlace((tmp_path / "place").as_uri())
    (path,) = write_rates(tmp_path / "files", 1)
    assert not run(job_of(place, path, tmp_path, "GA")).problems
    (problem,) = run(job_of(place, path, tmp_path, "FL")).problems
    assert "was loaded before for GA" in problem
    assert len(place.list(FOLDER)) == 1


def test_a_file_that_needs_too_much_memory_fails_alone(tmp_path: Path) -> None:
    place = StorePlace((tmp_path / "place").as_uri())
    good, bad = write_rates(tmp_path / "files", 2)
    bad.write_text(good.read_text()[:-20])
    assert run(job_of(place, bad, tmp_path)).problems
    job = job_of(place, good, tmp_path)
    small = LoadJob(place, good, job.loads, memory=1_000_000, scratch=tmp_path)
    process = multiprocessing.get_context("spawn").Pool(1)
    with process:
        (problem,) = process.apply(run, (small,)).problems
    assert "memory" in problem.lower()
    assert place.list(FOLDER) == []
    assert not run(job).problems


def test_a_place_says_what_is_wrong_in_one_line(place: StorePlace, tmp_path: Path) -> None:
    assert place.create("a/1", b"first")
    assert not place.create("a/1", b"second")
    assert place.read("a/1") == b"first"
    place.write("a/1", b"third")
    assert [one.path for one in place.list("a")] == ["a/1"]
    place.delete(["a/1", "a/2"])
    with pytest.raises(PlaceError, match="no such object"):
        place.read("a/1")
    assert make_publisher(place, tmp_path).finish().number == 0  # as a run does that has loaded nothing
    with pytest.raises(BeaconError, match="nothing is published yet"):
        refresh_copy(Store(tmp_path / "copy", LAYOUT), place, ("GA",), tmp_path / "cache")
    own = load_single(Store(tmp_path / "own"), write_rates(tmp_path / "files", 1))
    assert rows_of(own, FACT_RATE.name).height


@pytest.mark.parametrize("place", ["file"], indirect=True)
def test_corrections_of_a_copy_outlive_a_refresh(publisher: Publisher, tmp_path: Path) -> None:
    paths = write_rates(tmp_path / "files", 3)
    single = load_single(Store(tmp_path / "single"), paths[:2])
    for path in paths[:2]:
        run(job_of(publisher.place, path, tmp_path))
    _claim_and_finish(publisher)
    copy = _copy(publisher.place, tmp_path)
    for store in (copy, single):
        remove(store, Selection(code=("99201",)), "cents taken for dollars")
    cache = tmp_path / "copy-cache"
    assert not refresh_copy(copy, publisher.place, ("GA",), cache).changed
    _assert_same_facts(copy, single)
    run(job_of(publisher.place, paths[2], tmp_path))
    _claim_and_finish(publisher)
    assert refresh_copy(copy, publisher.place, ("GA",), cache).changed
    assert not refresh_copy(copy, publisher.place, ("GA",), cache).changed
    load_single(single, paths[2:])
    _assert_same_facts(copy, single)
    for store in (copy, single):
        undo(store, 1)
    _assert_same_facts(copy, single)
    assert [one.published for one in compact(publisher, None, 1, tmp_path / "scratch")] == [True]
    assert refresh_copy(copy, publisher.place, ("GA",), cache).changed
    _assert_same_facts(copy, single)
    assert verify(copy, deep=True).damages == ()


def _assert_same_facts(one: Store, other: Store) -> None:
    for name in (FACT_RATE.name, REMOVED_RATE.name):
        assert rows_of(one, name).equals(rows_of(other, name)), name
