"""The commands that change how facts lie and which there are, in this process."""

import json
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from core import open_store
from core.queries import quality
from core.runtime.progress import show_counting
from core.store.changes.compact import MIN_SMALL_FILES
from core.store.generations.manifest import FORMAT
from core.store.generations.store import Store
from core.store.schema.tables import STORED_TABLES
from tests.built_once import BuiltOnce
from tests.site import serving
from tests.store.old_stores import OLD_FORMAT, unpacked
from tests.store.steps import facts_of, load_made_file, made_store
from tests.stores import table


@pytest.fixture
def filled(built_once: BuiltOnce, tmp_path: Path) -> Iterator[Store]:
    """Two files in the data directory that commands use."""
    store = made_store(built_once, tmp_path, (0, "GA"), (1, "GA"))
    with serving(store.root):
        yield store


def said(*arguments: Any) -> str:
    """Return what a command writes."""
    out = StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def test_reshard(filled: Store) -> None:
    rows = len(facts_of(filled))
    assert said("reshard", "--to", "monthly") == f"{rows} facts moved from single (1 files) to monthly (2 files)\n"
    assert said("reshard", "--to", "monthly") == "the layout is monthly already: nothing has changed\n"
    with pytest.raises(CommandError, match="invalid choice: 'cubic'"):
        said("reshard", "--to", "cubic")


@pytest.mark.in_turns(3, of="long histories of stores")
def test_compact(filled: Store, tmp_path: Path) -> None:
    assert said("compact") == "nothing to compact: every file is sorted\n"
    said("reshard", "--to", "partitioned")
    load_made_file(filled, tmp_path, 2)
    assert said("compact") == "nothing to compact: no state and month has many small files\n"
    before = filled.manifest()
    assert said("compact", "--all", "--dry-run").startswith("GA 2025-08: 2 files into one, ")
    assert filled.manifest() == before
    for number in range(4, 4 + 2 * (MIN_SMALL_FILES - 2), 2):
        load_made_file(filled, tmp_path, number, rates=1)
    assert "advice: 1 states and months have many small files, 8 in all" in checked()
    assert said("compact").strip().endswith("(8 or more of its files are under 64 MB)")
    assert "advice" not in checked()


def checked(*arguments: Any) -> str:
    out = StringIO()
    with pytest.raises(CommandError, match="checks failed"):  # these files are odd in ways that do not matter here
        call_command("dq_check", *arguments, stdout=out)
    return out.getvalue()


def test_upgrade(tmp_path: Path) -> None:
    store = unpacked(tmp_path, "monthly")
    widened = [table.name for table in STORED_TABLES if any(column.since > OLD_FORMAT for column in table.columns)]
    files = [file for name in widened for file in store.loaded().tables.get(name, ())]
    rows = sum(file.rows for file in files)
    assert rows > 1_056  # the facts
    with serving(store.root):
        assert said("store", "prune").startswith("nothing to delete: "), "it upgrades nothing, and does not say so"
        shown = said("upgrade")
        assert shown.splitlines() == [
            "an older version of the program wrote this store: its files are upgraded first",
            f"upgraded from format 1 to {FORMAT}: {rows:,} rows in {len(files)} files",
        ]
        assert said("upgrade") == "the store has the format of this version already: nothing has changed\n"
        fields = json.loads(store.manifest_path.read_text())
        store.manifest_path.write_text(json.dumps({**fields, "format": FORMAT + 1}))
        with pytest.raises(CommandError, match=f"has format {FORMAT + 1}, and .* reads formats up to {FORMAT};"):
            said("upgrade")


def test_a_check_of_an_older_store_is_about_the_upgraded_files(tmp_path: Path) -> None:
    store = unpacked(tmp_path, "monthly")
    with serving(store.root):
        said("dq_check")
        db = open_store.snapshot()
        assert db is not None
        (run,) = quality.list_runs(db)
        assert (db.manifest.format, run.data_version) == (FORMAT, db.manifest.data_version)


def test_copy_by_group(filled: Store) -> None:
    rows = len(facts_of(filled))
    assert said("copy_by_group").splitlines()[-2:] == [
        f"1 file copied by provider group: {rows} facts",
        "8 lookups stored",
    ]
    assert said("copy_by_group") == "nothing to copy: every file of facts has its copy\n"


def test_correct_rates(filled: Store, tmp_path: Path) -> None:
    before = facts_of(filled)
    assert said("correct_rates", "--list") == "no correction so far\n"
    chosen = ("--payer", "payer_inc", "--code-type", "rc", "--code", "450")
    shown = said("correct_rates", *chosen, "--dry-run")
    assert shown.startswith("2 rates are selected; nothing has been removed\n")
    assert "payer               2  Payer, Inc.\n" in shown
    assert "month               2  GA 2025-08\n" in shown
    assert "code                2  REV 0450\n" in shown
    assert "GA, 2025-08, Payer, Inc., REV, 0450, negotiated, 5.0, " in shown
    assert "4 rates are selected" in said("correct_rates", "--code", "450", "--dry-run"), "in any system, of any payer"
    assert facts_of(filled) == before
    with pytest.raises(CommandError, match="a removal needs a reason"):
        said("correct_rates", *chosen)
    assert "correction 1: 2 rates removed; to put them back:\n  manage.py correct_rates --undo 1" in said(
        "correct_rates", *chosen, "--reason", "not theirs"
    )
    assert len(facts_of(filled)) == len(before) - 2
    listed = said("correct_rates", "--list")
    assert "2 rates  payer payer_inc, code_type REV, code 0450: not theirs\n" in listed
    assert said("correct_rates", "--undo", 1) == "correction 1 undone: 2 rates are back\n"
    assert facts_of(filled) == before
    assert "; undone 20" in said("correct_rates", "--list")
    uids = tmp_path / "uids.txt"
    uids.write_text("\n".join(list(before)[:3]))
    assert "3 rates removed" in said("correct_rates", "--uids", uids, "--reason", "these")
    assert "uids uids.txt: these" in said("correct_rates", "--list")
    assert str(tmp_path) not in said("correct_rates", "--list")


