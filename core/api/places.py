"""Resources about rates by where providers practice, and by what they are."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import AnswerFields, MarketPage, ResourceRequest, resource
from core.pages.forms.profile_forms import PlacesForm, SpecialtiesForm
from core.queries import profiles
from core.queries.market.market_rates import market_cache, uses_own_areas

router = Router(tags=["Places and specialties"])


class BrokenDown(MarketPage[profiles.Breakdown]):
    """A code's rates, broken down."""

    totals: profiles.BreakdownTotals = Field(description="What the table covers, and what it leaves out.")


@resource(router, "/places", PlacesForm, BrokenDown, required=["code"], without=["color", "sort"])
def list_places(request: ResourceRequest) -> AnswerFields:
    """List a code's rates in dollars by where providers practice.

    A rate is in a place if any provider of its group practices there, by its practice address in NPPES. It counts once
    in a place, however many providers share it, and may be in several. Most rates first.
    """
    return _break_down(request, request.values["by"])


@resource(router, "/specialties", SpecialtiesForm, BrokenDown, required=["code"], without=["sort"])
def list_specialties(request: ResourceRequest) -> AnswerFields:
    """List a code's rates in dollars by specialty.

    A rate has a specialty if any provider of its group has it. It counts once for a specialty, and may have several.
    """
    return _break_down(request, "specialty")


@resource(router, "/specialties/entities", SpecialtiesForm, BrokenDown, required=["code"], without=["sort"])
def list_entities(request: ResourceRequest) -> AnswerFields:
    """List a code's rates in dollars by whether individuals or organizations are in the group.

    Most groups have both, and their rates count for both.
    """
    return _break_down(request, "entity")


def _break_down(request: ResourceRequest, by: str) -> AnswerFields:
    areas = uses_own_areas(request.db, request.market)
    with market_cache(request.db, request.market, areas=areas) as cache:
        totals, rows = profiles.break_down(cache, request.market, by)
    return {**request.page_of(rows), "totals": totals}
