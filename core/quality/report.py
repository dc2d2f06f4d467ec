"""Runs the data-quality checks."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import duckdb

from core.quality.advice import advice
from core.quality.checks import CHECKS, MACROS, Check
from core.store.connection import Snapshot

EXAMPLES = 10
SECONDS = 3600.0
"""The time limit of a whole report."""


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    name: str
    severity: Literal["error", "warning"]
    meaning: str
    threshold: float
    count: int
    total: int
    share: float
    passed: bool
    examples: list[dict[str, Any]]


@dataclass(frozen=True)
class Report:
    """What all checks found in one generation of the store. `state` and `year_month` narrow it; None does not."""

    generation: int
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


def check(
    db: Snapshot, state: str | None = None, year_month: str | None = None, wanted_layout: str | None = None
) -> Report:
    """Runs every check over the facts of a state and month, or of all.

    `wanted_layout` is the layout of the facts that the settings ask for, if they do.
    """
    narrowed = {"state": state, "year_month": year_month}
    with db.cursor(SECONDS) as cursor:
        for statement in MACROS:
            cursor.execute(statement)
        _narrow(cursor, "facts", "fact_rate", narrowed)
        _narrow(cursor, "batches", "dim_batch", narrowed)
        if state or year_month:
            cursor.execute(
                """CREATE OR REPLACE TEMP VIEW provider_groups AS
                   FROM dim_provider_group SEMI JOIN facts USING (pg_uid)"""
            )
            cursor.execute(
                """CREATE OR REPLACE TEMP VIEW npis AS
                   SELECT DISTINCT npi FROM xref_group_npi SEMI JOIN provider_groups USING (pg_uid)"""
            )
        else:
            cursor.execute("CREATE OR REPLACE TEMP VIEW provider_groups AS FROM dim_provider_group")
            cursor.execute("CREATE OR REPLACE TEMP VIEW npis AS FROM dim_npi")
        findings = [_run(cursor, one) for one in CHECKS]
    return Report(db.manifest.generation, state, year_month, findings, advice(db.manifest, wanted_layout))


def _narrow(cursor: duckdb.DuckDBPyConnection, view: str, table: str, narrowed: dict[str, str | None]) -> None:
    # A view's definition takes no parameters, so the values stand in a table of their own.
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE narrowed AS SELECT $state AS state, $year_month AS year_month", narrowed
    )
    cursor.execute(
        f"""CREATE OR REPLACE TEMP VIEW {view} AS SELECT t.* FROM {table} t, narrowed n
            WHERE (n.state IS NULL OR t.state = n.state) AND (n.year_month IS NULL OR t.year_month = n.year_month)"""
    )


def _run(cursor: duckdb.DuckDBPyConnection, one: Check) -> Finding:
    total = _number(cursor, one.total)
    count = _number(cursor, f"SELECT count(*) FROM ({one.found})")
    examples: list[dict[str, Any]] = []
    if count:
        cursor.execute(f"SELECT * FROM ({one.found}) ORDER BY ALL LIMIT {EXAMPLES}")
        names = [column[0] for column in cursor.description or ()]
        examples = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    share = count / total if total else 0.0
    return Finding(
        one.name, one.severity, one.meaning, one.threshold, count, total, share, share <= one.threshold, examples
    )


def _number(cursor: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(cursor.execute(sql).fetchall()[0][0])
