"""Resources about the workers' compensation fee schedules of states, and rates compared with them."""

from ninja import Router
from pydantic import Field

from core.api.protocol.problems import Problem
from core.api.protocol.resources import (
    AnswerFields,
    MarketAnswer,
    MarketPage,
    Page,
    ResourceRequest,
    resource,
)
from core.pages.forms.compensation_form import CompensationForm
from core.pages.forms.market_forms import MedicareForm
from core.queries.rules.market import market_cache
from core.queries.yardstick import compensation, medicare

router = Router(tags=["Medicare"])


class CompensationPage(Page[compensation.CompensationAmount]):
    """What a state's schedule says about codes."""

    schedule: compensation.CompensationRelease = Field(description="The release that the amounts are from.")


class CompensationOutcomes(MarketAnswer):
    """How many rates are compared with the state's schedule: total = compared + the counts of all reasons."""

    total: int = Field(description="Number of rates.", examples=[70])
    compared: int = Field(description="Number of rates that have a percent of the schedule.", examples=[60])
    bases: list[medicare.Basis] = Field(description="What the rates are compared with.")
    reasons: dict[str, int] = Field(
        description="Number of rates without a percent of the schedule, by reason.", examples=[{"by report": 10}]
    )


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


@resource(router, "/compensation/payers", MedicareForm, MarketPage[medicare.PercentSpread])
def summarize_compensation_by_payer(request: ResourceRequest) -> AnswerFields:
    """Summarize the percents of the state's workers' compensation schedule by payer, each rate counted once.

    A figure of 1 is 100%. The resource `medicare` has the percent of each rate, as `wcfs_percent`.
    """
    request.refuse_if_too_broad()
    with market_cache(request.db, request.market) as cache:
        return request.page_of(medicare.summarize_percents(cache, request.market, medicare.COMPENSATION))


@resource(router, "/compensation/outcomes", MedicareForm, CompensationOutcomes)
def count_compensation_outcomes(request: ResourceRequest) -> AnswerFields:
    """Count the rates that are compared with the state's workers' compensation schedule, and the others by reason."""
    request.refuse_if_too_broad()
    with market_cache(request.db, request.market) as cache:
        outcomes = medicare.count_outcomes(cache, request.market, medicare.COMPENSATION)
    return {
        "total": outcomes.total,
        "compared": outcomes.compared,
        "bases": outcomes.bases,
        "reasons": outcomes.reasons,
    }
