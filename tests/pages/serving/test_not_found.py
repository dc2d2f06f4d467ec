"""An address that does not exist leads on, in development too."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import clear_url_caches

from beaconpoint import urls
from core.pages.site_map import PAGES
from core.store.connection import Snapshot


@pytest.fixture(params=[False, True])
def debug(request: pytest.FixtureRequest, settings: Any) -> Iterator[bool]:
    """Serve the site as in production, and as in development."""
    settings.DEBUG = request.param
    importlib.reload(urls)
    clear_url_caches()
    yield request.param
    settings.DEBUG = False
    importlib.reload(urls)
    clear_url_caches()


def test_an_address_that_does_not_exist_leads_on(site: Client, demo: Snapshot, debug: bool) -> None:
    response = site.get("/nosuch/")
    assert response.status_code == 404
    page = response.content.decode()
    assert '<meta name="viewport" content="width=device-width' in page
    main = page.partition("<main")[2]
    assert 'type="search"' in main
    for one in PAGES:
        assert not one.label or f'href="/{one.path}"' in main, one.path
    # A page whose address is written without its last slash is still found.
    assert site.get("/codes", follow=True).status_code == 200
    assert site.get("/codes/").status_code == 200
