"""The list of files that a writer has made and not published yet. Each is listed before it is made.

A killed writer leaves files that no manifest names. The next writer removes those that are on this list, and nothing
else: any other file in the data directory belongs to someone, even if this program does not know to whom.
"""

import os
from contextlib import suppress
from pathlib import Path, PurePosixPath

_MAY_CONTAIN = ("files", "manifests")
"""The folders of the data directory that a listed path may be in."""


class UnpublishedFiles:
    """The list, a text file with one path per line, relative to the data directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, path: str) -> None:
        """Add a path to the list, before its file is made."""
        # One short write: a killed writer leaves a whole line or none. After a power cut the line may be missing. The
        # file then stays where it is, which costs room on the disk and nothing else.
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, f"{path}\n".encode())
        finally:
            os.close(descriptor)

    def read(self) -> set[str]:
        """Return the paths on the list."""
        with suppress(FileNotFoundError, NotADirectoryError):
            lines = self._path.read_text(encoding="utf-8").split("\n")[:-1]
            return {line for line in lines if _is_inside(PurePosixPath(line))}
        return set()

    def clear(self) -> None:
        """Empty the list: what is on it has been published."""
        self._path.unlink(missing_ok=True)


def _is_inside(path: PurePosixPath) -> bool:
    return len(path.parts) > 1 and path.parts[0] in _MAY_CONTAIN and ".." not in path.parts
