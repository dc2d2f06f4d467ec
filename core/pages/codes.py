"""Codes, found by number or words."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from core.pages.forms import CodesForm
from core.pages.shared.downloads import ROW_CAP, download
from core.pages.shared.page import Paging, context, page, span, wrong
from core.queries import coverage
from core.queries.codes import CodeTitle, correct_spelling, search_codes
from core.store.connection import Snapshot


@page
def codes(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/codes/`"""
    form = CodesForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    text = form.cleaned_data["q"]
    if form.cleaned_data["format"] != "html":
        found = search_codes(db, text, ROW_CAP)[1] or search_codes(db, correct_spelling(db, text) or text, ROW_CAP)[1]
        return download(found, CodeTitle, "codes", form.cleaned_data["format"])
    number = form.cleaned_data["page"]
    total, found = search_codes(db, text, *span(number))
    instead = correct_spelling(db, text) if not total else None
    if instead:
        total, found = search_codes(db, instead, *span(number))
    paging = Paging(number, total)
    newest = next(iter(coverage.list_periods(db)), None)
    return render(
        request,
        "codes.html",
        context(request, form, db, q=text, instead=instead, found=found, paging=paging, newest=newest),
    )
