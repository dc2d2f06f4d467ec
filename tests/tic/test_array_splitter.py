"""Splitting a file, compared with reading it whole."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runtime.errors import PayerFileError
from core.tic.array_splitter import CHUNK_BYTES, STREAMED, ArraySplitter, ElementChunk, RootValue

texts = st.text(st.sampled_from('a"\\{}[],: é\n\t/'), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
elements = st.dictionaries(texts, values, max_size=4)


@st.composite
def roots(draw: st.DrawFn) -> dict[str, Any]:
    keys = draw(st.permutations(["in_network", "provider_references", "version", *draw(st.lists(texts, max_size=3))]))
    streamed = st.one_of(st.lists(elements, max_size=8), st.none(), elements)
    return {key: draw(streamed if key in STREAMED else values) for key in keys}


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def parts(content: bytes, size: int = 7, chunk_bytes: int = CHUNK_BYTES) -> list[RootValue | ElementChunk]:
    return list(ArraySplitter("rates.json", pieces(content, size), chunk_bytes=chunk_bytes).parts())


@given(root=roots(), indent=st.sampled_from([None, 1]), ascii_only=st.booleans(), size=st.integers(1, 40))
def test_the_parts_are_the_whole(root: dict[str, Any], indent: int | None, ascii_only: bool, size: int) -> None:
    content = json.dumps(root, indent=indent, ensure_ascii=ascii_only).encode()
    found = parts(content, size, chunk_bytes=3 * size)
    for part in found:
        if isinstance(part, ElementChunk):
            assert content[part.offset : part.offset + len(part.text)] == part.text
    for key, value in root.items():
        if key in STREAMED and isinstance(value, list):
            runs = [part.text for part in found if isinstance(part, ElementChunk) and part.array == key]
            assert runs
            assert json.loads(b"[%b]" % b",".join(runs)) == value
        else:
            texts = [part.text for part in found if isinstance(part, RootValue) and part.key == key]
            assert [json.loads(text or b"") for text in texts] == [value]


@given(st.binary(max_size=60) | st.text(st.sampled_from('{}[]",:\\a1 '), max_size=60).map(str.encode))
def test_any_bytes_are_parts_or_an_error_of_one_line(content: bytes) -> None:
    message = ""
    try:
        parts(content)
    except PayerFileError as error:
        message = str(error)
    assert "\n" not in message
    assert not message or "rates.json" in message


FILE = json.dumps({"a": 'x\\"]}', "in_network": [{"k": ["}"]}, {"k": 2}], "b": {"c": [1]}}).encode()


@pytest.mark.parametrize("end", range(1, len(FILE)))
def test_a_file_cut_short_anywhere_is_an_error(end: int) -> None:
    with pytest.raises(PayerFileError, match=r"rates\.json: the JSON ends at byte [\d,]+ in the middle .* cut short"):
        parts(FILE[:end])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"  \n ", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"[1]", r"expected one JSON object at byte 0, found '\[1\]'"),
        (b"<html>", "expected one JSON object at byte 0, found '<html>'"),
        (b"\xff\xfe{\x00", "UTF-16"),
        (b'{"a": 1} x', "expected nothing after the end of the JSON object at byte 9, found 'x'"),
        (b'{"a": 1}{"a": 1}', "expected nothing after the end"),
        (b'{"a" 1}', 'expected ":" at byte 5'),
        (b'{"a": 1 "b": 2}', 'expected "," or "}" at byte 8'),
        (b"{1: 2}", "expected a key in double quotes at byte 1"),
        (b'{"a": ]}', "expected a value at byte 6"),
    ],
)
def test_an_error_says_what_is_wrong_and_where(content: bytes, message: str) -> None:
    with pytest.raises(PayerFileError, match=message):
        parts(content)


def test_a_byte_order_mark_is_skipped() -> None:
    assert parts(b'\xef\xbb\xbf{"a": 1}') == [RootValue("a", b"1")]


def test_a_long_value_of_the_root_is_not_kept() -> None:
    content = json.dumps({"a": ["]" * 100, {"b": '"' * 100}], "b": 2, "c": "x" * 48, "d": "x" * 49}).encode()
    found = list(ArraySplitter("rates.json", pieces(content, 7), root_value_limit=50).parts())
    kept = RootValue("c", b'"%b"' % (b"x" * 48))
    assert found == [RootValue("a", None), RootValue("b", b"2"), kept, RootValue("d", None)]


def test_memory_does_not_grow_with_the_file() -> None:
    """64 MB pass through a window of a few."""
    element = b'{"a": "' + b"x" * 1000 + b'"}'

    def chunks() -> Iterator[bytes]:
        yield b'{"in_network": [' + element
        for _ in range(64):
            yield (b"," + element) * 1000
        yield b"]}"

    longest, total = 0, 0
    for part in ArraySplitter("rates.json", chunks()).parts():
        longest, total = max(longest, len(part.text or b"")), total + len(part.text or b"")
    assert total > 64_000_000
    assert longest < 3 * CHUNK_BYTES
