"""Run one test of each file in a repetition in which most would say the same: `-p tests.few_of_each_file`.

Which ones changes with the seed of pytest-randomly, which pytest prints and takes again (`--randomly-seed`).
"""

from collections.abc import Iterable

import pytest

from tests.in_turns import choose_some, leave_out

FEW = 1


def choose_few(tests: Iterable[str], few: int, seed: int) -> set[str]:
    """Return at most `few` of the tests of each file, by their ids in pytest."""
    return choose_some(dict.fromkeys(tests, few), lambda test: test.partition("::")[0], seed)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave a test of each file, the same in each process that runs them."""
    every = {item.nodeid for item in items}
    leave_out(config, items, every - choose_few(every, FEW, config.getoption("randomly_seed")))
