"""Connect to public hosts only, decided by the IP address that is connected to.

Tables of contents and provider references name addresses that this program then fetches, so a malicious one could point
it at the internal network or at a cloud's metadata service. A name is resolved once, all its addresses are checked, and
the connection is made to one of them, so that a name server cannot give one answer to the check and another to the
connection. TLS still names the host and checks its certificate.
"""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore2

from core.runtime.errors import FetchError

ALLOWED_PORTS = frozenset((80, 443, 8080, 8443))
"""The ports of web servers. A server on another port of a public host is usually something else."""

IpNetwork = IPv4Network | IPv6Network

_REFUSED: dict[str, tuple[str, ...]] = {
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "link-local (cloud metadata)": ("169.254.0.0/16", "fe80::/10"),
    "a cloud's own service": ("168.63.129.16/32",),  # Azure's host agent, on an address that looks public
    "shared by a carrier (CGNAT)": ("100.64.0.0/10",),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "unspecified": ("0.0.0.0/8", "::/128"),
    "an IPv4 address in disguise": ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2002::/16"),
    "a Teredo tunnel": ("2001::/32",),
    "reserved": ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4", "2001::/23", "3fff::/20"),
    "for examples only": ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"),
}  # fmt: skip
_NETWORKS = [(ip_network(network), kind) for kind, networks in _REFUSED.items() for network in networks]
_GLOBAL = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def non_public_kind(text: str) -> str | None:
    """Return the kind of an IP address that is not public, in a word, or None if it is public."""
    if "%" in text:
        return "link-local (cloud metadata)"
    address: IPv4Address | IPv6Address = ip_address(text)
    if isinstance(address, IPv6Address) and address in _NAT64:
        # This is how a host that has only IPv6 reaches IPv4: the address behind it decides.
        address = IPv4Address(int(address) & 0xFFFFFFFF)
    for network, kind in _NETWORKS:
        if address.version == network.version and address in network:
            return kind
    return "reserved" if isinstance(address, IPv6Address) and address not in _GLOBAL else None


class Guard(httpcore2.SyncBackend):
    """Open connections to public hosts, and to hosts in the networks of `also`, there on any port."""

    def __init__(self, also: Iterable[IpNetwork] = ()) -> None:
        self._also = tuple(also)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to a host by name. Raise FetchError if that is not allowed or the host does not exist."""
        failure: Exception | None = None
        for ip in self.resolve_public(host, port):
            try:
                return super().connect_tcp(ip, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError("no address")

    def resolve_public(self, host: str, port: int) -> list[str]:
        """Return the host's IP addresses. Raise FetchError if it has none, or one that may not be connected to."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            # EAI_AGAIN means that the name server did not answer. Any other error is about the name and will stay.
            temporary = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
            raise FetchError(
                f"{host}: no such host, or its name cannot be looked up now", temporary=temporary, host_failed=True
            ) from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for ip in addresses:
            if self._is_allowed_network(ip):
                continue
            if kind := non_public_kind(ip):
                raise FetchError(
                    f"{host}: refused: its address {ip} is not public ({kind}); files are fetched from public hosts "
                    "only (BEACONPOINT_FETCH_PRIVATE names networks that are allowed as well)"
                )
            if port not in ALLOWED_PORTS:
                raise FetchError(f"{host}:{port}: refused: expected one of the ports {sorted(ALLOWED_PORTS)}")
        return addresses

    def _is_allowed_network(self, ip: str) -> bool:
        address = ip_address(ip.partition("%")[0])
        return any(address.version == network.version and address in network for network in self._also)
