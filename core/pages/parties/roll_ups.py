"""An organization, and a health system: what belongs to it, why, and its rates."""

from django.http import HttpResponseBase
from django.shortcuts import redirect

from core.pages.forms.roll_up_forms import OrganizationForm, SystemForm
from core.pages.shared import urls
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.error_pages import sorry
from core.pages.shared.page import PageQuery, page
from core.pages.shared.paging import Paging, span
from core.queries.find import codes
from core.queries.parties import roll_ups
from core.queries.parties.providers import TaxId
from core.queries.rules.market import Market

BUSIEST_CODES = 15


@page(OrganizationForm)
def show_organization(query: PageQuery[OrganizationForm], organization: str) -> HttpResponseBase:
    """Show `/organization/<organization>/`"""
    db = query.db
    found = roll_ups.find_organization(db, organization)
    if found is None:
        why = f"No loaded rate has an organization with the key {organization}. Search for its name or tax ID."
        return sorry(query.request, 404, "Organization not found", [("", why)])
    key = found.organization_id
    if key != organization:
        return redirect(urls.to("organization", organization=key))
    if query.wants_file and query.values["table"] == "tins":
        return query.download(roll_ups.list_tins(db, "organization", key, ROW_CAP, 0)[1], TaxId, f"{key}_tins")
    rates = roll_ups.count_rates_of(db, "organization", key)
    if query.wants_file:
        return query.download(rates, roll_ups.RatesByPeriod, f"{key}_rates")
    total, tins = roll_ups.list_tins(db, "organization", key, *span(query.values["page"]))
    market = Market(rates[0].state, rates[0].year_month, organization=key) if rates else None
    return query.render(
        "pages/organization.html",
        who=found,
        tins=tins,
        paging=Paging(query.values["page"], total),
        rates=rates,
        market=market,
        # One more tells whether there are more.
        codes=codes.list_busiest_codes(db, market, BUSIEST_CODES + 1) if market else [],
        max_codes=BUSIEST_CODES,
    )


@page(SystemForm)
def show_system(query: PageQuery[SystemForm], system: str) -> HttpResponseBase:
    """Show `/system/<system>/`"""
    db, table = query.db, query.values["table"]
    found = roll_ups.find_system(db, system)
    if found is None:
        why = f"No loaded rate has a tax ID in a health system with the key {system}. Search for its name."
        return sorry(query.request, 404, "Health system not found", [("", why)])
    if query.wants_file and table == "organizations":
        every = roll_ups.list_organizations_of_system(db, system, ROW_CAP, 0)[1]
        return query.download(every, roll_ups.OrganizationProfile, f"{system}_organizations")
    if query.wants_file and table == "tins":
        return query.download(roll_ups.list_tins(db, "system", system, ROW_CAP, 0)[1], TaxId, f"{system}_tins")
    hospitals = roll_ups.list_hospitals(db, system)
    if query.wants_file and table == "hospitals":
        return query.download(hospitals, roll_ups.SystemHospital, f"{system}_hospitals")
    rates = roll_ups.count_rates_of(db, "system", system)
    if query.wants_file:
        return query.download(rates, roll_ups.RatesByPeriod, f"{system}_rates")
    total, organizations = roll_ups.list_organizations_of_system(db, system, *span(query.values["page"]))
    market = Market(rates[0].state, rates[0].year_month, system=system) if rates else None
    return query.render(
        "pages/system.html",
        who=found,
        organizations=organizations,
        paging=Paging(query.values["page"], total),
        hospitals=hospitals,
        rates=rates,
        market=market,
        # One more tells whether there are more.
        codes=codes.list_busiest_codes(db, market, BUSIEST_CODES + 1) if market else [],
        max_codes=BUSIEST_CODES,
    )
