"""Asking for the versions of many files, and giving up hosts that do not answer."""

import socket

from core.fetch.address import parse_address
from core.fetch.client import Client
from core.fetch.host_failures import MAX_FAILURES
from core.fetch.partial_file import Version
from core.fetch.probe import probe
from tests.fetch.server import Server


def test_a_dead_host_is_asked_a_few_times_however_many_files_it_has(client: Client) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        port = taken.getsockname()[1]
        addresses = [parse_address(f"http://127.0.0.1:{port}/{n}.json") for n in range(50)]
        answers = [str(answer) for answer in probe(client, addresses, max_parallel=1)]
    assert sum("cannot connect" in answer for answer in answers) == MAX_FAILURES
    assert sum("given up after 3 failures" in answer for answer in answers) == 50 - MAX_FAILURES


def test_a_host_that_only_fails_is_given_up_too(client: Client, server: Server) -> None:
    for n in range(20):
        server.put(f"/{n}", answers=[(503, {}, b"")] * 9)
    answers = [str(answer) for answer in probe(client, [server.address(f"/{n}") for n in range(20)], max_parallel=1)]
    assert sum("given up after 3 failures" in answer for answer in answers) == 17


def test_a_refused_file_says_nothing_about_the_others_of_its_host(client: Client, server: Server) -> None:
    server.put("/good", b"{}")
    found = probe(client, [server.address(f"/{name}") for name in ("a", "b", "c", "d", "good")], max_parallel=1)
    assert all("no such file there" in str(answer) for answer in found[:4])
    assert isinstance(found[4], Version)
    assert found[4].size == 2
