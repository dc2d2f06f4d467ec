"""Who an NPI or a tax number is, and its rates."""

from ninja import Router
from pydantic import Field

from core.api.protocol.problems import Problem
from core.api.protocol.resources import Answer, Asked, Found, MarketPage, Page, resource
from core.pages.forms import ProviderForm, QueryForm
from core.queries import providers
from core.queries.rules.market import Market, market_cache

router = Router(tags=["Providers"])

_IN_PATH = ("npi", "tin")
_GROUPS = Field(description="Its provider groups, by month and payer.")


class OfNpi(Answer):
    """Who an NPI is."""

    provider: providers.Npi = Field(description="What is known about the NPI.")
    register_loaded: bool = Field(description="Whether names and specialties (NPPES) are loaded.", examples=[True])
    tins: list[providers.TaxId] = Field(description="Tax IDs that it bills under.")
    groups: list[providers.ProviderGroupPage] = _GROUPS


class OfTin(Answer):
    """Who a tax number is."""

    tins: list[providers.TaxId] = Field(
        description="Usually one. An EIN and an NPI used as a tax ID can have the same number."
    )
    groups: list[providers.ProviderGroupPage] = _GROUPS


@resource(router, "/providers/npi/{npi}", QueryForm, OfNpi)
def npi(asked: Asked) -> Found:
    """Who an NPI is.

    Name and specialty where the register (NPPES) is loaded, tax numbers, groups and networks.
    """
    value = _npi(asked)
    return {
        "provider": providers.find_npi(asked.db, value),
        "register_loaded": providers.is_register_loaded(asked.db),
        "tins": providers.list_tins_of_npi(asked.db, value),
        "groups": providers.list_groups(asked.db, "npi", value),
    }


@resource(router, "/providers/npi/{npi}/rates", ProviderForm, MarketPage[providers.CodeRates], without=_IN_PATH)
def npi_rates(asked: Asked) -> Found:
    """An NPI's rates.

    One row a code, payer, kind, class and modifier, beside Medicare and the market's median. Where state and month are
    left out, the newest that the provider is in.
    """
    _npi(asked)
    return _rates(asked)


@resource(router, "/providers/tin/{tin}", QueryForm, OfTin)
def tin(asked: Asked) -> Found:
    """Who a tax number is.

    Name, how many NPIs bill under it, groups and networks.
    """
    value, tins = _tin(asked)
    return {"tins": tins, "groups": providers.list_groups(asked.db, "tin", value)}


@resource(router, "/providers/tin/{tin}/rates", ProviderForm, MarketPage[providers.CodeRates], without=_IN_PATH)
def tin_rates(asked: Asked) -> Found:
    """A tax number's rates.

    One row a code, payer, kind, class and modifier, beside Medicare and the market's median. Where state and month are
    left out, the newest that the provider is in.
    """
    _tin(asked)
    return _rates(asked)


@resource(router, "/providers/tin/{tin}/npis", QueryForm, Page[providers.Npi])
def tin_npis(asked: Asked) -> Found:
    """The NPIs that bill under a tax number.

    By name.
    """
    value, _ = _tin(asked)
    return asked.by_place(lambda limit, offset: providers.list_npis_of_tin(asked.db, value, limit, offset))


def _rates(asked: Asked) -> Found:
    market = asked.market
    whose = Market(market.state, market.year_month, npi=market.npi, tin=market.tin)
    with market_cache(asked.db, whose) as narrow:
        return asked.by_place(lambda limit, offset: providers.list_code_rates(asked.db, narrow, market, limit, offset))


def _npi(asked: Asked) -> str:
    value = asked.path["npi"]
    if providers.find_npi(asked.db, value) is None:
        raise Problem("not-found", f"No group that a loaded rate names has the NPI {value}.")
    return value


def _tin(asked: Asked) -> tuple[str, list[providers.TaxId]]:
    value = asked.path["tin"]
    found = providers.find_tins(asked.db, value)
    if not found:
        raise Problem("not-found", f"No group that a loaded rate names has the tax number {value}.")
    return value, found
