"""Each payer once, with its states: a file of several states counts once."""

from datetime import UTC, datetime

from core.queries.coverage import Coverage
from core.queries.loaded_files import SharedFile
from core.queries.payers.loaded_payers import LoadedPayer, rows_of_payers

NOON = datetime(2025, 9, 1, 12, tzinfo=UTC)


def loaded(state: str, payer: str, rates: int, dollars: int | None, month: str = "2025-08") -> LoadedPayer:
    return LoadedPayer(Coverage(state, month, payer.upper(), payer, 1, rates, NOON), 0, dollars)


def shared(payer: str, rates: int, *states: str) -> SharedFile:
    return SharedFile(payer.upper(), payer, "2025-08", list(states), rates)


def test_a_file_of_several_states_counts_once_and_files_of_each_state_add_up() -> None:
    rows = rows_of_payers(
        [
            loaded("GA", "b", 100, 90),
            loaded("GA", "a", 7, 7),
            loaded("OH", "b", 100, 90),
            loaded("TX", "b", 30, 20),
            loaded("NV", "b", 100, 95),
            loaded("TX", "a", 7, 7, "2025-07"),
        ],
        [shared("b", 100, "GA", "OH"), shared("a", 7, "GA", "TX")],
    )
    found = [(one.newest.payer_slug, one.states, one.files, one.rates, one.dollars, one.others) for one in rows]
    assert found == [
        ("a", ["TX"], 1, 7, 7, 0),
        ("a", ["GA"], 1, 7, 7, 0),
        ("b", ["GA", "OH", "TX", "NV"], 3, 230, 205, 25),
    ]


def test_dollars_that_are_not_known_stay_so() -> None:
    (row,) = rows_of_payers([loaded("GA", "a", 7, None), loaded("TX", "a", 8, 8)], [])
    assert (row.rates, row.dollars, row.others) == (15, None, 0)
