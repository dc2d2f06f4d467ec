"""Run the data-quality checks over one generation of the store."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from core.quality.advice import advise, advise_of_shared_files
from core.quality.check import Check, Severity
from core.quality.checks import CHECKS
from core.quality.report_scope import create_scope_views
from core.queries.rules.named_rows import column_names, stream_rows
from core.store.connection import Snapshot
from core.store.watched_cursor import WatchedCursor

MAX_EXAMPLES = 10
REPORT_SECONDS = 3600.0
"""The time limit of a report, in seconds."""

PartKey = tuple[str, str, str]
"""State, year_month and payer_slug; empty text for what the check does not distinguish."""

_ALL: PartKey = ("", "", "")

_Totals = dict[tuple[str, tuple[str, ...]], dict[PartKey, int]]
"""How many things each part has, by the SQL that selects them and the columns that distinguish the parts."""


@dataclass(frozen=True)
class ReportPart:
    """What a check found for one payer, state and month; empty text for what the check does not distinguish."""

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
    """What one check found, in all data and in each part where it found anything."""

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
    """What all checks found in one generation of the store, of one state and month, or of all (None)."""

    generation: int
    data_version: str
    """See Manifest.data_version: whether the data is still the data that was checked."""
    checked_at: datetime
    """When the checks began, UTC."""
    state: str | None
    year_month: str | None
    findings: list[Finding]
    advice: list[str]
    """What would serve the store, see advice.py."""

    def failed(self, severities: tuple[str, ...] = ("error", "warning")) -> list[Finding]:
        """Return the checks that failed."""
        return [f for f in self.findings if not f.passed and f.severity in severities]

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return {"passed": not self.failed(), **asdict(self)}


def run_checks(
    db: Snapshot,
    state: str | None = None,
    year_month: str | None = None,
    wanted_layout: str | None = None,
    checks: Iterable[Check] = CHECKS,
) -> QualityReport:
    """Run every check, or some, over the facts of a state and month, or over all facts.

    `wanted_layout` is the layout that the settings ask for, if they name one.
    """
    began = datetime.now(UTC)
    with db.cursor(REPORT_SECONDS) as cursor:
        create_scope_views(cursor, state, year_month)
        totals: _Totals = {}
        findings = [_run(cursor, one, totals) for one in checks]
    manifest = db.manifest
    return QualityReport(
        generation=manifest.generation,
        data_version=manifest.data_version,
        checked_at=began,
        state=state,
        year_month=year_month,
        findings=findings,
        advice=[*advise(manifest, wanted_layout), *advise_of_shared_files(db)],
    )


def _run(cursor: WatchedCursor, one: Check, totals: _Totals) -> Finding:
    if one.prepare:
        cursor.execute(one.prepare)
    about = one.things, one.by
    if about not in totals:  # several checks count the same things
        totals[about] = {row.key: row.number for row in _count(cursor, one, one.things)}
    of = totals[about]
    counts: dict[PartKey, int] = {}
    examples: dict[PartKey, str] = {}
    for row in _count(cursor, one, one.found):
        # Two names of a payer may have the same slug: their rows are one part.
        counts[row.key] = counts.get(row.key, 0) + row.number
        examples.setdefault(row.key, row.example)
    found = counts.pop(_ALL, 0)
    share = found / of[_ALL] if of[_ALL] else 0.0
    parts = []
    for key, count in sorted(counts.items()):
        state, year_month, payer_slug = key
        share_of_part = count / of[key]
        parts.append(
            ReportPart(
                state=state,
                year_month=year_month,
                payer_slug=payer_slug,
                count=count,
                total=of[key],
                share=share_of_part,
                passed=share_of_part <= one.threshold,
                example=json.loads(examples[key]),
            )
        )
    return Finding(
        name=one.name,
        severity=one.severity,
        meaning=one.meaning,
        remedy=one.remedy,
        threshold=one.threshold,
        count=found,
        total=of[_ALL],
        share=share,
        passed=share <= one.threshold,
        examples=_examples(cursor, one) if found else [],
        parts=parts,
    )


def _examples(cursor: WatchedCursor, one: Check) -> list[dict[str, Any]]:
    cursor.execute(f"SELECT * FROM ({one.found}) ORDER BY ALL LIMIT {MAX_EXAMPLES}")
    names = column_names(cursor)
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@dataclass(frozen=True)
class _PartCount:
    """How many things a part has, or all data, and one of them as JSON."""

    of_all: bool
    state: str
    year_month: str
    payer_slug: str
    number: int
    example: str

    @property
    def key(self) -> PartKey:
        return _ALL if self.of_all else (self.state, self.year_month, self.payer_slug)


def _count(cursor: WatchedCursor, one: Check, things: str) -> list[_PartCount]:
    """Count the things in all data, and in each part that has any, in one pass."""
    state, year_month = (column if column in one.by else "''" for column in ("state", "year_month"))
    payer = next((column for column in one.by if column in {"reporting_entity_name", "payer_slug"}), None)
    sets = f"(), ({', '.join(one.by)})" if one.by else "()"
    of_all = f"grouping({one.by[0]}) = 1" if one.by else "true"
    # The grouping set () is all data. Its columns are null, as are a part's unknown ones: grouping() tells them apart.
    cursor.execute(
        f"""SELECT {of_all} AS of_all, {state} AS state, {year_month} AS year_month,
                   {f"payer_slug({payer})" if payer else "''"} AS payer_slug, count({one.counted}) AS number,
                   {"to_json(min(t))::VARCHAR" if things == one.found else "''"} AS example
            FROM ({things}) t GROUP BY GROUPING SETS ({sets}) ORDER BY ALL"""
    )
    return list(stream_rows(cursor, _PartCount))
