"""Where a published store is: a prefix of an object store, or a local directory, under one set of functions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname
from uuid import uuid4

from core.runtime.errors import BeaconError

_GROUP = (
    "needs the optional dependencies of clusters: install them with `uv sync --group cluster` (see docs/cluster.md)"
)


class PlaceError(BeaconError):
    """The object store cannot be reached, or does not do what is asked."""


@dataclass(frozen=True)
class StoredObject:
    """An object: its path below the place, its size, and when it was written."""

    path: str
    bytes: int
    written_at: datetime


@dataclass(frozen=True)
class StorePlace:
    """A published store: `s3://bucket/prefix`, or `file:///directory` for one machine.

    How S3 is reached comes from the environment, as for every S3 client: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
    AWS_REGION, AWS_ENDPOINT_URL.
    """

    url: str

    def url_of(self, path: str) -> str:
        """Return the address of an object."""
        return f"{self.url.rstrip('/')}/{path}"

    def readable(self, path: str) -> str:
        """Return where DuckDB reads an object: its address on S3, or its path on this machine."""
        if self.url.startswith("file://"):
            return str(Path(url2pathname(urlsplit(self.url).path)) / path)
        return self.url_of(path)

    def read(self, path: str) -> bytes:
        """Return the content of an object."""
        with _plain_errors(self.url, path):
            return bytes(self._obstore.get(self._store, path).bytes())

    def create(self, path: str, content: bytes) -> bool:
        """Write an object unless there is one. Return whether there was none: of several writers one gets True."""
        return self._put(path, content, "create")

    def write(self, path: str, content: bytes | Path) -> None:
        """Write an object or a local file, in place of the object if there is one."""
        self._put(path, content, "overwrite")

    def download(self, path: str, to: Path) -> None:
        """Write an object to a local file. A file that is there is complete, and stays."""
        if to.exists():
            return
        to.parent.mkdir(parents=True, exist_ok=True)
        partial = to.with_name(f"{to.name}.{uuid4().hex}.partial")  # several downloads of it may run
        with _plain_errors(self.url, path), partial.open("wb") as file:
            for block in self._obstore.get(self._store, path).stream(min_chunk_size=8 << 20):
                file.write(block)
        partial.replace(to)

    def list(self, folder: str, after: str | None = None) -> list[StoredObject]:
        """Return the objects of a folder, in order of their paths. `after` is the path to start behind."""
        offset = {"offset": after} if after else {}
        with _plain_errors(self.url, folder):
            found = [one for page in self._obstore.list(self._store, prefix=folder, **offset) for one in page]
        objects = (StoredObject(one["path"], one["size"], one["last_modified"]) for one in found)
        return sorted(objects, key=lambda one: one.path)

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects, those that are there."""
        for path in paths:
            with _plain_errors(self.url, path):
                try:
                    self._obstore.delete(self._store, path)
                except FileNotFoundError:
                    continue

    def _put(self, path: str, content: bytes | Path, mode: str) -> bool:
        from obstore.exceptions import AlreadyExistsError  # noqa: PLC0415 - an optional dependency

        with _plain_errors(self.url, path):
            try:
                self._obstore.put(self._store, path, content, mode=mode)
            except AlreadyExistsError:
                return False
        return True

    @property
    def _obstore(self) -> Any:
        try:
            import obstore  # noqa: PLC0415 - an optional dependency
        except ImportError:
            raise PlaceError(f"{self.url}: {_GROUP}") from None
        return obstore

    @cached_property
    def _store(self) -> Any:
        _ = self._obstore
        from obstore.store import from_url  # noqa: PLC0415 - an optional dependency

        try:
            if self.url.startswith("file://"):
                return from_url(self.url, mkdir=True)
            return from_url(self.url)
        except Exception as error:  # noqa: BLE001 - the library raises several kinds for an address it does not know
            raise PlaceError(f"{self.url}: not a place for a store ({error}); expected s3://bucket/prefix") from None

    def __getstate__(self) -> dict[str, str]:
        return {"url": self.url}


class _plain_errors:  # noqa: N801 - reads as the function it is
    """Turn the library's errors into one line."""

    def __init__(self, url: str, path: str) -> None:
        self._where = f"{url.rstrip('/')}/{path}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception) and type(error).__module__.startswith("obstore"):
            text = " ".join(str(error).partition("Debug source")[0].split())[:300]
            raise PlaceError(f"{self._where}: {text}; check the address, the keys, and AWS_ENDPOINT_URL") from None
        if isinstance(error, FileNotFoundError):
            raise PlaceError(f"{self._where}: there is no such object") from None
