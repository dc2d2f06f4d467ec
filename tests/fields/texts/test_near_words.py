"""Words with a typing error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.texts.near_words import allowed_errors, find_near_words


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("exercize", ["exercise"]),
        ("brian", ["brain"]),
        ("kne", []),
        ("arthrosocpy", ["arthroscopy"]),
        ("knee", ["knee"]),
        ("haed", ["head", "hand"]),
        ("xyzzy", []),
    ],
)
def test_near_is_one_letter_or_two_in_a_long_word(word: str, near: list[str]) -> None:
    assert find_near_words(word, ["exercise", "hand", "head", "brain", "knee", "arthroscopy"]) == near


@given(st.text("abcdef", max_size=10), st.lists(st.text("abcdef", max_size=10), max_size=8))
def test_no_word_is_nearer_than_it_is_allowed(word: str, words: list[str]) -> None:
    found = find_near_words(word, words)
    assert set(found) <= set(words)
    assert all(abs(len(one) - len(word)) <= allowed_errors(word) for one in found)
    assert word not in words or not allowed_errors(word) or found[0] == word
