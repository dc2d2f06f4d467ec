"""Fixtures: downloads into a directory of the test's own."""

from pathlib import Path

import pytest

from core.fetch.client import Client
from core.fetch.download import Downloads


@pytest.fixture
def downloads(client: Client, tmp_path: Path) -> Downloads:
    return Downloads(client, tmp_path / "cache", limit=50_000_000)
