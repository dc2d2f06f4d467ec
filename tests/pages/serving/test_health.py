"""Addresses for monitoring, and what visitors see of a store that is empty or cannot be read."""

import re
import threading
import time
from http import HTTPStatus
from pathlib import Path

import pytest
from django.test import Client

from core.pages.serving.health import MAX_AGE_SECONDS, Health, StoreWatch
from tests.site import ask_health, serving, text_of


def test_an_empty_store_has_a_page_for_visitors(tmp_path: Path) -> None:
    with serving(tmp_path / "nothing"):
        response = Client().get("/rates/")
        assert response.status_code == 503
        assert "No rates yet" in text_of(response)
        assert "manage.py" not in response.content.decode()
        assert (ask_health("/readyz").status, ask_health("/readyz").text) == (503, "nothing is loaded\n")
        assert ask_health("/healthz").status == 200


def test_an_unreadable_store_is_explained_to_operators_only(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with serving(tmp_path):
        response = Client().get("/")
        assert response.status_code == 503
        assert "The rates cannot be read at the moment" in text_of(response)
        assert "manifest" not in text_of(response)
        ready = ask_health("/readyz")
        assert ready.status == 503
        assert "not a manifest" in ready.text


@pytest.mark.usefixtures("site")
def test_health_is_answered_before_anything_else_is_asked() -> None:
    alive, ready = ask_health("/healthz"), ask_health("/readyz")
    assert (alive.status, alive.text) == (200, "alive\n")
    assert ready.status == 200
    assert re.fullmatch(r"ready, generation \d+\n", ready.text)
    assert ready.headers == {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(ready.text)),
        "Cache-Control": "no-store",
    }
    with pytest.raises(AssertionError, match="the site was asked"):
        ask_health("/healthz/")


@pytest.mark.usefixtures("site")
def test_a_health_check_changes_nothing_and_takes_no_other_method() -> None:
    asked, refused = ask_health("/readyz", "HEAD"), ask_health("/readyz", "POST")
    assert (asked.status, asked.text) == (200, "")
    assert (refused.status, refused.headers["Allow"], refused.text) == (405, "GET, HEAD", "use GET or HEAD\n")


def test_what_was_seen_last_is_told_while_the_store_does_not_answer() -> None:
    answers, stuck = threading.Event(), threading.Event()

    def check() -> Health:
        if answers.is_set():
            stuck.set()
            threading.Event().wait()
        return Health(HTTPStatus.OK, "ready")

    watch = StoreWatch(check, pause=0.01)
    watch.start()
    answers.set()
    assert stuck.wait(60)
    assert watch.last().text == "ready"


def test_a_new_generation_is_made_ready_once() -> None:
    texts = iter(["ready, generation 1", "ready, generation 1", "ready, generation 2"])
    seen, last = [], threading.Event()

    def check() -> Health:
        text = next(texts, "")
        if not text:
            last.set()
        return Health(HTTPStatus.OK, text or "ready, generation 2")

    StoreWatch(check, pause=0.01).start(when_new=lambda: seen.append("made"))
    assert last.wait(60)
    assert seen == ["made"]


def test_a_store_that_has_not_answered_for_long_is_not_ready() -> None:
    old = Health(HTTPStatus.OK, "ready", checked_at=time.monotonic() - MAX_AGE_SECONDS - 1)
    seen = StoreWatch(lambda: old).last()
    assert (seen.status, seen.text) == (503, "the store has not answered for 31 seconds")


def test_a_check_that_fails_is_told_and_made_again(caplog: pytest.LogCaptureFixture) -> None:
    checks = iter(["fails", "answers"])
    again = threading.Event()

    def check() -> Health:
        kind = next(checks, None)
        if kind == "fails":
            raise PermissionError("closed")
        if kind is None:
            again.set()
        return Health(HTTPStatus.OK, "ready")

    watch = StoreWatch(check, pause=0.01)
    watch.start()
    assert again.wait(60)
    assert watch.last().text == "ready"
    assert "the store cannot be looked at" in caplog.text
