"""Cases of a test that take turns: `@pytest.mark.in_turns(3)` runs three of them, and others in the next run.

It is for tests of which each case takes seconds and most would say the same, such as one of each page. Which ones run
changes with the seed of pytest-randomly, which pytest prints and takes again (`--randomly-seed`). All of them run with
`--every-case`, and where a test is named on the command line.
"""

import random
from collections.abc import Mapping

import pytest


def choose_cases(cases: Mapping[str, int], seed: int) -> set[str]:
    """Return which cases run, by their ids in pytest. `cases` has how many of its test shall run for each of them."""
    tests: dict[str, list[str]] = {}
    for case in sorted(cases):
        tests.setdefault(case.partition("[")[0], []).append(case)
    chance = random.Random(seed)
    return {case for of_test in tests.values() for case in chance.sample(of_test, min(cases[of_test[0]], len(of_test)))}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--every-case", action="store_true", help="run all cases, also of tests whose cases take turns")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the cases whose turn it is, the same in each process that runs them."""
    if config.getoption("every_case") or any("::" in argument for argument in config.args):
        return
    marked = {item.nodeid: mark.args[0] for item in items if (mark := item.get_closest_marker("in_turns"))}
    waiting = set(marked) - choose_cases(marked, config.getoption("randomly_seed"))
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in waiting])
    items[:] = [item for item in items if item.nodeid not in waiting]
