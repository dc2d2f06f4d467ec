"""IP addresses of every special network, and a slow reference that says which are public."""

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

from hypothesis import strategies as st

SPECIAL = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "8.8.8.0/24", "172.32.0.0/12", "100.128.0.0/10", "11.0.0.0/8",
]  # fmt: skip


SPECIAL6 = [
    "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16",
    "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "2600::/12", "2a00::/12", "fd00:ec2::/64", "3fff::/20",
    "4000::/3",
]  # fmt: skip


def inside(network: str) -> st.SearchStrategy[Any]:
    found = ip_network(network)
    return st.integers(int(found[0]), int(found[-1])).map(lambda n: found[0] + (n - int(found[0])))


v4 = st.one_of(st.ip_addresses(v=4), st.sampled_from(SPECIAL).flatmap(inside))


v6 = st.one_of(st.ip_addresses(v=6), st.sampled_from(SPECIAL6).flatmap(inside))


def slow_is_public(ip: IPv4Address | IPv6Address) -> bool:
    """Return what the standard library says of an address without its disguises; stricter where its lists are older."""
    if isinstance(ip, IPv6Address):
        if ip in ip_network("64:ff9b::/96"):
            return slow_is_public(IPv4Address(ip.packed[-4:]))
        if ip.ipv4_mapped or ip.sixtofour or ip.teredo or ip.is_site_local:
            return False
        if ip.packed[0] >> 5 != 1 or ip in ip_network("2001::/23") or ip in ip_network("3fff::/20"):
            return False
    elif str(ip) == "168.63.129.16" or ip in ip_network("192.0.0.0/24") or ip in ip_network("192.88.99.0/24"):
        return False
    return ip.is_global and not (
        ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback or ip.is_link_local or ip.is_private
    )
