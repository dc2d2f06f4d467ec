"""Directories that several tests begin with: built once in a run, by the process that needs one first."""

import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


class BuiltOnce:
    """What is built below a directory that all processes of a run of the tests share."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get(self, name: str, build: Callable[[Path], object]) -> Path:
        """Return the directory of this name, which `build` has filled. Tests only read it."""
        directory, finished = self._directory / name, self._directory / f"{name}.finished"
        # Asked before the lock, which takes longer: most tests come when all is there.
        if finished.exists():
            return directory
        self._directory.mkdir(parents=True, exist_ok=True)
        with FileLock(self._directory / f"{name}.lock"):
            if not finished.exists():
                # What a process has left that was stopped while it built.
                shutil.rmtree(directory, ignore_errors=True)
                directory.mkdir()
                build(directory)
                finished.touch()
        return directory

    def copy(self, name: str, build: Callable[[Path], object], target: Path) -> Path:
        """Copy the directory of this name to `target`, which a test may change."""
        return shutil.copytree(self.get(name, build), target, symlinks=True, dirs_exist_ok=True)
