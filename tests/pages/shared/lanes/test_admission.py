"""Lanes: who is answered now, who waits, and who is asked to come again."""

import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from core.pages.forms.query_form import CodesForm
from core.pages.shared.downloads import SMALL_FILE_BYTES
from core.pages.shared.lanes import admission
from core.pages.shared.lanes.admission import (
    DOWNLOADS,
    FRONT_DESK,
    HEAVY_QUESTIONS,
    QUESTIONS,
    FrontDesk,
    Lane,
    LaneLimits,
    TooBusy,
    TooManyAtOnce,
    client_of,
)
from core.pages.shared.lanes.weights import HEAVY_ROWS
from core.pages.shared.page import PageQuery, page
from core.runtime.errors import BeaconError
from tests.pages.markets import QUERY

LONG = 60.0
"""Seconds that nothing here takes, however busy the machine is."""


def lane(places: int = 1, queue: int = 1, per_client: int = 9, patience: float = LONG) -> Lane:
    return Lane("tested", LaneLimits(places, queue, per_client, LONG, patience))


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(int(LONG * 100)):
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen")


def test_a_full_lane_refuses_at_once() -> None:
    tested = lane(queue=0, patience=10 * LONG)
    refusals: list[TooBusy] = []

    def ask() -> None:
        try:
            tested.enter()
        except TooBusy as error:
            refusals.append(error)

    with tested.enter():
        assert (tested.running, tested.waiting) == (1, 0)
        in_thread(ask)
        wait_until(lambda: len(refusals) == 1)
    assert "try again in a few seconds" in str(refusals[0])
    assert (tested.running, tested.admitted, tested.refused) == (0, 1, 1)
    tested.enter().leave()


def test_who_waits_in_vain_is_refused() -> None:
    tested = lane(patience=0.05)
    with tested.enter():
        with pytest.raises(TooBusy):
            tested.enter()
        assert (tested.running, tested.waiting, tested.refused) == (1, 0, 1)
    assert tested.running == 0


def test_those_who_wait_are_answered_in_their_order() -> None:
    tested, answered = lane(queue=3), []
    first = tested.enter()

    def answer(number: int) -> None:
        with tested.enter():
            answered.append(number)

    threads = []
    for number in range(3):
        threads.append(in_thread(partial(answer, number)))
        wait_until(lambda: tested.waiting == len(threads))
    first.leave()
    for thread in threads:
        thread.join(LONG)
    assert answered == [0, 1, 2]
    assert (tested.running, tested.waiting, tested.admitted) == (0, 0, 4)


def test_a_request_has_the_lane_for_itself_until_it_takes_long() -> None:
    tested = Lane("tested", LaneLimits(2, 1, 9, LONG, LONG, alone=LONG))
    entered = threading.Event()

    def ask() -> None:
        with tested.enter():
            entered.set()

    with tested.enter():
        thread = in_thread(ask)
        wait_until(lambda: tested.waiting == 1)
        assert not entered.wait(0.1)
    thread.join(LONG)
    assert entered.is_set(), "a request that leaves lets the next one in"

    slow = Lane("slow", LaneLimits(2, 1, 9, LONG, LONG, alone=0.05))
    with slow.enter(), slow.enter():
        assert (slow.running, slow.admitted) == (2, 2)
        slow.limits = LaneLimits(2, 1, 9, LONG, 0.05, alone=0.05)
        with pytest.raises(TooBusy):
            slow.enter()
    assert (slow.running, slow.waiting, slow.refused) == (0, 0, 1)


def test_leaving_twice_makes_room_once() -> None:
    tested = lane(places=2)
    place, other = tested.enter(), tested.enter()
    place.leave()
    place.leave()
    assert tested.running == 1
    other.leave()


def test_one_client_may_have_so_many_at_a_time() -> None:
    tested = lane(places=9, per_client=2)
    with tested.enter("192.0.2.1"), tested.enter("192.0.2.1"):
        with pytest.raises(TooManyAtOnce):
            tested.enter("192.0.2.1")
        tested.enter("192.0.2.2").leave()
    tested.enter("192.0.2.1").leave()
    assert (tested.running, tested.refused) == (0, 1)


def test_a_client_that_gave_up_waiting_is_not_counted() -> None:
    tested = lane(per_client=1, patience=0.05)
    with tested.enter("192.0.2.1"), pytest.raises(TooBusy):
        tested.enter("192.0.2.2")
    tested.enter("192.0.2.2").leave()


