"""A month against an earlier one."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import Asked, Found, MarketPage, resource
from core.pages.forms import ChangesForm
from core.queries import changes

router = Router(tags=["Changes"])

_WITH = Field(description="The earlier month that the market's month is compared with.", examples=["2025-07"])


class ChangedRatesForm(ChangesForm):
    """The matched rates."""

    sorts = tuple(changes.ORDERS)


class ChangedCodesForm(ChangesForm):
    """The codes."""

    sorts = tuple(changes.SORTS)


class RatesChanged(MarketPage[changes.ChangedRate]):
    """What became of each rate."""

    compared_with: str = _WITH


class PayersChanged(MarketPage[changes.PayerMoved]):
    """What became of a code's rates, by payer."""

    compared_with: str = _WITH


class CodesChanged(MarketPage[changes.CodeMoved]):
    """What became of a payer's rates, by code."""

    compared_with: str = _WITH
    payers: list[changes.PayerMoved] = Field(description="All of the payer's codes together, by kind.")


@resource(router, "/changes", ChangedRatesForm, RatesChanged, required=["code"])
def rates(asked: Asked) -> Found:
    """What became of each rate of a code, from an earlier month to a later.

    A rate is known again by its payer, its provider (the group's tax numbers, or else its NPIs), its code and its
    terms, as group numbers change with each file. One row a key, `old` and `new`; `rates` says how many.
    """
    db, market, before = asked.db, asked.market, asked.chosen["from"]
    what = asked.chosen["what"] or None
    found = asked.by_place(
        lambda limit, offset: changes.list_changed_rates(db, market, before, what, asked.sort, limit, offset),
    )
    return {**found, "compared_with": before}


@resource(router, "/changes/payers", ChangesForm, PayersChanged, required=["code"], without=["what", "sort"])
def payers(asked: Asked) -> Found:
    """What became of a code's rates, by payer and kind.

    before = same + up + down + gone + unmatched_before; after = same + up + down + added + unmatched_after. The
    percentiles are of the change of those that went up or down.
    """
    before = asked.chosen["from"]
    return {**asked.whole(changes.count_movements(asked.db, asked.market, before)[0]), "compared_with": before}


@resource(router, "/changes/codes", ChangedCodesForm, CodesChanged, required=["payer"], without=["what"])
def codes(asked: Asked) -> Found:
    """What became of a payer's rates, by code and kind.

    As for payers; `payers` has the same for all codes together. The payer's newest month that has an earlier one is
    meant where state and month are left out.
    """
    before = asked.chosen["from"]
    of_payer, of_codes = changes.count_movements(asked.db, asked.market, before)
    found = asked.whole(sorted(of_codes, key=changes.SORTS[asked.sort]))
    return {**found, "payers": of_payer, "compared_with": before}
