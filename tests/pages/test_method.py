"""The data dictionary and the documents of docs/ as pages: all of them, from the one source, with links that work."""

import re
from html import unescape

import pytest
from django.test import Client

from core.pages.shared import documents
from core.store.connection import Snapshot
from core.store.schema.tables import REJECTS, TABLES
from tests.paths import ROOT
from tests.site import csv_rows, tables, text_of

EVERY = [name for name in documents.names() if name not in {documents.FIRST, documents.DICTIONARY}]


def test_the_dictionary_is_the_store_s_own(site: Client, demo: Snapshot) -> None:
    response = site.get("/dictionary/")
    (index,) = tables(response)
    sections = response.content.decode().split('<section id="')[1:]
    declared = [*TABLES.values(), REJECTS]
    assert [row[0] for row in index[1:]] == [table.name for table in declared]
    for row, section, table in zip(index[1:], sections, declared, strict=True):
        assert re.findall(r'<th scope="row"><code>(.*?)</code>', section) == list(table.names)
        assert f'id="{table.name}"' in response.content.decode()
        if table is not REJECTS:
            assert row[1] == f"{demo.rows(f'SELECT count(*) FROM {table.name}')[0][0]:,}"
    rows = csv_rows(site.get("/dictionary/", {"format": "csv"}))
    assert len(rows) == sum(len(table.columns) for table in declared)
    assert {row["in_table"]: row["place"] for row in rows if row["column"] == "fact_uid"}["fact_rate"] == "1"


ANCHORS: dict[str, set[str]] = {}
"""The anchors of pages that links lead to: documents share most of these links."""


def anchors_of(site: Client, path: str) -> set[str]:
    """Return the anchors of a page, which is there."""
    if path not in ANCHORS:
        target = site.get(path)
        assert target.status_code == 200, path
        ANCHORS[path] = set(re.findall(r'id="([^"]+)"', target.content.decode()))
    return ANCHORS[path]


@pytest.mark.parametrize("name", EVERY)
def test_every_document_is_a_page_whose_links_work(site: Client, name: str) -> None:
    response = site.get(f"/method/{name}/")
    assert response.status_code == 200
    content = response.content.decode()
    assert not re.search(r"<script(?! src)|<style|\sstyle=|\son[a-z]+=", content)
    body = content.split("<main", 1)[1].split("</main", 1)[0]
    ids = set(re.findall(r'id="([^"]+)"', body))
    for link in {unescape(link) for link in re.findall(r'href="([^"]+)"', body)}:
        if link.startswith("#"):
            assert link[1:] in ids
        elif link.startswith("/"):
            path, _, anchor = link.partition("#")
            anchors = anchors_of(site, path)
            assert not anchor or anchor in anchors, link
    for picture in re.findall(r'<img src="([^"]+)"', body):
        assert (ROOT / picture.lstrip("/")).is_file(), picture


def test_the_method_s_own_page(site: Client) -> None:
    response = site.get("/method/")
    text = text_of(response)
    assert "How the figures are computed" in text
    summary = response.content.decode().split("In ten lines:")[1].split("<h2")[0]
    assert summary.count("<li>") == 10
    assert summary.count('href="#') >= 8
    assert 'href="/method/percent-of-medicare/"' in summary
    for anchor in (
        "what-a-negotiated-rate-is", "what-the-figures-are-not", "percentiles-and-means", "organizations",
        "payers-side-by-side", "against-medicare", "changes-from-month-to-month", "what-is-dollars",
    ):  # fmt: skip
        assert f'id="{anchor}"' in response.content.decode()
        assert f'href="#{anchor}"' in response.content.decode()
    assert "**" not in text
    assert site.get("/method/method/", follow=False).headers["Location"] == "/method/"
    assert site.get("/method/data-dictionary/", follow=False).headers["Location"] == "/dictionary/"
    assert site.get("/method/normalisation/", follow=False).headers["Location"] == "/method/normalization/"
    decisions = site.get("/method/decisions/").content.decode()
    assert decisions.count('href="/method/decisions/0') == sum(name.startswith("decisions/") for name in EVERY)


def test_sections_of_a_long_document_are_folded_and_links_open_them(site: Client) -> None:
    document = documents.document(documents.FIRST)
    assert document
    for heading in [one for one in document.headings if one.level == 2]:
        folded = rf'<details><summary>\s*<h2>[^\n]*</h2>\s*</summary><div id="{heading.anchor}">'
        assert re.search(folded, document.html), "a link to the anchor opens what it is in"
    assert document.html.count("<details>") == document.html.count("</details>") == document.html.count("<h2>")
    short = documents.document("laptop")
    assert short
    assert "<details>" not in short.html


@pytest.mark.parametrize("name", ["nothing", "../README", "decisions/nothing", "..%2F..%2Fpyproject.toml"])
def test_there_is_no_other_page(site: Client, name: str) -> None:
    assert site.get(f"/method/{name}/").status_code == 404


@pytest.mark.parametrize("address", ["/quality/", "/quality/implausible_rates/", "/dictionary/", "/method/"])
def test_pages_keep_to_the_policy(site: Client, address: str) -> None:
    content = site.get(address).content.decode()
    assert not re.search(r"<script(?! src)|<style|\sstyle=|\son[a-z]+=", content)
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', content), "nothing comes from elsewhere"


def test_markdown_is_tamed() -> None:
    tokens = documents._markdown().parse(
        "# A\n\n## A b\n\n## A b\n\n<b onclick='x'>\n\n| n |\n|--:|\n| [x](../no.py) |\n"
    )
    headings = list(documents._mark_headings(tokens))
    assert [heading.anchor for heading in headings] == ["a", "a-b", "a-b-1"]
    for token in tokens:
        documents._restyle(token)
        documents._mend_links(token.children or [], "")
    html = documents._markdown().renderer.render(tokens, documents._markdown().options, {})
    assert "&lt;b onclick" in html
    assert "style" not in html
    assert '<td class="n">x</td>' in html
