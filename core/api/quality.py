"""What dq_check found."""

from typing import cast

from ninja import Router
from pydantic import Field

from core.api.protocol.problems import Problem
from core.api.protocol.resources import Asked, Found, Page, resource
from core.pages.forms import QualityForm, QueryForm
from core.quality.checks import CHECKS
from core.queries import quality

router = Router(tags=["Quality"])

_CHECKS = {check.name: check for check in CHECKS}
_PART = ("state", "year_month", "payer", "check")
_OF = Field(description="The run of the checks; null if they have not run yet.")


class Checks(Page[quality.CheckOutcome]):
    """What each check found in a run."""

    run: quality.CheckRun | None = _OF


class Places(Page[quality.CheckedPlace]):
    """Where a run found something."""

    run: quality.CheckRun | None = _OF


class Months(Page[quality.Cell]):
    """The payers' months, and what a run found in each."""

    run: quality.CheckRun | None = _OF


@resource(router, "/quality", QualityForm, Checks, without=_PART)
def outcomes(asked: Asked) -> Found:
    """What each check of the data found, in the newest run or the one asked for.

    Those that failed first. `share` is found / total; a check fails where it is more than `threshold`.
    """
    run = _run(asked)
    return {**asked.whole(quality.list_check_outcomes(asked.db, run.run_id) if run else []), "run": run}


@resource(router, "/quality/places", QualityForm, Places)
def places(asked: Asked) -> Found:
    """Where a run found something: by check, payer, state and month.

    What is over what is tolerated first. Empty text stands for what a check is not told apart by.
    """
    run = _run(asked)
    part = cast(QualityForm, asked.form).part()
    found = asked.by_place(
        lambda limit, offset: quality.list_checked_places(asked.db, run.run_id, part, limit, offset) if run else (0, [])
    )
    return {**found, "run": run}


@resource(router, "/quality/months", QualityForm, Months, without=_PART)
def months(asked: Asked) -> Found:
    """Each payer's months that are loaded, and how many checks found something there."""
    run = _run(asked)
    return {**asked.whole(quality.list_month_cells(asked.db, run.run_id) if run else []), "run": run}


@resource(router, "/quality/history", QualityForm, Page[quality.Count])
def history(asked: Asked) -> Found:
    """What each check found in the runs up to one, oldest first.

    Runs of the same scope. Where a state, month or payer is asked for, of the checks that are told apart by it.
    """
    run = _run(asked)
    part = cast(QualityForm, asked.form).part()
    found = quality.list_history(asked.db, run.run_id, part) if run else []
    told = {name for name, check in _CHECKS.items() if check.tells_apart(part)}
    return asked.whole([count for count in found if count.check_name in told])


@resource(router, "/quality/runs", QueryForm, Page[quality.CheckRun])
def runs(asked: Asked) -> Found:
    """The runs of dq_check that are kept, newest first."""
    return asked.whole(quality.list_runs(asked.db))


def _run(asked: Asked) -> quality.CheckRun | None:
    kept, number = quality.list_runs(asked.db), asked.chosen["run"]
    found = quality.choose_run(kept, number)
    if found is None and number:
        raise Problem("not-found", f"dq_check's run {number} is not kept; `quality/runs` lists those that are.")
    return found
