"""What a correction takes out of a published store is gone everywhere, whatever is killed or races, and comes back."""

import random
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core.cluster.copies.local_copy import LAYOUT, refresh_copy
from core.cluster.place import StorePlace
from core.cluster.publication.compaction import compact
from core.cluster.publication.expiry import expire
from core.cluster.publication.publication_log import LogEntry, PublicationLog, replace_facts
from core.cluster.publication.publish import Publisher
from core.cluster.publication.published_corrections import preview_published, remove_published, undo_published
from core.quality.report import run_checks
from core.queries.rules.rate_kinds import MACROS
from core.runtime.errors import BeaconError
from core.store.changes.corrections import corrections, remove, undo
from core.store.changes.selection import Selection
from core.store.connection import QueryLimits, Snapshot
from core.store.generations.store import Store
from core.store.reader import Reader
from core.store.schema.tables import DIM_BATCH, FACT_RATE, REMOVED_RATE
from core.store.upkeep.verify import verify
from tests.cluster.files import job_of, load_single, make_publisher, rows_of, run, write_rates

FIRST, SECOND = 1_000_001, 1_000_002
WRONG = "cents taken for dollars"


def _publish(publisher: Publisher, paths: list[Path], directory: Path) -> None:
    for path in paths:
        run(job_of(publisher.place, path, directory))
    publisher.claim_all()
    publisher.finish()


def _copy(place: StorePlace, directory: Path, *, on_s3: bool = False) -> Store:
    store = Store(directory / "copy", LAYOUT)
    states: tuple[tuple[str, ...], tuple[str, ...]] = ((), ("GA",)) if on_s3 else (("GA",), ())
    refresh_copy(store, place, states[0], directory / "copy-cache", on_s3=states[1])
    return store


def _open(store: Store, directory: Path) -> Snapshot:
    limits = QueryLimits(memory="400MB", threads=1, temp_directory=str(directory / "duckdb"), seconds=60)
    found = Reader(store, limits, MACROS).snapshot()
    assert found
    return found


def _assert_same(copy: Store, single: Store) -> None:
    """Assert that two stores have the same facts, and that corrections have taken out the same ones of the others."""
    assert rows_of(copy, FACT_RATE.name).equals(rows_of(single, FACT_RATE.name))
    mine, theirs = (rows_of(one, REMOVED_RATE.name).drop("correction_id") for one in (copy, single))
    assert mine.equals(theirs)
    recorded = [
        [(one.selection, one.reason, one.rows, one.undone_at is None) for one in corrections(store)]
        for store in (copy, single)
    ]
    assert recorded[0] == recorded[1]


def _registered(publisher: Publisher) -> set[str]:
    """Return the facts that other engines see."""
    table = publisher.catalog.table(FACT_RATE.name)
    uids: list[str] = table.scan(selected_fields=("fact_uid",)).to_arrow().column(0).to_pylist()
    assert len(uids) == len(set(uids))
    return set(uids)


def _uids(store: Store) -> set[str]:
    return set(rows_of(store, FACT_RATE.name)["fact_uid"])


def _problems(store: Store, directory: Path) -> dict[str, int]:
    """Return what checks of sums and corrections find."""
    found = {one.name: one.count for one in run_checks(_open(store, directory)).findings}
    return {name: found.get(name, 0) for name in ("batch_sums", "corrections")}


