"""The commands on macOS, simulated: workers are spawned, the kernel copies to no file, there is no /proc."""

from pathlib import Path

import pytest

from tests.simulated.run import run_commands, run_python, serving
from tests.simulated.walk_through import check_names, check_page, check_stable_paths, walk_through

LOOK = """
import errno, multiprocessing, os, socket, sys
from core.runtime import workers
assert sys.platform == "darwin" and os.name == "posix"
assert not hasattr(os, "sched_getaffinity") and workers.cpu_count() == os.cpu_count()
assert not workers._has_fork_server()
try:
    os.sendfile(1, 0, 0, 1)
except OSError as error:
    assert error.errno == errno.ENOTSOCK
try:
    open("/proc/self/stat")
except FileNotFoundError:
    print("as on macOS")
"""


def test_the_simulation_lacks_what_macos_lacks(tmp_path: Path) -> None:
    done = run_python("macos", ["-c", LOOK], tmp_path)
    assert done.stdout == "as on macOS\n", done.stderr


@pytest.mark.in_turns(2, of="long walks")
def test_the_commands_work_on_macos(tmp_path: Path) -> None:
    demo = ["demo", "--no-serve", "--data-dir", tmp_path / "demo"]
    told = [*run_commands("macos", tmp_path / "unused", tmp_path, demo), *walk_through("macos", tmp_path)]
    assert [each.problem for each in told] == [None] * len(told), told
    assert (tmp_path / "demo" / "data" / "gold").exists()
    check_stable_paths(tmp_path / "demo" / "data")
    check_names(tmp_path / "demo" / "data")
    with serving("macos", tmp_path / "demo" / "data", tmp_path / "log", "manage.py", "runserver", "{port}") as address:
        check_page(address)
