"""What became of what organizations are paid, in words."""

from dataclasses import replace

import pytest

from core.pages.shared.words.change_words import count_paid
from core.queries.over_time.changes import Moved

_NONE = Moved("dollars", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, None, None, None)


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
    said = count_paid(replace(_NONE, up=2, same=3, unclear=4))
    assert said == "2 are paid more, 3 the same, and 4 partly more and partly less (unclear)"