def test_a_correction_reaches_every_copy_and_engine(publisher: Publisher, tmp_path: Path) -> None:
    place, on_s3 = publisher.place, publisher.place.url.startswith("s3:")
    paths = write_rates(tmp_path / "files", 3)
    single = load_single(Store(tmp_path / "single"), paths)
    _publish(publisher, paths, tmp_path)
    _copy(place, tmp_path)
    batch = str(rows_of(single, DIM_BATCH.name)["batch_id"][0])
    selections = Selection(code=("99201",), max_rate=20), Selection(batch=batch)
    for selection in selections:
        expected = remove(single, selection, WRONG)
        found = preview_published(publisher.log, selection, tmp_path)
        assert found.rows == sum(rows for _, rows in found.by["code"])
        done = remove_published(publisher, selection, WRONG, tmp_path)
        assert done.rows == found.rows == expected.rows
    assert done.correction_id == SECOND
    # Two copies made before and after it, one that reads the rates from S3, and other engines.
    copies = [_copy(place, tmp_path), _copy(place, tmp_path / "new")]
    for copy in copies:
        _assert_same(copy, single)
        assert _problems(copy, tmp_path / "duckdb") == {"batch_sums": 0, "corrections": 0}
        assert verify(copy, deep=True).damages == ()
        assert not refresh_copy(copy, place, ("GA",), copy.root.with_name("copy-cache")).changed
        assert list((copy.root.with_name("copy-cache") / REMOVED_RATE.name).rglob("*.parquet")), "not downloaded again"
    assert _registered(publisher) == _uids(single)
    if on_s3:
        there = _open(_copy(place, tmp_path / "remote", on_s3=True), tmp_path / "remote")
        assert {uid for (uid,) in there.rows("SELECT fact_uid FROM fact_rate")} == _uids(single)
    with pytest.raises(BeaconError, match="no fact is selected"):
        remove_published(publisher, selections[0], WRONG, tmp_path)
    # Nothing that is needed expires, and all of it comes back.
    expire(publisher, -1)
    for number, own in ((FIRST, 1), (SECOND, 2)):
        undo_published(publisher, number, tmp_path)
        undo(single, own)
        _assert_same(_copy(place, tmp_path), single)
        assert _registered(publisher) == _uids(single)
    assert _problems(copies[0], tmp_path / "duckdb") == {"batch_sums": 0, "corrections": 0}
    with pytest.raises(BeaconError, match=f"correction {FIRST} was undone on"):
        undo_published(publisher, FIRST, tmp_path)
    with pytest.raises(BeaconError, match="its corrections are: 1000001, 1000002"):
        undo_published(publisher, 3, tmp_path)
    assert place.list(REMOVED_RATE.name)
    expire(publisher, -1)
    assert not place.list(REMOVED_RATE.name)
    _assert_same(_copy(place, tmp_path), single)
    assert not list((tmp_path / "beaconpoint-cluster").glob("[0-9]*"))


