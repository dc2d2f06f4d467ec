"""CMS tables as they are downloaded: csv in Latin-1 below title rows, alone or in a zip file."""

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from core.benchmarks.errors import BenchmarkError

Rows = list[list[str]]


def read_csv(path: Path, wanted: Callable[[Rows], bool] = lambda _rows: True) -> Rows:
    """The rows of a csv file, cells trimmed; of a zip file, those of the first csv or txt in it that is `wanted`.

    Raises BenchmarkError where there is no such file or it is no text.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"PK"
        if not packed:
            return _rows(path.read_bytes())
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.lower().endswith((".csv", ".txt")):
                    rows = _rows(archive.read(name))
                    if wanted(rows):
                        return rows
        raise BenchmarkError(f"{path.name}: no csv of the expected kind in this zip file (an xlsx is in it, maybe?)")
    except zipfile.BadZipFile as error:
        raise BenchmarkError(f"{path.name}: the zip file is damaged or cut short ({error}); get it again") from None
    except (OSError, csv.Error) as error:
        raise BenchmarkError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _rows(content: bytes) -> Rows:
    text = content.decode("latin-1").removeprefix("ï»¿").replace("\x00", "")
    return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
