"""Fixtures that run manage.py on a data directory of their own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fixture_types import Manage
from tests.paths import ROOT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def manage(root: Path) -> Manage:
    """Return a function that runs manage.py with a data directory of its own.

    What is to be set before it starts is said to a shell: a `preexec_fn` would copy the whole test process first,
    for which a small machine has no memory.
    """

    def run(
        *arguments: Any, data_dir: Path = root, shell_first: str = "", **more: Any
    ) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "BEACONPOINT_DATA_DIR": str(data_dir), **more.pop("env", {})}
        command = [sys.executable, "manage.py", *map(str, arguments)]
        if shell_first:
            command = ["bash", "-c", f'{shell_first}; exec "$@"', "bash", *command]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False, **more
        )

    return run