def _between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something once, right before a correction is written to the log."""
    todo = [act]

    def do(*arguments: Any) -> bool:
        while todo:
            todo.pop()()
        return replace_facts(*arguments)

    monkeypatch.setattr("core.cluster.publication.published_corrections.replace_facts", do)


@pytest.mark.parametrize("other", ["compaction", "correction", "undo"])
@pytest.mark.parametrize("place", ["file"], indirect=True)
def test_a_correction_begins_again_if_another_is_faster(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    paths = write_rates(tmp_path / "files", 3)
    single = load_single(Store(tmp_path / "single"), paths)
    _publish(publisher, paths, tmp_path)
    faster = make_publisher(publisher.place, tmp_path)
    if other == "undo":
        remove_published(publisher, Selection(code=("99200",)), WRONG, tmp_path)
        _between(monkeypatch, lambda: undo_published(faster, FIRST, tmp_path))
        with pytest.raises(BeaconError, match="was undone on"):
            undo_published(publisher, FIRST, tmp_path)
        assert _uids(_copy(publisher.place, tmp_path)) == _uids(single)
        return
    if other == "compaction":
        _between(monkeypatch, lambda: list(compact(faster, None, 1, tmp_path)))
    else:
        remove(single, Selection(code=("99200",)), WRONG)
        _between(monkeypatch, lambda: remove_published(faster, Selection(code=("99200",)), WRONG, tmp_path))
    remove(single, Selection(max_rate=10), WRONG)
    done = remove_published(publisher, Selection(max_rate=10), WRONG, tmp_path)
    assert done.correction_id == (FIRST if other == "compaction" else SECOND)
    _assert_same(_copy(publisher.place, tmp_path), single)
    assert _registered(publisher) == _uids(single)


@pytest.mark.parametrize("place", ["file"], indirect=True)
def test_corrections_that_were_killed_are_published_by_the_next_one(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_rates(tmp_path / "files", 2)
    single = load_single(Store(tmp_path / "single"), paths)
    _publish(publisher, paths, tmp_path)
    batch = Selection(batch=str(rows_of(single, DIM_BATCH.name)["batch_id"][0]))
    with monkeypatch.context() as patch:
        # Killed after the log: the tables have to catch up with a file that has gone, come back, and so on at once.
        patch.setattr(Publisher, "finish", lambda _self: None)
        remove_published(publisher, batch, WRONG, tmp_path)
        undo_published(publisher, FIRST, tmp_path)
        remove_published(publisher, batch, WRONG, tmp_path)
        undo_published(publisher, SECOND, tmp_path)
    assert _registered(publisher) == _uids(single)
    make_publisher(publisher.place, tmp_path).finish()
    assert _registered(publisher) == _uids(single)
    remove_published(publisher, batch, WRONG, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "finish", lambda _self: None)
        undo_published(publisher, FIRST + 2, tmp_path)
        remove_published(publisher, batch, WRONG, tmp_path)
    make_publisher(publisher.place, tmp_path).finish()
    remove(single, batch, WRONG)
    assert all(file.rows for file in publisher.log.live_facts())
    assert _registered(publisher) == _uids(single)
    assert _uids(_copy(publisher.place, tmp_path)) == _uids(single)


@pytest.mark.parametrize("seed", range(2))
def test_any_history_of_corrections_is_that_of_sets(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    paths = write_rates(tmp_path / "files", 4)
    publisher = make_publisher(StorePlace((tmp_path / "place").as_uri()), tmp_path)
    every = rows_of(load_single(Store(tmp_path / "single"), paths), FACT_RATE.name)
    rates = dict(every.select("fact_uid", "negotiated_rate").iter_rows())
    waiting = list(paths)
    _publish(publisher, [waiting.pop()], tmp_path)
    there = _registered(publisher)
    removed: dict[int, set[str]] = {}
    number = FIRST
    for _ in range(6):
        act = chance.choice(["load", "remove", "remove", "undo", "compact", "expire"])
        if act == "load" and waiting:
            _publish(publisher, [waiting.pop()], tmp_path)
            there |= {uid for uid in _registered(publisher) if not any(uid in gone for gone in removed.values())}
        elif act == "remove" and there:
            wrong = set(chance.sample(sorted(there), chance.randint(1, len(there))))
            if chance.random() < 0.5:
                limit = chance.choice([rates[uid] for uid in sorted(wrong)])
                wrong, selection = {uid for uid in there if rates[uid] <= limit}, Selection(max_rate=limit)
            else:
                (tmp_path / "wrong.txt").write_text("\n".join(wrong))
                selection = Selection(uids=tmp_path / "wrong.txt")
            remove_published(publisher, selection, WRONG, tmp_path)
            removed[number] = wrong
            there -= wrong
            number += 1
        elif act == "undo" and removed:
            which = chance.choice(sorted(removed))
            undo_published(publisher, which, tmp_path)
            there |= removed.pop(which)
        elif act == "compact":
            assert all(one.published for one in compact(publisher, None, 1, tmp_path))
        elif act == "expire":
            expire(publisher, -1)
        assert _registered(publisher) == there, act
        copy = _copy(publisher.place, tmp_path)
        assert _uids(copy) == there, act
        assert set(rows_of(copy, REMOVED_RATE.name)["fact_uid"]) == set().union(*removed.values()), act


@pytest.mark.parametrize("place", ["file"], indirect=True)
def test_a_fact_that_both_kinds_have_taken_out_is_the_published_ones(publisher: Publisher, tmp_path: Path) -> None:
    _publish(publisher, write_rates(tmp_path / "files", 2), tmp_path)
    copy = _copy(publisher.place, tmp_path)
    every = _uids(copy)
    remove(copy, Selection(code=("99200", "99201")), "seen here first")
    remove(copy, Selection(code=("99202",)), "seen here only")
    remove_published(publisher, Selection(code=("99201", "99202")), WRONG, tmp_path)
    _copy(publisher.place, tmp_path)
    assert [(one.correction_id, one.rows > 0) for one in corrections(copy)] == [(1, True), (2, False), (FIRST, True)]
    assert rows_of(copy, REMOVED_RATE.name)["fact_uid"].is_unique().all()
    assert _problems(copy, tmp_path) == {"batch_sums": 0, "corrections": 0}
    with pytest.raises(BeaconError, match="was made in the published store, and is undone there"):
        undo(copy, FIRST)
    assert remove(copy, Selection(code=("99203",)), "the next one").correction_id == 3
    for number in (1, 2, 3):
        undo(copy, number)
    assert set(rows_of(copy, FACT_RATE.name)["code"]).isdisjoint({"99201", "99202"})
    undo_published(publisher, FIRST, tmp_path)
    assert _uids(_copy(publisher.place, tmp_path)) == every
    assert _problems(copy, tmp_path) == {"batch_sums": 0, "corrections": 0}


@pytest.mark.parametrize("place", ["file"], indirect=True)
def test_the_command_corrects_the_published_store(publisher: Publisher, tmp_path: Path, settings: Any) -> None:
    _publish(publisher, write_rates(tmp_path / "files", 2), tmp_path)
    settings.BEACONPOINT_TEMP_DIR, settings.BEACONPOINT_DATA_DIR = tmp_path, tmp_path / "no-store"

    def say(*arguments: Any) -> str:
        out = StringIO()
        call_command("correct_rates", *map(str, arguments), stdout=out, stderr=out)
        return out.getvalue()

    with pytest.raises(CommandError, match="no object store is set"):
        say("--published", "--list")
    settings.BEACONPOINT_OBJECT_STORE = publisher.place.url
    settings.BEACONPOINT_CATALOG = publisher.catalog.uri
    assert say("--published", "--list") == "no correction so far\n"
    chosen = "--published", "--code", "99201"
    assert say(*chosen, "--dry-run").startswith("8 rates are selected; nothing has been removed\n")
    with pytest.raises(CommandError, match="a removal needs a reason"):
        say(*chosen)
    with pytest.raises(CommandError, match=f"batch {'0' * 32} is not published"):
        say("--published", "--batch", "0" * 32, "--reason", WRONG)
    with pytest.raises(CommandError, match="no payer 'nobody' in the store; its payers are: payer"):
        say("--published", "--payer", "nobody", "--dry-run")
    said = say(*chosen, "--payer", "payer", "--reason", WRONG)
    assert said.startswith(f"correction {FIRST}: 8 rates removed from the published store; copies have it with")
    assert f"8 rates  payer payer, code 99201: {WRONG}" in say("--published", "--list")
    assert say("--undo", FIRST) == f"correction {FIRST} undone: 8 rates are back in the published store\n"
    assert "; undone 20" in say("--published", "--list")


def test_entries_of_an_older_log_are_read(tmp_path: Path) -> None:
    place = StorePlace((tmp_path / "place").as_uri())
    place.create("_log/00000001.json", b'{"receipts": [], "compacted": {"old": ["a"], "new": []}}')
    log = PublicationLog(place)
    assert log.read() == 1
    assert isinstance(log.entries[0], LogEntry)
    assert log.entries[0].replaced is not None
    assert log.entries[0].replaced.old == ("a",)
    assert log.corrections() == []
