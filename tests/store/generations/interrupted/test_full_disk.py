"""A disk that fills up at any write, in unlike layouts and with each change, leaves the store as it was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.store.steps import UNLIKE_LAYOUTS


@pytest.mark.in_turns(1)
@pytest.mark.parametrize("layout", UNLIKE_LAYOUTS)
def test_a_disk_that_fills_up_leaves_the_store_as_it_was(tmp_path: Path, layout: str) -> None:
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    probe = ["unshare", *as_root, "--mount", "sh", "-c", 'mount -t tmpfs -o size=1m tmpfs "$1"', "sh", str(tmp_path)]
    if subprocess.run(probe, check=False, capture_output=True).returncode:
        pytest.skip("this system lets this user mount no small file system")
    disk, files = tmp_path / "disk", tmp_path / "files"
    disk.mkdir()
    files.mkdir()
    fill = 'exec "$3" -m tests.store.generations.interrupted.full_disk "$1" "$4" "$5"'
    script = f'mount -t tmpfs -o size=8m tmpfs "$1" && cd "$2" && {fill}'
    arguments = ["sh", str(disk), str(ROOT), sys.executable, str(files), layout]
    done = subprocess.run(
        ["unshare", *as_root, "--mount", "sh", "-c", script, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    refused = dict(line.split() for line in done.stdout.splitlines())
    assert list(refused) == ["ingest", "remove", "reshard", "undo", "compact", "copy", "record"]
    assert all(int(times) > 0 for times in refused.values()), refused
