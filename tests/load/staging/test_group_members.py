"""Who is a member, and by which key a group goes."""

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.providers.group_key import NAMED_KEY, group_key, group_keys_of_names
from core.load.staging.group_members import MemberParts
from tests import payer_files, slow_reader

MembersOf = set[tuple[Any, ...]]


@dataclass
class Read:
    """What arrays, read together, were found to be."""

    parts: list[list[int]]
    ids: list[str]
    members: list[MembersOf]
    rows: dict[str, list[tuple[Any, ...]]]
    """The rows of the spools without the parts' numbers."""


def read(arrays: list[Any], directory: Path, *, at_once: bool = True, sizes: LoadSizes = DEFAULT_SIZES) -> Read:
    """Arrays given as values, or as their JSON text; all in one go, or one after the other."""
    parts = MemberParts(directory, sizes=sizes)
    texts = [value if isinstance(value, bytes) else json.dumps(value).encode() for value in arrays]
    found, ids = [], []
    for some in [texts] if at_once else [[text] for text in texts]:
        lists = parts.read(some)
        ids += parts.inline_ids(lists).to_list()
        found += [each.tolist() for each in np.split(lists.parts, np.cumsum(lists.sizes)[:-1])]
    parts.close()
    frames = {
        name: pl.read_parquet(spool.glob)
        for name, spool in {
            "tins": parts.tins, "npis": parts.npis, "names": parts.names, "odd": parts.odd
        }.items()
    }  # fmt: skip
    tins = {part: tin for part, *tin in frames["tins"].rows()}
    npis: dict[int, list[int]] = {}
    for part, npi in frames["npis"].rows():
        npis.setdefault(part, []).append(npi)
    members = [
        {(*tins.get(part, (None, None)), npi) for part in each for npi in npis.get(part, [None])} - {(None, None, None)}
        for each in found
    ]
    return Read(found, ids, members, {name: frame.drop("part").rows() for name, frame in frames.items()})


def test_members_are_read_part_by_part(tmp_path: Path) -> None:
    found = read(
        [
            [
                {
                    "npi": [1912951245, "1003027533", 0, 7],
                    "tin": {"type": "ein", "value": "12-3456789", "business_name": "A"},
                },
                {"npi": ["1912951245"], "tin": {"type": "EIN", "value": 123456789, "business_name": "B"}},
                {"npi": [0], "tin": {"type": "ein", "value": "9"}},
                {"NPI": 1234567893},
            ]
        ],
        tmp_path,
    )
    assert found.members == [
        {
            (None, None, 1234567893),
            ("ein", "000000009", None),
            ("ein", "123456789", 1003027533),
            ("ein", "123456789", 1912951245),
        }
    ]
    assert found.rows["tins"] == [("ein", "123456789"), ("ein", "123456789"), ("ein", "000000009")]
    assert found.rows["npis"] == [(1003027533,), (1912951245,), (1912951245,), (1234567893,)]
    assert found.rows["names"] == [("A",), ("B",)]
    assert found.rows["odd"] == [("invalid_npi", "7")]


def test_a_repeated_object_is_the_same_part(tmp_path: Path) -> None:
    group = {"npi": [1912951245], "tin": {"type": "ein", "value": "1"}}
    found = read([[group, group], [{**group, "npi": [1003027533]}, group]], tmp_path)
    (first, again), (other, once_more) = found.parts
    assert first == again == once_more != other
    assert len(found.rows["npis"]) == 2


def test_a_business_name_without_a_tax_id_is_not_kept(tmp_path: Path) -> None:
    known, unknown = ({"type": "ein", "value": value, "business_name": "Peach Clinic"} for value in ("1", ""))
    found = read([[{"npi": [1912951245], "tin": unknown}], [{"npi": [1912951245], "tin": known}]], tmp_path)
    assert found.rows["names"] == [("Peach Clinic",)]
    assert len(found.rows["tins"]) == 1


