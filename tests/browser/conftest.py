"""A real browser and the real server, over the demo's data."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.served import serve_site


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Where it is missing, tests are skipped, but fail under CI=true."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium: install Debian's package chromium")
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(demo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the site as in production, and return its address."""
    with serve_site(demo_root, tmp_path_factory.mktemp("served") / "log") as site:
        yield site.address
