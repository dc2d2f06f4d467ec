"""Addresses for monitoring. They wait for nothing: no lane, no thread of the site, no question.

Whether the store can be read is looked at by a thread of its own, once a second; `/readyz` tells what it saw last. So
it is answered at once, however busy the site is and however long the store takes to answer.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from core import open_store
from core.pages.shared.lanes.admission import Application
from core.runtime import metrics
from core.runtime.errors import BeaconError
from core.store.generations.integrity.damage import FileWatch

_LOG = logging.getLogger(__name__)

SECONDS_BETWEEN_CHECKS = 1.0
MAX_AGE_SECONDS = 30.0
"""A store that has not answered for so long does not count as readable."""


@dataclass(frozen=True)
class Health:
    """What an address for monitoring answers."""

    status: HTTPStatus
    text: str
    checked_at: float = field(default_factory=time.monotonic)


ALIVE = Health(HTTPStatus.OK, "alive")

_FILES = FileWatch()


def check_store() -> Health:
    """Return whether the store can be read; 503 with the reason if it cannot."""
    try:
        db = open_store.snapshot_for_site()
        if db is None:
            return Health(HTTPStatus.SERVICE_UNAVAILABLE, "nothing is loaded")
        _FILES.expect_whole(db.root, db.manifest)
        db.rows("SELECT count(*) FROM dim_batch")
    except BeaconError as error:
        return Health(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    return Health(HTTPStatus.OK, f"ready, generation {db.manifest.generation}")


class StoreWatch:
    """Look at the store again and again, and remember what was seen last. Until it is started, look when asked."""

    def __init__(self, check: Callable[[], Health] = check_store, pause: float = SECONDS_BETWEEN_CHECKS) -> None:
        self._check = check
        self._pause = pause
        self._last: Health | None = None
        self._started = False

    def start(self, when_new: Callable[[], None] | None = None) -> None:
        """Look now, and from now on in a thread. `when_new` is called, in another one, for each new generation."""
        self._last = self._look()
        if not self._started:
            self._started = True
            threading.Thread(target=self._watch, args=[when_new], name="store-watch", daemon=True).start()

    def last(self) -> Health:
        """Return what was seen last."""
        seen = self._last or self._look()
        age = time.monotonic() - seen.checked_at
        if age > MAX_AGE_SECONDS:
            return Health(HTTPStatus.SERVICE_UNAVAILABLE, f"the store has not answered for {age:.0f} seconds")
        return seen

    def _look(self) -> Health:
        try:
            return self._check()
        except Exception as error:  # noqa: BLE001 - if the thread that looks ended, the site would never be ready again
            _LOG.exception("the store cannot be looked at")
            return Health(HTTPStatus.SERVICE_UNAVAILABLE, f"the store cannot be looked at: {error}")

    def _watch(self, when_new: Callable[[], None] | None) -> None:
        while True:
            time.sleep(self._pause)
            before, self._last = self._last, self._look()
            # The text of a store that can be read names its generation.
            is_new = self._last.status == HTTPStatus.OK and (before is None or before.text != self._last.text)
            if when_new and is_new:
                threading.Thread(target=when_new, name="new-generation", daemon=True).start()


STORE_WATCH = StoreWatch()

_ANSWERS: dict[str, Callable[[], Health]] = {"/healthz": lambda: ALIVE, "/readyz": STORE_WATCH.last}
_METHODS = ("GET", "HEAD")


def answer_health_first(application: Application) -> Application:
    """Return a WSGI application that answers the addresses for monitoring itself, before anything else is asked.

    A health check comes from the machine itself, by http and by address. It must not depend on the site's public name,
    be sent to https, or wait for Django.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        ask = _ANSWERS.get(environ.get("PATH_INFO", ""))
        if ask is None:
            return application(environ, start_response)
        method = environ["REQUEST_METHOD"]
        health = ask() if method in _METHODS else Health(HTTPStatus.METHOD_NOT_ALLOWED, f"use {' or '.join(_METHODS)}")
        metrics.REQUESTS.labels(environ["PATH_INFO"].removeprefix("/"), str(health.status.value)).inc()
        body = f"{health.text}\n".encode()
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        if health.status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", ", ".join(_METHODS)))
        start_response(f"{health.status.value} {health.status.phrase}", headers)
        return [] if method == "HEAD" else [body]

    return answer
