"""The meaning of each table and column."""

from django.http import HttpResponseBase

from core.pages.forms.query_form import QueryForm
from core.pages.shared import documents
from core.pages.shared.page import PageQuery, page
from core.queries import dictionary


@page(QueryForm)
def show_dictionary(query: PageQuery[QueryForm]) -> HttpResponseBase:
    """Show `/dictionary/`"""
    if query.wants_file:
        return query.download(dictionary.list_columns(query.db), dictionary.ColumnEntry, "dictionary")
    tables = [
        (
            table,
            documents.inline(table.meaning),
            [(column, documents.inline(column.meaning)) for column in table.columns],
        )
        for table in dictionary.list_tables(query.db)
    ]
    return query.render("pages/dictionary.html", tables=tables)
