"""Which rates are of providers in other states: for a removal, and for the check that tells of them."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.load.load_file import load_file
from core.quality.checks import CHECKS_BY_NAME
from core.quality.report import run_checks
from core.runtime.errors import BeaconError
from core.store.changes.corrections import remove, undo
from core.store.changes.removal import preview_removal
from core.store.changes.selection import Selection
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.load.npi_states import place
from tests.rate_files import file_of, item_of
from tests.store.steps import facts_of
from tests.stores import open_snapshot, table

NPIS = ("1234567893", "1245319599", "1003000126", "1992999825")


@pytest.mark.in_turns(3, of="long histories of stores")
@given(
    groups=st.lists(st.sets(st.sampled_from(NPIS)), min_size=2, max_size=5),
    states=st.fixed_dictionaries({npi: st.sampled_from(["GA", "TX", None]) for npi in NPIS}),
)
def test_rates_outside_their_state_are_those_of_groups_with_nobody_in_it(
    groups: list[set[str]], states: dict[str, str | None]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = Store(Path(directory) / "data")
        path = Path(directory) / "rates.json"
        references = [
            {
                "provider_group_id": number,
                "provider_groups": [
                    {"npi": sorted(map(int, members)), "tin": {"type": "ein", "value": f"58123450{number}"}}
                ],
            }
            for number, members in enumerate(groups)
        ]
        items = [item_of(number + 1, references=[number]) for number in range(len(groups))]
        path.write_text(json.dumps(file_of(*items, provider_references=references)))
        for state in ("GA", "TX"):
            load_file(store, open_documents(path)[0], state)
        place(store, **{f"npi{npi}": state for npi, state in states.items() if state})
        before = facts_of(store)
        known = [{states[npi] for npi in members} - {None} for members in groups]
        expected = {
            uid
            for uid, row in before.items()
            if (of_group := known[int(row["negotiated_rate"]) - 1]) and row["state"] not in of_group
        }
        chosen = Selection(outside_state=True)
        if not any(known):
            with pytest.raises(BeaconError, match="no provider's state is known"):
                preview_removal(store, chosen)
            return
        assert preview_removal(store, chosen).rows == len(expected)
        found = run_checks(open_snapshot(store), checks=[CHECKS_BY_NAME["outside_state"]]).findings[0]
        assert (found.count, found.total) == (len(expected), len(before))
        assert found.passed == (len(expected) <= len(before) / 4)
        if expected:
            done = remove(store, chosen, "of other states")
            assert json.loads(done.selection) == {"outside_state": True}
            assert set(facts_of(store)) == set(before) - expected
            assert set(table(store, "removed_rate")["fact_uid"]) == expected
            undo(store, done.correction_id)
            assert facts_of(store) == before
