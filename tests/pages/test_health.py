"""Addresses for monitoring, and what visitors see of a store that is empty or cannot be read."""

import threading
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from core.pages.health import MAX_AGE_SECONDS, Health, StoreWatch, answer_health_first
from tests.site import serving, text_of


def test_an_empty_store_has_a_page_for_visitors(tmp_path: Path) -> None:
    with serving(tmp_path / "nothing"):
        client = Client()
        response = client.get("/rates/")
        assert response.status_code == 503
        assert "No rates yet" in text_of(response)
        assert "manage.py" not in response.content.decode()
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200


def test_an_unreadable_store_is_explained_to_operators_only(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with serving(tmp_path):
        client = Client()
        response = client.get("/")
        assert response.status_code == 503
        assert "The rates cannot be read at the moment" in text_of(response)
        assert "manifest" not in text_of(response)
        assert b"not a manifest" in client.get("/readyz").content


def test_the_process_is_alive_and_ready(site: Client) -> None:
    assert site.get("/healthz").content == b"alive\n"
    assert site.get("/readyz").content.startswith(b"ready, generation ")


def ask_as_server(application: Any, path: str, method: str = "GET") -> tuple[str, dict[str, str], bytes]:
    """Ask a WSGI application as a server does, under a host name that the site does not have."""
    answered: list[Any] = []
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "HTTP_HOST": "198.51.100.7", "wsgi.url_scheme": "http"}
    body = b"".join(application(environ, lambda status, headers: answered.append((status, dict(headers)))))
    ((status, headers),) = answered
    return status, headers, body


def test_health_is_answered_before_anything_else_is_asked(site: Client) -> None:
    def broken(_environ: Any, _start_response: Any) -> Any:
        raise AssertionError("the site was asked")

    application = answer_health_first(broken)
    assert ask_as_server(application, "/healthz")[::2] == ("200 OK", b"alive\n")
    status, headers, body = ask_as_server(application, "/readyz")
    assert status == "200 OK"
    assert body.startswith(b"ready, generation ")
    assert headers["Content-Length"] == str(len(body))
    assert ask_as_server(application, "/healthz", "HEAD")[2] == b""
    with pytest.raises(AssertionError, match="the site was asked"):
        ask_as_server(application, "/healthz/")
    with pytest.raises(AssertionError, match="the site was asked"):
        ask_as_server(application, "/readyz", "POST")


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


def test_a_store_that_has_not_answered_for_long_is_not_ready() -> None:
    old = Health(HTTPStatus.OK, "ready", checked_at=time.monotonic() - MAX_AGE_SECONDS - 1)
    seen = StoreWatch(lambda: old).last()
    assert (seen.status, seen.text) == (503, "the store has not answered for 31 seconds")
