"""Some of a file's rates, against all of them."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.load.load_file import load_file
from core.load.rate_filters import ALL_RATES, RateFilter, make_filter, widen
from core.runtime.errors import BeaconError
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests import payer_files, slow_reader
from tests.fixture_types import Load
from tests.load.expected import assert_adds_up
from tests.load.npi_states import place
from tests.rate_files import file_of, item_of
from tests.stores import table

filters = st.builds(
    make_filter,
    codes=st.lists(st.sampled_from(["99213", "g0439", "450", "CSTM-00"]), max_size=2),
    code_types=st.lists(st.sampled_from(["cpt", "RC", "HCPCS"]), max_size=2),
    npis=st.lists(st.sampled_from(payer_files.NPIS), max_size=2),
    tins=st.lists(st.sampled_from(["12-3456789", "3456789", "003456789"]), max_size=1),
)


def wanted(one: RateFilter, fact: slow_reader.Fact, flat: slow_reader.Flat) -> bool:
    """Whether a filter wants a fact, said slowly."""
    row = dict(zip(slow_reader.COLUMNS, fact, strict=True))
    members, bare = flat.groups[row["provider_group_id_raw"]].members, row["code"].lstrip("0")
    return (
        (not one.codes or bool({row["code"], *({bare} if row["code_type"] == "REV" else ())} & set(one.codes)))
        and (not one.code_types or row["code_type"] in one.code_types)
        and (not one.npis or any(npi in one.npis for _, _, npi in members))
        and (not one.tins or any(tin in one.tins for _, tin, _ in members))
    )


@given(payer_files.contents(), st.lists(filters, min_size=1, max_size=3))
def test_filters_add_the_rates_that_any_of_them_wants(content: bytes, steps: list[RateFilter]) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "rates.json"
        path.write_bytes(content)
        store = Store(Path(directory) / "data")
        flat = slow_reader.flatten(content, "GA")
        for number, only in enumerate(steps):
            outcome = load_file(store, open_documents(path)[0], "GA", only=only, processes=1)
            assert_adds_up(outcome)
            facts = {fact for fact in flat.facts if any(wanted(one, fact, flat) for one in steps[: number + 1])}
            found = table(store, "fact_rate")
            assert set(found.select(slow_reader.COLUMNS).rows()) == facts
            assert len(found) == len(facts)
            groups = table(store, "dim_provider_group")["provider_group_id_raw"]
            assert set(groups) == set(found["provider_group_id_raw"])
        everything = load_file(store, open_documents(path)[0], "GA", processes=1)
        assert_adds_up(everything)
        assert set(table(store, "fact_rate").select(slow_reader.COLUMNS).rows()) == set(flat.facts)
        if not everything.loaded_before:
            assert (everything.record["rows_added"], everything.record["duplicates"]) == (
                len(flat.facts),
                flat.duplicates,
            )


def test_a_wider_filter_adds_just_the_rest(load: Load, store: Store) -> None:
    content = file_of(item_of(1, 2, code="99213"), item_of(3, code="99214"), item_of(4, code="99215"))
    first = load(content, only=make_filter(codes=["99213"]))
    assert (first.rows_added, first.record["rows_filtered"]) == (2, 2)
    assert load(content, only=make_filter(codes=["99213"], code_types=["CPT"])).loaded_before
    wider = load(content, only=make_filter(codes=["99213", "99214"]), name="renamed.json")
    assert (wider.rows_added, wider.duplicates, wider.record["rows_filtered"]) == (1, 2, 1)
    assert json.loads(table(store, "dim_batch")["filters"][0]) == {"codes": ["99213", "99214"]}
    rest = load(content)
    assert (rest.rows_added, rest.record["rows_added"], rest.record["rows_filtered"]) == (1, 4, 0)
    assert json.loads(table(store, "dim_batch")["filters"][0]) == {}
    assert load(content, only=make_filter(codes=["1"])).loaded_before
    assert len(table(store, "dim_batch")) == 1


def test_a_narrower_filter_reads_the_file_for_its_id_alone(load: Load, store: Store) -> None:
    content = file_of(item_of(1), item_of(2, code="1"))
    load(content)
    before = store.manifest()
    assert load(content, only=make_filter(codes=["1"])).rows_added == 0
    assert store.manifest() == before


def test_providers_in_a_state_need_the_register(load: Load, store: Store) -> None:
    members = [{"npi": [1912951245], "tin": {"type": "ein", "value": "1"}}]
    content = file_of(
        item_of(1, references=[1, 2]), provider_references=[{"provider_group_id": 1, "provider_groups": members}]
    )
    with pytest.raises(BeaconError, match="load its file first: load_nppes"):
        load(content, only=make_filter(in_state="GA"))
    assert store.manifest() is None
    load(content)
    place(store, npi1912951245="GA")
    other = load({**content, "version": "other"}, only=make_filter(in_state="GA"), name="other.json")
    assert (other.rows_added, other.record["rows_filtered"]) == (1, 1)
    none = load({**content, "version": "third"}, only=make_filter(in_state="FL"), name="third.json")
    assert (none.rows_added, none.record["rows_filtered"]) == (0, 2)


@pytest.mark.parametrize(
    ("one", "other", "covers"),
    [
        (ALL_RATES, make_filter(codes=["1"]), True),
        (make_filter(codes=["1"]), ALL_RATES, False),
        (make_filter(codes=["1", "2"]), make_filter(codes=["2"]), True),
        (make_filter(codes=["1", "2"]), make_filter(codes=["2", "3"]), False),
        (make_filter(codes=["1"]), make_filter(codes=["1"], npis=["5"]), True),
        (make_filter(codes=["1"], npis=["5"]), make_filter(codes=["1"]), False),
        (make_filter(in_state="GA"), make_filter(in_state="GA"), True),
        (make_filter(in_state="GA"), make_filter(in_state="FL"), False),
    ],
)
def test_a_filter_covers_another(one: RateFilter, other: RateFilter, covers: bool) -> None:
    assert one.covers(other) is covers
    assert widen([other], one) == ([one] if covers else [other, one])
