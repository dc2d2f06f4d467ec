"""Tell which issue of a release a file is: an agency that corrects a quarter's file publishes it again.

The corrected file has the same titles and the same period. Only its name says that it is newer: `… updated 030725.csv`,
`CLFS 2025 Q1V2.csv`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

import polars as pl

from core.reference.benchmark_release import NATION
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from core.store.schema.tables import DIM_BENCHMARK

_DATES = (
    re.compile(r"(?<!\d)(?P<month>\d\d)(?P<day>\d\d)(?:20)?(?P<year>\d\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<month>\d\d?)(?P<mark>[-_./])(?P<day>\d\d?)(?P=mark)(?:20)?(?P<year>\d\d)(?!\d)"),
    re.compile(r"(?<!\d)20(?P<year>\d\d)(?P<mark>[-_./]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(?!\d)"),
)
_VERSION = re.compile(r"(?<=\d)V(\d{1,2})(?!\d)", re.IGNORECASE)

_FORMATS = (".csv", ".xlsx", ".xls", ".txt")
"""Formats of one table, the exact one first: Excel stores amounts as binary fractions."""


@dataclass(frozen=True, order=True)
class Issue:
    """When a file was issued, or its version; empty and 0 where its name does not say."""

    issued: str = ""
    version: int = 0

    def is_older(self, other: "Issue") -> bool:
        """Return whether both names say when they were issued, and this one's is before the other's."""
        if self.issued and other.issued:
            return self.issued < other.issued
        return 0 < self.version < other.version


def read_issue(name: str) -> Issue:
    """Return the issue that a file's name tells: the newest date in it (030725 is March 7, 2025), and its version."""
    dates = [_iso_date(**found.groupdict()) for pattern in _DATES for found in pattern.finditer(name)]
    versions = [int(version) for version in _VERSION.findall(name)]
    return Issue(max(dates, default=""), max(versions, default=0))


def choose_newest(sheets: Iterable[Sheet], read_release: Callable[[Sheet], str]) -> tuple[Sheet, str, list[str]]:
    """Return the newest issue of one table, its release, and a note on each file left out.

    Raise ReferenceFileError if the files are of different releases.
    """
    ordered = sorted(sheets, key=_format_rank)
    releases = [read_release(sheet) for sheet in ordered]
    if len(set(releases)) > 1:
        each = ", ".join(f"{sheet.name} is of {release}" for sheet, release in zip(ordered, releases, strict=True))
        raise ReferenceFileError(f"files of different releases: {each}; load one release at a time")
    newest = max(ordered, key=lambda sheet: read_issue(sheet.file))  # of equal ones, the first
    return newest, releases[0], [_note(sheet, newest) for sheet in ordered if sheet is not newest]


def refuse_older_issue(store: Store, kind: str, release: str, files: Iterable[str]) -> None:
    """Raise ReferenceFileError if the store has the release from a newer issue than that of the files."""
    paths = store.paths(DIM_BENCHMARK.name)
    if not paths:
        return
    stored = pl.read_parquet(paths).filter(kind=kind, state=NATION, release=release)
    before = max((name for names in stored["files"] for name in names), key=read_issue, default="")
    given = max(files, key=read_issue)
    if read_issue(given).is_older(read_issue(before)):
        raise ReferenceFileError(
            f"{given}: {release} is loaded already from {before}, which is a newer issue; give the newest one"
        )


def _iso_date(year: str, month: str, day: str, mark: str = "") -> str:  # noqa: ARG001 - the mark is in the pattern
    try:
        return date(2000 + int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


def _format_rank(sheet: Sheet) -> int:
    suffix = PurePosixPath(sheet.file.lower()).suffix
    return _FORMATS.index(suffix) if suffix in _FORMATS else len(_FORMATS)


def _note(sheet: Sheet, newest: Sheet) -> str:
    if read_issue(sheet.file) == read_issue(newest.file):
        return f"{sheet.name} is left out: {newest.name} is the same table in another format"
    return f"{sheet.name} is left out: {newest.name} is a newer issue of the same release"
