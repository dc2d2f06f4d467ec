"""What each table and column means."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from core import manual
from core.forms import QueryForm
from core.queries import dictionary
from core.store.connection import Snapshot
from core.views.page import context, page, wrong
from core.views.tables import download


@page
def show(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/dictionary/`"""
    form = QueryForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    if form.cleaned_data["format"] != "html":
        return download(dictionary.columns(db), dictionary.Column, "dictionary", form.cleaned_data["format"])
    tables = [
        (table, manual.inline(table.meaning), [(column, manual.inline(column.meaning)) for column in table.columns])
        for table in dictionary.tables(db)
    ]
    return render(request, "dictionary.html", context(request, form, db, tables=tables, root=db.root))
