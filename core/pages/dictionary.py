"""What each table and column means."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from core.pages.forms import QueryForm
from core.pages.shared import documents
from core.pages.shared.downloads import download
from core.pages.shared.page import context, page, wrong
from core.queries import dictionary
from core.store.connection import Snapshot


@page
def show(request: HttpRequest, db: Snapshot) -> HttpResponseBase:
    """`/dictionary/`"""
    form = QueryForm(request.GET)
    if not form.is_valid():
        return wrong(request, form)
    if form.cleaned_data["format"] != "html":
        return download(dictionary.list_columns(db), dictionary.ColumnEntry, "dictionary", form.cleaned_data["format"])
    tables = [
        (
            table,
            documents.inline(table.meaning),
            [(column, documents.inline(column.meaning)) for column in table.columns],
        )
        for table in dictionary.list_tables(db)
    ]
    return render(request, "dictionary.html", context(request, form, db, tables=tables, root=db.root))
