"""Reports of dq_check are kept in full, by payer and month, up to a limit, and never in part."""

import shutil
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fields.providers.payer_slug import make_payer_slug
from core.load.load_file import load_file
from core.quality.checks import CHECKS
from core.quality.failing_rows import find_failing_rows
from core.quality.record import keep_report
from core.quality.report import QualityReport, run_checks
from core.queries import quality
from core.store.changes.compact import compact
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.built_once import BuiltOnce
from tests.fixture_types import Load
from tests.payer_files import contents
from tests.rate_files import file_of, item_of
from tests.site import serving
from tests.store.generations.interrupted.killed import REHEARSAL
from tests.store.generations.interrupted.killing import Killer
from tests.store.steps import assert_tidy, facts_of, load_made_file, made_store
from tests.stores import listing, open_snapshot


def checked(store: Store) -> QualityReport:
    return run_checks(open_snapshot(store))


def recorded(store: Store) -> list[Any]:
    """Every run that is kept, but for the moment it was made."""
    db = open_snapshot(store)
    runs = db.rows("SELECT run_id, generation, data_version, errors_failed, warnings_failed FROM dq_run ORDER BY ALL")
    return [runs, db.rows("SELECT * FROM dq_finding ORDER BY ALL")]


def test_a_report_comes_back_as_it_was(load: Load, store: Store) -> None:
    load(file_of(item_of(0, 0, 5), reporting_entity_name="Zero, Inc."), name="a.json")
    load(file_of(item_of(7), reporting_entity_name="Sound"), name="b.json")
    report = checked(store)
    before = store.loaded()
    assert keep_report(store, report) == 1
    db = open_snapshot(store)
    (run,) = quality.list_runs(db)
    assert (run.generation, run.data_version) == (before.generation, before.data_version)
    assert run.checked_at == report.checked_at.replace(tzinfo=None)
    assert (run.checks, run.errors_failed, run.warnings_failed) == (len(CHECKS), 0, len(report.failed()))
    found = {one.check_name: one for one in quality.list_check_outcomes(db, 1)}
    for finding in report.findings:
        one = found[finding.name]
        assert (one.found, one.total, one.passed, one.share) == (
            finding.count,
            finding.total,
            finding.passed,
            finding.share,
        )
    total, places = quality.list_checked_places(db, 1, {"check_name": "zero_rates"}, 10)
    assert total == 1
    (place,) = places
    assert (place.payer_slug, place.reporting_entity_name) == ("zero_inc", "Zero, Inc.")
    assert (place.state, place.year_month, place.found, place.total) == ("GA", "2025-08", 1, 2)
    assert place.passed is False
    assert '"negotiated_rate": 0.0' in str(place.example).replace(":0.0", ": 0.0")


def test_what_stands_behind_is_one_payer_s(load: Load, store: Store) -> None:
    load(file_of(item_of(0, 0, 5), reporting_entity_name="Zero, Inc."), name="a.json")
    load(file_of(item_of(0, 7), reporting_entity_name="Other"), name="b.json", year_month="2025-07")
    load(file_of(item_of(7), reporting_entity_name="Sound"), name="c.json")
    (one,) = (one for one in CHECKS if one.name == "zero_rates")
    db = open_snapshot(store)
    assert find_failing_rows(db, one, 10).total == 2
    assert (
        find_failing_rows(db, one, 10, payer="zero_inc").total
        == find_failing_rows(db, one, 10, year_month="2025-08").total
        == 1
    )
    assert find_failing_rows(db, one, 10, payer="sound").total == find_failing_rows(db, one, 10, state="FL").total == 0


def test_a_record_changes_no_data(load: Load, store: Store) -> None:
    """Two generations that differ in records alone have one data version; a load has another."""
    load(file_of(item_of(1)), name="a.json")
    before, facts = store.loaded(), facts_of(store)
    keep_report(store, checked(store))
    after = store.loaded()
    assert after.generation == before.generation + 1
    assert after.data_version == before.data_version
    assert facts_of(store) == facts
    assert {name: files for name, files in after.tables.items() if not name.startswith("dq_")} == {
        name: files for name, files in before.tables.items() if not name.startswith("dq_")
    }
    load(file_of(item_of(2)), name="b.json")
    assert store.loaded().data_version != before.data_version
    assert_tidy(store)


def test_merging_files_is_a_change_of_data(tmp_path: Path) -> None:
    """What was checked were other files: those that merged them may have done it wrong."""
    store = Store(tmp_path / "data", "partitioned")
    for number in (0, 2):
        load_made_file(store, tmp_path, number)
    before = store.loaded().data_version
    compact(store, every=True)
    assert store.loaded().data_version != before


def test_the_history_is_bounded(load: Load, store: Store) -> None:
    load(file_of(item_of(0, 5)))
    for number in range(1, 6):
        assert keep_report(store, checked(store), max_runs=3) == number
    db = open_snapshot(store)
    assert [run.run_id for run in quality.list_runs(db)] == [5, 4, 3]
    assert db.rows("SELECT DISTINCT run_id FROM dq_finding ORDER BY 1") == [(3,), (4,), (5,)]
    with_example = db.rows("SELECT DISTINCT run_id FROM dq_finding WHERE example IS NOT NULL")
    assert with_example == [(5,)], "what earlier examples show may be gone"
    assert [one.found for one in quality.list_history(db, 5, {"check_name": "zero_rates"})] == [1, 1, 1]


