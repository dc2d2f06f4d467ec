"""The facts that a load must not add again: those of its own batch, in its own state and month."""

from pathlib import Path

from core.store.changes.known_facts import read_known, write_known
from core.store.generations.layout import StateMonth
from core.store.generations.store import Store
from core.store.schema import ids
from core.store.writer_connection import connect_for_writing
from tests.fixture_types import Load
from tests.rate_files import file_of, item_of
from tests.stores import table


def known_to(store: Store, batch_id: str, period: StateMonth, directory: Path) -> list[list[int]]:
    with store.write() as transaction:
        connection = connect_for_writing(transaction.work)
        try:
            path = write_known(connection, transaction, batch_id, period, directory)
        finally:
            connection.close()
    count = path.stat().st_size // 16
    return sorted(read_known(path, 0, count).tolist())


def test_only_facts_of_the_same_file_and_state_are_known(load: Load, store: Store, tmp_path: Path) -> None:
    first = load(file_of(item_of(1, 2, 3)), "GA").record["batch_id"]
    load(file_of(item_of(1, 2, 3, code="99214")), "GA", name="other.json")
    load(file_of(item_of(1, 2, 3)), "FL")
    groups = table(store, "dim_provider_group").filter(batch_id=first)["pg_uid"]
    facts = table(store, "fact_rate")
    mine = facts.filter(facts["pg_uid"].is_in(groups.implode()) & (facts["state"] == "GA"))
    assert mine.height == 3
    assert known_to(store, first, StateMonth("GA", "2025-08"), tmp_path) == sorted(
        ids.hash_words(mine["fact_uid"]).tolist()
    )
    assert known_to(store, "0" * 32, StateMonth("GA", "2025-08"), tmp_path) == []
