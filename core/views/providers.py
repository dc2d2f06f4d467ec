"""An NPI, and a tax number: who it is, its groups, its rates."""

import re

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render

from core.forms import ProviderForm
from core.queries import providers
from core.store.connection import Snapshot
from core.views.page import Paging, context, page, sorry, wrong
from core.views.tables import ROW_CAP, download


@page
def npi(request: HttpRequest, db: Snapshot, npi: str) -> HttpResponseBase:
    """`/npi/<npi>/`"""
    if not re.fullmatch(r"[12]\d{9}", npi, re.ASCII):
        return sorry(request, 400, "That is no NPI", [("", f"{npi!r}: expected ten digits that begin with 1 or 2")])
    found = providers.npi(db, npi)
    if found is None:
        why = f"No group that a loaded rate names has the NPI {npi}. It may be out of network, or its payer not loaded."
        return sorry(request, 404, "This NPI is in no loaded rate", [("", why)])
    form = ProviderForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    known = providers.register_loaded(db)
    return _provider(request, db, form, "npi", npi, who=found, known=known, tins=providers.tins_of_npi(db, npi))


@page
def tin(request: HttpRequest, db: Snapshot, tin: str) -> HttpResponseBase:
    """`/tin/<tin_value>/`"""
    digits = tin.replace("-", "")
    if not re.fullmatch(r"\d{1,15}", digits, re.ASCII):
        return sorry(request, 400, "That is no tax number", [("", f"{tin!r}: expected nine digits, or an NPI's ten")])
    if digits != tin:
        return redirect("tin", tin=digits)
    found = providers.tins(db, digits)
    if not found:
        why = f"No group that a loaded rate names has the tax number {tin}. Its payer may not be loaded."
        return sorry(request, 404, "This tax number is in no loaded rate", [("", why)])
    form = ProviderForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    colleagues = providers.npis_of_tin(db, digits, 200, 0)
    return _provider(request, db, form, "tin", digits, who=found[0], tins=found, colleagues=colleagues)


def _provider(
    request: HttpRequest, db: Snapshot, form: ProviderForm, by: providers.By, value: str, **more: object
) -> HttpResponseBase:
    chosen = form.cleaned_data
    if chosen["format"] != "html":
        if chosen["table"] == "groups":
            return download(providers.groups(db, by, value), providers.Groups, f"{by}_{value}_groups", chosen["format"])
        if chosen["table"] == "npis" and by == "tin":
            npis = providers.npis_of_tin(db, value, ROW_CAP, 0)[1]
            return download(npis, providers.Npi, f"{by}_{value}_npis", chosen["format"])
        every = providers.code_rates(db, by, value, ROW_CAP, 0)[1]
        return download(every, providers.CodeRates, f"{by}_{value}_rates", chosen["format"])
    total, rows = providers.code_rates(db, by, value, Paging(1, 0).limit, (chosen["page"] - 1) * Paging(1, 0).limit)
    paging = Paging(chosen["page"], total)
    return render(
        request,
        f"{by}.html",
        context(
            request, form, db, value=value, groups=providers.groups(db, by, value), rows=rows, paging=paging, **more
        ),
    )
