"""Characters that no text may contain, and texts that are too long."""

import sys
import unicodedata

import pytest

from core.fields.providers.provider_group_id import MAX_GROUP_ID_LENGTH, parse_provider_group_id
from core.fields.texts.clean_text import (
    CLEANED,
    FORBIDDEN,
    SHORTENED,
    clean_text,
    cleaned,
    distinct_id,
    has_forbidden,
    remove_forbidden,
    shorten,
)
from core.fields.texts.text import fit_text
from tests.slow_reader import clean


def test_every_character_is_kept_removed_or_a_space_as_the_slow_reader_says() -> None:
    for number in range(sys.maxunicode + 1):
        if not 0xD800 <= number <= 0xDFFF:
            text = f"a{chr(number)}b"
            assert remove_forbidden(text) == clean(text), hex(number)
            assert has_forbidden(text) == (clean(text) != text)


@pytest.mark.parametrize("category", ["Cc", "Zl", "Zp"])
def test_no_control_character_and_no_separator_of_lines_is_kept(category: str) -> None:
    every = [chr(n) for n in range(sys.maxunicode + 1) if unicodedata.category(chr(n)) == category]
    assert every
    assert all(FORBIDDEN.search(each) for each in every)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" a ", "a"),
        ("a\r\n b", "a  b"),
        ("a\n\n\tb", "a b"),
        ("\ufeff99213\x00\n", "99213"),
        ("abc\u202edef", "abcdef"),
        ("👩\u200d🚀 é", "👩\u200d🚀 é"),
        ("\x1b[31mred", "[31mred"),
        ("\u2028\x00", ""),
    ],
)
def test_a_clean_text_is_on_one_line(text: str, expected: str) -> None:
    assert clean_text(text) == expected
    assert clean_text(expected) == expected


def test_white_space_at_the_ends_is_not_counted() -> None:
    assert not has_forbidden("\r\n99213\t")
    assert cleaned("a", ["b", "c\x00"], None, 5) == CLEANED
    assert cleaned("a\n", [" b"], None, 5) == 0


def test_a_text_that_is_too_long_ends_with_an_ellipsis() -> None:
    assert shorten("abcde", 5) == "abcde"
    assert shorten("abcdef", 5) == "abcd…"
    assert fit_text(" abcdef\x00 ", 5) == ("abcd…", SHORTENED | CLEANED)
    assert fit_text(" abc ", 5) == ("abc", 0)
    assert fit_text("\x00", 5) == (None, 0)


def test_ids_that_have_to_be_changed_stay_different() -> None:
    long = "x" * 5_000_000
    found = {distinct_id(text, 50) for text in ("a", "a\x00", "a\x01", long, long + "y", "x" * 50, "x" * 51)}
    assert len(found) == 7
    assert max(map(len, found)) <= 50
    assert not any(map(has_forbidden, found))


@pytest.mark.parametrize("value", ["7" * 5_000, "0." + "7" * 5_000, 10**399 + 1, "é" * 201, " a\u200b "])
def test_a_provider_group_s_id_has_limits(value: object) -> None:
    found = parse_provider_group_id(value)
    assert found is not None
    assert len(found) <= MAX_GROUP_ID_LENGTH
    assert parse_provider_group_id(found) == found
