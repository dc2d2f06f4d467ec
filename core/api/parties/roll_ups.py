"""Resources about an organization, and about a health system."""

from ninja import Router
from pydantic import Field

from core.api.parties.providers import ProviderAnswer, list_code_rates, summarize_rates
from core.api.protocol.problems import Problem
from core.api.protocol.resources import Answer, AnswerFields, MarketPage, Page, ResourceRequest, resource
from core.pages.forms.market_forms import ProviderForm
from core.pages.forms.query_form import QueryForm
from core.queries.parties import provider_rates, roll_ups
from core.queries.parties.providers import BY, TaxId

router = Router(tags=["Organizations"])

_NOT_OF_SUMMARY = (*BY, "q", "family", "sort")
_RATES = Field(description="Its rates by state, month, and payer, each counted once.")


class OrganizationAnswer(Answer):
    """What is known about an organization."""

    organization: roll_ups.OrganizationProfile = Field(description="Its name, town, and health system.")
    rates: list[roll_ups.RatesByPeriod] = _RATES


class SystemAnswer(Answer):
    """What is known about a health system."""

    system: roll_ups.SystemProfile = Field(description="Its name and size.")
    hospitals: list[roll_ups.SystemHospital] = Field(description="Hospitals that lists name as part of it.")
    rates: list[roll_ups.RatesByPeriod] = _RATES


@resource(router, "/organizations/{organization}", QueryForm, OrganizationAnswer)
def describe_organization(request: ResourceRequest) -> AnswerFields:
    """Describe an organization: its name, health system, and rates.

    Its key is `organization_id` of a tax ID; `ein_123456789` finds the organization of that tax ID.
    """
    found = _known_organization(request)
    return {
        "organization": found,
        "rates": roll_ups.count_rates_of(request.db, "organization", found.organization_id),
    }


@resource(router, "/organizations/{organization}/tins", QueryForm, Page[TaxId])
def list_tins_of_organization(request: ResourceRequest) -> AnswerFields:
    """List the tax IDs of an organization, with the source and the confidence of each edge."""
    key = _known_organization(request).organization_id
    return request.page_at_offset(
        lambda limit, offset: roll_ups.list_tins(request.db, "organization", key, limit, offset)
    )


@resource(router, "/organizations/{organization}/rates", ProviderForm, MarketPage[provider_rates.CodeRates], without=BY)
def list_organization_rates(request: ResourceRequest) -> AnswerFields:
    """List the rates of an organization, compared with Medicare and the market.

    One row per code, payer, kind, class, modifier, and side. A rate counts once, however many of its tax IDs it is for.
    """
    _known_organization(request)
    _refuse_if_too_large(request, "organization")
    return list_code_rates(request)


@resource(router, "/organizations/{organization}/summary", ProviderForm, ProviderAnswer, without=_NOT_OF_SUMMARY)
def summarize_organization(request: ResourceRequest) -> AnswerFields:
    """Summarize the rates of an organization.

    Its percent of Medicare and its position in the market, in all, by family of codes, and by payer.
    """
    _known_organization(request)
    _refuse_if_too_large(request, "organization")
    return summarize_rates(request)


@resource(router, "/systems/{system}", QueryForm, SystemAnswer)
def describe_system(request: ResourceRequest) -> AnswerFields:
    """Describe a health system: its size, hospitals, and rates."""
    found = _known_system(request)
    return {
        "system": found,
        "hospitals": roll_ups.list_hospitals(request.db, found.system_id),
        "rates": roll_ups.count_rates_of(request.db, "system", found.system_id),
    }


@resource(router, "/systems/{system}/organizations", QueryForm, Page[roll_ups.OrganizationProfile])
def list_organizations_of_system(request: ResourceRequest) -> AnswerFields:
    """List the organizations of a health system."""
    key = _known_system(request).system_id
    return request.page_at_offset(
        lambda limit, offset: roll_ups.list_organizations_of_system(request.db, key, limit, offset)
    )


@resource(router, "/systems/{system}/rates", ProviderForm, MarketPage[provider_rates.CodeRates], without=BY)
def list_system_rates(request: ResourceRequest) -> AnswerFields:
    """List the rates of a health system, compared with Medicare and the market.

    One row per code, payer, kind, class, modifier, and side. A rate counts once, however many of its tax IDs it is for.
    """
    _known_system(request)
    _refuse_if_too_large(request, "system")
    return list_code_rates(request)


@resource(router, "/systems/{system}/summary", ProviderForm, ProviderAnswer, without=_NOT_OF_SUMMARY)
def summarize_system(request: ResourceRequest) -> AnswerFields:
    """Summarize the rates of a health system.

    Its percent of Medicare and its position in the market, in all, by family of codes, and by payer.
    """
    _known_system(request)
    _refuse_if_too_large(request, "system")
    return summarize_rates(request)


def _refuse_if_too_large(request: ResourceRequest, level: roll_ups.Level) -> None:
    """Raise a Problem if there are too many rates to compare one by one."""
    key = getattr(request.market, level)
    if roll_ups.is_too_large(roll_ups.count_rates_of(request.db, level, key), request.market):
        raise Problem(
            "too-broad", f"More than {roll_ups.MAX_COMPARED:,} rates are loaded of this {level}: choose a code."
        )


def _known_organization(request: ResourceRequest) -> roll_ups.OrganizationProfile:
    """Return the organization in the path. Raise a Problem if no loaded rate is for it."""
    key = request.path_values["organization"]
    found = roll_ups.find_organization(request.db, key)
    if found is None:
        raise Problem("not-found", f"No loaded rate has an organization with the key {key}.")
    return found


def _known_system(request: ResourceRequest) -> roll_ups.SystemProfile:
    """Return the system in the path. Raise a Problem if no loaded rate is for it."""
    key = request.path_values["system"]
    found = roll_ups.find_system(request.db, key)
    if found is None:
        raise Problem("not-found", f"No loaded rate has a tax ID in a health system with the key {key}.")
    return found
