"""Resources about the data-quality checks."""

from typing import Any, cast

from ninja import Router
from pydantic import Field

from core.api.protocol.problems import Problem
from core.api.protocol.resources import AnswerFields, Page, ResourceRequest, resource
from core.pages.forms.fields import CheckField, OneOfField
from core.pages.forms.quality_form import QualityForm
from core.pages.forms.query_form import QueryForm
from core.quality.checks import CHECKS_BY_NAME
from core.queries import quality

router = Router(tags=["Quality"])

_PART = ("state", "year_month", "payer", "check")
_RUN = Field(description="The run of the checks; null if they have not run yet.")


class KnownCheckForm(QualityForm):
    """The parameters of a run's findings. Pages also show checks that earlier versions made; the API lists its own."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        names = tuple(sorted(CHECKS_BY_NAME))
        self.fields["check"] = OneOfField("check", names, example="zero_rates", meaning=CheckField.meaning)


class CheckOutcomes(Page[quality.CheckOutcome]):
    """What each check found in a run."""

    run: quality.CheckRun | None = _RUN


class CheckedPlaces(Page[quality.CheckedPlace]):
    """Where a run found something."""

    run: quality.CheckRun | None = _RUN


class CheckedMonths(Page[quality.CheckedMonth]):
    """The months of each payer, and what a run found in them."""

    run: quality.CheckRun | None = _RUN


@resource(router, "/quality", QualityForm, CheckOutcomes, without=_PART)
def list_outcomes(request: ResourceRequest) -> AnswerFields:
    """List what each data-quality check found in a run, failed checks first.

    The newest run unless `run` names another. `share` is found / total; a check fails if it is above `threshold`.
    """
    run = _chosen_run(request)
    return {**request.page_of(quality.list_check_outcomes(request.db, run.run_id) if run else []), "run": run}


@resource(router, "/quality/places", KnownCheckForm, CheckedPlaces)
def list_places(request: ResourceRequest) -> AnswerFields:
    """List where a run found something, by check, payer, state and month.

    Checks that failed first. A state, month or payer is empty text if the check does not tell them apart.
    """
    run = _chosen_run(request)
    part = cast(QualityForm, request.form).part()
    page = request.page_at_offset(
        lambda limit, offset: (
            quality.list_checked_places(request.db, run.run_id, part, limit, offset) if run else (0, [])
        )
    )
    return {**page, "run": run}


@resource(router, "/quality/months", QualityForm, CheckedMonths, without=_PART)
def list_months(request: ResourceRequest) -> AnswerFields:
    """List the loaded months of each payer, with the number of checks that found something in them."""
    run = _chosen_run(request)
    return {**request.page_of(quality.list_month_cells(request.db, run.run_id) if run else []), "run": run}


@resource(router, "/quality/history", KnownCheckForm, Page[quality.CheckCount])
def list_history(request: ResourceRequest) -> AnswerFields:
    """List what each check found in this run and the earlier ones, oldest first.

    Only runs over the same part of the data. If a state, month or payer is given, only checks that tell it apart.
    """
    run = _chosen_run(request)
    part = cast(QualityForm, request.form).part()
    counts = quality.list_history(request.db, run.run_id, part) if run else []
    parted = {name for name, check in CHECKS_BY_NAME.items() if check.tells_apart(part)}
    return request.page_of([count for count in counts if count.check_name in parted])


@resource(router, "/quality/runs", QueryForm, Page[quality.CheckRun])
def list_runs(request: ResourceRequest) -> AnswerFields:
    """List the runs of the checks, newest first."""
    return request.page_of(quality.list_runs(request.db))


def _chosen_run(request: ResourceRequest) -> quality.CheckRun | None:
    """Return the run to show, None if there has been none. Raise a Problem if the one asked for does not exist."""
    number = request.values["run"]
    run = quality.choose_run(quality.list_runs(request.db), number)
    if run is None and number:
        raise Problem("not-found", f"There is no run {number}; `quality/runs` lists the runs.")
    return run
