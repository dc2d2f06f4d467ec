"""Resources that compare a month with an earlier one."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import AnswerFields, MarketPage, ResourceRequest, resource
from core.pages.forms.market_forms import ChangesForm
from core.queries.over_time import changes

router = Router(tags=["Changes"])

_EARLIER = Field(description="The earlier month that the market's month is compared with.", examples=["2025-07"])


class ChangedRatesForm(ChangesForm):
    """The parameters of the matched rates."""

    sorts = tuple(changes.ORDERS)


class ChangedCodesForm(ChangesForm):
    """The parameters of the counts by code."""

    sorts = tuple(changes.SORTS)


class RatesChanged(MarketPage[changes.ChangedPay]):
    """What became of what each organization is paid."""

    compared_with: str = _EARLIER


class PayersChanged(MarketPage[changes.PayerMoved]):
    """What became of what organizations are paid for a code, by payer."""

    compared_with: str = _EARLIER


class CodesChanged(MarketPage[changes.CodeMoved]):
    """What became of what organizations are paid, by code."""

    compared_with: str = _EARLIER
    payers: list[changes.PayerMoved] = Field(description="All of the payer's codes together, by kind.")


class OrganizationsChanged(MarketPage[changes.TaxIdMoved]):
    """What became of what organizations are paid, by organization."""

    compared_with: str = _EARLIER
    payers: list[changes.PayerMoved] = Field(description="All of the payer's organizations together, by kind.")


@resource(router, "/changes", ChangedRatesForm, RatesChanged, required=["code"])
def list_changed_rates(request: ResourceRequest) -> AnswerFields:
    """List what each organization is paid for a code, before and after.

    One row for each payer, tax ID, code, and terms, with the median, lowest, and highest amount of both months.
    Provider groups are not compared: payers split, merge, and renumber them with each file. Only payers with rates in
    both months are compared.
    """
    db, market, before = request.db, request.market, request.values["from"]
    what = request.values["what"] or None
    page = request.page_at_offset(
        lambda limit, offset: changes.list_changed_pay(db, market, before, what, request.sort, limit, offset),
    )
    return {**page, "compared_with": before}


@resource(router, "/changes/payers", ChangesForm, PayersChanged, required=["code"], without=["what", "sort"])
def count_by_payer(request: ResourceRequest) -> AnswerFields:
    """Count what became of what organizations are paid for a code, by payer and kind.

    The counts are of tax IDs, once for each terms. before = same + up + down + unclear + gone + terms_before, and
    after = same + up + down + unclear + added + terms_after. The percentiles are of the changes of medians that went up
    or down.
    """
    before = request.values["from"]
    found = changes.count_movements(request.db, request.market, before, ["payers"])
    return {**request.page_of(found.payers), "compared_with": before}


@resource(router, "/changes/codes", ChangedCodesForm, CodesChanged, required=["payer"], without=["what"])
def count_by_code(request: ResourceRequest) -> AnswerFields:
    """Count what became of what a payer pays organizations, by code and kind.

    Counts as in `changes/payers`; `payers` counts all codes together. If the state and month are omitted, the payer's
    newest month that has an earlier one is used.
    """
    before = request.values["from"]
    request.refuse_if_too_broad(before)
    found = changes.count_movements(request.db, request.market, before, ["payers", "codes"])
    page = request.page_of(sorted(found.codes, key=changes.SORTS[request.sort]))
    return {**page, "payers": found.payers, "compared_with": before}


@resource(
    router, "/changes/organizations", ChangedCodesForm, OrganizationsChanged, required=["payer"], without=["what"]
)
def count_by_organization(request: ResourceRequest) -> AnswerFields:
    """Count what became of what a payer pays organizations, by tax ID and kind.

    Counts as in `changes/codes`, of codes and terms instead of tax IDs.
    """
    before = request.values["from"]
    request.refuse_if_too_broad(before)
    found = changes.count_movements(request.db, request.market, before, ["payers", "tax_ids"])
    return {
        **request.page_of(sorted(found.tax_ids, key=changes.SORTS[request.sort])),
        "payers": found.payers,
        "compared_with": before,
    }
