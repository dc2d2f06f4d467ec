"""Copies of the facts by provider group: all facts once, whatever has been copied, and gone with what they are of."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from core.quality.advice import advise
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.parties import provider_rates, providers
from core.store.changes.compact import compact
from core.store.changes.corrections import remove, undo
from core.store.changes.provider_order import copy_by_group, without_copy
from core.store.changes.reshard import reshard
from core.store.changes.selection import Selection
from core.store.generations.manifest import BY_GROUP
from core.store.generations.store import Store
from core.store.schema.tables import RATE_BY_GROUP
from tests.store.steps import UNLIKE_LAYOUTS, assert_sound, assert_tidy, facts_of, load_made_file
from tests.stores import open_snapshot


def assert_whole(store: Store, copied: bool) -> None:
    """BY_GROUP has every fact once, and there are copies of all files or of none but those."""
    db = open_snapshot(store)
    there = Counter(db.rows(f"SELECT {', '.join(RATE_BY_GROUP.names)} FROM {BY_GROUP}"))
    assert there == Counter(tuple(row[name] for name in RATE_BY_GROUP.names) for row in facts_of(store).values())
    assert (without_copy(store.loaded()) == []) is copied
    assert_tidy(store)


@pytest.mark.in_turns(1)
@pytest.mark.parametrize("layout", UNLIKE_LAYOUTS)
def test_all_facts_once_whatever_happens_to_them(tmp_path: Path, layout: str) -> None:
    store = Store(tmp_path / "data", layout, grace=0)
    for number, state in ((0, "GA"), (1, "GA"), (2, "FL")):
        load_made_file(store, tmp_path, number, state)
    assert_whole(store, copied=False)
    assert copy_by_group(store) == list(store.loaded().tables["fact_rate"])
    assert_whole(store, copied=True)
    assert copy_by_group(store) == []
    load_made_file(store, tmp_path, 3)
    assert_whole(store, copied=False)
    assert (
        len(store.loaded().tables[BY_GROUP]) == {"single": 0, "monthly": 1, "state_month": 2, "partitioned": 3}[layout]
    )
    copy_by_group(store)
    remove(store, Selection(min_rate=3, max_rate=5), "wrong")
    assert_whole(store, copied=False)
    copy_by_group(store)
    assert_whole(store, copied=True)
    undo(store, 1)
    assert_whole(store, copied=False)
    copy_by_group(store)
    compact(store, every=True)
    assert_whole(store, copied=layout != "partitioned")
    copy_by_group(store)
    reshard(store, "single" if layout != "single" else "partitioned")
    assert_whole(store, copied=False)
    copy_by_group(store)
    assert_whole(store, copied=True)
    assert_sound(store)


def test_a_copy_is_no_other_data(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    load_made_file(store, tmp_path, 0)
    before = store.loaded()
    copy_by_group(store)
    assert store.loaded().generation == before.generation + 1
    assert store.loaded().data_version == before.data_version


def test_a_provider_s_rows_stand_together(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", "monthly")
    for number in (0, 1, 2):
        load_made_file(store, tmp_path, number)
    copy_by_group(store)
    for file in store.loaded().tables[BY_GROUP]:
        db = open_snapshot(store)
        groups = [row[0] for row in db.rows("SELECT pg_uid FROM read_parquet(?)", [str(store.root / file.path)])]
        assert groups == sorted(groups)


@pytest.mark.parametrize("by", ["npi", "tin"])
def test_a_provider_s_page_has_the_same_rates(tmp_path: Path, by: providers.By) -> None:
    store = Store(tmp_path / "data")
    for number in (0, 1, 2):
        load_made_file(store, tmp_path, number)
    column = "npi" if by == "npi" else "tin_value"
    value = open_snapshot(store).rows(f"SELECT min({column}) FROM xref_tin_npi")[0][0]
    market = replace(Market("GA", "2025-08"), **{by: value})

    def rates() -> tuple[int, list[provider_rates.CodeRates]]:
        db = open_snapshot(store)
        with market_cache(db, market) as cached:
            assert cached.market_values
            return provider_rates.list_code_rates(db, cached, market, 1000, 0)

    before = rates()
    assert before[0] > 2
    copy_by_group(store)
    assert rates() == before


def test_a_large_file_without_a_copy_leads_to_advice(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    load_made_file(store, tmp_path, 0)
    assert advise(store.loaded()) == []
    (sentence,) = advise(store.loaded(), max_rows_without_copy=3)
    assert sentence.endswith("manage.py copy_by_group")
    copy_by_group(store)
    assert advise(store.loaded(), max_rows_without_copy=3) == []
