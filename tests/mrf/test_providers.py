"""Who is a member, and by which key a group goes."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from core.mrf import providers
from core.mrf.providers import Member, group_key, members
from tests import files


def of(value: Any) -> providers.Members:
    return members(Raw(json.dumps(value).encode()))


def test_members_are_distinct_sorted_triples() -> None:
    found = of(
        [
            {
                "npi": [1912951245, "1003027533", 0, 7],
                "tin": {"type": "ein", "value": "12-3456789", "business_name": "A"},
            },
            {"npi": [1912951245], "tin": {"type": "EIN", "value": 123456789, "business_name": "B"}},
            {"npi": [0], "tin": {"type": "ein", "value": "9"}},
            {"NPI": 1234567893},
        ]
    )
    assert found.members == [
        Member(None, None, "1234567893"),
        Member("ein", "000000009", None),
        Member("ein", "123456789", "1003027533"),
        Member("ein", "123456789", "1912951245"),
    ]
    assert found.names == {("ein", "123456789"): "A"}
    assert found.invalid_npis == ["7"]


@given(st.lists(files.provider_group, max_size=3), st.randoms())
def test_equal_members_are_the_same_group_in_any_order(groups: list[Any], chance: Any) -> None:
    shuffled = [dict(group) for group in groups]
    chance.shuffle(shuffled)
    first, second = of(groups), of(shuffled)
    assert first.members == second.members
    assert first.inline_id == second.inline_id


def test_other_members_are_another_group() -> None:
    assert of([{"npi": [1912951245]}]).inline_id != of([{"npi": [1003027533]}]).inline_id


@given(st.integers(0, 2**70) | st.text(max_size=30) | st.from_regex(r"\A0[0-9]{0,5}\Z"))
def test_keys_tell_groups_apart(value: int | str) -> None:
    text = str(value)
    key = group_key(text)
    assert 0 <= key < 2**64
    if key < providers.NAMED_KEY:
        assert str(key) == text  # a whole number is its own key, so no other id can have it
    assert group_key(text) == key
    assert group_key(text + "x") != key
