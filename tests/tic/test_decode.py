"""The fast and the lenient way to read elements return the same."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tic import lenient_json
from core.tic.decode import ITEM_DECODER, REFERENCE_DECODER, ItemObject
from core.tic.lenient_json import UndecodableError
from tests import payer_files


def plain(struct: Any) -> Any:
    """Return a struct as plain values, its Raw parts read."""
    if isinstance(struct, msgspec.Struct):
        fields = {name: plain(getattr(struct, name)) for name in struct.__struct_fields__}
        # null and no list say the same
        return {
            name: value or [] if name in {"negotiated_rates", "negotiated_prices"} else value
            for name, value in fields.items()
        }
    if isinstance(struct, list):
        return [plain(element) for element in struct]
    if isinstance(struct, msgspec.Raw):
        return lenient_json.parse_raw(struct)
    return float(struct) if isinstance(struct, Decimal) else struct


typed_text = st.text(max_size=5)
typed_price = st.fixed_dictionaries(
    {},
    optional={
        "negotiated_type": typed_text,
        "negotiated_rate": st.floats(0, 1e9) | st.integers(0, 10**15) | typed_text | st.none(),
        "service_code": st.lists(typed_text, max_size=2),
        "additional_information": typed_text,
    },
)
typed_rate = st.fixed_dictionaries(
    {"negotiated_prices": st.lists(typed_price, max_size=2)},
    optional={
        "provider_references": st.lists(st.integers()),
        "provider_groups": st.lists(st.dictionaries(typed_text, typed_text)),
    },
)
typed_item = st.fixed_dictionaries(
    {"negotiated_rates": st.lists(typed_rate, max_size=2)},
    optional={
        "billing_code": typed_text | st.integers(0, 99999),
        "billing_code_type_version": typed_text | st.integers(2000, 2030),
        "name": typed_text,
        "unknown": typed_text,
    },
)


@given(st.lists(typed_item, max_size=3))
def test_both_ways_agree(items: list[dict[str, Any]]) -> None:
    text = ",".join(map(json.dumps, items)).encode()
    fast, lenient = ITEM_DECODER.read(text)
    assert lenient == 0
    slow = [ITEM_DECODER._struct(item, Counter()) for item in lenient_json.parse_json(b"[%b]" % text)]
    assert [plain(item) for item in fast] == [plain(item) for item in slow]


@given(st.lists(payer_files.item, max_size=3), st.lists(payer_files.reference, max_size=3))
def test_one_odd_element_does_not_change_its_neighbors(items: list[Any], references: list[Any]) -> None:
    for elements, found in ((ITEM_DECODER, items), (REFERENCE_DECODER, references)):
        each = [plain(elements.read(json.dumps(one).encode())[0][0]) for one in found]
        together = elements.read(",".join(map(json.dumps, found)).encode())[0]
        assert [plain(one) for one in together] == each


def one(text: bytes) -> ItemObject:
    (item,) = ITEM_DECODER.read(text)[0]
    assert item is not None
    return item


def test_text_that_is_not_strict_json_is_read() -> None:
    assert one(b'{"name": "a\nb\x00\tc"}').name == "a\nb\x00\tc"
    assert one(b'{"name": "a\xffb"}').name == "a�b"
    assert one(rb'{"name": "a\ud800b"}').name == "a�b"
    assert one(rb'{"name": "\ud83d\ude00"}').name == "😀"
    assert one(b'{"billing_code": NaN}').billing_code == "NaN"


def test_elements_that_are_not_objects_are_none() -> None:
    assert ITEM_DECODER.read(b'null, 3, "x", [1], {}')[0][:4] == [None] * 4


@pytest.mark.parametrize(
    ("text", "offset"), [(b'{"a": }', 6), (b'{"a": 1}, {"b"', 14), ('{"é": x}'.encode(), 7), (b"{} {}", 3)]
)
def test_an_error_says_at_which_byte_the_text_is_unreadable(text: bytes, offset: int) -> None:
    with pytest.raises(UndecodableError) as raised:
        ITEM_DECODER.read(text)
    assert raised.value.offset == offset


def test_deep_nesting_is_an_error() -> None:
    with pytest.raises(UndecodableError, match="nested deeper"):
        ITEM_DECODER.read(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def test_fractions_stay_exact_the_lenient_way() -> None:
    (reference,) = REFERENCE_DECODER.read(b'{"provider_group_id": 690.64470, "location": 7}')[0]
    assert reference is not None
    assert lenient_json.parse_raw(reference.provider_group_id) == Decimal("690.64470")
    assert reference.location == "7"
