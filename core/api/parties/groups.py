"""Resources about one provider group."""

from ninja import Router
from pydantic import Field

from core.api.protocol.problems import Problem
from core.api.protocol.resources import Answer, AnswerFields, Page, ResourceRequest, resource
from core.pages.forms.query_form import QueryForm
from core.queries.parties import groups, providers
from core.queries.payers import plans

router = Router(tags=["Providers"])


class GroupAnswer(Answer):
    """What is known about a provider group."""

    group: groups.ProviderGroup = Field(description="Its payer, month, networks, and how much there is of the rest.")
    files: list[groups.GroupFile] = Field(description="The file that lists it, for each state it was loaded for.")


@resource(router, "/groups/{group}", QueryForm, GroupAnswer)
def describe_group(request: ResourceRequest) -> AnswerFields:
    """Describe a provider group.

    Its key is `pg_uid` of a rate. Every file defines its own groups, so a key belongs to one month.
    """
    found = _known_group(request)
    return {"group": found, "files": groups.list_files_of_group(request.db, found)}


@resource(router, "/groups/{group}/tins", QueryForm, Page[providers.TaxId])
def list_tins_of_group(request: ResourceRequest) -> AnswerFields:
    """List the tax IDs of a provider group."""
    found = _known_group(request)
    return request.page_at_offset(lambda limit, offset: groups.list_tins_of_group(request.db, found, limit, offset))


@resource(router, "/groups/{group}/npis", QueryForm, Page[providers.Npi])
def list_npis_of_group(request: ResourceRequest) -> AnswerFields:
    """List the NPIs of a provider group, by name."""
    found = _known_group(request)
    return request.page_at_offset(lambda limit, offset: groups.list_npis_of_group(request.db, found, limit, offset))


@resource(router, "/groups/{group}/plans", QueryForm, Page[plans.HealthPlan])
def list_plans_of_group(request: ResourceRequest) -> AnswerFields:
    """List the health plans that the file of a provider group is listed for, by name."""
    found = _known_group(request)
    return request.page_at_offset(lambda limit, offset: groups.list_plans_of_group(request.db, found, limit, offset))


def _known_group(request: ResourceRequest) -> groups.ProviderGroup:
    """Return the group in the path. Raise a Problem if no loaded rate uses it."""
    key = request.path_values["group"]
    found = groups.find_group(request.db, key)
    if found is None:
        raise Problem("not-found", f"No loaded rate is for a provider group with the key {key}.")
    return found
