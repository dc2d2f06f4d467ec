"""Who is answered now: lanes for questions by what they cost, so that none waits for a question dearer than itself.

A lane has a few places. A request that finds them taken waits a moment, unless many wait already, and is then asked to
come again. So the number of questions being answered is limited, and with it the memory they need; and a crowd is
turned away at once rather than kept waiting. Pages that are kept in memory need no place.

Before that, everybody comes to the front desk: it looks at the address, finds a kept page, or shows the lane. Python
runs one thread at a time, so a hundred requests at once would leave a hundredth of it to each page that is being made.

The lanes' numbers (`running`, `waiting`, `admitted`, `refused`) may be read at any time.
"""

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, Self

from django.conf import settings
from django.http import HttpRequest

from core.runtime.errors import BeaconError

Application = Callable[..., Iterable[bytes]]
"""What WSGI calls an application."""


class TooBusy(BeaconError):
    """No place became free in time; there will be room again soon."""

    status = 503
    retry_after = 5
    """Seconds after which to ask again."""


class TooManyAtOnce(TooBusy):
    """One client asks for more at the same time than one client may."""

    status = 429


@dataclass(frozen=True)
class LaneLimits:
    """How many requests a lane answers at a time, how many may wait, for how long, and how many one client may have.

    `seconds` is the time limit of the questions of one request together.
    """

    places: int
    queue: int
    per_client: int
    seconds: float
    patience: float = 0.5
    """Seconds to wait for a place. With the time that a refusal itself takes, this stays well below a second."""
    alone: float = 0.0
    """Seconds that a request has the lane for itself. Another place is given away only when it takes longer."""


