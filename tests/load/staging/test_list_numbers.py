"""Numbers of lists found by hash are those of a dict, apart from lists that were replaced by others."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.load.staging import list_numbers
from core.load.staging.list_numbers import ListNumbers, hash_texts

hashes = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 20)


def ask(numbers: ListNumbers, asked: Sequence[int]) -> list[int | None]:
    found, unknown = numbers.find(np.array(asked, np.int64))
    answers: list[int | None] = found.tolist()
    for position in unknown.tolist():
        answers[position] = None
    return answers


@given(st.lists(st.lists(hashes, min_size=1, max_size=20), max_size=8), st.sampled_from([2, 16, 1 << 10]))
def test_a_number_that_is_found_is_the_one_that_was_remembered(rounds: list[list[int]], places: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(list_numbers, "PLACES", places)
        numbers = ListNumbers()
        expected: dict[int, int] = {}
        for asked in rounds:
            answers = ask(numbers, asked)
            assert all(answer in {None, expected.get(each)} for each, answer in zip(asked, answers, strict=True))
            fresh = list(dict.fromkeys(asked))
            # Numbers of wanted lists begin at 0, and those of unwanted lists are negative.
            expected |= {each: expected.get(each, (-1) ** n * (len(expected) + n)) for n, each in enumerate(fresh)}
            numbers.add(np.array(fresh, np.int64), np.array([expected[each] for each in fresh], np.int64))


def test_lists_that_have_places_of_their_own_are_found() -> None:
    numbers = ListNumbers()
    texts = [b"[%d]" % n for n in range(20_000)] + [b""]
    asked = hash_texts(texts)
    assert set(ask(numbers, asked.tolist())) == {None}
    for start in range(0, len(texts), 1000):
        numbers.add(asked[start : start + 1000], np.arange(start, min(start + 1000, len(texts))))
    answers = ask(numbers, asked.tolist())
    right = [answer == number for number, answer in enumerate(answers)]
    assert all(answer is None or fits for answer, fits in zip(answers, right, strict=True))
    assert sum(right) > 0.99 * len(texts)
