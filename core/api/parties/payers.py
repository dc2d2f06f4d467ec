"""Resources that compare payers, and those about one payer."""

from ninja import Router
from pydantic import Field

from core.api.protocol.problems import Problem
from core.api.protocol.resources import AnswerFields, MarketPage, Page, ResourceRequest, resource
from core.fields.codes import code_list
from core.pages.forms.market_forms import PayersForm
from core.pages.forms.query_form import QueryForm
from core.queries import coverage, loaded_files
from core.queries.baskets.basket_codes import with_ranges_filled
from core.queries.payers import networks
from core.queries.side_by_side import payer_comparison
from core.queries.side_by_side.payer_spread import PayerSpread

router = Router(tags=["Payers"])


class PayersCompared(MarketPage[PayerSpread]):
    """Payers compared for some codes."""

    codes: list[payer_comparison.AskedCode] = Field(description="The codes of the list, with their number of rates.")


@resource(router, "/payers", PayersForm, PayersCompared, required=["codes"], without=["code", "code_type", "sort"])
def compare_payers(request: ResourceRequest) -> AnswerFields:
    """Compare payers for one code or a list of codes.

    Rates in dollars: one row per code, class, modifier and payer, in the order of the list. Before the payers comes a
    row for all of them together, whose `payer_slug` is null. `codes` counts for each code the rates that are
    compared, and those that are not because they are not expressed in dollars for one service.
    """
    wanted = with_ranges_filled(request.db, code_list.read_codes(request.values["codes"]))
    spreads, counts = payer_comparison.compare_payers(
        request.db, request.market, wanted, request.values["base"] or None
    )
    if request.market.payer:
        spreads = [row for row in spreads if row.payer_slug in {None, request.market.payer}]
    return {**request.page_of(spreads), "codes": counts}


@resource(router, "/payers/{payer}/networks", QueryForm, Page[networks.NetworkRow])
def list_networks(request: ResourceRequest) -> AnswerFields:
    """List the networks of a payer, newest month first.

    With the number of provider groups and distinct NPIs. `network` is null for groups that name no network. A group
    can be in several networks.
    """
    return request.page_of(networks.list_networks(request.db, _known_payer(request)))


@resource(router, "/payers/{payer}/files", QueryForm, Page[loaded_files.File])
def list_files(request: ResourceRequest) -> AnswerFields:
    """List the loaded files of a payer, newest month first.

    One row per file and state.
    """
    return request.page_of(loaded_files.list_files(request.db, _known_payer(request)))


def _known_payer(request: ResourceRequest) -> str:
    """Return the payer in the path. Raise a Problem if it is not loaded."""
    slug = request.path_values["payer"]
    if slug not in dict(coverage.list_payers(request.db)):
        raise Problem("not-found", f"No payer with the key {slug} is loaded.")
    return slug
