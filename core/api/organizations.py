"""A market by tax number."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import Asked, Found, MarketPage, resource
from core.pages.forms import OrganizationsForm
from core.queries import organizations
from core.queries.organizations import ORDERS, Organization, Totals, count_totals

router = Router(tags=["Organizations"])


class Organizations(MarketPage[Organization]):
    """A market by tax number."""

    totals: Totals = Field(description="What the table covers, and what it leaves out.")


@resource(router, "/organizations", OrganizationsForm, Organizations, required=["code"])
def by_tax_number(asked: Asked) -> Found:
    """A code's rates in dollars, by tax number.

    A rate counts once for each tax number of its group, however many NPIs bill under it. `totals` says what is left
    out: rates that are no dollars for one service, and rates whose group has no known tax number.
    """
    counted = count_totals(asked.db, asked.market)
    found = asked.by_key(
        Organization,
        ORDERS[asked.sort],
        lambda: counted.organizations,
        lambda limit, last: organizations.list_organizations(asked.db, asked.market, asked.sort, limit, 0, last),
    )
    return {**found, "totals": counted}
