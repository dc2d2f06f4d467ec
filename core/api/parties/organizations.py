"""A market by organization: its tax ID (TIN)."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import AnswerFields, MarketPage, ResourceRequest, resource
from core.pages.forms.market_forms import OrganizationsForm
from core.queries.parties import organizations

router = Router(tags=["Organizations"])


class Organizations(MarketPage[organizations.Organization]):
    """A market by tax ID."""

    totals: organizations.Totals = Field(description="What the table covers, and what it leaves out.")


@resource(router, "/organizations", OrganizationsForm, Organizations, required=["code"])
def list_organizations(request: ResourceRequest) -> AnswerFields:
    """List a code's rates in dollars by tax ID (TIN).

    A rate counts once for each tax ID of its group, however many NPIs bill under it. `totals` counts what is left
    out: rates not expressed in dollars for one service, and rates whose group has no known tax ID.
    """
    totals = organizations.count_totals(request.db, request.market)
    words = request.values["q"]
    page = request.page_after_key(
        organizations.Organization,
        organizations.ORDERS[request.sort],
        lambda: organizations.count_wanted(request.db, request.market, words) if words else totals.organizations,
        lambda limit, last: organizations.list_organizations(
            request.db, request.market, request.sort, limit, 0, last, words
        ),
    )
    return {**page, "totals": totals}
