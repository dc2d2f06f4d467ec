"""Addresses for monitoring, and what visitors see of a store that is empty or cannot be read."""

from pathlib import Path

from django.test import Client

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
