"""Run a few tests of each file in a repetition in which most would say the same: `-p tests.few_of_each_file`.

Which ones changes with the seed of pytest-randomly, which pytest prints and takes again (`--randomly-seed`).
"""

import random
from collections.abc import Iterable

import pytest

FEW = 4


def choose_few(tests: Iterable[str], few: int, seed: int) -> set[str]:
    """Return at most `few` of the tests of each file, by their ids in pytest."""
    files: dict[str, list[str]] = {}
    for test in sorted(tests):
        files.setdefault(test.partition("::")[0], []).append(test)
    chance = random.Random(seed)
    return {test for of_file in files.values() for test in chance.sample(of_file, min(few, len(of_file)))}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave a few tests of each file, the same in each process that runs them."""
    chosen = choose_few((item.nodeid for item in items), FEW, config.getoption("randomly_seed"))
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in chosen])
    items[:] = [item for item in items if item.nodeid in chosen]
