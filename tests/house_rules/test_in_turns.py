"""Cases that take turns: no test goes without one, and over time no case does."""

from tests.in_turns import HALVED, choose_cases, choose_half
from tests.paths import ROOT

CASES = {**{f"a.py::test_pages[{number}]": 3 for number in range(9)}, "a.py::test_few[x]": 3, "b.py::test[a[b]::c]": 1}


def test_each_test_has_as_many_cases_as_it_asks_for_or_all_its_own() -> None:
    chosen = choose_cases(CASES, seed=1)
    assert sorted(case.partition("[")[0] for case in chosen) == [
        "a.py::test_few",
        *["a.py::test_pages"] * 3,
        "b.py::test",
    ]


def test_a_seed_chooses_the_same_whatever_the_order_and_others_choose_others() -> None:
    backwards = dict(reversed(CASES.items()))
    assert choose_cases(CASES, seed=1) == choose_cases(backwards, seed=1)
    assert set().union(*(choose_cases(CASES, seed) for seed in range(50))) == set(CASES)


def test_tests_of_one_name_take_turns_with_each_other() -> None:
    cases, of = (
        {"a.py::test_one": 1, "b.py::test_other": 1},
        dict.fromkeys(("a.py::test_one", "b.py::test_other"), "both"),
    )
    chosen = [choose_cases(cases, seed, of) for seed in range(50)]
    assert {len(one) for one in chosen} == {1}
    assert set().union(*chosen) == set(cases)


def test_half_of_each_file_of_some_folders_runs_and_over_time_all() -> None:
    tests = [*(f"tests/store/a.py::test_{number}" for number in range(5)), "tests/load/b.py::test[x]"]
    chosen = [choose_half([*tests, "tests/pages/c.py::test"], seed) for seed in range(50)]
    assert {len(one) for one in chosen} == {4}, "three of five, and the only one"
    assert set().union(*chosen) == set(tests), "other folders have their own say"


def test_the_folders_are_there() -> None:
    assert all((ROOT / folder).is_dir() for folder in HALVED)
