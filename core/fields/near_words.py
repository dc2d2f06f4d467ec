"""Words that differ by a typing error."""

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

_LONG_WORD = 8
_SHORT_WORD = 4


def allowed_errors(word: str) -> int:
    """Return how many letters of a word may be wrong, missing, added, or swapped with their neighbor."""
    if len(word) >= _LONG_WORD:
        return 2
    return 1 if len(word) >= _SHORT_WORD else 0


def find_near_words(word: str, words: Iterable[str]) -> list[str]:
    """Return the words that a word may be with a typing error, nearest first, then those with the same first letter."""
    errors = allowed_errors(word)
    if not errors:
        return []
    found = process.extract(word, words, scorer=OSA.distance, score_cutoff=errors, limit=20)
    return [near for near, *_ in sorted(found, key=lambda one: (one[1], one[0][:1] != word[:1], one[0]))]