def test_a_cache_that_starts_over_reads_objects_again(tmp_path: Path) -> None:
    group = {"npi": [1912951245], "tin": {"type": "ein", "value": "1"}}
    found = read([[group], [], [group, {"tin": "2"}]], tmp_path, at_once=False, sizes=LoadSizes(cached_member_bytes=0))
    assert found.parts[0] != found.parts[2][:1]
    assert found.members == [
        {("ein", "000000001", 1912951245)},
        set(),
        {("ein", "000000001", 1912951245), ("ein", "000000002", None)},
    ]


def expected_id(array: Any) -> tuple[str, MembersOf]:
    """Return the id and the members of a group according to the slow reader."""
    group = slow_reader.Group()
    slow_reader._add_members(group, array)
    rate = {"provider_groups": array, "negotiated_prices": [{"negotiated_rate": 1}]}
    item = {"billing_code_type": "CPT", "billing_code": "1", "negotiated_rates": [rate]}
    root = {"reporting_entity_name": "A", "last_updated_on": "2025-01-01", "in_network": [item]}
    flat = slow_reader.flatten(json.dumps(root).encode(), "GA")
    (raw,) = flat.groups
    return raw, {(kind, tin, npi and int(npi)) for kind, tin, npi in group.members}


@st.composite
def arrays(draw: st.DrawFn) -> list[tuple[Any, bytes]]:
    """Arrays, each as a value and as JSON text, in one layout or another."""
    return [
        (value, json.dumps(value, **draw(payer_files.layouts)).encode()) for value in draw(payer_files.written_out())
    ]


@given(arrays(), st.booleans())
def test_arrays_read_together_or_alone_are_what_the_reference_says(
    found: list[tuple[Any, bytes]], at_once: bool
) -> None:
    with TemporaryDirectory() as directory:
        ours = read([text for _, text in found], Path(directory), at_once=at_once)
    assert list(zip(ours.ids, ours.members, strict=True)) == [expected_id(value) for value, _ in found]


def read_here(*arrays: Any) -> Read:
    with TemporaryDirectory() as directory:
        return read(list(arrays), Path(directory))


@given(st.lists(payer_files.provider_group, max_size=3), st.randoms())
def test_equal_members_are_the_same_group_in_any_order(groups: list[Any], chance: Any) -> None:
    shuffled = [dict(group) for group in groups]
    chance.shuffle(shuffled)
    found = read_here(groups, shuffled)
    assert found.members[0] == found.members[1]
    assert found.ids[0] == found.ids[1]


@given(st.lists(st.tuples(st.sampled_from("1234"), st.lists(st.sampled_from(payer_files.NPIS))), max_size=5))
def test_equal_members_are_the_same_group_however_they_are_split(groups: list[tuple[str, list[str]]]) -> None:
    objects = [{"npi": npis, "tin": {"type": "ein", "value": tin}} for tin, npis in groups]
    single = [{"npi": [npi], "tin": {"type": "ein", "value": tin}} for tin, npis in groups for npi in npis or ["0"]]
    whole = read_here(objects, single)
    assert whole.members[0] == whole.members[1]
    assert whole.ids[0] == whole.ids[1]


@given(st.lists(payer_files.provider_group, max_size=2), st.lists(payer_files.provider_group, max_size=2))
def test_other_members_are_another_group(groups: list[Any], others: list[Any]) -> None:
    found = read_here(groups, others)
    assert (found.ids[0] == found.ids[1]) == (found.members[0] == found.members[1])


@given(st.integers(0, 2**70) | st.text(max_size=30) | st.from_regex(r"\A0[0-9]{0,5}\Z"))
def test_different_groups_have_different_keys(value: int | str) -> None:
    text = str(value)
    key = group_key(text)
    assert 0 <= key < 2**64
    if key < NAMED_KEY:
        assert str(key) == text  # a whole number is its own key, so no other id can have it
    assert group_key(text) == key
    assert group_key(text + "x") != key
    assert group_keys_of_names(pl.Series(["x" + text, text + "x"])).tolist() == [
        group_key("x" + text),
        group_key(text + "x"),
    ]
