"""Unknown hosts, as a server with a public name and https meets them."""

import logging
from collections.abc import Iterator

import pytest
from django.test import Client, override_settings


@pytest.fixture
def public() -> Iterator[Client]:
    """Return a client of a site that is deployed under a public name, behind TLS."""
    with override_settings(
        ALLOWED_HOSTS=["rates.example.org"],
        SECURE_SSL_REDIRECT=True,
        SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    ):
        yield Client()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8000", "rates.example.org.evil.example", "x" * 5000, ""])
def test_an_unknown_host_gets_nothing_and_one_line_in_the_log(
    public: Client, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        response = public.get("/", headers={"Host": host})
    assert response.status_code == 400
    assert response.content == b""
    (line,) = caplog.records
    assert line.levelname == "WARNING"
    assert line.exc_info is None
    assert line.getMessage() == f"refused: {host[:100]} is not a host of this site"


def test_an_unknown_host_cannot_fake_lines_of_the_log(public: Client, caplog: pytest.LogCaptureFixture) -> None:
    public.get("/", headers={"Host": "evil\r\n2026-01-01 ERROR all is lost"})
    (line,) = caplog.records
    assert "\n" not in line.getMessage()


def test_the_public_name_is_sent_to_https_and_answered_there(site: Client, public: Client) -> None:
    response = public.get("/", headers={"Host": "rates.example.org"})
    assert (response.status_code, response["Location"]) == (301, "https://rates.example.org/")
    headers = {"Host": "rates.example.org", "X-Forwarded-Proto": "https"}
    assert public.get("/", headers=headers).status_code == 200
