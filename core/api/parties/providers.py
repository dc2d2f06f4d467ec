"""Resources about one NPI or one tax ID (TIN)."""

from ninja import Router
from pydantic import Field

from core.api.protocol.problems import Problem
from core.api.protocol.resources import (
    Answer,
    AnswerFields,
    MarketAnswer,
    MarketPage,
    Page,
    ResourceRequest,
    resource,
)
from core.pages.forms.market_forms import ProviderForm
from core.pages.forms.query_form import QueryForm
from core.queries.baskets.provider_positions import place_rows
from core.queries.codes_within import choose_within
from core.queries.parties import provider_rates, provider_summary, providers
from core.queries.parties.placed_rates import placed_rates

router = Router(tags=["Providers"])

_IN_PATH = ("npi", "tin")
_NOT_OF_SUMMARY = (*_IN_PATH, "q", "family", "sort")
_GROUPS = Field(description="Its provider groups, by month and payer.")


class NpiAnswer(Answer):
    """What is known about an NPI."""

    provider: providers.Npi = Field(description="Its name, specialty and address.")
    register_loaded: bool = Field(description="Whether names and specialties (NPPES) are loaded.", examples=[True])
    other_names: list[providers.OtherName] = Field(description="Other names, such as those it does business under.")
    locations: list[providers.PracticeLocation] = Field(description="Its practice addresses besides the first.")
    tins: list[providers.TaxId] = Field(description="Tax IDs that it bills under.")
    groups: list[providers.ProviderGroupPage] = _GROUPS


class TinAnswer(Answer):
    """What is known about a tax ID."""

    tins: list[providers.TaxId] = Field(
        description="Usually one. An EIN and an NPI used as a tax ID can have the same number."
    )
    groups: list[providers.ProviderGroupPage] = _GROUPS


class ProviderAnswer(MarketAnswer):
    """A provider's rates in a few figures."""

    summary: provider_summary.ProviderSummary = Field(description="All of its rates together.")
    families: list[provider_summary.FamilyRates] = Field(description="By family of codes, most rates first.")
    payers: list[provider_summary.ProviderPayer] = Field(description="By payer, most rates first.")


@resource(router, "/providers/npi/{npi}", QueryForm, NpiAnswer)
def describe_npi(request: ResourceRequest) -> AnswerFields:
    """Describe an NPI.

    Its names, specialty and addresses if NPPES is loaded, its tax IDs, groups and networks.
    """
    provider = _known_npi(request)
    return {
        "provider": provider,
        "register_loaded": providers.is_register_loaded(request.db),
        "other_names": providers.list_other_names(request.db, provider.npi),
        "locations": providers.list_locations(request.db, provider.npi),
        "tins": providers.list_tins_of_npi(request.db, provider.npi),
        "groups": providers.list_groups(request.db, "npi", provider.npi),
    }


@resource(router, "/providers/npi/{npi}/rates", ProviderForm, MarketPage[provider_rates.CodeRates], without=_IN_PATH)
def list_npi_rates(request: ResourceRequest) -> AnswerFields:
    """List the rates of an NPI, compared with Medicare and the market.

    One row per code, payer, kind, class, modifier, and side. If the state and month are omitted, the newest that the
    provider is in are used.
    """
    _known_npi(request)
    return list_code_rates(request)


@resource(router, "/providers/npi/{npi}/summary", ProviderForm, ProviderAnswer, without=_NOT_OF_SUMMARY)
def summarize_npi(request: ResourceRequest) -> AnswerFields:
    """Summarize the rates of an NPI.

    Its percent of Medicare and its position in the market, in all, by family of codes, and by payer.
    """
    _known_npi(request)
    return summarize_rates(request)


@resource(router, "/providers/tin/{tin}", QueryForm, TinAnswer)
def describe_tin(request: ResourceRequest) -> AnswerFields:
    """Describe a tax ID.

    Its name, the number of NPIs that bill under it, its groups and networks.
    """
    tins = _known_tins(request)
    return {"tins": tins, "groups": providers.list_groups(request.db, "tin", request.path_values["tin"])}


@resource(router, "/providers/tin/{tin}/rates", ProviderForm, MarketPage[provider_rates.CodeRates], without=_IN_PATH)
def list_tin_rates(request: ResourceRequest) -> AnswerFields:
    """List the rates of a tax ID, compared with Medicare and the market.

    One row per code, payer, kind, class, modifier, and side. If the state and month are omitted, the newest that the
    provider is in are used.
    """
    _known_tins(request)
    return list_code_rates(request)


@resource(router, "/providers/tin/{tin}/summary", ProviderForm, ProviderAnswer, without=_NOT_OF_SUMMARY)
def summarize_tin(request: ResourceRequest) -> AnswerFields:
    """Summarize the rates of a tax ID.

    Its percent of Medicare and its position in the market, in all, by family of codes, and by payer.
    """
    _known_tins(request)
    return summarize_rates(request)


@resource(router, "/providers/tin/{tin}/npis", QueryForm, Page[providers.Npi])
def list_npis_of_tin(request: ResourceRequest) -> AnswerFields:
    """List the NPIs that bill under a tax ID, by name."""
    _known_tins(request)
    tin = request.path_values["tin"]
    return request.page_at_offset(lambda limit, offset: providers.list_npis_of_tin(request.db, tin, limit, offset))


def list_code_rates(request: ResourceRequest) -> AnswerFields:
    """Return the page of the provider's rates by code and payer."""
    within = choose_within(request.db, request.values["q"], request.values["family"])
    with placed_rates(request.db, request.db, request.market) as provider:

        def list_page(limit: int, offset: int) -> tuple[int, list[provider_rates.CodeRates]]:
            total, rows = provider_rates.list_code_rates(
                request.db, provider, request.market, limit, offset, request.sort, within
            )
            return total, place_rows(request.db, request.market, total, rows)

        return request.page_at_offset(list_page)


def summarize_rates(request: ResourceRequest) -> AnswerFields:
    """Return the fields of a ProviderAnswer."""
    db, market = request.db, request.market
    with placed_rates(db, db, market) as provider:
        return {
            "summary": provider_summary.summarize_provider(db, provider, market),
            "families": provider_summary.list_family_rates(db, provider, market),
            "payers": provider_summary.list_provider_payers(db, provider, market),
        }


def _known_npi(request: ResourceRequest) -> providers.Npi:
    """Return the NPI in the path. Raise a Problem if no loaded rate is for it."""
    number = request.path_values["npi"]
    npi = providers.find_npi(request.db, number)
    if npi is None:
        raise Problem("not-found", f"No loaded rate has a provider group with the NPI {number}.")
    return npi


def _known_tins(request: ResourceRequest) -> list[providers.TaxId]:
    """Return the tax IDs with the number in the path. Raise a Problem if no loaded rate is for one."""
    number = request.path_values["tin"]
    tins = providers.find_tins(request.db, number)
    if not tins:
        raise Problem("not-found", f"No loaded rate has a provider group with the tax ID {number}.")
    return tins
