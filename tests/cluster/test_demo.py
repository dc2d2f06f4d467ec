"""The demo of a cluster on one machine: S3 on loopback, two Ray workers, a local copy."""

import os
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT


def test_the_demo_loads_publishes_and_copies(tmp_path: Path) -> None:
    settings = {"BEACONPOINT_SECRET_KEY": "x", "PYTHONFAULTHANDLER": "1"}
    command = [sys.executable, "manage.py", "cluster", "demo", str(tmp_path / "demo")]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 files loaded, 0 loaded before, 0 not loaded" in done.stdout
    assert "0 files loaded, 6 loaded before" in done.stdout
    assert "is copied for GA" in done.stdout
    assert "of 1 generation are sound" in done.stdout
