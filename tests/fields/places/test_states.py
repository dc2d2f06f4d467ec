"""States as users write them."""

import pytest

from core.fields.places.states import STATES, parse_state


@pytest.mark.parametrize(
    ("text", "expected"),
    [("GA", "GA"), (" ga ", "GA"), ("pr", "PR"), ("Georgia", None), ("US", None), ("G", None), ("", None)],
)
def test_a_state(text: str, expected: str | None) -> None:
    assert parse_state(text) == expected


def test_there_are_fifty_states_the_district_and_five_territories() -> None:
    assert len(STATES) == 50 + 1 + 5
    assert {"DC", "AS", "GU", "MP", "PR", "VI"} <= set(STATES)
    assert all(len(code) == 2 and code.isupper() for code in STATES)
    assert len(set(STATES.values())) == len(STATES)
