"""Payers side by side, and one payer."""

from ninja import Router
from pydantic import Field

from core.api.protocol.problems import Problem
from core.api.protocol.resources import Asked, Found, MarketPage, Page, resource
from core.fields import code_list
from core.pages.forms import PayersForm, QueryForm
from core.queries import coverage, networks, payers

router = Router(tags=["Payers"])


class SideBySide(MarketPage[payers.PayerSpread]):
    """Payers side by side."""

    codes: list[payers.AskedCode] = Field(description="What there is for each code of the list.")


@resource(router, "/payers", PayersForm, SideBySide, required=["codes"], without=["code", "code_type", "sort"])
def side_by_side(asked: Asked) -> Found:
    """Payers side by side, for one code or a list.

    Rates in dollars: one row a code, class, modifier and payer, in the list's order; before its payers a row for all
    together, whose `payer_slug` is null. `codes` says for each code of the list how many rates are compared, and how
    many are not as they are no dollars for one service.
    """
    wanted = code_list.read_codes(asked.chosen["codes"])
    spreads, counted = payers.compare_payers(asked.db, asked.market, wanted, asked.chosen["base"] or None)
    if asked.market.payer:
        spreads = [row for row in spreads if row.payer_slug in {None, asked.market.payer}]
    return {**asked.whole(spreads), "codes": counted}


@resource(router, "/payers/{payer}/networks", QueryForm, Page[networks.NetworkRow])
def of_payer(asked: Asked) -> Found:
    """A payer's networks.

    By month, newest first, with provider groups and distinct NPIs. `network` is null for groups that name none; a group
    may be in several.
    """
    return asked.whole(networks.list_networks(asked.db, _payer(asked)))


@resource(router, "/payers/{payer}/files", QueryForm, Page[coverage.File])
def files(asked: Asked) -> Found:
    """A payer's files that are loaded.

    One row a file and state, newest month first.
    """
    return asked.whole(coverage.list_files(asked.db, _payer(asked)))


def _payer(asked: Asked) -> str:
    slug = asked.path["payer"]
    if slug not in dict(coverage.list_payers(asked.db)):
        raise Problem("not-found", f"No payer with the key {slug} is loaded.")
    return slug
