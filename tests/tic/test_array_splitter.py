"""Splitting a file, compared with reading it whole."""

import json
from collections.abc import Iterator
from pathlib import Path
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


ITEM = {"billing_code": "99213", "negotiated_rates": [{"n": n, "text": '"}],['} for n in range(20)], "name": "Visit"}


@pytest.mark.parametrize("careful", [True, False])
@pytest.mark.parametrize("item", [ITEM, dict(reversed(ITEM.items()))])
def test_a_giant_item_comes_in_chunks_that_carry_its_other_values(
    tmp_path: Path, item: dict[str, Any], careful: bool
) -> None:
    content = json.dumps({"in_network": [{"small": 1}, item, {"small": 2}]}).encode()
    splitter = ArraySplitter(
        "rates.json", pieces(content, 7), directory=tmp_path, careful=careful, chunk_bytes=90, giant_bytes=180
    )
    chunks = [part for part in splitter.parts() if isinstance(part, ElementChunk)]
    giant = [chunk for chunk in chunks if chunk.head is not None]
    assert [chunk.first for chunk in giant] == [True] + [False] * (len(giant) - 1)
    assert len(giant) > 3
    assert {chunk.head for chunk in giant} == {giant[0].head}
    assert json.loads(giant[0].head or b"") == {"billing_code": "99213", "name": "Visit"}
    assert json.loads(b"[%b]" % b",".join(chunk.text for chunk in giant)) == item["negotiated_rates"]
    assert [json.loads(bytes(chunk.text)) for chunk in chunks if chunk.head is None] == [{"small": 1}, {"small": 2}]
    for chunk in chunks:
        assert content[chunk.offset : chunk.offset + len(chunk.text)] == chunk.text
    assert not list(tmp_path.iterdir()), "what was put aside is removed"


def test_of_a_repeated_key_in_a_giant_item_all_lists_count(tmp_path: Path) -> None:
    rates = [json.dumps([{"n": n}] * 10).encode() for n in range(2)]
    item = b'{"negotiated_rates": %b, "negotiated_rates": %b}' % (rates[0], rates[1])
    splitter = ArraySplitter(
        "rates.json", iter([b'{"in_network": [%b]}' % item]), directory=tmp_path, chunk_bytes=20, giant_bytes=40
    )
    text = b",".join(part.text or b"" for part in splitter.parts())
    assert json.loads(b"[%b]" % text) == [{"n": 0}] * 10 + [{"n": 1}] * 10


def test_a_giant_item_without_rates_is_one_empty_chunk(tmp_path: Path) -> None:
    content = json.dumps({"in_network": [{"name": "x" * 200}]}).encode()
    splitter = ArraySplitter("rates.json", pieces(content, 9), directory=tmp_path, chunk_bytes=20, giant_bytes=40)
    (chunk,) = splitter.parts()
    assert isinstance(chunk, ElementChunk)
    assert (chunk.text, chunk.first) == (b"", True)
    assert json.loads(chunk.head or b"") == {"name": "x" * 200}


def test_a_wrong_quick_cut_does_not_go_unnoticed_and_a_careful_split_is_right() -> None:
    """The bytes between the first two elements, `]}, {"a":`, occur again within the second one."""
    content = b'{"in_network": [{"a": [1]}, {"a": [{"k": [1]}, {"a": [2]}]}, {"a": [3]}]}'

    def split(*, careful: bool) -> list[Any]:
        splitter = ArraySplitter("rates.json", pieces(content, 8), careful=careful, chunk_bytes=24)
        chunks = [json.loads(b"[%b]" % bytes(part.text or b"")) for part in splitter.parts()]
        return [element for chunk in chunks for element in chunk]

    assert split(careful=True) == json.loads(content)["in_network"]
    with pytest.raises((PayerFileError, ValueError)):
        split(careful=False)


@pytest.mark.parametrize("slashes", range(7))
@pytest.mark.parametrize("size", range(1, 12))
def test_escapes_are_followed_from_one_piece_to_the_next(slashes: int, size: int) -> None:
    value = {"k": "\\" * slashes + '"}]'}
    content = json.dumps({"in_network": [value, value], "x": [value]}).encode()
    found = [part.text for part in ArraySplitter("rates.json", pieces(content, size), chunk_bytes=size).parts()]
    assert json.loads(b"[%b]" % b",".join(text or b"" for text in found)) == [value, value, [value]]


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
