"""Resources about the workers' compensation fee schedules of states, and rates compared with them."""

from typing import Generic, TypeVar

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
from core.fields.codes.basket_list import read_basket
from core.pages.forms.compensation_form import BelowForm, CompensationForm, asked_practice
from core.pages.forms.market_forms import MedicareForm
from core.queries.baskets.basket_answer import choose_codes
from core.queries.baskets.basket_codes import BasketCode
from core.queries.classes.rate_classes import choose_class_of_codes
from core.queries.market.market_filters import ALL_CLASSES, CLASSES
from core.queries.market.market_rates import market_cache, percent_cache
from core.queries.yardstick import below_schedule, compensation, medicare
from core.queries.yardstick.below_rows import BelowTotals, CodeBelow, ModifierBelow, OrganizationBelow, PayerBelow
from core.queries.yardstick.schedule_medians import ScheduleMedian, list_schedule_medians
from core.vocabulary.baskets import named_baskets

router = Router(tags=["Medicare"])

BelowRow = TypeVar("BelowRow")


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

    One row per code and modifier, with the amounts of all columns of the schedule. Those of a list (`codes`), of a
    `basket`, or of a `code`; all codes if none is given.
    """
    values, release, listed = request.values, _release(request), _listed_codes(request)
    page = request.page_at_offset(
        lambda limit, offset: compensation.list_compensation_amounts(
            request.db, release, values["code_type"], values["code"], limit, offset, listed
        )
    )
    return {**page, "schedule": release}


class CompensationMedians(Page[ScheduleMedian]):
    """What payers pay beside a state's schedule."""

    schedule: compensation.CompensationRelease = Field(description="The release that the amounts are from.")


@resource(
    router,
    "/compensation/medians",
    CompensationForm,
    CompensationMedians,
    required=["state"],
    without=["code", "code_type"],
)
def list_medians_beside_schedule(request: ResourceRequest) -> AnswerFields:
    """List what payers pay for the codes of a list or a basket, beside the amounts of a state's schedule.

    A row for each code, payer, and who is paid: professionals, hospital outpatient departments, or surgical centers.
    The medians are those of each payer's latest file, beside the release in effect in its month, or `year_month`'s.
    """
    release, listed = _release(request), _listed_codes(request)
    if not listed:
        raise Problem("wrong-parameter", errors=[("codes", "list codes, or choose a basket")])
    _, amounts = compensation.list_compensation_amounts(
        request.db, release, "", "", compensation.ALL_AMOUNTS, 0, listed
    )
    found = list_schedule_medians(request.db, release, amounts, listed, by_month=not request.values["year_month"])
    return {**request.page_of(found), "schedule": release}


def _listed_codes(request: ResourceRequest) -> list[BasketCode]:
    """Return the codes of the list or the basket that is asked for."""
    named = named_baskets().get(request.values["basket"])
    return choose_codes(request.db, named, read_basket(request.values["codes"]))


def _release(request: ResourceRequest) -> compensation.CompensationRelease:
    values = request.values
    release = compensation.choose_compensation_release(
        compensation.list_compensation_releases(request.db), values["state"], values["year_month"]
    )
    if release is None:
        when = f" in effect in {values['year_month']}" if values["year_month"] else ""
        raise Problem("not-found", f"No workers' compensation schedule of {values['state']}{when} is loaded.")
    return release


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


class BelowPage(MarketPage[BelowRow], Generic[BelowRow]):
    """Rates below a state's schedule."""

    totals: BelowTotals = Field(description="What the tables are about.")


_NOT_TAKEN = ["sort"]
_OF_ORGANIZATIONS = ["practice"]


@resource(
    router,
    "/compensation/below/organizations",
    BelowForm,
    BelowPage[OrganizationBelow],
    without=_NOT_TAKEN,
)
def list_organizations_below(request: ResourceRequest) -> AnswerFields:
    """List the tax IDs that payers pay less than the state's workers' compensation schedule.

    Of a code, of a list (`codes`) or a `basket`, or of a payer. Without a code, the rates of each code are those of the
    class that its own answer is about, unless `classes=all` is asked for. With codes, a row for each tax ID and code,
    in dollars as well. Of one code, likely performers come first, and of these, those with most rates below the
    schedule; a rate counts once for each tax ID of its provider group.
    """
    return _list_below(request, "organizations")


@resource(
    router,
    "/compensation/below/payers",
    BelowForm,
    BelowPage[PayerBelow],
    without=[*_NOT_TAKEN, *_OF_ORGANIZATIONS],
)
def list_payers_below(request: ResourceRequest) -> AnswerFields:
    """List the payers with rates below the state's workers' compensation schedule."""
    return _list_below(request, "payers")


@resource(
    router,
    "/compensation/below/codes",
    BelowForm,
    BelowPage[CodeBelow],
    without=[*_NOT_TAKEN, *_OF_ORGANIZATIONS],
)
def list_codes_below(request: ResourceRequest) -> AnswerFields:
    """List the codes of a market that have rates below the state's workers' compensation schedule."""
    return _list_below(request, "codes")


@resource(
    router,
    "/compensation/below/modifiers",
    BelowForm,
    BelowPage[ModifierBelow],
    without=[*_NOT_TAKEN, *_OF_ORGANIZATIONS],
)
def list_modifiers_below(request: ResourceRequest) -> AnswerFields:
    """List the codes of a market by modifier, with their rates below the schedule's amount for that modifier.

    The schedule has amounts of its own for readings (26) and technical parts (TC) of scans. With listed codes, the
    rates are those of the class that is chosen, with every modifier.
    """
    return _list_below(request, "modifiers")


def _list_below(request: ResourceRequest, by: below_schedule.BelowBy) -> AnswerFields:
    listed, market = _listed_codes(request), request.market
    asked = asked_practice(request.values["practice"])
    if listed:
        classes = {}
        if market.classes != ALL_CLASSES:
            chosen = choose_class_of_codes(request.db, market.without(CLASSES), [one.code for one in listed])
            market, classes = chosen.market, {"rate_classes": chosen.classes}
        market = market.without("code", "code_type", *(["modifier"] if by == "modifiers" else []))
        totals, of_state_only = below_schedule.count_where_listed(request.db, market, listed, of_state_only=asked)
        page = request.page_at_offset(
            lambda limit, offset: below_schedule.list_below_schedule(
                request.db, market, by, limit, offset, listed, of_state_only=of_state_only
            )
        )
        return {**page, **classes, "totals": totals}
    request.refuse_if_too_broad()
    # Of all codes, the rates are compared once for both questions.
    with market_cache(request.db, market) if market.code else percent_cache(request.db, market) as cache:
        totals, of_state_only = below_schedule.count_where_listed(cache, market, of_state_only=asked)
        page = request.page_at_offset(
            lambda limit, offset: below_schedule.list_below_schedule(
                cache, market, by, limit, offset, of_state_only=of_state_only
            )
        )
        return {**page, "totals": totals}