def test_runs_of_one_state_have_a_history_of_their_own(load: Load, store: Store) -> None:
    load(file_of(item_of(0, 5)), name="a.json", state="GA")
    load(file_of(item_of(0, 0, 6)), name="b.json", state="FL")
    keep_report(store, checked(store))
    keep_report(store, run_checks(open_snapshot(store), "FL"))
    keep_report(store, checked(store))
    db = open_snapshot(store)
    assert [(run.run_id, run.state) for run in quality.list_runs(db)] == [(3, ""), (2, "FL"), (1, "")]
    assert [(one.run_id, one.found) for one in quality.list_history(db, 3, {"check_name": "zero_rates"})] == [
        (1, 2),
        (3, 2),
    ]
    assert [(one.run_id, one.found) for one in quality.list_history(db, 2, {"check_name": "zero_rates"})] == [(2, 1)]
    of_georgia = quality.list_history(db, 3, {"check_name": "zero_rates", "state": "GA"})
    assert [(one.run_id, one.found) for one in of_georgia] == [(1, 1), (3, 1)]


@pytest.mark.in_turns(3, of="long histories of stores")
# Of 0 and 3, the first file is of one payer, and of another month.
@settings(max_examples=5)
@given(content=contents(), number=st.sampled_from([0, 3]))
def test_parts_are_what_the_part_s_own_report_finds(
    content: bytes, number: int, built_once: BuiltOnce, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Parts add up to the whole; a report of a part alone finds the same, and its page lists it."""
    directory = tmp_path_factory.mktemp("parts")
    another_payer = number + 2  # in the same month
    store = made_store(built_once, directory, (number, "GA"), (another_payer, "GA"), (number + 1, "FL"))
    (directory / "any.json").write_bytes(content)
    load_file(store, open_documents(directory / "any.json")[0], "GA")
    db = open_snapshot(store)
    zeros = Counter(
        (row["state"], row["year_month"], make_payer_slug(row["reporting_entity_name"]))
        for row in facts_of(store).values()
        if row["negotiated_rate"] == 0
    )
    for finding, one in zip(run_checks(db).findings, CHECKS, strict=True):
        if finding.name == "zero_rates":
            assert {(p.state, p.year_month, p.payer_slug): p.count for p in finding.parts} == zeros
        if one.counted == "*" and one.by:
            assert sum(part.count for part in finding.parts) == finding.count
        for part in finding.parts:
            assert 0 < part.count <= part.total <= finding.total
            assert part.passed == (part.count / part.total <= finding.threshold)
            asked = (part.state or None, part.year_month or None, part.payer_slug or None)
            listed = find_failing_rows(db, one, 1000, 0, *asked)
            assert listed.total == len(listed.rows) == part.count, finding.name
    shutil.rmtree(directory)


def test_a_group_comes_with_its_rates(load: Load, store: Store) -> None:
    load(file_of(item_of(5, 6, code="2"), item_of(7, code="1")))
    (one,) = (one for one in CHECKS if one.name == "groups_without_tin")
    found = find_failing_rows(open_snapshot(store), one, 10)
    (row,) = (dict(zip(found.names, row, strict=True)) for row in found.rows)
    assert (row["rates"], row["state"], row["code"]) == (3, "GA", "1")


def test_a_store_that_cannot_be_written_says_so_in_one_line(load: Load, store: Store) -> None:
    load(file_of(item_of(1)))
    before = listing(store.root)
    out, err = StringIO(), StringIO()
    with (
        serving(store.root),
        store.write(),  # another command is writing
        pytest.raises(CommandError, match=f"2 of {len(CHECKS)} checks failed"),
    ):
        call_command("dq_check", wait=0.0, stdout=out, stderr=err)
    assert err.getvalue().count("\n") == 1
    assert "the result was not kept: " in err.getvalue()
    assert "another command is writing here" in err.getvalue()
    assert out.getvalue().count("\n") > len(CHECKS)
    assert listing(store.root) == before


def test_a_run_leaves_no_record_when_it_is_told_so(load: Load, store: Store) -> None:
    load(file_of(item_of(1)))
    before = listing(store.root)
    with serving(store.root), pytest.raises(CommandError):
        call_command("dq_check", "--no-record", stdout=StringIO())
    assert listing(store.root) == before
    with serving(store.root), pytest.raises(CommandError):
        call_command("dq_check", stdout=StringIO())
    assert store.loaded().rows("dq_run") == 1


@pytest.mark.in_turns(1)
@pytest.mark.parametrize("number", range(3))
def test_a_killed_record_hurts_nothing(built_once: BuiltOnce, tmp_path: Path, number: int) -> None:
    original, root = tmp_path / "data", tmp_path / "victim"
    store = Store(made_store(built_once, tmp_path, (0, "GA")).root, grace=0)
    keep_report(store, checked(store))
    shutil.copytree(original, root, symlinks=True)
    killer = Killer()
    moment = killer.kill(root, "record", tmp_path)
    killer.close()
    before, after = (recorded(Store(path, grace=0)) for path in (original, tmp_path / REHEARSAL))
    victim = Store(root, grace=0)
    found = recorded(victim)
    assert found in (before, after), moment
    assert facts_of(victim) == facts_of(store)
    if found == before:
        keep_report(victim, checked(victim))
        assert recorded(victim) == after, moment
    else:
        with victim.write():  # the next writer, whatever it does
            pass
    assert_tidy(victim)
