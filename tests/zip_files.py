"""Zip files for tests."""

import zipfile
from pathlib import Path


def zip_of(path: Path, *members: tuple[str, bytes]) -> Path:
    """Write a zip file with the given members, and return its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members:
            packed.writestr(name, content)
    return path
