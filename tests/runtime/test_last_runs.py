"""The record of how a command ended."""

import time
from pathlib import Path

import pytest

from core.runtime.errors import BeaconError
from core.runtime.last_runs import FOLDER, read_last_runs, record_run


def test_the_last_run_of_each_command_is_kept(tmp_path: Path) -> None:
    before = time.time()
    with pytest.raises(BeaconError), record_run(tmp_path, "ingest_mrf"):
        raise BeaconError("no space left")
    with record_run(tmp_path, "dq_check"):
        pass
    assert [(run.command, run.problem) for run in read_last_runs(tmp_path)] == [
        ("dq_check", ""),
        ("ingest_mrf", "no space left"),
    ]
    assert all(before <= run.ended_at <= time.time() and run.seconds >= 0 for run in read_last_runs(tmp_path))
    with record_run(tmp_path, "ingest_mrf"):
        pass
    assert [run.problem for run in read_last_runs(tmp_path)] == ["", ""]


def test_a_command_that_is_stopped_has_failed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), record_run(tmp_path, "ingest_mrf"):
        raise KeyboardInterrupt
    assert read_last_runs(tmp_path)[0].problem == "KeyboardInterrupt"


def test_a_record_that_cannot_be_written_fails_nothing(tmp_path: Path) -> None:
    with record_run(tmp_path / "missing", "ingest_mrf"):
        pass
    assert not (tmp_path / "missing").exists(), "a store is made by what is loaded into it"
    (tmp_path / FOLDER).write_text("not a folder")
    with record_run(tmp_path, "ingest_mrf"):
        pass
    assert read_last_runs(tmp_path) == []


def test_a_damaged_record_is_left_out(tmp_path: Path) -> None:
    with record_run(tmp_path, "dq_check"):
        pass
    for name, text in (
        ("a", "{"),
        ("b", "[1]"),
        ("c", '{"command": "c"}'),
        ("d", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")),
    ):
        (tmp_path / FOLDER / f"{name}.json").write_text(text, encoding="latin-1")
    assert [run.command for run in read_last_runs(tmp_path)] == ["dq_check"]
