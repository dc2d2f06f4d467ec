"""An NPI, and a tax number: who it is, its groups, its rates."""

import re

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render

from core.fields.npi import is_npi
from core.pages.forms import ProviderForm
from core.pages.shared.downloads import ROW_CAP, download
from core.pages.shared.market_choice import choose_period
from core.pages.shared.page import Paging, context, page, sorry, span, wrong
from core.queries import providers
from core.queries.facets import count_choices
from core.queries.rules.market import Market, market_cache
from core.store.connection import Snapshot


@page
def npi(request: HttpRequest, db: Snapshot, npi: str) -> HttpResponseBase:
    """`/npi/<npi>/`"""
    if not is_npi(npi):
        return sorry(request, 400, "That is no NPI", [("", f"{npi!r}: expected ten digits that begin with 1 or 2")])
    found = providers.find_npi(db, npi)
    if found is None:
        why = f"No group that a loaded rate names has the NPI {npi}. It may be out of network, or its payer not loaded."
        return sorry(request, 404, "This NPI is in no loaded rate", [("", why)])
    form = ProviderForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    known = providers.is_register_loaded(db)
    tins = providers.list_tins_of_npi(db, npi)
    colleagues = [(one, *providers.list_npis_of_tin(db, one.tin_value, 12, 0)) for one in tins[:3] if one.npis > 1]
    return _provider(request, db, form, "npi", npi, who=found, known=known, tins=tins, colleagues=colleagues)


@page
def tin(request: HttpRequest, db: Snapshot, tin: str) -> HttpResponseBase:
    """`/tin/<tin_value>/`"""
    digits = tin.replace("-", "")
    if not re.fullmatch(r"\d{1,15}", digits, re.ASCII):
        return sorry(request, 400, "That is no tax number", [("", f"{tin!r}: expected nine digits, or an NPI's ten")])
    if digits != tin:
        return redirect("tin", tin=digits)
    found = providers.find_tins(db, digits)
    if not found:
        why = f"No group that a loaded rate names has the tax number {tin}. Its payer may not be loaded."
        return sorry(request, 404, "This tax number is in no loaded rate", [("", why)])
    form = ProviderForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    colleagues = providers.list_npis_of_tin(db, digits, 200, 0)
    return _provider(request, db, form, "tin", digits, who=found[0], tins=found, colleagues=colleagues)


def _provider(
    request: HttpRequest, db: Snapshot, form: ProviderForm, by: providers.By, value: str, **more: object
) -> HttpResponseBase:
    periods = providers.list_provider_periods(db, by, value)
    asked = choose_period(form, periods, by, value)
    chosen = form.cleaned_data
    if chosen["format"] != "html" and chosen["table"] == "groups":
        return download(
            providers.list_groups(db, by, value), providers.ProviderGroupPage, f"{by}_{value}_groups", chosen["format"]
        )
    if chosen["format"] != "html" and chosen["table"] == "npis" and by == "tin":
        npis = providers.list_npis_of_tin(db, value, ROW_CAP, 0)[1]
        return download(npis, providers.Npi, f"{by}_{value}_npis", chosen["format"])
    whole = Market(asked.state, asked.year_month, npi=asked.npi, tin=asked.tin)
    with market_cache(db, whole) as narrow:
        if chosen["format"] != "html":
            every = providers.list_code_rates(db, narrow, asked, ROW_CAP, 0)[1]
            return download(every, providers.CodeRates, f"{by}_{value}_rates", chosen["format"])
        total, rows = providers.list_code_rates(db, narrow, asked, *span(chosen["page"]))
        payers = [
            choice for choice in count_choices(narrow, asked, ["payer"])["payer"] if choice.rates or choice.chosen
        ]
    return render(
        request,
        f"{by}.html",
        context(
            request,
            form,
            db,
            value=value,
            market=Market(asked.state, asked.year_month),
            asked=asked,
            periods=periods,
            payers=payers,
            groups=providers.list_groups(db, by, value),
            rows=rows,
            paging=Paging(chosen["page"], total),
            answer_rows=sum(choice.rates for choice in payers),
            **more,
        ),
    )
