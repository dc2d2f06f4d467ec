"""Fixtures: a server on loopback, and a client that may ask it."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from core.fetch.client import Client, Patience
from core.fetch.download import Downloads
from tests.fetch.server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def client() -> Iterator[Client]:
    """A client that may ask 127.0.0.1, and no other host that is not public."""
    found = Client([ip_network("127.0.0.1/32")], Patience(tries=3, backoff=0.01, connect=2, silence=2, longest=1))
    yield found
    found.close()


@pytest.fixture
def downloads(client: Client, tmp_path: Path) -> Downloads:
    return Downloads(client, tmp_path / "cache", limit=50_000_000)