@pytest.mark.parametrize(
    ("proxy", "address", "forwarded", "client"),
    [
        (False, "192.0.2.1", "198.51.100.7", "192.0.2.1"),
        (False, "127.0.0.1", "198.51.100.7", None),
        (False, "::1", "", None),
        (False, "", "", None),
        (True, "127.0.0.1", "198.51.100.7", "198.51.100.7"),
        (True, "127.0.0.1", "made up, 198.51.100.7", "198.51.100.7"),
        (True, "127.0.0.1", "", None),
        (True, "127.0.0.1", "2001:db8:1:2:3::4", "2001:0db8:0001:0002"),
    ],
)
def test_whose_requests_are_counted(settings: Any, proxy: bool, address: str, forwarded: str, client: str) -> None:
    settings.BEACONPOINT_BEHIND_PROXY = proxy
    request = RequestFactory().get("/", REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_of(request) == client


def fill(stack: ExitStack, tested: Lane) -> None:
    """Take every place of a lane, and let nobody wait."""
    for _ in range(tested.limits.places):
        stack.enter_context(tested.enter())
    assert tested.running == tested.limits.places


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait in the lanes of the site."""
    for one in admission.LANES:
        monkeypatch.setattr(one, "limits", LaneLimits(one.limits.places, 0, 9, LONG))


@pytest.mark.usefixtures("hurried")
def test_a_question_does_not_wait_for_heavy_ones_or_downloads(site: Client) -> None:
    with ExitStack() as taken:
        fill(taken, HEAVY_QUESTIONS)
        fill(taken, DOWNLOADS)
        assert site.get("/rates/", {**QUERY, "billing_class": "professional"}).status_code == 200
        refused = site.get("/rates/", {**QUERY, "format": "csv"})
        assert (refused.status_code, refused["Retry-After"]) == (503, str(TooBusy.retry_after))
    assert "Too busy right now" in refused.content.decode()
    assert "ETag" not in refused


@pytest.mark.usefixtures("hurried")
def test_what_is_kept_waits_for_nobody(site: Client) -> None:
    made = site.get("/rates/", QUERY).content
    with ExitStack() as taken:
        for one in admission.LANES:
            fill(taken, one)
        assert site.get("/rates/", QUERY).content == made
        assert site.get("/rates/", {**QUERY, "pos": "99"}).status_code == 503
        assert site.get("/rates/", {"state": "ZZ"}).status_code == 400, "what is wrong is told at once"


@pytest.mark.usefixtures("hurried")
def test_a_heavy_question_has_a_lane_of_its_own(site: Client) -> None:
    seen = []

    def view(query: PageQuery[CodesForm]) -> HttpResponse:
        seen.append((HEAVY_QUESTIONS.running, QUESTIONS.running))
        return HttpResponse(query.values["q"])

    def ask(rows: int, text: str) -> Any:
        return page(CodesForm, lambda _db, _form: rows)(view)(RequestFactory().get(f"/weighed/?q={text}"))

    assert ask(HEAVY_ROWS + 1, "heavy").content == b"heavy"
    assert ask(HEAVY_ROWS, "light").content == b"light"
    assert seen == [(1, 0), (0, 1)]
    with HEAVY_QUESTIONS.enter():
        assert ask(HEAVY_ROWS + 1, "another").status_code == 503
        assert ask(HEAVY_ROWS, "another-light").status_code == 200


def waits_for_another_s_answer(thread: threading.Thread) -> bool:
    """Return whether the thread is within `wait_for`."""
    frame = sys._current_frames().get(thread.ident or 0)
    names = []
    while frame:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    return "wait_for" in names


@pytest.mark.usefixtures("hurried")
def test_a_second_client_of_the_same_page_gets_what_the_first_one_had_made(
    site: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QUESTIONS, "limits", LaneLimits(1, 0, 9, LONG, LONG))
    begun, go_on = threading.Event(), threading.Event()
    made: list[int] = []

    def view(_query: PageQuery[CodesForm]) -> HttpResponse:
        made.append(1)
        begun.set()
        assert go_on.wait(LONG)
        return HttpResponse(f"made {len(made)}")

    answers = []

    def ask() -> None:
        response: Any = page(CodesForm)(view)(RequestFactory().get("/same/?q=same"))
        answers.append(response.content)

    threads = [in_thread(ask)]
    assert begun.wait(LONG)
    threads.append(in_thread(ask))
    wait_until(lambda: waits_for_another_s_answer(threads[1]))
    assert QUESTIONS.waiting == 0, "who waits for the same page takes no place from others"
    go_on.set()
    for thread in threads:
        thread.join(LONG)
    assert answers == [b"made 1", b"made 1"]


def large_file(_query: PageQuery[CodesForm]) -> StreamingHttpResponse:
    return StreamingHttpResponse((b"x" * SMALL_FILE_BYTES for _ in range(3)), content_type="text/csv")


def ask_for_file(view: Any = large_file, method: str = "GET") -> Any:
    return page(CodesForm)(view)(RequestFactory().generic(method, "/file/?format=csv"))


@pytest.mark.usefixtures("hurried", "site")
def test_a_large_download_has_its_place_until_it_is_sent() -> None:
    response = ask_for_file()
    assert DOWNLOADS.running == 1
    assert len(b"".join(response.streaming_content)) == 3 * SMALL_FILE_BYTES
    assert DOWNLOADS.running == 0
    unread = ask_for_file()
    assert DOWNLOADS.running == 1
    unread.close()
    assert DOWNLOADS.running == 0


@pytest.mark.usefixtures("hurried")
def test_a_small_download_and_the_head_of_a_large_one_keep_no_place(site: Client) -> None:
    response: Any = site.get("/rates/", {**QUERY, "format": "csv"})
    assert DOWNLOADS.running == 0
    assert b"".join(response.streaming_content).startswith(b"fact_uid,")
    head = ask_for_file(method="HEAD")
    assert (head.status_code, head["Content-Type"], b"".join(head.streaming_content)) == (200, "text/csv", b"")
    assert DOWNLOADS.running == 0


@pytest.mark.usefixtures("hurried", "site")
def test_a_download_that_takes_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DOWNLOADS, "limits", LaneLimits(1, 0, 9, 0.0))
    response = ask_for_file()
    with pytest.raises(BeaconError, match="took longer than it may"):
        list(response.streaming_content)
    assert DOWNLOADS.running == 0


@pytest.mark.usefixtures("hurried")
def test_a_download_that_fails_leaves_its_place(site: Client) -> None:
    def view(_query: PageQuery[CodesForm]) -> StreamingHttpResponse:
        raise TooBusy("as any error")

    assert ask_for_file(view).status_code == 503
    assert DOWNLOADS.running == 0


@pytest.mark.usefixtures("hurried")
def test_one_client_is_asked_to_wait_for_its_own_answers(site: Client, settings: Any) -> None:
    settings.BEACONPOINT_BEHIND_PROXY = True
    here: Any = {"headers": {"X-Forwarded-For": "198.51.100.7"}}
    with ExitStack() as taken:
        for _ in range(QUESTIONS.limits.per_client):
            QUESTIONS._clients["198.51.100.7"] += 1
            taken.callback(QUESTIONS._forget, "198.51.100.7")
        refused = site.get("/rates/", {**QUERY, "setting": "inpatient"}, **here)
        assert (refused.status_code, refused["Retry-After"]) == (429, "5")
        assert "One question at a time" in refused.content.decode()
        of_api = site.get("/api/v1/rates", QUERY, **here)
        assert (of_api.status_code, of_api["Retry-After"]) == (429, "5")
        assert of_api.json()["type"] == "/api/docs#too-many-at-once"
        other: Any = {"headers": {"X-Forwarded-For": "198.51.100.8"}}
        assert site.get("/rates/", {**QUERY, "setting": "inpatient"}, **other).status_code == 200


def test_one_at_a_time_comes_to_the_front_desk() -> None:
    desk, inside, go_on = FrontDesk(lambda: False), [], threading.Event()

    def application(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        inside.append(environ["number"])
        if environ["number"] == 0:
            desk.leave()
            desk.leave()
        assert go_on.wait(LONG)
        return []

    at_desk = desk.answer(application)
    threads = [in_thread(partial(at_desk, {"number": 0}, None))]
    wait_until(lambda: inside == [0])
    threads.append(in_thread(partial(at_desk, {"number": 1}, None)))
    wait_until(lambda: inside == [0, 1])
    threads.append(in_thread(partial(at_desk, {"number": 2}, None)))
    assert not go_on.wait(0.1)
    assert inside == [0, 1], "one is at the desk, and one has left it for a lane"
    go_on.set()
    for thread in threads:
        thread.join(LONG)
    assert inside == [0, 1, 2]


@pytest.mark.parametrize("is_page_made", [False, True])
def test_the_front_desk_rests_while_a_page_is_made(is_page_made: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    now, rests = [100.0], []

    def sleep(seconds: float) -> None:
        rests.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(
        "core.pages.shared.lanes.admission.time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    )
    desk = FrontDesk(lambda: is_page_made)

    def take(seconds: float) -> None:
        def application(_environ: dict[str, Any], _start_response: Any) -> list[bytes]:
            now[0] += seconds
            return []

        desk.answer(application)({}, None)

    take(0.002)
    take(0.5)
    take(0.001)
    now[0] += 1
    take(0.001)
    assert rests == (pytest.approx([0, 0.002, FrontDesk.MOST_REST, 0], abs=1e-9) if is_page_made else [])


def test_who_is_shown_to_a_lane_leaves_the_front_desk() -> None:
    tested, answered = lane(places=2), []

    def application(_environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        with tested.enter():
            answered.append(FRONT_DESK._desk._value)
        return []

    before = FRONT_DESK._desk._value
    FRONT_DESK.answer(application)({}, None)
    assert answered == [before]
    assert FRONT_DESK._desk._value == before
