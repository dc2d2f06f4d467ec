"""Who is a member, and by which key a group goes."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from core.mrf import members
from core.mrf.members import Part, Parts, group_key, inline_id
from tests import files


def of(value: Any) -> tuple[list[Part], dict[str, list[tuple[Any, ...]]]]:
    """The parts of an array, and the rows of the spools without the parts' numbers."""
    with TemporaryDirectory() as directory:
        parts = Parts(Path(directory))
        found = parts.of(Raw(json.dumps(value).encode()))
        parts.close()
        spools = {"tins": parts.tins, "npis": parts.npis, "names": parts.names, "invalid": parts.invalid}
        return found, {name: pl.read_parquet(spool.glob).drop("part").rows() for name, spool in spools.items()}


def members_of(parts: list[Part]) -> set[tuple[Any, ...]]:
    found: set[tuple[Any, ...]] = set()
    for part in parts:
        npis: list[int | None] = [*part.npis] or [None]
        found |= {(*(part.tin or (None, None)), npi) for npi in npis if part.tin or npi}
    return found


def test_members_are_read_part_by_part() -> None:
    parts, rows = of(
        [
            {
                "npi": [1912951245, "1003027533", 0, 7],
                "tin": {"type": "ein", "value": "12-3456789", "business_name": "A"},
            },
            {"npi": ["1912951245"], "tin": {"type": "EIN", "value": 123456789, "business_name": "B"}},
            {"npi": [0], "tin": {"type": "ein", "value": "9"}},
            {"NPI": 1234567893},
        ]
    )
    assert members_of(parts) == {
        (None, None, 1234567893),
        ("ein", "000000009", None),
        ("ein", "123456789", 1003027533),
        ("ein", "123456789", 1912951245),
    }
    assert rows["tins"] == [("ein", "123456789"), ("ein", "123456789"), ("ein", "000000009")]
    assert rows["npis"] == [(1003027533,), (1912951245,), (1912951245,), (1234567893,)]
    assert rows["names"] == [("A",), ("B",)]
    assert rows["invalid"] == [("7",)]


def test_an_object_that_comes_again_is_the_same_part() -> None:
    group = {"npi": [1912951245], "tin": {"type": "ein", "value": "1"}}
    parts, rows = of([group, group, {**group, "npi": [1003027533]}])
    assert parts[0] is parts[1]
    assert len(rows["npis"]) == 2


@given(st.lists(files.provider_group, max_size=3), st.randoms())
def test_equal_members_are_the_same_group_in_any_order(groups: list[Any], chance: Any) -> None:
    shuffled = [dict(group) for group in groups]
    chance.shuffle(shuffled)
    first, second = of(groups)[0], of(shuffled)[0]
    assert members_of(first) == members_of(second)
    assert inline_id(first) == inline_id(second)


@given(st.lists(st.tuples(st.sampled_from("1234"), st.lists(st.sampled_from(files.NPIS))), max_size=5))
def test_equal_members_are_the_same_group_however_they_are_split(groups: list[tuple[str, list[str]]]) -> None:
    objects = [{"npi": npis, "tin": {"type": "ein", "value": tin}} for tin, npis in groups]
    single = [{"npi": [npi], "tin": {"type": "ein", "value": tin}} for tin, npis in groups for npi in npis or ["0"]]
    whole, split = of(objects)[0], of(single)[0]
    assert members_of(whole) == members_of(split)
    assert inline_id(whole) == inline_id(split)


@given(st.lists(files.provider_group, max_size=2), st.lists(files.provider_group, max_size=2))
def test_other_members_are_another_group(groups: list[Any], others: list[Any]) -> None:
    first, second = of(groups)[0], of(others)[0]
    assert (inline_id(first) == inline_id(second)) == (members_of(first) == members_of(second))


@given(st.integers(0, 2**70) | st.text(max_size=30) | st.from_regex(r"\A0[0-9]{0,5}\Z"))
def test_keys_tell_groups_apart(value: int | str) -> None:
    text = str(value)
    key = group_key(text)
    assert 0 <= key < 2**64
    if key < members.NAMED_KEY:
        assert str(key) == text  # a whole number is its own key, so no other id can have it
    assert group_key(text) == key
    assert group_key(text + "x") != key
