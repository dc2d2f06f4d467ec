"""What all pages share: ETags, generations, and slow questions."""

from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from core.pages.forms.query_form import QueryForm
from core.pages.shared.page import PageQuery, page
from core.store.generations.store import Store
from tests.pages.markets import QUERY
from tests.site import serving, text_of
from tests.stores import ENDLESS, change


def test_a_known_answer_is_not_sent_again(site: Client) -> None:
    first = site.get("/rates/", QUERY)
    again = site.get("/rates/", QUERY, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = site.get("/rates/", {**QUERY, "page": 2}, headers={"If-None-Match": first["ETag"]})
    assert other.status_code == 200
    assert site.head("/rates/", QUERY).status_code == 200
    assert site.post("/rates/", QUERY).status_code == 405


def test_a_new_generation_changes_the_etag_and_the_page(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    change(store, "a")
    with serving(store.root):
        client = Client()
        before = client.get("/")
        change(store, "b")
        after = client.get("/", headers={"If-None-Match": before["ETag"]})
        assert after.status_code == 200
        assert after["ETag"] != before["ETag"]
        assert "No rates yet" in text_of(after)


def test_a_slow_question_is_stopped_and_explained(demo_root: Path, settings: Any) -> None:
    settings.BEACONPOINT_QUERY_SECONDS = 0.2

    @page(QueryForm)
    def endless(query: PageQuery[QueryForm]) -> HttpResponse:
        return HttpResponse(str(query.db.rows(ENDLESS)))

    with serving(demo_root):
        response = endless(RequestFactory().get("/endless/"))
    assert response.status_code == 503
    assert "The question took longer than 0.2 seconds and was stopped" in text_of(response)


def test_a_question_that_is_too_large_is_explained_to_visitors_and_operators(
    demo_root: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.BEACONPOINT_SITE_MEMORY = "40MB"

    @page(QueryForm)
    def large(query: PageQuery[QueryForm]) -> HttpResponse:
        return HttpResponse(str(query.db.rows("SELECT list(i) FROM range(4000000) t(i)")))

    with serving(demo_root):
        response = large(RequestFactory().get("/large/"))
    assert response.status_code == 503
    said = text_of(response)
    assert "The question is about too many rates to be answered. Try fewer rates: choose a code" in said
    assert "memory" not in said
    assert "of memory it may use; raise BEACONPOINT_SITE_MEMORY" in caplog.text


def test_an_error_is_not_kept_by_clients(site: Client) -> None:
    refused = site.get("/rates/", {**QUERY, "pos": "11,22"})
    assert refused.status_code == 400
    assert "ETag" not in refused


def test_what_was_typed_can_be_corrected(site: Client) -> None:
    response = site.get("/rates/", {"state": "GA", "code": "99213", "npi": "12<3", "sort": "rate"})
    assert response.status_code == 400
    page = response.content.decode()
    assert 'name="npi" value="12&lt;3" aria-invalid="true"' in page
    assert 'name="code" value="99213"' in page
    assert 'name="sort"' not in page
