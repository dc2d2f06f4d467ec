"""Static files are kept for a year under names with a hash, and need no collecting where nobody collects them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.http import HttpResponse
from django.test import RequestFactory

from core.pages.shared.static_files import HashedStaticFiles, StaticFilesMiddleware

FILES = ("beacon.svg", "pico-2.1.1.min.css", "site.css", "site.js", "django_htmx/htmx-4.min.js")


@pytest.fixture
def collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Collect the static files into a directory, and let the site use it."""
    monkeypatch.setattr(settings, "STATIC_ROOT", tmp_path / "staticfiles")
    _start_anew()
    call_command("collectstatic", interactive=False, verbosity=0)
    _start_anew()
    yield tmp_path / "staticfiles"
    monkeypatch.undo()
    _start_anew()


def _start_anew() -> None:
    # The storage is made when it is first used, as in a new process.
    vars(staticfiles_storage)["_wrapped"] = HashedStaticFiles()
    HashedStaticFiles._is_collected.cache_clear()


def get(address: str) -> Any:
    """Return an answer of the middleware, whose body has been read into `body`."""
    site = StaticFilesMiddleware(lambda _request: HttpResponse(status=404))
    answer = site(RequestFactory().get(address))
    answer.body = b"".join(answer.streaming_content)
    answer.close()
    return answer


def test_a_collected_file_has_a_hash_in_its_name_and_is_kept_for_a_year(collected: Path) -> None:
    for name in FILES:
        address = staticfiles_storage.url(name)
        stem, suffix = name.rsplit(".", 1)
        assert re.fullmatch(rf"/static/{re.escape(stem)}\.[0-9a-f]{{12}}\.{suffix}", address)
        answer = get(address)
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "max-age=31536000, public, immutable"


def test_a_plain_name_still_works_and_is_kept_for_a_minute(collected: Path) -> None:
    answer = get("/static/site.css")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "max-age=60, public"


def test_a_file_that_changed_since_it_was_collected_has_its_plain_name(collected: Path) -> None:
    (collected / "site.css").write_text("body { color: red }")
    (collected / "site.js").unlink()
    assert staticfiles_storage.url("site.css") == "/static/site.css"
    assert staticfiles_storage.url("site.js") == "/static/site.js"
    assert staticfiles_storage.url("beacon.svg") != "/static/beacon.svg"
    assert b"red" not in get("/static/site.css").body


def test_without_collecting_every_file_is_served_by_its_plain_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "STATIC_ROOT", tmp_path / "nothing")
    _start_anew()
    for name in FILES:
        assert staticfiles_storage.url(name) == f"/static/{name}"
        assert get(f"/static/{name}").status_code == 200
    monkeypatch.undo()
    _start_anew()
