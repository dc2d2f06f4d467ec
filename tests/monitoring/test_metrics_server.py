"""The address of the metrics."""

import logging
import socket
import time
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, Counter

from core.monitoring.metrics_server import start_metrics
from tests.served import free_ports


def test_without_an_address_nothing_is_served() -> None:
    assert start_metrics("") is None


def test_an_address_in_use_is_told_once_and_tried_until_it_is_free(caplog: pytest.LogCaptureFixture) -> None:
    registry = CollectorRegistry()
    Counter("seen", "Seen.", registry=registry).inc()
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)), caplog.at_level(logging.WARNING):
        thread = start_metrics(f"127.0.0.1:{port}", registry)
        assert thread is not None
        thread.join(2.5)
        assert thread.is_alive()
    thread.join(60)
    assert not thread.is_alive()
    assert caplog.text.count(f"metrics cannot be served at 127.0.0.1:{port} yet") == 1
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as response:
                assert b"seen_total 1.0" in response.read()
            break
        except ConnectionError:
            assert time.monotonic() < deadline
