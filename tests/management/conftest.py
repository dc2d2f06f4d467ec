"""Fixtures that run manage.py on a data directory of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fixture_types import Manage
from tests.management.forked_commands import ForkedCommands
from tests.paths import ROOT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(scope="session")
def forked_commands() -> Iterator[ForkedCommands]:
    running = ForkedCommands()
    yield running
    running.close()


@pytest.fixture
def manage(root: Path, forked_commands: ForkedCommands) -> Manage:
    """Return a function that runs manage.py with a data directory of its own.

    What is to be set before it starts is said to a shell, or to Python by its environment, and only then is Python
    started for it: a `preexec_fn` would copy the whole test process first, for which a small machine has no memory.
    """

    def run(
        *arguments: Any, data_dir: Path = root, shell_first: str = "", env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        given = list(map(str, arguments))
        environment = {**os.environ, "BEACONPOINT_DATA_DIR": str(data_dir), **(env or {})}
        if not shell_first and not any(name.startswith("PYTHON") for name in env or {}):
            return forked_commands.run(given, environment)
        command = [sys.executable, "manage.py", *given]
        if shell_first:
            command = ["bash", "-c", f'{shell_first}; exec "$@"', "bash", *command]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    return run
