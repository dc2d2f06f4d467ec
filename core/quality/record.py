"""Keep the results of dq_check in the store: the last MAX_RUNS runs, in all and by payer, state and month."""

import json

import polars as pl
import pyarrow.parquet as pq

from core.quality.report import QualityReport
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.schema.tables import DQ_FINDING, DQ_RUN, Table

MAX_RUNS = 100
"""How many runs the store keeps."""

WAIT_SECONDS = 10.0
"""How long to wait for another writer: a record is not worth more."""


def keep_report(store: Store, report: QualityReport, wait: float = WAIT_SECONDS, *, max_runs: int = MAX_RUNS) -> int:
    """Add a report to the store as the newest run, in a generation of its own, and return the run's number.

    Runs older than the last `max_runs` are removed, and so are the examples of earlier runs: the rows they show may
    be gone. Raise StoreError if the store cannot be written, or if another writer holds it for longer than `wait`
    seconds. The store is then unchanged.
    """
    with store.write(wait) as transaction:
        runs, findings = _read(transaction, DQ_RUN), _read(transaction, DQ_FINDING)
        number = 1 + max(runs["run_id"], default=0)
        runs = pl.concat([runs, _run(report, number)])
        findings = pl.concat([findings.with_columns(example=pl.lit(None, pl.String)), _findings(report, number)])
        for table, rows in ((DQ_RUN, runs), (DQ_FINDING, findings)):
            kept = rows.filter(pl.col("run_id") > number - max_runs).sort(table.order)
            path = transaction.new_file(table.name)
            blocks = [kept.select(table.names).to_arrow().cast(table.arrow)]
            transaction.put(table.name, path, write_table(path, table, blocks))
        transaction.commit()
    return number


def _read(transaction: Transaction, table: Table) -> pl.DataFrame:
    """Return a table's rows; none if it has no file yet."""
    empty = pl.DataFrame(table.arrow.empty_table())
    tables = [pl.DataFrame(pq.read_table(path)) for path in transaction.paths(table.name)]
    return pl.concat([empty, *tables])


def _run(report: QualityReport, number: int) -> pl.DataFrame:
    row = {
        "run_id": number,
        "checked_at": report.checked_at,
        "generation": report.generation,
        "data_version": report.data_version,
        "state": report.state or "",
        "year_month": report.year_month or "",
        "checks": len(report.findings),
        "errors_failed": len(report.failed(("error",))),
        "warnings_failed": len(report.failed(("warning",))),
        "advice": report.advice,
    }
    return pl.DataFrame([row], schema=pl.DataFrame(DQ_RUN.arrow.empty_table()).schema)


def _findings(report: QualityReport, number: int) -> pl.DataFrame:
    rows = []
    for finding in report.findings:
        about = {
            "run_id": number,
            "check_name": finding.name,
            "severity": finding.severity,
            "threshold": finding.threshold,
        }
        whole = {"state": "", "year_month": "", "payer_slug": "", "example": None}
        rows.append({**about, **whole, "found": finding.count, "total": finding.total, "passed": finding.passed})
        rows.extend(
            {
                **about,
                "state": part.state,
                "year_month": part.year_month,
                "payer_slug": part.payer_slug,
                "found": part.count,
                "total": part.total,
                "passed": part.passed,
                "example": json.dumps(part.example, ensure_ascii=False),
            }
            for part in finding.parts
        )
    empty = pl.DataFrame(DQ_FINDING.arrow.empty_table())
    return pl.DataFrame(rows, schema=empty.schema)
