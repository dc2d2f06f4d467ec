"""The objects of provider_groups arrays, by example: together, one by one, and leniently."""

import json
from typing import Any

import numpy as np
import pytest

from core.tic.provider_objects import OddValue, ProviderParts, parse_plain_npis, read_objects, split_objects

FIRST, SECOND = 1912951245, 2912951245


def read(*objects: Any) -> ProviderParts:
    return read_objects([json.dumps(each).encode() for each in objects])


def members(found: ProviderParts) -> list[tuple[tuple[str, str] | None, list[int]]]:
    """Each part's tax ID and NPIs."""
    ends = np.cumsum(found.sizes).tolist()
    return [
        (tin, found.npis[end - size : end].tolist())
        for tin, size, end in zip(found.tins, found.sizes, ends, strict=True)
    ]


PLAIN = {"npi": [FIRST, SECOND], "tin": {"type": "ein", "value": "12-3456789", "business_name": "Peach Clinic"}}
TIN = ("ein", "123456789")


def test_well_formed_objects_are_read_together() -> None:
    found = read(PLAIN, {"npi": [SECOND], "tin": {"type": "npi", "value": str(SECOND)}})
    assert members(found) == [(TIN, [FIRST, SECOND]), (("npi", str(SECOND)), [SECOND])]
    assert list(found.counts) == [1, 1]
    assert found.business_names == ["Peach Clinic", None]
    assert found.odd == []


@pytest.mark.parametrize(
    ("npis", "valid", "invalid"),
    [
        ([str(FIRST)], [FIRST], []),
        ([FIRST, str(SECOND)], [FIRST, SECOND], []),
        ([0], [], []),
        (["0", "", "0000000000", "nan", "N/A"], [], []),
        ([f"{FIRST}.0", "1,912,951,245"], [FIRST, FIRST], []),
        ([], [], []),
        (None, [], []),
        (FIRST, [FIRST], []),
        (str(FIRST), [FIRST], []),
        ([FIRST, 5, SECOND], [FIRST, SECOND], [5]),
        ([FIRST, "x"], [FIRST], ["x"]),
        ([999_999_999], [], [999_999_999]),
        ([3_000_000_000], [], [3_000_000_000]),
        (["3000000000"], [], ["3000000000"]),
        ([1_000_000_000, 2_999_999_999], [1_000_000_000, 2_999_999_999], []),
        ([True], [], [True]),
        ([[FIRST]], [FIRST], []),
        ([[FIRST, SECOND]], [], [[FIRST, SECOND]]),
        ([FIRST, FIRST], [FIRST, FIRST], []),
    ],
)
def test_npis_are_kept_dropped_or_invalid(npis: Any, valid: list[int], invalid: list[Any]) -> None:
    found = read({"npi": npis, "tin": PLAIN["tin"]})
    assert members(found) == [(TIN, valid)]
    assert found.odd == [(0, OddValue("invalid_npi", value)) for value in invalid]


def test_an_odd_object_does_not_change_its_neighbors() -> None:
    found = read(PLAIN, {"npi": ["x"], "tin": PLAIN["tin"]}, PLAIN)
    assert members(found) == [(TIN, [FIRST, SECOND]), (TIN, []), (TIN, [FIRST, SECOND])]
    assert found.odd == [(1, OddValue("invalid_npi", "x"))]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"NPI": [FIRST], "TIN": {"TYPE": "ein", "Value": 123456789}}, [(TIN, [FIRST])]),
        ({"npi": [FIRST]}, [(None, [FIRST])]),
        ({"npi": [FIRST], "tin": None}, [(None, [FIRST])]),
        ({"npi": [FIRST], "tin": "123456789"}, [(TIN, [FIRST])]),
        ({"npi": [FIRST], "tin": {}}, [(None, [FIRST])]),
        (
            {"npi": [FIRST], "tin": [{"type": "ein", "value": "1"}, {"type": "ein", "value": "2"}]},
            [(("ein", "000000001"), [FIRST]), (("ein", "000000002"), [FIRST])],
        ),
        ({}, [(None, [])]),
        ("x", [(None, [])]),
        (None, [(None, [])]),
        ([], [(None, [])]),
    ],
)
def test_an_object_in_each_way_that_payers_write_it(
    value: Any, expected: list[tuple[tuple[str, str] | None, list[int]]]
) -> None:
    found = read(value)
    assert members(found) == expected
    assert list(found.counts) == [len(expected)]


def test_an_array_is_split_into_the_texts_of_its_elements() -> None:
    def split(text: bytes) -> list[Any]:
        return [json.loads(bytes(each)) for each in split_objects(text)]

    assert split(b'[{"npi": [1]}, null, 3]') == [{"npi": [1]}, None, 3]
    assert split(b'{"npi": [1]}') == [{"npi": [1]}]
    assert split(b'[{"npi": [1], "tin": "a\nb"}]') == [{"npi": [1], "tin": "a\nb"}]
    assert split(b"null") == split(b"") == split(b"[]") == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([str(FIRST), str(SECOND)], [FIRST, SECOND]),
        ([FIRST, SECOND], [FIRST, SECOND]),
        (["1000000000", "2999999999"], [1_000_000_000, 2_999_999_999]),
        (["0999999999"], None),
        (["3000000000"], None),
        ([999_999_999], None),
        ([3_000_000_000], None),
        ([str(FIRST), SECOND], None),
        ([True], None),
        (["191295124", "19129512450"], None),
        (["1912951245", "19129512x5"], None),
        (["١912951245"], None),
        ([], None),
    ],
)
def test_only_well_formed_npis_of_one_type_are_read_at_once(values: list[Any], expected: list[int] | None) -> None:
    found = parse_plain_npis(values)
    assert (None if found is None else found.tolist()) == expected
