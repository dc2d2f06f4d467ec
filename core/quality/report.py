"""Runs the data-quality checks."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from core.quality.advice import advise
from core.quality.checks import CHECKS, Check, Severity
from core.quality.report_scope import create_scope_views
from core.store.connection import Snapshot

MAX_EXAMPLES = 10
REPORT_SECONDS = 3600.0
"""The time limit of a whole report."""

PartKey = tuple[str, str, str]
"""State, year_month and payer_slug; an empty text where a part is not told apart by it."""

_ALL: PartKey = ("", "", "")

_Totals = dict[tuple[str, tuple[str, ...]], dict[PartKey, int]]
"""How many things there are in each part: by the SQL that selects them and the columns that tell the parts apart."""


@dataclass(frozen=True)
class ReportPart:
    """What a check found of one payer in one state and month; empty text for what it cannot be told apart by."""

    state: str
    year_month: str
    payer_slug: str
    count: int
    total: int
    share: float
    passed: bool
    example: dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """What one check found, and in which parts it found something."""

    name: str
    severity: Severity
    meaning: str
    remedy: str
    threshold: float
    count: int
    total: int
    share: float
    passed: bool
    examples: list[dict[str, Any]]
    parts: list[ReportPart]


@dataclass(frozen=True)
class QualityReport:
    """What all checks found in one generation of the store. `state` and `year_month` narrow it; None does not."""

    generation: int
    data_version: str
    """See Manifest.data_version: tells whether the data is still what was checked."""
    checked_at: datetime
    """When the checks began, UTC."""
    state: str | None
    year_month: str | None
    findings: list[Finding]
    advice: list[str]
    """What would serve the store, see advice.py."""

    def failed(self, severities: tuple[str, ...] = ("error", "warning")) -> list[Finding]:
        """The checks that failed."""
        return [f for f in self.findings if not f.passed and f.severity in severities]

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {"passed": not self.failed(), **asdict(self)}


def run_checks(
    db: Snapshot, state: str | None = None, year_month: str | None = None, wanted_layout: str | None = None
) -> QualityReport:
    """Runs every check over the facts of a state and month, or of all.

    `wanted_layout` is the layout of the facts that the settings ask for, if they do.
    """
    began = datetime.now(UTC)
    with db.cursor(REPORT_SECONDS) as cursor:
        create_scope_views(cursor, state, year_month)
        totals: _Totals = {}
        findings = [_run(cursor, one, totals) for one in CHECKS]
    manifest = db.manifest
    return QualityReport(
        manifest.generation,
        manifest.data_version,
        began,
        state,
        year_month,
        findings,
        advise(manifest, wanted_layout),
    )


def _run(cursor: duckdb.DuckDBPyConnection, one: Check, totals: _Totals) -> Finding:
    about = one.things, one.by
    if about not in totals:  # what several checks look at is counted once
        totals[about] = {key: count for key, count, _ in _counted(cursor, one, one.things)}
    of = totals[about]
    counts: dict[PartKey, tuple[int, str]] = {}
    for key, count, example in _counted(cursor, one, one.found):
        before = counts.get(key, (0, example))  # two names of a payer may have one slug
        counts[key] = (before[0] + count, before[1])
    found, _ = counts.pop(_ALL, (0, ""))
    examples: list[dict[str, Any]] = []
    if found:
        cursor.execute(f"SELECT * FROM ({one.found}) ORDER BY ALL LIMIT {MAX_EXAMPLES}")
        names = [column[0] for column in cursor.description or ()]
        examples = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    share = found / of[_ALL] if of[_ALL] else 0.0
    parts = [
        ReportPart(
            *key, count, of[key], share_of := count / of[key], share_of <= one.threshold, json.loads(example)
        )
        for key, (count, example) in sorted(counts.items())
    ]  # fmt: skip
    return Finding(
        one.name, one.severity, one.meaning, one.remedy, one.threshold,
        found, of[_ALL], share, share <= one.threshold, examples, parts,
    )  # fmt: skip


def _counted(cursor: duckdb.DuckDBPyConnection, one: Check, things: str) -> list[tuple[PartKey, int, str]]:
    """How many there are in all (_ALL), and in each part that has any, with one of them as JSON."""
    key = [column if column in one.by else "''" for column in ("state", "year_month")]
    payer = next((column for column in one.by if column in {"reporting_entity_name", "payer_slug"}), None)
    sets = f"(), ({', '.join(one.by)})" if one.by else "()"
    whole = f"grouping({one.by[0]}) = 1" if one.by else "true"
    rows = cursor.execute(
        f"""SELECT {whole}, {", ".join(key)}, {f"payer_slug({payer})" if payer else "''"},
                   count({one.counted}), {"to_json(min(t))::VARCHAR" if things == one.found else "''"}
            FROM ({things}) t GROUP BY GROUPING SETS ({sets}) ORDER BY ALL"""
    ).fetchall()
    return [(_ALL if row[0] else (row[1], row[2], row[3]), row[4], row[5]) for row in rows]
