"""What dq_check found, run by run."""

from core.store.schema.columns import Column, Table, integer, number, text

_RUN = integer("run_id", "The run of dq_check: 1, 2, 3 and so on. The last 100 are kept.")

DQ_RUN = Table(
    "dq_run",
    "silver/dq_run.parquet",
    ("run_id",),
    "The runs of dq_check.",
    (
        _RUN,
        Column("checked_at", "moment", "When the checks began, UTC."),
        integer("generation", "The generation of the store that was checked; its record is part of a later one."),
        text("data_version", "MD5 of the names of the files checked: the same as long as the data is the same."),
        text("state", "The state it was narrowed to with --state; empty text for all."),
        text("year_month", "The month it was narrowed to with --year-month; empty text for all."),
        integer("checks", "How many checks there were."),
        integer("errors_failed", "Checks of severity error that failed: the store itself is wrong."),
        integer("warnings_failed", "Checks of severity warning that failed: a payer's file is odd."),
        Column("advice", "texts", "What would serve the store, in sentences."),
    ),
)

DQ_FINDING = Table(
    "dq_finding",
    "silver/dq_finding.parquet",
    ("run_id", "check_name", "state", "year_month", "payer_slug"),
    "What each check found: a row for the whole of a run (state, year_month and payer_slug are empty text), and one "
    "for each part in which it found something.",
    (
        _RUN,
        text("check_name", "The check, as /quality/ and dq_check name it."),
        text("state", "Two letters; empty text for the whole run, and if the check does not distinguish states."),
        text(
            "year_month",
            "The files' month; empty text for the whole run, and if the check does not distinguish months.",
        ),
        text("payer_slug", "The payer; empty text for the whole run, and if the check does not distinguish payers."),
        text("severity", "error (the store itself is wrong) or warning (a payer's file is odd)."),
        number("threshold", "The share, 0 to 1, that is tolerated."),
        integer("found", "How many things were found wrong."),
        integer("total", "How many things there were."),
        Column("passed", "flag", "Whether found / total is at most the threshold."),
        text("example", "JSON object: one of the things, of the newest run alone; null for the whole."),
    ),
)

QUALITY_TABLES = (
    DQ_RUN,
    DQ_FINDING,
)
"""The record of the checks, in the order of the data dictionary."""
