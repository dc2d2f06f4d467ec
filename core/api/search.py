"""One search for codes, providers and payers."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import Answer, AnswerFields, ResourceRequest, resource
from core.pages.forms.query_form import CodesForm
from core.queries.find.code_index import FoundCode
from core.queries.find.named_things import FoundPayer
from core.queries.find.not_loaded import NotLoaded
from core.queries.find.search import Provider, search_everything
from core.queries.parties.plans import HealthPlan
from core.queries.parties.roll_ups import OrganizationProfile, SystemProfile

router = Router(tags=["Search"])


class SearchAnswer(Answer):
    """What a search finds."""

    codes: list[FoundCode] = Field(description="Billing codes that match, best first.")
    codes_in_all: int = Field(description="Number of codes that match; the resource `codes` lists them.", examples=[12])
    providers: list[Provider] = Field(description="Providers that match.")
    payers: list[FoundPayer] = Field(description="Payers that match.")
    organizations: list[OrganizationProfile] = Field(description="Organizations with several tax IDs that match.")
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
    return {name: getattr(found, name) for name in SearchAnswer.model_fields if hasattr(found, name)}
