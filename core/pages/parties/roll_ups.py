"""An organization, and a health system: what belongs to it, why, and its rates."""

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect

from core.pages.forms.roll_up_forms import OrganizationForm, SystemForm
from core.pages.parties.provider_page import MAX_OTHER_TINS, choose_for_provider, show_provider
from core.pages.shared import urls
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.error_pages import invalid_query, sorry
from core.pages.shared.market_choice import MarketChoice
from core.pages.shared.page import MarketQuery, market_page
from core.queries.find import codes
from core.queries.parties import providers, roll_ups
from core.queries.parties.other_tins import list_other_tins
from core.queries.parties.providers import TaxId
from core.store.connection import Snapshot

BUSIEST_CODES = 15
MAX_LISTED = 50
"""The tax IDs, and the organizations of a system, that are shown. The file has all."""


def _choose(form: OrganizationForm, db: Snapshot, organization: str = "", system: str = "") -> MarketChoice:
    return choose_for_provider(form, db, "organization" if organization else "system", organization or system)


@market_page(OrganizationForm, "organization", choose=_choose)
def show_organization(query: MarketQuery[OrganizationForm], organization: str) -> HttpResponseBase:
    """Show `/organization/<organization>/`"""
    db = query.db
    found = roll_ups.find_organization(db, organization)
    if found is None:
        why = f"No loaded rate has an organization with the key {organization}. Search for its name or tax ID."
        return sorry(query.request, 404, "Organization not found", [("", why)])
    key = found.organization_id
    if key != organization:
        return redirect(urls.changed(urls.to("organization", organization=key), query.request.GET.dict()))
    others = (0, []) if query.wants_file else list_other_tins(db, "organization", key, MAX_OTHER_TINS)
    return _show(query, "organization", key, found.organization_name or key, who=found, other_tins=others)


@market_page(SystemForm, "system", choose=_choose)
def show_system(query: MarketQuery[SystemForm], system: str) -> HttpResponseBase:
    """Show `/system/<system>/`"""
    db, table = query.db, query.values["table"]
    found = roll_ups.find_system(db, system)
    if found is None:
        why = f"No loaded rate has a tax ID in a health system with the key {system}. Search for its name."
        return sorry(query.request, 404, "Health system not found", [("", why)])
    hospitals = roll_ups.list_hospitals(db, system)
    if query.wants_file and table == "hospitals":
        return query.download(hospitals, roll_ups.SystemHospital, f"{system}_hospitals")
    if query.wants_file and table == "organizations":
        every = roll_ups.list_organizations_of_system(db, system, ROW_CAP, 0)[1]
        return query.download(every, roll_ups.OrganizationProfile, f"{system}_organizations")
    organizations = roll_ups.list_organizations_of_system(db, system, MAX_LISTED, 0)[1]
    return _show(
        query, "system", system, found.system_name, who=found, hospitals=hospitals, organizations=organizations
    )


def _show(query: MarketQuery[Any], level: roll_ups.Level, key: str, name: str, **who: Any) -> HttpResponseBase:
    """Return the page, or the file of one of its tables: of what both levels have."""
    db, table, market = query.db, query.values["table"], query.market
    if query.wants_file and table == "tins":
        return query.download(roll_ups.list_tins(db, level, key, ROW_CAP, 0)[1], TaxId, f"{key}_tins")
    if query.wants_file and table == "groups":
        groups = providers.list_groups(db, level, key)
        return query.download(groups, providers.ProviderGroupPage, f"{key}_groups")
    periods = roll_ups.count_rates_of(db, level, key)
    if query.wants_file and table == "periods":
        return query.download(periods, roll_ups.RatesByPeriod, f"{key}_periods")
    listed = {**who, "tins": roll_ups.list_tins(db, level, key, MAX_LISTED, 0)[1], "max_listed": MAX_LISTED}
    if not roll_ups.is_too_large(periods, market):
        groups = providers.list_groups(db, level, key)
        return show_provider(query, level, key, name, loaded=periods, groups=groups, **listed)
    if query.wants_file:
        return invalid_query(
            query.request, [("table", f"has more than {roll_ups.MAX_COMPARED:,} rates: choose a code")]
        )
    return query.render(
        f"pages/{level}.html",
        about=name,
        loaded=periods,
        market=market,
        too_large=True,
        # One more tells whether there are more.
        codes=codes.list_market_codes(db, market, BUSIEST_CODES + 1),
        max_codes=BUSIEST_CODES,
        **listed,
    )
