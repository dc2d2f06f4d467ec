"""An NPI, and a tax ID: who it is, its groups, its rates."""

from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import redirect

from core.pages.forms.fields import NpiField, TinField
from core.pages.forms.market_forms import ProviderForm
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.error_pages import sorry
from core.pages.shared.market_choice import InvalidChoice, MarketChoice, choose_provider_market
from core.pages.shared.page import MarketQuery, market_page
from core.pages.shared.paging import Paging, span
from core.pages.shared.words.provider_words import describe_provider
from core.queries import coverage
from core.queries.codes_within import choose_within
from core.queries.facets import count_choices
from core.queries.parties import provider_rates, providers
from core.queries.parties.line_medians import knows_lines
from core.queries.parties.provider_summary import (
    FamilyRates,
    ProviderPayer,
    list_family_rates,
    list_provider_payers,
    summarize_provider,
)
from core.queries.rules.market import Market, market_cache, uses_own_areas
from core.store.connection import Snapshot

MAX_COLLEAGUES_OF_NPI = 12
MAX_NPIS_OF_TIN = 200
MAX_TINS_WITH_COLLEAGUES = 3
MAX_LOCATIONS_SHOWN = 20


def _choose(form: ProviderForm, db: Snapshot, npi: str = "", tin: str = "") -> MarketChoice:
    """Return the provider's market. Raise InvalidChoice if the path does not contain a valid number."""
    by: providers.By = "npi" if npi else "tin"
    try:
        (NpiField() if npi else TinField()).clean(npi or tin)
    except ValidationError as error:
        raise InvalidChoice("", error.messages[0]) from None
    asked = replace(form.market(), npi=npi or None, tin=tin or None)
    return choose_provider_market(asked, db, providers.list_provider_periods(db, by, npi or tin))


@market_page(ProviderForm, "npi", choose=_choose)
def show_npi(query: MarketQuery[ProviderForm], npi: str) -> HttpResponseBase:
    """Show `/npi/<npi>/`"""
    found = providers.find_npi(query.db, npi)
    if found is None:
        why = f"No loaded rate lists the NPI {npi}. The provider may be out of network, or the payer may not be loaded."
        return sorry(query.request, 404, "NPI not found", [("", why)])
    tins = providers.list_tins_of_npi(query.db, npi)
    colleagues = [
        (one, *providers.list_npis_of_tin(query.db, one.tin_value, MAX_COLLEAGUES_OF_NPI, 0))
        for one in tins[:MAX_TINS_WITH_COLLEAGUES]
        if one.npis > 1
    ]
    return _show_provider(
        query,
        "npi",
        npi,
        who=found,
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
        return redirect("tin", tin=digits)
    found = providers.find_tins(query.db, digits)
    # A provider without a tax ID of its own is known by its NPI.
    if not found and providers.find_npi(query.db, digits):
        return redirect("npi", npi=digits)
    if not found:
        why = f"No loaded rate lists the tax ID {tin}. The payer may not be loaded."
        return sorry(query.request, 404, "Tax ID not found", [("", why)])
    colleagues = providers.list_npis_of_tin(query.db, digits, MAX_NPIS_OF_TIN, 0)
    return _show_provider(
        query,
        "tin",
        digits,
        who=found[0],
        tins=found,
        is_npi=providers.find_npi(query.db, digits) is not None,
        colleagues=colleagues,
        max_colleagues=MAX_NPIS_OF_TIN,
    )


def _show_provider(query: MarketQuery[ProviderForm], by: providers.By, value: str, **who: Any) -> HttpResponseBase:
    db, asked = query.db, query.market
    if query.wants_file and query.values["table"] in _OF_REGISTER:
        return _download_who(query, by, value)
    within = choose_within(db, query.values["q"], query.values["family"])
    order = query.values["sort"]
    # All of the rates, without the filters by terms: every such filter that is tried next finds them in memory.
    whole = asked.unfiltered.without("code_type", "code")
    with market_cache(db, whole, areas=uses_own_areas(db, asked)) as cached:
        if query.wants_file:
            return _download_rates(query, cached, f"{by}_{value}")
        total, rows = provider_rates.list_code_rates(db, cached, asked, *span(query.values["page"]), order, within)
        payers = [
            choice for choice in count_choices(cached, asked, ["payer"])["payer"] if choice.rates or choice.chosen
        ]
        answer = describe_provider(
            summarize_provider(db, cached, asked),
            list_family_rates(db, cached, asked),
            list_provider_payers(db, cached, asked),
            query.measured,
        )
    return query.render(
        f"pages/{by}.html",
        value=value,
        market=Market(asked.state, asked.year_month, basis=asked.basis, latest=asked.latest),
        asked=asked,
        periods=query.choice.periods,
        payers=payers,
        groups=providers.list_groups(db, by, value),
        answer=answer,
        knows_market=knows_lines(db, asked),
        oldest_schedule=coverage.oldest_schedule_if_newer(db, asked.newest_month),
        rows=rows,
        sort=order,
        within=within,
        paging=Paging(query.values["page"], total),
        answer_rows=sum(choice.rates for choice in payers),
        **who,
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


def _download_rates(query: MarketQuery[ProviderForm], cached: Snapshot, name: str) -> HttpResponseBase:
    db, asked, values = query.db, query.market, query.values
    if values["table"] == "families":
        return query.download(list_family_rates(db, cached, asked), FamilyRates, f"{name}_families")
    if values["table"] == "payers":
        return query.download(list_provider_payers(db, cached, asked), ProviderPayer, f"{name}_payers")
    within = choose_within(db, values["q"], values["family"])
    every = provider_rates.list_code_rates(db, cached, asked, ROW_CAP, 0, values["sort"], within)[1]
    return query.download(every, provider_rates.CodeRates, f"{name}_rates")
