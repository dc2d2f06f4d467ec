"""One search for codes, providers and payers."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import Answer, AnswerFields, ResourceRequest, resource
from core.pages.forms.query_form import CodesForm
from core.queries.find.code_index import FoundCode
from core.queries.find.middle_rates import MiddleRate, find_middle_rates
from core.queries.find.named_things import FoundPayer
from core.queries.find.not_loaded import NotLoaded
from core.queries.find.organizations import FoundOrganization, Provider
from core.queries.find.own_rates import OwnRate, find_own_rates
from core.queries.find.search import search_everything
from core.queries.parties.roll_ups import SystemProfile
from core.queries.payers.plans import HealthPlan

router = Router(tags=["Search"])


class SearchAnswer(Answer):
    """What a search finds."""

    codes: list[FoundCode] = Field(description="Billing codes that match, best first.")
    codes_in_all: int = Field(description="Number of codes that match; the resource `codes` lists them.", examples=[12])
    providers: list[Provider] = Field(description="What a number names, and people whose names match.")
    payers: list[FoundPayer] = Field(description="Payers that match.")
    organizations: list[FoundOrganization] = Field(
        description="Organizations that match, each once: those with dollar rates for most procedures first."
    )
    organizations_in_all: int = Field(description="Number of organizations that match.", examples=[3])
    middles: list[MiddleRate] = Field(
        description="What the pages of the first three codes open with: their rates in dollars of one class, and the "
        "median of these. Codes without dollar rates are left out."
    )
    own_rates: list[OwnRate] = Field(
        description="Where a part of the text names organizations, and the rest a service: what each payer pays those "
        "of that name for the first code that any of them has a rate in dollars for."
    )
    set_aside: list[str] = Field(
        description="The settings of care that the text names, if what matches is found without them.", examples=[[]]
    )
    systems: list[SystemProfile] = Field(description="Health systems that match.")
    plans: list[HealthPlan] = Field(description="Health plans that match.")
    not_loaded: NotLoaded = Field(description="What the text names of which no rate is loaded.")
    corrected: str | None = Field(
        description="The text with its spelling corrected, if only that matches codes; otherwise null.", examples=[None]
    )


@resource(router, "/search", CodesForm, SearchAnswer, required=["q"])
def search(request: ResourceRequest) -> AnswerFields:
    """Find codes, NPIs, tax IDs, organizations and payers by a number or words.

    The first twelve of each. If nothing matches, codes that match after a spelling correction.
    """
    found = search_everything(request.db, request.values["q"])
    middles = find_middle_rates(request.db, found.codes, found.context.filters)
    own = find_own_rates(request.db, found.of_name, found.codes, found.context.filters)
    of_search = {name: getattr(found, name) for name in SearchAnswer.model_fields if hasattr(found, name)}
    return {**of_search, "middles": list(middles.values()), "own_rates": own, "set_aside": list(found.set_aside)}