class Place:
    """A place in a lane. Leave it once the request is answered; leaving twice does no harm."""

    def __init__(self, lane: "Lane", client: str | None) -> None:
        self.client = client
        self._lane = lane
        self._lock = threading.Lock()
        self._left = False
        self.taken = 0.0
        """When the request began to be answered (`time.monotonic`)."""
        self.is_free = threading.Event()

    def leave(self) -> None:
        """Make room for the next request."""
        with self._lock:
            if self._left:
                return
            self._left = True
        self._lane.release(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.leave()


class Lane:
    """Requests of one sort. Those that wait are answered in the order in which they came."""

    def __init__(self, name: str, limits: LaneLimits) -> None:
        self.name = name
        self.limits = limits
        self.admitted = 0
        self.refused = 0
        self._lock = threading.Lock()
        self._taken: list[Place] = []
        self._queue: deque[Place] = deque()
        self._clients: Counter[str] = Counter()

    @property
    def running(self) -> int:
        """Return how many requests are being answered."""
        return len(self._taken)

    @property
    def waiting(self) -> int:
        """Return how many requests wait for a place."""
        return len(self._queue)

    def enter(self, client: str | None = None) -> Place:
        """Return a place, after waiting for one if necessary. Raise TooBusy if none becomes free in time.

        `client` is the address of a client whose requests are counted, see `client_of`.
        """
        FRONT_DESK.leave()
        place = Place(self, client)
        with self._lock:
            if client is not None and self._clients[client] >= self.limits.per_client:
                self.refused += 1
                raise TooManyAtOnce("You are asking for many things at the same time. Please ask one after the other")
            self._queue.append(place)
            self._give_places()
            if len(self._queue) > self.limits.queue:
                self._queue.pop()
                raise self._refusal()
            if client is not None:
                self._clients[client] += 1
        self._wait(place)
        with self._lock:
            self.admitted += 1
        return place

    def _wait(self, place: Place) -> None:
        until = time.monotonic() + self.limits.patience
        while not place.is_free.wait(max(0.0, min(until, self._next_place()) - time.monotonic())):
            with self._lock:
                self._give_places()
                # At the last moment the place may be ours.
                if not place.is_free.is_set() and time.monotonic() >= until:
                    self._queue.remove(place)
                    self._forget(place.client)
                    raise self._refusal()

    def _next_place(self) -> float:
        """Return when a place is given away even if nobody leaves."""
        with self._lock:
            if len(self._taken) >= self.limits.places:
                return math.inf
            return max((place.taken for place in self._taken), default=0.0) + self.limits.alone

    def _give_places(self) -> None:
        """Give the places that there are to those who have waited longest. The caller has the lock."""
        now = time.monotonic()
        while (
            self._queue
            and len(self._taken) < self.limits.places
            and all(now - place.taken >= self.limits.alone for place in self._taken)
        ):
            place = self._queue.popleft()
            place.taken = now
            self._taken.append(place)
            place.is_free.set()

    def wait_for(self, other: threading.Event) -> None:
        """Wait for an answer that somebody else is making, as long as for a place. Raise TooBusy if it takes longer."""
        FRONT_DESK.leave()
        if not other.wait(self.limits.patience):
            with self._lock:
                raise self._refusal()

    def release(self, place: Place) -> None:
        """Give a place to the request that has waited longest. Called by `Place.leave`."""
        with self._lock:
            self._forget(place.client)
            self._taken.remove(place)
            self._give_places()

    def _forget(self, client: str | None) -> None:
        if client is None:
            return
        self._clients[client] -= 1
        if not self._clients[client]:
            del self._clients[client]

    def _refusal(self) -> TooBusy:
        self.refused += 1
        return TooBusy("Many questions are being answered right now. Please try again in a few seconds")


_SECONDS = settings.BEACONPOINT_QUERY_SECONDS

QUESTIONS = Lane("questions", LaneLimits(settings.BEACONPOINT_QUESTIONS, 16, 6, 2 * _SECONDS, patience=2.0, alone=0.5))
"""Pages and answers of the API that read little: one code, one provider.

They are made one after the other, since two at once take twice the processor time each: they wait for one interpreter,
and push each other's plans out of memory. A page takes a tenth of a second, so that who waits is answered before most
would have come again. One that takes half a second, as from files that nobody has read, does not hold the others up.
"""

HEAVY_QUESTIONS = Lane("heavy questions", LaneLimits(1, 16, 2, 2 * _SECONDS))
"""Those that read much: long lists of codes, all of a payer's rates. One at a time, on one processor."""

DOWNLOADS = Lane("downloads", LaneLimits(settings.BEACONPOINT_DOWNLOADS, 16, 2, settings.BEACONPOINT_DOWNLOAD_SECONDS))
"""Tables as files. A place is taken until the client has the whole file."""

LANES = (QUESTIONS, HEAVY_QUESTIONS, DOWNLOADS)


class FrontDesk:
    """One request at a time is looked at. It takes a millisecond or two, so that nobody waits for long.

    While a page is being made, the desk rests after each request for as long as that one took: two threads that always
    want the interpreter would otherwise leave a third of it to the page, and those who ask for kept pages come without
    a pause.
    """

    MOST_REST = 0.02
    """Seconds that the desk rests at most."""

    def __init__(self, is_page_made: Callable[[], bool]) -> None:
        self._is_page_made = is_page_made
        self._desk = threading.Semaphore()
        self._opens = 0.0
        self._began: ContextVar[float | None] = ContextVar("began", default=None)

    def answer(self, application: Application) -> Application:
        """Return a WSGI application whose requests come to this desk first."""

        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            self._desk.acquire()
            if self._is_page_made():
                time.sleep(max(0.0, self._opens - time.monotonic()))
            token = self._began.set(time.monotonic())
            try:
                return application(environ, start_response)
            finally:
                self.leave()
                self._began.reset(token)

        return answer

    def leave(self) -> None:
        """Let the next request come to the desk. Does nothing for a request that is not there."""
        began = self._began.get()
        if began is not None:
            self._began.set(None)
            now = time.monotonic()
            self._opens = now + min(now - began, self.MOST_REST)
            self._desk.release()


FRONT_DESK = FrontDesk(lambda: QUESTIONS.running > 0)


def stated_address(request: HttpRequest) -> str:
    """Return the address that a request comes from, as the proxy or the connection states it.

    Behind a proxy (BEACONPOINT_BEHIND_PROXY), it is the last one of X-Forwarded-For, which the proxy itself has added.
    Anybody could have written those before it.
    """
    if settings.BEACONPOINT_BEHIND_PROXY:
        return str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def client_of(request: HttpRequest) -> str | None:
    """Return the address that a client's requests are counted by; None if clients cannot be told apart.

    Without a proxy, requests from this machine are not counted: a proxy that the settings do not mention would make
    all clients one. An IPv6 client has a whole /64 to itself.
    """
    try:
        address = ip_address(stated_address(request))
    except ValueError:
        return None
    if address.is_loopback and not settings.BEACONPOINT_BEHIND_PROXY:
        return None
    if isinstance(address, IPv6Address):
        return address.exploded[:19]
    return str(address)
