"""Resources about an organization, and about a health system."""

from ninja import Router
from pydantic import Field

from core.api.protocol.problems import Problem
from core.api.protocol.resources import Answer, AnswerFields, Page, ResourceRequest, resource
from core.pages.forms.query_form import QueryForm
from core.queries.parties import roll_ups
from core.queries.parties.providers import TaxId

router = Router(tags=["Organizations"])

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
