"""Run the installer's part that writes files, below a directory of a test, and look at what it wrote."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.paths import ROOT

DEPLOY = ROOT / "deploy"
HOST = "rates.example.org"


def need(*commands: str) -> None:
    """Skip a test if a program of a server is missing. CI installs all of them, so there it fails."""
    missing = [name for name in commands if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"CI must install {missing}")
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


def install(root: Path, *options: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Write the files of a server below a directory. `path` comes before the others in PATH."""
    environment = {**os.environ, "PATH": ":".join([*filter(None, [path]), os.environ["PATH"], "/usr/sbin"])}
    command = [str(DEPLOY / "install.sh"), "--files-only", str(root), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def install_new(root: Path, profile: str = "2gb") -> Path:
    """Write the files of a new server below a directory, and return it."""
    done = install(root, "--host", HOST, "--profile", profile)
    assert (done.returncode, done.stderr) == (0, "")
    return root


def read_settings(root: Path) -> dict[str, str]:
    """Return the environment file's settings."""
    lines = (root / "etc/beaconpoint/environment").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def read_files(root: Path) -> dict[str, bytes | Path]:
    """Return the content of every file below a directory, and where its links lead."""
    return {
        str(path.relative_to(root)): path.readlink() if path.is_symlink() else path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