def test_a_file_is_forgotten_and_loaded_again(filled: Store, tmp_path: Path) -> None:
    before = facts_of(filled)
    batch = table(filled, "dim_batch").row(0, named=True)
    told = said("correct_rates", "--forget", batch["batch_id"])
    gone = len(before) - len(facts_of(filled))
    assert told.startswith(f"{gone} rates of {batch['reporting_entity_name']}, {batch['year_month']}, are out of the ")
    assert told.endswith(f"to load it again:\n  manage.py ingest_mrf --state GA {batch['source']}\n")
    said("ingest_mrf", "--state", "GA", tmp_path / batch["source"])
    assert facts_of(filled) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing is selected: name at least one of batch, payer"),
        (["--batch", "x"], "'x' is not a batch id; expected 32 hex digits"),
        (["--min-rate", "nan"], "'nan' is not a rate; expected a number"),
        (["--max-rate", "much"], "'much' is not a rate"),
        (["--code-type", " "], "' ' is not a code system"),
        (["--state", "XX"], "'XX' is not a state"),
        (["--list", "--state", "GA"], "--list, --undo, and --forget take no other option"),
        (["--undo", "1", "--reason", "x"], "--list, --undo, and --forget take no other option"),
        (["--forget", "0" * 32, "--state", "GA"], "--list, --undo, and --forget take no other option"),
        (["--forget", "7"], "'7' is not a batch id; expected 32 hex digits"),
        (["--forget", "0" * 32], "batch 0{32} is not in the store"),
        (["--forget", "0" * 32, "--published"], "--forget is for a store of one machine"),
        (["--outside-state", "--dry-run", "--published"], "--outside-state is for a store of one machine"),
        (["--outside-state", "--dry-run"], "no provider's state is known, as NPPES has not been loaded"),
        (["--undo", "1", "--dry-run"], "not allowed with argument"),
        (["--undo", "1"], "there is no correction 1; the corrections are: none"),
        (["--code", "1", "--reason", "x"], "no fact is selected"),
    ],
)
def test_what_correct_rates_cannot_do_is_told(filled: Store, arguments: list[str], message: str) -> None:
    before = filled.manifest()
    with pytest.raises(CommandError, match=message):
        said("correct_rates", *arguments)
    assert filled.manifest() == before


def test_nothing_loaded_is_told(tmp_path: Path) -> None:
    with serving(tmp_path / "none"):
        for arguments in (["reshard", "--to", "monthly"], ["compact"], ["copy_by_group"], ["correct_rates", "--list"]):
            with pytest.raises(CommandError, match="nothing is loaded yet; load a file with ingest_mrf first"):
                said(*arguments)
        assert not (tmp_path / "none").exists(), "a look leaves nothing behind"


def test_no_wait_fails_at_once_and_without_it_a_command_waits(filled: Store, tmp_path: Path) -> None:
    commands: list[list[Any]] = [
        ["ingest_mrf", "--state", "GA", tmp_path / "0.json"],
        ["reshard", "--to", "monthly"],
        ["compact"],
        ["correct_rates", "--state", "GA", "--reason", "x"],
        ["correct_rates", "--undo", 1],
    ]
    with filled.write():
        for command in commands:
            with pytest.raises(CommandError, match="another command is writing here"):
                said(*command, "--no-wait")
        out = StringIO()
        second = threading.Thread(target=lambda: call_command("reshard", "--to", "monthly", stdout=out, stderr=out))
        second.start()
        while "waiting for another command" not in out.getvalue():
            assert second.is_alive()
    second.join()
    assert "moved from single" in out.getvalue()


def test_a_layout_in_the_settings_that_differs_from_the_stores_is_reported(filled: Store, tmp_path: Path) -> None:
    settings.BEACONPOINT_FACT_LAYOUT = "monthly"
    try:
        assert "the store's layout is single; BEACONPOINT_FACT_LAYOUT (monthly) is for new stores" in said(
            "ingest_mrf", "--state", "GA", tmp_path / "0.json"
        )
        assert checked().endswith("To change it: manage.py reshard --to monthly\n")
        report = json.loads(checked("--format", "json"))
        assert len(report["advice"]) == 1
        said("reshard", "--to", "monthly")
        assert "advice" not in checked()
    finally:
        settings.BEACONPOINT_FACT_LAYOUT = None


def test_counting_shows_rows(capsys: pytest.CaptureFixture[str]) -> None:
    with show_counting("moving", plain_every=0) as progress:
        progress(1500, 6000)
    assert capsys.readouterr().err == "moving: 1,500 of 6,000 facts (25%)\n"
