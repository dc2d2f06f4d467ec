"""Static files under names that contain a hash of their content, so that browsers keep them for a year.

`manage.py collectstatic` writes them, at each deployment. A file that has not been collected, or that has changed
since, is served under its plain name: a development site needs no collecting, and forgetting it on a server costs
speed, not a page.
"""

from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Write and name the static files."""

    def url(self, name: str | None, force: bool = False) -> str:
        """Return the address of a file: the one with a hash, if the collected file is the current one."""
        if name is None or not self._is_collected(name):
            return StaticFilesStorage.url(self, name)
        return str(super().url(name, force))

    @cache  # noqa: B019 - Django makes one storage, which lives as long as the process
    def _is_collected(self, name: str) -> bool:
        """Return whether the collected copy of a file has the content of the file itself."""
        source = finders.find(name)
        if source is None or name not in self.hashed_files:
            return False
        copy = Path(self.path(name))
        return copy.is_file() and copy.read_bytes() == Path(source).read_bytes()


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serve the static files."""

    FOREVER = 365 * 24 * 3600
    """Seconds for which a file with a hash in its name is kept."""

    def add_files(self, root: Any, prefix: str | None = None) -> None:
        """Add the files of a directory, if it exists: nothing may have been collected."""
        if Path(root).is_dir():
            super().add_files(root, prefix)
