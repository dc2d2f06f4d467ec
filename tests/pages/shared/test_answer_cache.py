"""Answers given again, and how many are made at a time."""

import time
from contextlib import ExitStack
from typing import Any

from django.http import HttpResponse
from django.test import RequestFactory

from core.pages.forms.query_form import CodesForm
from core.pages.shared.answer_cache import AnswerCache, admitted
from core.pages.shared.page import PageQuery, page
from core.store.connection import QueryTimeout


def test_the_pages_asked_for_last_are_kept_up_to_so_many_bytes() -> None:
    kept = AnswerCache(30)
    for name in "abc":
        kept.keep(name, name.encode() * 10)
    assert kept.get("a") == b"a" * 10
    kept.keep("d", b"d" * 10)
    assert [kept.get(name) is not None for name in "abcd"] == [True, False, True, True]
    kept.keep("c", b"c" * 20)
    assert [kept.get(name) is not None for name in "abcd"] == [False, False, True, True]
    kept.keep("e", b"e" * 31)
    assert [kept.get(name) is not None for name in "abcde"] == [False, False, True, True, False], "too large to keep"


def ask(view: Any, address: str) -> Any:
    return page(CodesForm)(view)(RequestFactory().get(address))


def test_a_page_is_made_once(site: Any) -> None:
    made = []

    def view(_query: PageQuery[CodesForm]) -> HttpResponse:
        made.append(1)
        return HttpResponse(f"made {len(made)}")

    assert [ask(view, "/made/?q=once").content for _ in range(3)] == [b"made 1"] * 3
    assert ask(view, "/made/?q=another").content == b"made 2"


def test_an_answer_that_is_none_is_not_kept(site: Any) -> None:
    made = []

    def view(_query: PageQuery[CodesForm]) -> HttpResponse:
        made.append(1)
        if len(made) == 1:
            raise QueryTimeout("the question took longer than 5 seconds and was stopped")
        return HttpResponse("made")

    stopped = ask(view, "/made/?q=stopped")
    assert (stopped.status_code, stopped["Retry-After"]) == (503, "60")
    assert "?q=stopped&amp;billing_class=professional" in stopped.content.decode()
    assert ask(view, "/made/?q=stopped").content == b"made"


def test_over_the_limit_one_is_asked_to_come_again(site: Any, settings: Any) -> None:
    settings.BEACONPOINT_QUERY_SECONDS = 0.1
    with ExitStack() as taken:
        for _ in range(settings.BEACONPOINT_QUESTIONS):
            taken.enter_context(admitted())
        before = time.monotonic()
        refused = ask(lambda _query: HttpResponse("quick"), "/made/?q=quick")
        assert time.monotonic() - before >= 0.1
    assert (refused.status_code, refused["Retry-After"]) == (503, "3")
    assert "Too busy right now" in refused.content.decode()
    assert "ETag" not in refused
    assert ask(lambda _query: HttpResponse("quick"), "/made/?q=quick").content == b"quick"


def test_an_address_has_one_spelling(site: Any) -> None:
    def view(_query: PageQuery[CodesForm]) -> HttpResponse:
        return HttpResponse("made")

    sent = ask(view, "/made/%C3%A9/?code=99213&state=GA&payer=&page=1&utm_source=x&q=a+b")
    assert (sent.status_code, sent["Location"]) == (302, "/made/%C3%A9/?q=a+b&state=GA&code=99213")
    assert ask(view, sent["Location"]).content == b"made"
    assert ask(view, "/made/?payer=&format=csv").content == b"made", "a file is given at once"
