"""Run a few tests of each folder, others in each run: `-p tests.few_of_each_folder --few 2`.

It is for repetitions in which most tests would say the same, and for tests of which each takes long. Which ones run
changes with the seed of pytest-randomly, which pytest prints and takes again (`--randomly-seed`).
"""

from collections.abc import Iterable

import pytest

from tests.in_turns import choose_some, leave_out


def choose_few(tests: Iterable[str], few: int, seed: int) -> set[str]:
    """Return at most `few` of the tests of each folder, by their ids in pytest."""
    return choose_some(dict.fromkeys(tests, few), lambda test: test.partition("::")[0].rpartition("/")[0], seed)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--few", type=int, required=True, help="how many tests of each folder run")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave a few tests of each folder, the same in each process that runs them."""
    every = {item.nodeid for item in items}
    leave_out(config, items, every - choose_few(every, config.getoption("few"), config.getoption("randomly_seed")))
