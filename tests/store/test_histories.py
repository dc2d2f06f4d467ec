"""Whatever is done to a store, in whatever order, it holds what a dictionary of rows would hold."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.quality.report import run_checks
from core.queries import coverage
from core.runtime.errors import BeaconError
from core.store.changes.compact import compact
from core.store.changes.corrections import remove, undo
from core.store.changes.reshard import reshard
from core.store.changes.selection import Selection
from core.store.generations.layout import LAYOUTS
from core.store.generations.store import Store
from core.store.parquet.writer import FileSizes
from core.store.schema import ids
from tests import slow_reader
from tests.store.changes.selections import chosen, fits
from tests.store.steps import Row, assert_sound, assert_tidy, content, facts_of, load_made_file
from tests.stores import open_snapshot

FILES = 5
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "15"))


@dataclass
class Slow:
    """The store as a dictionary of rows: the files' rows by the slow reference, and what was taken out of them."""

    rows: dict[str, Row] = field(default_factory=dict)
    batches: dict[str, str] = field(default_factory=dict)
    loaded: set[tuple[int, str]] = field(default_factory=set)
    removed: list[dict[str, Row] | None] = field(default_factory=list)
    """What each correction took out; None once it is undone."""

    def load(self, number: int, state: str) -> bool:
        if (number, state) in self.loaded:
            return False
        self.loaded.add((number, state))
        flat = slow_reader.flatten(content(number), state)
        for grain, carried in flat.facts.items():
            names = (*slow_reader.COLUMNS, *slow_reader.CARRIED)
            row = dict(zip(names, (*grain, *carried), strict=True))
            uid = ids.fact_uid(row)
            self.rows[uid] = {**row, "fact_uid": uid}
            self.batches[row["pg_uid"]] = flat.batch_id
        return True

    def remove(self, selection: Selection, uids: set[str]) -> int:
        gone = {uid: row for uid, row in self.rows.items() if fits(row, selection, self.batches, uids)}
        self.rows = {uid: row for uid, row in self.rows.items() if uid not in gone}
        if gone:
            self.removed.append(gone)
        return len(gone)

    def undo(self, number: int) -> bool:
        back = self.removed[number - 1]
        if back is None:
            return False
        self.rows |= back
        self.removed[number - 1] = None
        return True


STEPS = ("load", "load", "load", "remove", "remove", "undo", "reshard", "compact")


@pytest.mark.in_turns(2)
@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=max(EXAMPLES // 5, 1))
@given(data=st.data(), groups=st.sampled_from([4, 11, 122_880]), number_of_steps=st.integers(3, 8))
def test_any_history_gives_what_a_dictionary_gives(
    layout: str, data: st.DataObject, groups: int, number_of_steps: int
) -> None:
    # Small row groups come with runs beside each other.
    rewritten = 4 if groups == 4 else 2_000_000
    sizes = FileSizes(row_group_rows=groups, max_merged_streams=2, max_rewritten_rows=rewritten, max_runs=3)
    slow = Slow()
    with TemporaryDirectory() as name:
        directory = Path(name)
        store = Store(directory / "data", layout, grace=data.draw(st.sampled_from([0, 3600])), sizes=sizes)
        load_made_file(store, directory, 0)
        slow.load(0, "GA")
        for _ in range(number_of_steps):
            take_a_step(store, slow, directory, data)
            assert facts_of(store) == slow.rows
        assert_counts(store, slow)
        assert_sound(store)
        assert_tidy(store)


def take_a_step(store: Store, slow: Slow, directory: Path, data: st.DataObject) -> None:
    step = data.draw(st.sampled_from(STEPS))
    if step == "load":
        number, state = data.draw(st.integers(0, FILES - 1)), data.draw(st.sampled_from(["GA", "GA", "FL"]))
        assert load_made_file(store, directory, number, state).loaded_before != slow.load(number, state)
    elif step == "remove" and slow.rows:
        selection, uids = data.draw(chosen(list(slow.rows.values()), slow.batches, directory))
        rows = slow.remove(selection, uids)
        if rows:
            assert remove(store, selection, "why").rows == rows
        else:
            assert_refused(lambda: remove(store, selection, "why"))
    elif step == "undo" and slow.removed:
        number = data.draw(st.integers(1, len(slow.removed)))
        if slow.undo(number):
            undo(store, number)
        else:
            assert_refused(lambda: undo(store, number))
    elif step == "reshard":
        reshard(store, data.draw(st.sampled_from(LAYOUTS)))
    elif step == "compact":
        compact(store, every=data.draw(st.booleans()), min_small_files=2)


def assert_refused(action: Any) -> None:
    with pytest.raises(BeaconError):
        action()


def assert_counts(store: Store, slow: Slow) -> None:
    """Check that the records add up, and that the pages show what is there."""
    db = open_snapshot(store)
    (sums,) = (finding for finding in run_checks(db).findings if finding.name == "batch_sums")
    assert (sums.count, sums.total) == (0, len(slow.loaded))
    assert sum(one.rates for one in coverage.list_coverage(db)) == len(slow.rows)
    in_force = sum(len(rows) for rows in slow.removed if rows is not None)
    assert db.rows("SELECT count(*) FROM removed_rate") == [(in_force,)]
    for selection, rows, undone in db.rows(
        "SELECT selection, rows, undone_at IS NOT NULL FROM corrections ORDER BY correction_id"
    ):
        assert json.loads(selection)
        assert rows > 0
        assert isinstance(undone, bool)
    assert db.rows("SELECT count(*) FROM corrections") == [(len(slow.removed),)]
