"""Open csv files that are streamed, alone or in a zip file, and say in one line what is wrong with them."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa

from core.runtime.errors import ReferenceFileError, zip_problem

BLOCK_BYTES = 1 << 20
"""How much of a file is read at once."""


@contextmanager
def open_csv(file: IO[bytes], member: str | None) -> Iterator[IO[bytes]]:
    """Yield the stream of a file, or of a member of it if it is a zip file."""
    if member is None:
        yield file
        return
    with zipfile.ZipFile(file) as archive, archive.open(member) as stream:
        yield io.BufferedReader(stream, BLOCK_BYTES)  # type: ignore[type-var]


def ends_with_line_break(file: IO[bytes]) -> bool:
    """Return whether the last byte of a file is a line break: one that was cut off ends within a row."""
    file.seek(-1, io.SEEK_END)
    return file.read(1) == b"\n"


@contextmanager
def plain_errors(path: Path, name: str) -> Iterator[None]:
    """Raise ReferenceFileError, in one line, for whatever is wrong with a file while it is read."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ReferenceFileError(zip_problem(name, error)) from None
    except pa.ArrowInvalid as error:
        raise ReferenceFileError(f"{name}: cannot be read as csv: {error}; download it again") from None
    except OSError as error:
        raise ReferenceFileError(f"{path}: cannot be read: {error.strerror or error}") from None
