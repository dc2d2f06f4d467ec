"""A resource about the workers' compensation fee schedules of states."""

from ninja import Router
from pydantic import Field

from core.api.protocol.problems import Problem
from core.api.protocol.resources import AnswerFields, Page, ResourceRequest, resource
from core.pages.forms.compensation_form import CompensationForm
from core.queries import compensation

router = Router(tags=["Medicare"])


class CompensationPage(Page[compensation.CompensationAmount]):
    """What a state's schedule says about codes."""

    schedule: compensation.CompensationRelease = Field(description="The release that the amounts are from.")


@resource(router, "/compensation", CompensationForm, CompensationPage, required=["state"])
def list_amounts(request: ResourceRequest) -> AnswerFields:
    """Look up codes in a state's workers' compensation fee schedule.

    One row per code and modifier, with the amounts of all columns of the schedule. All codes if `code` is omitted.
    """
    values = request.values
    release = compensation.choose_compensation_release(
        compensation.list_compensation_releases(request.db), values["state"], values["year_month"]
    )
    if release is None:
        when = f" in effect in {values['year_month']}" if values["year_month"] else ""
        raise Problem("not-found", f"No workers' compensation schedule of {values['state']}{when} is loaded.")
    page = request.page_at_offset(
        lambda limit, offset: compensation.list_compensation_amounts(
            request.db, release, values["code_type"], values["code"], limit, offset
        )
    )
    return {**page, "schedule": release}
