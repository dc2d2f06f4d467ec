"""A repetition with a few tests of each file leaves out no file, and over time no test."""

from tests.few_of_each_file import choose_few

TESTS = [*(f"a.py::test_{number}" for number in range(9)), "b.py::test[a::b]"]


def test_each_file_has_as_many_as_asked_for_or_all_its_own() -> None:
    chosen = choose_few(TESTS, 2, seed=1)
    assert len(chosen) == 3
    assert "b.py::test[a::b]" in chosen


def test_a_seed_chooses_the_same_whatever_the_order_and_others_choose_others() -> None:
    assert choose_few(TESTS, 2, seed=1) == choose_few(reversed(TESTS), 2, seed=1)
    assert set().union(*(choose_few(TESTS, 2, seed) for seed in range(50))) == set(TESTS)
