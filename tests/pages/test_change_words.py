"""What became of what organizations are paid, in words."""

from dataclasses import replace

import pytest

from core.pages.shared.words.change_words import count_paid, tell_median_change
from core.queries.over_time.changes import Moved

_NONE = Moved("dollars", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, None, None, None)


@pytest.mark.parametrize(
    ("up", "down", "same", "said"),
    [
        (74, 92, 59, "74 are paid more, 92 less, and 59 the same"),
        (1, 2, 0, "1 is paid more and 2 less"),
        (0, 0, 1225, "all 1,225 are paid the same"),
        (0, 1, 0, "1 is paid less"),
        (0, 0, 0, ""),
    ],
)
def test_organizations_are_counted_by_what_became_of_their_pay(up: int, down: int, same: int, said: str) -> None:
    assert count_paid(replace(_NONE, up=up, down=down, same=same)) == said


def test_what_is_neither_a_raise_nor_a_cut_is_said() -> None:
    why = "unclear, as the file has another number of prices, or some are higher and some lower"
    assert count_paid(replace(_NONE, up=2, same=3, unclear=4)) == f"2 are paid more, 3 the same, and 4 {why}"
    assert count_paid(replace(_NONE, unclear=4)) == f"all 4 are {why}"


def test_a_median_change_says_of_what_it_is() -> None:
    row = replace(_NONE, up=3, same=2, middle=0.02, p50=0.02)
    assert tell_median_change(row) == "the median change is +2.0%"
    assert tell_median_change(replace(row, unclear=4)) == "the median change of the other 5 is +2.0%"
    said = tell_median_change(replace(row, same=5, middle=0.0))
    assert said == "the median change is 0.0%, and +2.0% among those up or down"
    assert tell_median_change(replace(_NONE, unclear=4)) == ""
