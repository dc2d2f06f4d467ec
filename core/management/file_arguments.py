"""Expand the patterns that a command's file arguments may be."""

import glob
from collections.abc import Iterable
from pathlib import Path


def expand_patterns(paths: Iterable[Path]) -> list[Path]:
    """Return the files that arguments name, in order, each once. Patterns such as `*.csv` become the files they fit.

    The shells of Linux and macOS expand patterns themselves, those of Windows do not. An argument that fits no file is
    returned as it is: opening it reports that it is not there.
    """
    found: dict[Path, None] = {}
    for path in paths:
        fitting = [] if path.exists() else sorted(glob.glob(str(path)))  # noqa: PTH207 - may be absolute
        found.update(dict.fromkeys(map(Path, fitting) if fitting else [path]))
    return list(found)
