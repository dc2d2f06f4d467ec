"""The guard against a slow reference, in every network where public and private addresses meet."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

import httpcore2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fetch.guard import Guard, non_public_kind
from core.runtime.errors import FetchError
from tests.fetch.ip_addresses import SPECIAL, SPECIAL6, slow_is_public, v4, v6
from tests.fetch.name_server import Names


@given(st.one_of(v4, v6))
def test_the_guard_agrees_with_the_slow_reference(ip: IPv4Address | IPv6Address) -> None:
    assert (non_public_kind(str(ip)) is None) == slow_is_public(ip)
    if isinstance(ip, IPv6Address):
        assert non_public_kind(ip.exploded) == non_public_kind(str(ip))


def test_the_edges_of_every_network_agree_with_the_slow_reference() -> None:
    for network in map(ip_network, SPECIAL + SPECIAL6):
        first, last = network[0], network[-1]
        for ip in (
            first,
            first + 1,
            last,
            last - 1,
            *([first - 1] if int(first) else []),
            network[network.num_addresses // 2],
        ):
            assert (non_public_kind(str(ip)) is None) == slow_is_public(ip), ip
        if last.packed != b"\xff" * len(last.packed):
            assert (non_public_kind(str(last + 1)) is None) == slow_is_public(last + 1), last + 1


@given(v4)
def test_a_disguised_address_is_never_more_public_than_itself(ip: IPv4Address) -> None:
    number = int(ip)
    disguises = [
        IPv6Address(number),
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0xFFFF0000 << 32) | number),
        IPv6Address((0x2002 << 112) | (number << 80) | 1),
        IPv6Address((0x20010000 << 96) | (0xFFFFFFFF ^ number)),
        IPv6Address((0x64FF9B0001 << 88) | number),
    ]
    for disguise in disguises:
        assert non_public_kind(str(disguise)) is not None
    assert non_public_kind(str(IPv6Address((0x0064FF9B << 96) | number))) == non_public_kind(str(ip))


def test_hosts_of_allowed_networks_may_use_any_port() -> None:
    assert Guard([ip_network("10.0.0.0/8")]).resolve_public("10.1.2.3", 9000) == ["10.1.2.3"]


def test_an_allowed_network_allows_no_other_private_address() -> None:
    with pytest.raises(FetchError, match=r"192\.168\.1\.1 is not public \(private\)"):
        Guard([ip_network("10.0.0.0/8")]).resolve_public("192.168.1.1", 443)


def test_an_allowed_address_does_not_vouch_for_the_names_other_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, ["10.0.0.1", "192.168.1.1"])
    with pytest.raises(FetchError, match=r"192\.168\.1\.1 is not public"):
        Guard([ip_network("10.0.0.0/8")]).resolve_public("files.example", 443)


@pytest.mark.parametrize(
    ("ip", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("10.0.0.1", "private"),
        ("fd00::1", "private"),
        ("169.254.169.254", "link-local (cloud metadata)"),
        ("fe80::1%eth0", "link-local (cloud metadata)"),
        ("168.63.129.16", "a cloud's own service"),
        ("100.64.0.1", "shared by a carrier (CGNAT)"),
        ("224.0.0.1", "multicast"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("::ffff:10.0.0.1", "an IPv4 address in disguise"),
        ("2001::1", "a Teredo tunnel"),
        ("240.0.0.1", "reserved"),
        ("4000::1", "reserved"),
        ("192.0.2.1", "for examples only"),
        ("8.8.8.8", None),
    ],
)
def test_the_kind_of_an_address_is_told(ip: str, kind: str | None) -> None:
    assert non_public_kind(ip) == kind


def test_one_address_that_is_not_public_spoils_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(FetchError, match=r"files\.example: refused: its address 10\.0\.0\.1 is not public"):
        Guard().resolve_public("files.example", 443)


def test_public_hosts_may_use_the_ports_of_web_servers_and_no_other() -> None:
    allowed = []
    for port in range(1, 10_000):
        try:
            assert Guard().resolve_public("8.8.8.8", port) == ["8.8.8.8"]
            allowed.append(port)
        except FetchError as error:
            assert "expected one of the ports [80, 443, 8080, 8443]" in str(error)  # noqa: PT017 - most ports raise it
    assert allowed == [80, 443, 8080, 8443]


@pytest.mark.parametrize(("number", "temporary"), [(socket.EAI_NONAME, False), (socket.EAI_AGAIN, True)])
def test_an_unknown_host_is_permanent_and_a_silent_name_server_temporary(
    monkeypatch: pytest.MonkeyPatch, number: int, temporary: bool
) -> None:
    Names(monkeypatch, socket.gaierror(number, "as the system says"))
    with pytest.raises(FetchError, match=r"files\.example: no such host") as raised:
        Guard().resolve_public("files.example", 443)
    assert raised.value.temporary is temporary
    assert raised.value.host_failed


class Connections(httpcore2.SyncBackend):
    """A network in which some addresses time out; `tried` lists the addresses in order."""

    tried: list[str]
    timing_out: set[str]

    def connect_tcp(self, host: str, *_args: Any, **_options: Any) -> httpcore2.NetworkStream:
        self.tried.append(host)
        if host in self.timing_out:
            raise httpcore2.ConnectTimeout
        return httpcore2.NetworkStream()


class GuardedConnections(Guard, Connections):
    """The guard over such a network."""


@pytest.mark.parametrize(("timing_out", "tried"), [(set(), ["8.8.8.8"]), ({"8.8.8.8"}, ["8.8.8.8", "1.1.1.1"])])
def test_the_second_address_is_used_where_the_first_times_out(
    monkeypatch: pytest.MonkeyPatch, timing_out: set[str], tried: list[str]
) -> None:
    Names(monkeypatch, ["8.8.8.8", "1.1.1.1"])
    guard = GuardedConnections()
    guard.tried, guard.timing_out = [], timing_out
    guard.connect_tcp("files.example", 443)
    assert guard.tried == tried


def test_the_last_failure_is_raised_where_every_address_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, ["8.8.8.8", "1.1.1.1"])
    guard = GuardedConnections()
    guard.tried, guard.timing_out = [], {"8.8.8.8", "1.1.1.1"}
    with pytest.raises(httpcore2.ConnectTimeout):
        guard.connect_tcp("files.example", 443)
    assert guard.tried == ["8.8.8.8", "1.1.1.1"]
