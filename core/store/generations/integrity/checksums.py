"""Checksums of the store's files, in the manifest: a file that has changed since it was written is told from one that
has not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import xxhash

from core.store.generations.manifest import DataFile, Manifest

_BLOCK = 1 << 20


def checksum_of(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """Return the checksum of a file: XXH3 with 128 bits, in hexadecimal. `progress` gets the bytes of each block."""
    state = xxhash.xxh3_128()
    block = bytearray(_BLOCK)
    view = memoryview(block)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(block):
            state.update(view[:count])
            if progress:
                progress(count)
    return state.hexdigest()


def with_checksum(root: Path, file: DataFile) -> DataFile:
    """Return a file as a manifest names it, with its checksum and its size as they are on disk."""
    path = root / file.path
    return replace(file, bytes=path.stat().st_size, checksum=checksum_of(path))


def with_checksums(root: Path, manifest: Manifest) -> Manifest:
    """Return a manifest in which every file has a checksum. Only the files that lack one are read."""

    def complete(file: DataFile) -> DataFile:
        return file if file.checksum else with_checksum(root, file)

    return replace(
        manifest,
        tables={name: tuple(complete(file) for file in files) for name, files in manifest.tables.items()},
        rejects={batch_id: complete(file) for batch_id, file in manifest.rejects.items()},
    )
