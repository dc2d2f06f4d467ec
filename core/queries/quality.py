"""The results of dq_check as the store keeps them: the newest run, by payer and month, and the runs before it."""

from dataclasses import dataclass
from typing import Annotated

from core.queries.rules.columns import (
    CheckedAt,
    CheckedCount,
    CheckName,
    CheckPassed,
    CheckSeverity,
    FoundCount,
    FoundShare,
    Month,
    PayerName,
    PayerSlug,
    RunId,
    Threshold,
    described,
    stored,
)
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.schema.tables import DQ_FINDING, DQ_RUN


@dataclass(frozen=True)
class CheckRun:
    """One run of the data-quality checks."""

    run_id: RunId
    checked_at: CheckedAt
    generation: Annotated[int, stored(DQ_RUN, "generation", 7)]
    data_version: Annotated[str, stored(DQ_RUN, "data_version", "5b6e47d39c1f")]
    state: Annotated[str, stored(DQ_RUN, "state", "")]
    year_month: Annotated[str, stored(DQ_RUN, "year_month", "")]
    checks: Annotated[int, stored(DQ_RUN, "checks", 12)]
    errors_failed: Annotated[int, stored(DQ_RUN, "errors_failed", 0)]
    warnings_failed: Annotated[int, stored(DQ_RUN, "warnings_failed", 2)]
    advice: Annotated[
        list[str], stored(DQ_RUN, "advice", ["12 states and months have many small files: manage.py compact"])
    ]

    @property
    def failed(self) -> int:
        """Return how many checks failed."""
        return self.errors_failed + self.warnings_failed


@dataclass(frozen=True)
class CheckOutcome:
    """What a check found in a whole run."""

    check_name: CheckName
    severity: CheckSeverity
    passed: CheckPassed
    found: FoundCount
    total: CheckedCount
    share: FoundShare
    threshold: Threshold
    payers: Annotated[int, described("Number of payers for which the check found something.", 3)]


@dataclass(frozen=True)
class CheckedPlace:
    """What a check found for one payer in one state and month."""

    check_name: CheckName
    severity: CheckSeverity
    passed: CheckPassed
    payer_slug: Annotated[str, stored(DQ_FINDING, "payer_slug", "example_peach_health_plan")]
    reporting_entity_name: PayerName
    state: Annotated[str, stored(DQ_FINDING, "state", "GA")]
    year_month: Annotated[str, stored(DQ_FINDING, "year_month", "2025-08")]
    found: FoundCount
    total: CheckedCount
    share: FoundShare
    threshold: Threshold
    example: Annotated[str | None, stored(DQ_FINDING, "example", '{"code": "99213", "negotiated_rate": 0}')]


@dataclass(frozen=True)
class CheckedMonth:
    """One payer's month, and the number of checks that found something in it."""

    payer_slug: PayerSlug
    reporting_entity_name: PayerName
    year_month: Month
    over: Annotated[int, described("Number of checks that found more than they tolerate.", 1)]
    any: Annotated[int, described("Number of checks that found anything.", 2)]


@dataclass(frozen=True)
class CheckCount:
    """What a check found in a run, or in a part of it."""

    run_id: RunId
    checked_at: CheckedAt
    check_name: CheckName
    found: FoundCount


def list_runs(db: Snapshot) -> list[CheckRun]:
    """Return the runs that are kept, newest first."""
    return read_rows(
        db,
        CheckRun,
        """SELECT run_id, checked_at AT TIME ZONE 'UTC' AS checked_at, generation, data_version, state, year_month,
                  checks, errors_failed, warnings_failed, advice
           FROM dq_run ORDER BY run_id DESC""",
    )


def choose_run(runs: list[CheckRun], run_id: int | None) -> CheckRun | None:
    """Return the run of that number, or None; without a number the newest run over all data, or else the newest."""
    if run_id:
        return next((run for run in runs if run.run_id == run_id), None)
    return next((run for run in runs if not (run.state or run.year_month)), runs[0] if runs else None)


def list_check_outcomes(db: Snapshot, run_id: int) -> list[CheckOutcome]:
    """Return what each check found in a run: failed checks first, then those that found anything."""
    return read_rows(
        db,
        CheckOutcome,
        f"""SELECT check_name, severity, passed, found, total, {_SHARE} AS share, threshold,
                   (SELECT count(DISTINCT payer_slug) FROM dq_finding p
                    WHERE p.run_id = $run_id AND p.check_name = f.check_name AND p.payer_slug <> '') AS payers
            FROM dq_finding f WHERE run_id = $run_id AND {_OF_ALL_DATA}
            ORDER BY passed, found = 0, severity, check_name""",
        {"run_id": run_id},
    )


