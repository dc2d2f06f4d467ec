"""An NPI, and a tax ID: who it is, its groups, its rates."""

from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import redirect

from core.pages.formats import write_tin
from core.pages.forms.fields import NpiField, TinField
from core.pages.forms.market_forms import ProviderForm
from core.pages.parties.provider_page import MAX_OTHER_TINS, choose_for_provider, show_provider
from core.pages.shared import urls
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.error_pages import sorry
from core.pages.shared.market_choice import InvalidChoice, MarketChoice
from core.pages.shared.page import MarketQuery, market_page
from core.queries.parties import providers
from core.queries.parties.other_tins import list_other_tins
from core.store.connection import Snapshot

MAX_COLLEAGUES_OF_NPI = 12
MAX_NPIS_OF_TIN = 200
MAX_TINS_WITH_COLLEAGUES = 3
MAX_LOCATIONS_SHOWN = 20


def _choose(form: ProviderForm, db: Snapshot, npi: str = "", tin: str = "") -> MarketChoice:
    """Return the provider's market. Raise InvalidChoice if the path does not contain a valid number."""
    try:
        (NpiField() if npi else TinField()).clean(npi or tin)
    except ValidationError as error:
        raise InvalidChoice("", error.messages[0]) from None
    return choose_for_provider(form, db, "npi" if npi else "tin", npi or tin)


@market_page(ProviderForm, "npi", choose=_choose)
def show_npi(query: MarketQuery[ProviderForm], npi: str) -> HttpResponseBase:
    """Show `/npi/<npi>/`"""
    found = providers.find_npi(query.db, npi)
    # A file may name an NPI as a tax ID alone: who bills under it is listed there.
    if found is None and providers.find_tins(query.db, npi):
        return redirect(urls.changed(urls.to("tin", tin=npi), query.request.GET.dict()))
    if found is None:
        why = f"No loaded rate lists the NPI {npi}. The provider may be out of network, or the payer may not be loaded."
        return sorry(query.request, 404, "NPI not found", [("", why)])
    if query.wants_file and query.values["table"] in _OF_REGISTER:
        return _download_who(query, "npi", npi)
    tins = providers.list_tins_of_npi(query.db, npi)
    colleagues = [
        (one, *providers.list_npis_of_tin(query.db, one.tin_value, MAX_COLLEAGUES_OF_NPI, 0))
        for one in tins[:MAX_TINS_WITH_COLLEAGUES]
        if one.npis > 1
    ]
    return show_provider(
        query,
        "npi",
        npi,
        f"{found.full_name or ''} NPI {npi}".strip(),
        who=found,
        groups=providers.list_groups(query.db, "npi", npi),
        known=query.db.ask_once(providers.is_register_loaded),
        other_names=providers.list_other_names(query.db, npi),
        locations=providers.list_locations(query.db, npi),
        max_locations=MAX_LOCATIONS_SHOWN,
        tins=tins,
        colleagues=colleagues,
    )


@market_page(ProviderForm, "tin", choose=_choose)
def show_tin(query: MarketQuery[ProviderForm], tin: str) -> HttpResponseBase:
    """Show `/tin/<tin_value>/`"""
    digits = TinField().clean(tin)
    if digits != tin:
        return redirect(urls.changed(urls.to("tin", tin=digits), query.request.GET.dict()))
    found = providers.find_tins(query.db, digits)
    # A provider without a tax ID of its own is known by its NPI.
    if not found and providers.find_npi(query.db, digits):
        return redirect(urls.changed(urls.to("npi", npi=digits), query.request.GET.dict()))
    if not found:
        why = f"No loaded rate lists the tax ID {tin}. The payer may not be loaded."
        return sorry(query.request, 404, "Tax ID not found", [("", why)])
    if query.wants_file and query.values["table"] in _OF_REGISTER:
        return _download_who(query, "tin", digits)
    colleagues = providers.list_npis_of_tin(query.db, digits, MAX_NPIS_OF_TIN, 0)
    return show_provider(
        query,
        "tin",
        digits,
        f"{found[0].business_name or ''} {write_tin(digits, found[0].tin_type)}".strip(),
        who=found[0],
        groups=providers.list_groups(query.db, "tin", digits),
        tins=found,
        is_npi=providers.find_npi(query.db, digits) is not None,
        colleagues=colleagues,
        # An NPI that is given as a tax ID, under which nobody else bills: the list would name the page itself.
        is_itself=[one.npi for one in colleagues[1]] == [digits],
        max_colleagues=MAX_NPIS_OF_TIN,
        other_tins=list_other_tins(query.db, "tin", digits, MAX_OTHER_TINS),
    )


_OF_REGISTER = ("groups", "npis", "locations")
"""The tables that say who a provider is."""


def _download_who(query: MarketQuery[ProviderForm], by: providers.By, value: str) -> HttpResponseBase:
    db, table = query.db, query.values["table"]
    if table == "npis":
        npis = providers.list_npis_of_tin(db, value, ROW_CAP, 0)[1] if by == "tin" else []
        return query.download(npis, providers.Npi, f"{by}_{value}_npis")
    if table == "locations":
        locations = providers.list_locations(db, value) if by == "npi" else []
        return query.download(locations, providers.PracticeLocation, f"{by}_{value}_locations")
    return query.download(providers.list_groups(db, by, value), providers.ProviderGroupPage, f"{by}_{value}_groups")
