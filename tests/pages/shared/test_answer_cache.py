"""Answers given again, and questions that are not asked again."""

import threading
import time
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from core.pages.forms.query_form import CodesForm
from core.pages.shared.answer_cache import AnswerCache, SlowQuestions, ending_together, meanwhile
from core.pages.shared.page import PageQuery, page
from core.store.connection import QueryTimeout, Snapshot, time_limit
from tests.stores import ENDLESS


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
    again = ask(view, "/made/?q=stopped")
    assert (again.status_code, len(made)) == (503, 1), "what was stopped is not tried again so soon"
    assert ask(view, "/made/?q=not-stopped").content == b"made"


def test_a_slow_question_is_tried_again_after_a_while() -> None:
    slow = SlowQuestions(most=2, seconds=0.2)
    slow.note("a", "stopped")
    assert (slow.get("a"), slow.get("b")) == ("stopped", None)
    while slow.get("a"):
        time.sleep(0.01)


def test_an_address_has_one_spelling(site: Any) -> None:
    def view(_query: PageQuery[CodesForm]) -> HttpResponse:
        return HttpResponse("made")

    sent = ask(view, "/made/%C3%A9/?batch=1&basis=mpfs&payer=&page=1&utm_source=x&q=a+b")
    assert (sent.status_code, sent["Location"]) == (302, "/made/%C3%A9/?q=a+b")
    assert ask(view, sent["Location"]).content == b"made"
    assert ask(view, "/made/?payer=&format=csv").content == b"made", "a file is given at once"


def test_questions_asked_meanwhile_end_before_the_request_leaves_its_lane() -> None:
    begun, go_on, done = threading.Event(), threading.Event(), []

    def question(name: str) -> None:
        begun.set()
        assert go_on.wait(60)
        done.append(name)

    def ask() -> None:
        with ending_together():
            meanwhile(question, "asked meanwhile")
            assert begun.wait(60)  # one that has not begun is called off
            threading.Timer(0.1, go_on.set).start()
            raise QueryTimeout("another question was stopped")

    with pytest.raises(QueryTimeout):
        ask()
    assert done == ["asked meanwhile"]


def test_a_question_asked_meanwhile_has_the_time_limit_of_its_request(demo: Snapshot) -> None:
    with time_limit(0.2), ending_together():
        asked = meanwhile(demo.rows, ENDLESS)
        with pytest.raises(QueryTimeout):
            asked.result(60)
