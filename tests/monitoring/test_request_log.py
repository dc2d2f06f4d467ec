"""The log line of a request, and what it says of who asked."""

import logging
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from beaconpoint import urls
from core.pages.serving import errors
from core.runtime.request_notes import current_notes, current_request_id


def broken(_request: HttpRequest) -> HttpResponse:
    """Fail as a defect does."""
    raise ZeroDivisionError("the secret of the defect")


def plain(_request: HttpRequest) -> HttpResponse:
    """Answer with the id of the request."""
    return HttpResponse(current_request_id())


urlpatterns = [path("broken/", broken, name="broken"), path("plain/", plain), *urls.urlpatterns]
handler404, handler500 = errors.not_found, errors.failed


@pytest.fixture
def odd(settings: Any, caplog: pytest.LogCaptureFixture) -> Client:
    settings.ROOT_URLCONF = "tests.monitoring.test_request_log"
    caplog.set_level(logging.INFO, "beaconpoint.request")
    return Client(raise_request_exception=False)


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.name == "beaconpoint.request"]


def test_a_defect_is_a_page_with_the_id_and_a_traceback_in_the_log(
    odd: Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = odd.get("/broken/")
    page = response.content.decode()
    assert response.status_code == 500
    assert f"<code>{response['X-Request-ID']}</code>" in page
    assert "secret" not in page
    assert "the secret of the defect" in caplog.text
    ((line),) = lines(caplog)
    assert (line["page"], line["status"], line["request_id"]) == ("broken", 500, response["X-Request-ID"])


def test_the_notes_end_with_the_request(odd: Client, caplog: pytest.LogCaptureFixture) -> None:
    response = odd.get("/plain/")
    assert response.content.decode() == response["X-Request-ID"]
    assert current_notes() is None
    assert lines(caplog)[0]["page"] == "plain/", "a view without a name is known by its route"


@pytest.mark.parametrize(
    ("behind", "forwarded", "address"),
    [
        (True, "203.0.113.7", "203.0.113.7"),
        (True, "198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the proxy adds what it saw at the end
        (True, "x" * 100, "x" * 45),
        (False, "203.0.113.7", "203.0.113.9"),
    ],
)
def test_an_address_is_logged_only_if_the_settings_say_so(
    odd: Client, caplog: pytest.LogCaptureFixture, settings: Any, behind: bool, forwarded: str, address: str
) -> None:
    settings.BEACONPOINT_BEHIND_PROXY = behind
    for wanted in (False, True):
        settings.BEACONPOINT_LOG_ADDRESSES = wanted
        odd.get("/plain/", REMOTE_ADDR="203.0.113.9", headers={"X-Forwarded-For": forwarded})
    assert [line.get("address") for line in lines(caplog)] == [None, address]


def test_an_id_from_elsewhere_is_not_used(odd: Client, settings: Any) -> None:
    given = "0123456789abcdef" * 2
    settings.BEACONPOINT_BEHIND_PROXY = True
    assert odd.get("/plain/", headers={"X-Request-ID": given}).content.decode() == given
    settings.BEACONPOINT_BEHIND_PROXY = False
    assert odd.get("/plain/", headers={"X-Request-ID": given}).content.decode() != given
