"""Codes, found by number or words."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from core.pages.forms import CodesForm
from core.pages.shared.downloads import ROW_CAP, download
from core.pages.shared.page import Paging, context, page, span, wrong
from core.queries import coverage
from core.queries.codes import CodeTitle, corrected, search
from core.store.connection import Snapshot


@page
def codes(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/codes/`"""
    form = CodesForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    text = form.cleaned_data["q"]
    if form.cleaned_data["format"] != "html":
        found = search(db, text, ROW_CAP)[1] or search(db, corrected(db, text) or text, ROW_CAP)[1]
        return download(found, CodeTitle, "codes", form.cleaned_data["format"])
    number = form.cleaned_data["page"]
    total, found = search(db, text, *span(number))
    instead = corrected(db, text) if not total else None
    if instead:
        total, found = search(db, instead, *span(number))
    paging = Paging(number, total)
    newest = next(iter(coverage.periods(db)), None)
    return render(
        request,
        "codes.html",
        context(request, form, db, q=text, instead=instead, found=found, paging=paging, newest=newest),
    )
