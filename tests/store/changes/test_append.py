"""Append facts to those of an earlier file of the same state and month."""

from core.load.load_sizes import LoadSizes
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.rate_files import file_of, item_of
from tests.stores import table

KEY = ("code_type", "code", "provider_group_id_raw", "negotiated_rate")


def test_rows_of_several_segments_arrive_among_old_rows(load: Load, store: Store) -> None:
    """Each segment is a file of one row group, so the number of a row group does not tell whose rows it has."""
    codes = [str(10_000 + n) for n in range(40)]
    load(file_of(*(item_of(1, code=code) for code in codes[::2])))
    new = load(
        file_of(*(item_of(2, 3, code=code) for code in codes)),
        name="new.json",
        sizes=LoadSizes(min_partition_rows=6, max_partition_rows=6),
    )
    assert new.rows_added == 80
    expected = [("CPT", code, "1", 1.0) for code in codes[::2]]
    expected += [("CPT", code, "1", rate) for code in codes for rate in (2.0, 3.0)]
    assert sorted(table(store, "fact_rate").select(KEY).rows()) == sorted(expected)


def test_rows_with_equal_keys_keep_their_order(load: Load, store: Store) -> None:
    load(file_of(item_of(*range(1, 300)), item_of(1, code="99212"), item_of(1, code="99214")))
    old = table(store, "fact_rate").filter(code="99213")["fact_uid"].to_list()
    load(file_of(item_of(*range(1000, 1300))), name="new.json")
    merged = table(store, "fact_rate").filter(code="99213")
    assert merged["fact_uid"].to_list()[: len(old)] == old
    assert merged["negotiated_rate"].to_list()[len(old) :] != []
    assert (merged["negotiated_rate"][len(old) :] >= 1000).all()
