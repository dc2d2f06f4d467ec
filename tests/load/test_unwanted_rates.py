"""Rates of provider groups that no filter wants are left out unexamined: the rows and counts are those of all rates,
read and filtered afterwards."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.load.load_file import load_file
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.outcome import LoadOutcome
from core.load.providers import wanted_groups
from core.load.providers.wanted_groups import WantedGroups
from core.load.rate_filters import RateFilter, make_filter
from core.load.read_file import read_file
from core.runtime.workers import SingleProcess
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests import payer_files
from tests.fixture_types import Load
from tests.load.expected import assert_adds_up
from tests.load.npi_states import place
from tests.rate_files import file_of, item_of
from tests.stores import table

SMALL = LoadSizes(chunk_bytes=200, giant_item_bytes=800)
"""A file of some kilobytes has several pieces, and perhaps a giant item."""

NPI, OTHER = payer_files.NPIS[:2]
NOTHING = make_filter(codes=["no such code"])
"""A filter that wants no rate, and has no opinion of groups: next to it, no group is unwanted from the beginning."""

TABLES = ("fact_rate", "dim_provider_group", "xref_group_npi", "xref_group_tin", "dim_npi", "dim_tin")

providers = st.one_of(
    st.builds(make_filter, npis=st.lists(st.sampled_from(payer_files.NPIS), min_size=1, max_size=2)),
    st.builds(
        make_filter,
        tins=st.just(["12-3456789"]),
        codes=st.lists(st.sampled_from(["99213", "450"]), max_size=1),
    ),
)


def define(group: Any, *npis: str, **fields: Any) -> dict[str, Any]:
    members = [{"npi": list(npis), "tin": {"type": "ein", "value": "123456789"}}]
    return {"provider_group_id": group, "provider_groups": members, **fields}


def load_into(directory: Path, path: Path, *steps: RateFilter, sizes: LoadSizes = DEFAULT_SIZES) -> LoadOutcome:
    outcomes = [
        load_file(Store(directory), open_documents(path)[0], "GA", only=only, processes=1, sizes=sizes)
        for only in steps
    ]
    return outcomes[-1]


@given(payer_files.contents(), providers, st.sampled_from([DEFAULT_SIZES, SMALL]))
def test_rows_and_counts_are_those_of_all_rates_filtered_afterwards(
    content: bytes, only: RateFilter, sizes: LoadSizes
) -> None:
    with TemporaryDirectory() as directory:
        quick, slow, path = (Path(directory) / name for name in ("quick", "slow", "rates.json"))
        path.write_bytes(content)
        found = load_into(quick, path, only, sizes=sizes)
        expected = load_into(slow, path, NOTHING, only, sizes=sizes)
        for name in TABLES:
            assert table(Store(quick), name).equals(table(Store(slow), name)), name
        assert_adds_up(found)
        for count in ("rows_read", "rows_added", "duplicates", "in_network_items", "batch_id"):
            assert found.record[count] == expected.record[count], count
        # What is left out unexamined is not rejected.
        assert all(rows <= expected.record["rejects"][reason] for reason, rows in found.record["rejects"].items())
        assert set(table(Store(quick), "dim_code").rows()) <= set(table(Store(slow), "dim_code").rows())
        codes = set(table(Store(quick), "fact_rate").select("code_type", "code").rows())
        assert codes <= set(table(Store(quick), "dim_code").select("code_type", "code").rows())


def in_order(first: str, references: list[Any], *items: Any) -> dict[str, Any]:
    content = file_of(*items, provider_references=references)
    rest = {key: value for key, value in content.items() if key != first}
    return {first: content[first], **rest}


@pytest.mark.parametrize("first", ["provider_references", "in_network"])
@pytest.mark.parametrize("sizes", [DEFAULT_SIZES, SMALL])
def test_a_rate_of_unwanted_groups_is_filtered_even_if_it_would_be_rejected(
    first: str, sizes: LoadSizes, load: Load, store: Store
) -> None:
    items = [
        item_of(1, -1, references=[1, 2]),
        item_of(2, None, references=[2, 3]),
        item_of(3, "x", references=[3], code="99214"),
        item_of(4, references=[], code="99215"),
        item_of(5, references=[9], code="99216"),
    ]
    content = in_order(first, [define(1, NPI), define(2, OTHER), define(3, OTHER)], *items)
    record = load(content, only=make_filter(npis=[NPI]), sizes=sizes, processes=1).record
    assert record["rejects"] == {"invalid_rate": 2, "no_provider": 1}, "of the rate of group 1, and of the one without"
    assert (record["rows_read"], record["rows_added"], record["rows_filtered"]) == (4 + 4 + 2 + 1 + 1, 1, 8)
    assert table(store, "dim_code")["code"].to_list() == ["99213"], "no code of which no rate is wanted"


@pytest.mark.parametrize("sizes", [DEFAULT_SIZES, SMALL])
def test_groups_that_are_defined_after_other_rates_are_wanted_all_the_same(sizes: LoadSizes, load: Load) -> None:
    """A file with two arrays of definitions, one on either side of the rates."""
    items = ",".join(json.dumps(item_of(n, references=[group])) for n, group in enumerate([1, 2, 3] * 3, 1))
    text = json.dumps(file_of(provider_references=[define(1, OTHER)])).replace('"in_network": [], ', "")
    last = json.dumps([define(2, NPI), define(3, OTHER)])
    content = f'{text[:-1]}, "in_network": [{items}], "provider_references": {last}}}'.encode()
    outcome = load(content, only=make_filter(npis=[NPI]), sizes=sizes, processes=1)
    assert (outcome.rows_added, outcome.record["rows_filtered"], outcome.record["in_network_items"]) == (3, 6, 9)


def test_groups_written_out_at_rates_are_wanted_or_not(load: Load) -> None:
    items = []
    for number, npi in enumerate([NPI, OTHER, NPI]):
        item = item_of(number + 1, references=[1])
        rate = item["negotiated_rates"][0]
        rate["provider_groups"] = define(0, npi)["provider_groups"]
        rate["provider_references"] = [] if number else [1]
        items.append(item)
    content = file_of(*items, provider_references=[define(1, OTHER)])
    outcome = load(content, only=make_filter(npis=[NPI]))
    assert (outcome.rows_added, outcome.record["rows_filtered"]) == (2, 2)


def test_a_misspelt_rate_of_unwanted_groups_is_counted(load: Load) -> None:
    item = item_of(1, references=[1])
    for spelled in ("negotiated_prices", "provider_references"):
        rate = dict(item_of(2, 3, references=[1, 1])["negotiated_rates"][0])
        rate[spelled.replace("_", "-")] = rate.pop(spelled)
        item["negotiated_rates"].append(rate)
    content = file_of(item, provider_references=[define(1, OTHER)])
    record = load(content, only=make_filter(npis=[NPI])).record
    assert (record["rows_read"], record["rows_filtered"]) == (9, 9)


def in_two_members(content: bytes) -> bytes:
    """Return gzip that does not tell the size of the JSON, by which a loaded file is recognized before it is read."""
    return gzip.compress(content[:100]) + gzip.compress(content[100:])


@pytest.mark.parametrize("pack", [bytes, in_two_members])
def test_facts_stay_when_their_groups_are_no_longer_wanted(
    pack: Callable[[bytes], bytes], load: Load, store: Store
) -> None:
    """What is known of providers changes between two loads of a file with the same filter."""
    items = [item_of(n, references=[n], code=str(99210 + n)) for n in (1, 2, 3)]
    references = [define(1, NPI), define(2, OTHER), define(3, payer_files.NPIS[2])]
    content = json.dumps(in_order("provider_references", references, *items)).encode()
    only = make_filter(in_state="GA")
    place(store, **{f"npi{NPI}": "GA", f"npi{OTHER}": "FL"})
    assert load(content, only=only).rows_added == 1
    place(store, **{f"npi{NPI}": "FL", f"npi{OTHER}": "GA"})
    again = load(pack(content), only=only, name="renamed")
    assert (again.rows_added, again.record["rows_added"], again.record["rows_filtered"]) == (1, 2, 1)
    assert len(table(store, "fact_rate")) == 2


def test_rejected_rows_are_counted_by_the_filters_that_want_their_groups(tmp_path: Path) -> None:
    items = [item_of(-1, references=references) for references in ([1], [1, 2], [2, 3], [3])]
    items.append(item_of(-1, references=[1, 2], code="99214"))
    path = tmp_path / "rates.json"
    path.write_text(json.dumps(in_order("provider_references", [define(1), define(2), define(3)], *items)))
    wanted = WantedGroups(np.array([1, 2], np.uint64), np.array([1, 2], np.uint64))
    content = read_file(
        open_documents(path)[0],
        tmp_path / "work",
        (make_filter(npis=[NPI]), make_filter(npis=[OTHER], codes=["99213"])),
        SingleProcess(),
        match_groups=lambda _spools: wanted,
    )
    reason = "invalid_rate"
    assert content.rejected_by_mask == {(1, reason): 1 + 2, (3, reason): 2, (2, reason): 2}
    assert (content.rejected, content.rows_filtered) == ({reason: 7}, 1)


@pytest.mark.parametrize("limit", [0, 100])
def test_masks_of_groups(limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few groups are kept in a dict, many are searched for in an array."""
    monkeypatch.setattr(wanted_groups, "MAX_DICT_KEYS", limit)
    high = (1 << 64) - 1
    WantedGroups(np.array([3, 5, high], np.uint64), np.array([1, 6, high], np.uint64)).save(tmp_path)
    wanted = WantedGroups.load(tmp_path)
    masks = [wanted.mask_of(keys) for keys in ([], [1, 2], [3, 9], [5, 3], [4, 5, 5], [high, 0])]
    assert masks == [0, 0, 1, 7, 6, high]
    WantedGroups(np.zeros(0, np.uint64), np.zeros(0, np.uint64)).save(tmp_path)
    assert WantedGroups.load(tmp_path).mask_of([1]) == 0
