"""Words that differ by a typing error."""

from collections.abc import Iterable

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
    found = [(_distance(word, one), one) for one in words if abs(len(one) - len(word)) <= errors]
    allowed = [one for one in found if one[0] <= errors]
    letters = sorted(word)

    def likelihood(one: tuple[int, str]) -> tuple[int, bool, bool, str]:
        # Letters are swapped more often than mistaken, and the first one is rarely wrong.
        errors, near = one
        return errors, sorted(near) != letters, near[:1] != word[:1], near

    return [near for _, near in sorted(allowed, key=likelihood)]


def _distance(one: str, other: str) -> int:
    """Return how many letters are changed, left out, added, or swapped with their neighbor."""
    return OSA.distance(one, other, score_cutoff=_MAX_ERRORS)
