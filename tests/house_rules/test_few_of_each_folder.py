"""A repetition with a few tests of each folder leaves out no folder, and over time no test."""

from tests.few_of_each_folder import choose_few

TESTS = [*(f"tests/a/{number}.py::test" for number in range(9)), "tests/b/b.py::test[a::b/c]", "tests/c.py::test"]


def test_each_folder_has_as_many_as_asked_for_or_all_its_own() -> None:
    chosen = choose_few(TESTS, 2, seed=1)
    assert len(chosen) == 4
    assert {"tests/b/b.py::test[a::b/c]", "tests/c.py::test"} <= chosen


def test_a_seed_chooses_the_same_whatever_the_order_and_others_choose_others() -> None:
    assert choose_few(TESTS, 2, seed=1) == choose_few(reversed(TESTS), 2, seed=1)
    assert set().union(*(choose_few(TESTS, 2, seed) for seed in range(50))) == set(TESTS)
