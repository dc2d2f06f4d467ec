"""Cases of a test that take turns: `@pytest.mark.in_turns(3)` runs three of them, and others in the next run.

It is for tests of which each case takes seconds and most would say the same, such as one of each page. Tests marked
with the same name, `in_turns(1, of="systems")`, take turns as if they were cases of one test. Which ones run changes
with the seed of pytest-randomly, which pytest prints and takes again (`--randomly-seed`). All of them run with
`--every-case`, and where a test is named on the command line.

Of HALVED folders, half of the other tests run where all tests are asked for. Who changes what they test names them.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

HALVED = ("tests/load/", "tests/quality/", "tests/reference/", "tests/store/")
"""Folders whose tests take half of the time of all, and whose subjects change seldom."""


def choose_some(tests: Mapping[str, int], group_of: Callable[[str], str], seed: int) -> set[str]:
    """Return some tests of each group, by their ids in pytest. `tests` has how many of its group shall run for each."""
    groups: dict[str, list[str]] = {}
    for test in sorted(tests):
        groups.setdefault(group_of(test), []).append(test)
    chance = random.Random(seed)
    return {test for some in groups.values() for test in chance.sample(some, min(tests[some[0]], len(some)))}


def leave_out(config: pytest.Config, items: list[pytest.Item], left_out: Collection[str]) -> None:
    """Take the tests with these ids out of those that run."""
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
    items[:] = [item for item in items if item.nodeid not in left_out]


def choose_cases(cases: Mapping[str, int], seed: int, of: Mapping[str, str] = MappingProxyType({})) -> set[str]:
    """Return which cases run, by their ids in pytest. `cases` has how many of its test shall run for each of them.

    `of` has the names of those that take turns with cases of other tests.
    """
    return choose_some(cases, lambda case: of.get(case, case.partition("[")[0]), seed)


def choose_half(tests: Iterable[str], seed: int) -> set[str]:
    """Return which of the tests of HALVED folders run, by their ids in pytest: half of each file, rounded up."""
    halved = [test for test in tests if test.startswith(HALVED)]
    sizes = Counter(map(_file_of, halved))
    return choose_some({test: (sizes[_file_of(test)] + 1) // 2 for test in halved}, _file_of, seed)


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--every-case", action="store_true", help="run all cases, also of tests whose cases take turns")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the cases whose turn it is, the same in each process that runs them."""
    if config.getoption("every_case") or any("::" in argument for argument in config.args):
        return
    marks = {item.nodeid: mark for item in items if (mark := item.get_closest_marker("in_turns"))}
    marked = {case: mark.args[0] for case, mark in marks.items()}
    of = {case: mark.kwargs["of"] for case, mark in marks.items() if "of" in mark.kwargs}
    seed = config.getoption("randomly_seed")
    leave_out(config, items, set(marked) - choose_cases(marked, seed, of))
    asked = {Path(config.invocation_params.dir, argument).resolve() for argument in config.args}
    if asked <= {config.rootpath, config.rootpath / "tests"}:
        others = {item.nodeid for item in items if item.nodeid.startswith(HALVED) and item.nodeid not in marked}
        leave_out(config, items, others - choose_half(others, seed))
