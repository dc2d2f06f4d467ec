"""Which version of the program this is: a hash of its own files, by which answers of two versions are told apart."""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.conf import settings

_PARTS = (
    ("beaconpoint", "*.py"), ("core", "*.py"), ("core", "*.toml"), ("templates", "*.html"), ("templates", "*.jinja"),
    ("static", "*"), ("docs", "*.md"),
)  # fmt: skip
"""The directories that decide what an answer contains, and the files in them."""

_SINGLE_FILES = ("uv.lock", "staticfiles/staticfiles.json")
"""The versions of the libraries, and the names under which static files are linked to."""


def program_version() -> str:
    """Return a hash of the program's files: it stays the same across restarts, and differs after a change.

    It is computed once, in a few hundredths of a second. With DEBUG, where templates may change while the site runs, it
    is computed each time.
    """
    return hash_program(settings.BASE_DIR) if settings.DEBUG else _version_at_start()


def version_in_words() -> str:
    """Return the version as a citation names it: the first letters of what it was when the site started."""
    return _version_at_start()[:8]


@cache
def _version_at_start() -> str:
    return hash_program(settings.BASE_DIR)


def hash_program(root: Path) -> str:
    """Return a hash of the names and contents of the program's files below a directory."""
    digest = hashlib.sha256()
    for path in _program_files(root):
        content = path.read_bytes()
        # The length keeps the end of one file apart from the name of the next.
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _program_files(root: Path) -> Iterator[Path]:
    for directory, pattern in _PARTS:
        for folder in _folders(root / directory):
            yield from sorted(path for path in folder.glob(pattern) if path.is_file())
    for name in _SINGLE_FILES:
        if (root / name).is_file():
            yield root / name


def _folders(folder: Path) -> Iterator[Path]:
    """Yield a folder and those below it, except for data and compiled code, which may be many files."""
    yield folder
    for inner in sorted(folder.iterdir()) if folder.is_dir() else ():
        if inner.is_dir() and inner.name not in {"data", "__pycache__"}:
            yield from _folders(inner)