def list_checked_places(
    db: Snapshot, run_id: int, part: dict[str, str], limit: int, offset: int = 0
) -> tuple[int, list[CheckedPlace]]:
    """Return where a run found something, what is over its threshold first, and how many such places there are.

    `part` selects some of them by state, year_month, payer_slug or check_name.
    """
    condition, values = _part_condition(part)
    where = f"run_id = $run_id AND NOT {_OF_ALL_DATA} AND {condition}"
    ((total,),) = db.rows(f"SELECT count(*) FROM dq_finding WHERE {where}", {"run_id": run_id, **values})
    rows = read_rows(
        db,
        CheckedPlace,
        f"""SELECT check_name, severity, passed, payer_slug,
                   coalesce(reporting_entity_name, payer_slug) AS reporting_entity_name, state, year_month, found,
                   total, {_SHARE} AS share, threshold, example
            FROM dq_finding LEFT JOIN dim_reporting_entity USING (payer_slug) WHERE {where}
            ORDER BY passed, severity, share - threshold DESC, found DESC, check_name, year_month DESC, state,
                     payer_slug
            LIMIT $limit OFFSET $offset""",
        {"run_id": run_id, **values, "limit": limit, "offset": offset},
    )
    return total, rows


def list_month_cells(db: Snapshot, run_id: int) -> list[CheckedMonth]:
    """Return what a run found in each loaded month of each payer, by payer, newest month first."""
    return read_rows(
        db,
        CheckedMonth,
        """WITH found AS (
               SELECT payer_slug, year_month, count(DISTINCT check_name) FILTER (NOT passed) AS over,
                      count(DISTINCT check_name) AS any
               FROM dq_finding WHERE run_id = $run_id AND year_month <> '' GROUP BY ALL),
           loaded AS (
               SELECT payer_slug, year_month, last(reporting_entity_name ORDER BY finished_at) AS name
               FROM dim_batch GROUP BY ALL)
           SELECT payer_slug, name AS reporting_entity_name, year_month, coalesce(over, 0) AS over,
                  coalesce("any", 0) AS "any"
           FROM loaded LEFT JOIN found USING (payer_slug, year_month)
           ORDER BY lower(name), payer_slug, year_month DESC""",
        {"run_id": run_id},
    )


def list_history(db: Snapshot, run_id: int, part: dict[str, str]) -> list[CheckCount]:
    """Return what each check found in the runs of the same scope up to one run, oldest first.

    `part` is as for `list_checked_places`. A check that a run made has a count of 0 if it found nothing in the part.
    """
    condition, values = _part_condition(part)
    of_all = _OF_ALL_DATA if not set(part) - {"check_name"} else f"NOT {_OF_ALL_DATA}"
    return read_rows(
        db,
        CheckCount,
        f"""WITH asked AS (FROM dq_run WHERE run_id = $run_id),
            scope AS (
                SELECT r.run_id, r.checked_at FROM dq_run r, asked a
                WHERE r.state = a.state AND r.year_month = a.year_month AND r.run_id <= a.run_id),
            made AS (SELECT run_id, check_name FROM dq_finding WHERE {_OF_ALL_DATA}),
            counted AS (
                SELECT run_id, check_name, sum(found)::BIGINT AS found FROM dq_finding
                WHERE {of_all} AND {condition} GROUP BY ALL)
            SELECT run_id, checked_at AT TIME ZONE 'UTC' AS checked_at, check_name, coalesce(found, 0) AS found
            FROM scope JOIN made USING (run_id) LEFT JOIN counted USING (run_id, check_name)
            WHERE $only IS NULL OR check_name = $only
            ORDER BY run_id, check_name""",
        {"run_id": run_id, "only": part.get("check_name"), **values},
    )


_SHARE = "CASE WHEN total = 0 THEN 0 ELSE found / total END"

_OF_ALL_DATA = "(state = '' AND year_month = '' AND payer_slug = '')"
"""A check has one row of dq_finding for all data, and one for each part in which it found something."""


def _part_condition(part: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return a condition on dq_finding, and the values it binds. The names are our own, never a visitor's."""
    known = [name for name in ("state", "year_month", "payer_slug", "check_name") if part.get(name)]
    return " AND ".join(f"{name} = ${name}" for name in known) or "true", {name: part[name] for name in known}
