"""Commands run as processes of their own without the second that each takes to import what it needs.

A program imports it once, and forks a child for each command, as Python's own fork server does. In the child, all is as
if manage.py had just been started: arguments, environment, settings, output, and the way it ends.
"""

import atexit
import importlib
import json
import os
import pkgutil
import runpy
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.paths import ROOT

PRELOADED = (
    "core.demo",
    "core.load",
    "core.management",
    "core.quality",
    "core.queries",
    "core.reference",
    "core.store",
)


class ForkedCommands:
    """Runs commands of manage.py, one after another."""

    def __init__(self) -> None:
        self._directory = TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.management.forked_commands"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        """Run a command, and return what it wrote and how it ended."""
        paths = [Path(self._directory.name) / name for name in ("out", "err")]
        order = {"arguments": arguments, "environment": dict(environment), "output": list(map(str, paths))}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        written = [path.read_text(encoding="utf-8") for path in paths]
        return subprocess.CompletedProcess(["manage.py", *arguments], status, *written)

    def close(self) -> None:
        """End the program."""
        self._process.communicate()
        self._directory.cleanup()


def _preload() -> None:
    for name in PRELOADED:
        for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            importlib.import_module(module.name)
    # Settings are read from the environment, which is another one in each child.
    assert "beaconpoint.settings" not in sys.modules


def _become(order: dict[str, object]) -> None:
    """Go on as the command that was asked for, to its end."""
    arguments, environment, output = order["arguments"], order["environment"], order["output"]
    assert isinstance(arguments, list)
    assert isinstance(environment, dict)
    assert isinstance(output, list)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, path in zip((0, 1, 2), ("/dev/null", *output), strict=True):
        flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        file = os.open(path, flags)
        os.dup2(file, descriptor)
        os.close(file)
    sys.argv = ["manage.py", *arguments]
    sys.path[0] = str(ROOT)
    status = 0
    try:
        runpy.run_path("manage.py", run_name="__main__")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001 - as Python itself does with what nothing else has caught
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    # Libraries in C++ would now wait for threads that only the process has from which this one was forked.
    os._exit(status)


def main() -> None:
    """Fork a command for each line, and write how it ended."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "beaconpoint.settings"
    _preload()
    with open(0, "rb", buffering=0, closefd=False) as orders:  # unbuffered: a child must not take the next line along
        for line in iter(orders.readline, b""):
            child = os.fork()
            if not child:
                _become(json.loads(line))
            _, status = os.waitpid(child, 0)
            os.write(1, f"{os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    main()
