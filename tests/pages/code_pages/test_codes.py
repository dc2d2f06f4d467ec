"""The search for codes."""

from django.test import Client

from tests.site import csv_rows, tables, text_of


def test_codes_are_found_by_words(site: Client) -> None:
    response = site.get("/codes/", {"q": "knee repl"})
    (found,) = tables(response)
    assert [row[1] for row in found[1:]] == ["27447", "470", "469"]
    nothing = site.get("/codes/", {"q": "zzz"})
    assert "No rates for a code like “zzz”" in text_of(nothing)
    assert 'href="/?q=zzz"' in nothing.content.decode(), "the search of everything is a click away"
    assert [row["code"] for row in csv_rows(site.get("/codes/", {"q": "knee repl", "format": "csv"}))] == [
        "27447",
        "470",
        "469",
    ]
