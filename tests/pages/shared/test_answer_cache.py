"""Answers given again, and how many are made at a time."""

import threading
import time
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from core.pages.shared import answer_cache
from core.pages.shared.answer_cache import Answers
from core.pages.shared.page import page
from core.store.connection import QueryTimeout, Snapshot


def test_the_pages_asked_for_last_are_kept_up_to_so_many_bytes() -> None:
    kept = Answers(30)
    for name in "abc":
        kept.keep(name, name.encode() * 10)
    assert kept.get("a") == b"a" * 10
    kept.keep("d", b"d" * 10)
    assert [kept.get(name) is not None for name in "abcd"] == [True, False, True, True]
    kept.keep("c", b"c" * 20)
    assert [kept.get(name) is not None for name in "abcd"] == [False, False, True, True]
    kept.keep("e", b"e" * 31)
    assert [kept.get(name) is not None for name in "abcde"] == [False] * 5


def ask(view: Any, address: str) -> Any:
    return page(view)(RequestFactory().get(address))


def test_a_page_is_made_once(site: Any) -> None:
    made = []

    def view(_request: HttpRequest, _db: Snapshot) -> HttpResponse:
        made.append(1)
        return HttpResponse(f"made {len(made)}")

    assert [ask(view, "/made/?q=once").content for _ in range(3)] == [b"made 1"] * 3
    assert ask(view, "/made/?q=another").content == b"made 2"


def test_an_answer_that_is_none_is_not_kept(site: Any) -> None:
    made = []

    def view(_request: HttpRequest, _db: Snapshot) -> HttpResponse:
        made.append(1)
        if len(made) == 1:
            raise QueryTimeout("the question took longer than 5 seconds and was stopped")
        return HttpResponse("made")

    stopped = ask(view, "/made/?q=stopped")
    assert (stopped.status_code, stopped["Retry-After"]) == (503, "60")
    assert "?q=stopped&amp;billing_class=professional" in stopped.content.decode()
    assert ask(view, "/made/?q=stopped").content == b"made"


def test_over_the_limit_one_is_asked_to_come_again(site: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.BEACONPOINT_QUERY_SECONDS = 0.1
    monkeypatch.setattr(answer_cache, "_PLACES", threading.BoundedSemaphore(1))
    entered, leave = threading.Event(), threading.Event()

    def slow(_request: HttpRequest, _db: Snapshot) -> HttpResponse:
        entered.set()
        leave.wait(20)
        return HttpResponse("slow")

    busy = threading.Thread(target=ask, args=(slow, "/made/?q=slow"))
    busy.start()
    entered.wait(20)
    before = time.monotonic()
    refused = ask(lambda _request, _db: HttpResponse("quick"), "/made/?q=quick")
    assert time.monotonic() - before >= 0.1
    leave.set()
    busy.join()
    assert (refused.status_code, refused["Retry-After"]) == (503, "3")
    assert "Too busy just now" in refused.content.decode()
    assert ask(lambda _request, _db: HttpResponse("quick"), "/made/?q=quick").content == b"quick"


def test_an_address_has_one_spelling(site: Any) -> None:
    def view(_request: HttpRequest, _db: Snapshot) -> HttpResponse:
        return HttpResponse("made")

    sent = ask(view, "/made/%C3%A9/?code=99213&state=GA&payer=&page=1&utm_source=x&q=a+b")
    assert (sent.status_code, sent["Location"]) == (302, "/made/%C3%A9/?q=a+b&state=GA&code=99213")
    assert ask(view, sent["Location"]).content == b"made"
    assert ask(view, "/made/?payer=&format=csv").content == b"made", "a file is given at once"
