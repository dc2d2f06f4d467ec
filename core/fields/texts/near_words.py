"""Words that differ by a typing error."""

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

_MAX_ERRORS = 2
_LONG_WORD = 8
_SHORT_WORD = 4


def allowed_errors(word: str) -> int:
    """Return how many letters of a word may be wrong, missing, added, or swapped with their neighbor."""
    if len(word) >= _LONG_WORD:
        return _MAX_ERRORS
    return 1 if len(word) >= _SHORT_WORD else 0


def find_near_words(word: str, words: Iterable[str]) -> list[str]:
    """Return the words that a word may be with a typing error, likeliest first."""
    errors = allowed_errors(word)
    if not errors:
        return []
    # In one call, so that comparing a word with all words of a vocabulary takes a millisecond or two.
    found = process.extract(word, list(words), scorer=OSA.distance, score_cutoff=errors, limit=None)
    allowed = [(int(distance), near) for near, distance, _ in found]
    letters = sorted(word)

    def likelihood(one: tuple[int, str]) -> tuple[int, bool, bool, str]:
        # Letters are swapped more often than mistaken, and the first one is rarely wrong.
        errors, near = one
        return errors, sorted(near) != letters, near[:1] != word[:1], near

    return [near for _, near in sorted(allowed, key=likelihood)]
