"""Resources that compare a month with an earlier one."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import AnswerFields, MarketPage, ResourceRequest, resource
from core.pages.forms.market_forms import ChangesForm
from core.queries import changes

router = Router(tags=["Changes"])

_EARLIER = Field(description="The earlier month that the market's month is compared with.", examples=["2025-07"])


class ChangedRatesForm(ChangesForm):
    """The parameters of the matched rates."""

    sorts = tuple(changes.ORDERS)


class ChangedCodesForm(ChangesForm):
    """The parameters of the counts by code."""

    sorts = tuple(changes.SORTS)


class RatesChanged(MarketPage[changes.ChangedRate]):
    """What happened to each rate."""

    compared_with: str = _EARLIER


class PayersChanged(MarketPage[changes.PayerMoved]):
    """What happened to the rates of a code, by payer."""

    compared_with: str = _EARLIER


class CodesChanged(MarketPage[changes.CodeMoved]):
    """What happened to the rates of a payer, by code."""

    compared_with: str = _EARLIER
    payers: list[changes.PayerMoved] = Field(description="All of the payer's codes together, by kind.")


@resource(router, "/changes", ChangedRatesForm, RatesChanged, required=["code"])
def list_changed_rates(request: ResourceRequest) -> AnswerFields:
    """List what happened to each rate of a code since an earlier month.

    A rate is matched by its payer, its provider (the tax IDs of its group, or its NPIs if there are none), its code
    and its terms, because group numbers change with each file. One row per match, with `old` and `new`; `rates` is
    the number of rates behind it.
    """
    db, market, before = request.db, request.market, request.values["from"]
    what = request.values["what"] or None
    page = request.page_at_offset(
        lambda limit, offset: changes.list_changed_rates(db, market, before, what, request.sort, limit, offset),
    )
    return {**page, "compared_with": before}


@resource(router, "/changes/payers", ChangesForm, PayersChanged, required=["code"], without=["what", "sort"])
def count_by_payer(request: ResourceRequest) -> AnswerFields:
    """Count what happened to the rates of a code, by payer and kind.

    before = same + up + down + gone + unmatched_before, and after = same + up + down + added + unmatched_after. The
    percentiles are of the changes of rates that went up or down.
    """
    before = request.values["from"]
    by_payer, _ = changes.count_movements(request.db, request.market, before)
    return {**request.page_of(by_payer), "compared_with": before}


@resource(router, "/changes/codes", ChangedCodesForm, CodesChanged, required=["payer"], without=["what"])
def count_by_code(request: ResourceRequest) -> AnswerFields:
    """Count what happened to the rates of a payer, by code and kind.

    Counts as in `changes/payers`; `payers` counts all codes together. If the state and month are omitted, the payer's
    newest month that has an earlier one is used.
    """
    before = request.values["from"]
    request.refuse_if_too_broad(before)
    by_payer, by_code = changes.count_movements(request.db, request.market, before)
    page = request.page_of(sorted(by_code, key=changes.SORTS[request.sort]))
    return {**page, "payers": by_payer, "compared_with": before}
