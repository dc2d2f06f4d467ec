"""The guard against a slow reference, and against every trick with addresses that could be thought of."""

import ipaddress
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fetch.address import parse_address
from core.fetch.client import Client, Patience
from core.fetch.guard import Guard, non_public_kind
from core.runtime.errors import FetchError
from tests.fetch.server import Server

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
    """What the standard library knows of an address, all disguises taken off; stricter where its lists are older."""
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


def spellings(ip: IPv4Address) -> list[str]:
    """The ways in which programs of the C library's tradition read an IPv4 address."""
    a, b, c, d = ip.packed
    return [
        str(int(ip)), hex(int(ip)), f"0{int(ip):o}", f"{a}.{(b << 16) | (c << 8) | d}", f"{a}.{b}.{(c << 8) | d}",
        f"{hex(a)}.{b}.{c}.{d}", f"0{a:o}.{b}.{c}.{d}", f"{a}.{b}.{c}.0{d}", f"{a}.{b}.{c}.{hex(d)}",
        "".join(chr(0xFF10 + int(x)) if x.isdigit() else "。" for x in str(ip)), f"{ip}.", f"0{ip}",
    ]  # fmt: skip


@given(v4)
def test_odd_spellings_are_refused_or_read_as_what_they_are(ip: IPv4Address) -> None:
    for spelling in spellings(ip):
        try:
            host = parse_address(f"http://{spelling}/").host
        except FetchError:
            continue
        assert host == str(ip)


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost.", "LOCALHOST", "127.0.0.1", "127.1.2.3", "0.0.0.0", "[::1]", "[::]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]",
        "[fd00:ec2::254]",
        "169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "10.0.0.1",
        "192.168.1.1", "172.16.0.1", "224.0.0.1", "255.255.255.255", "user:pw@127.0.0.1", "127.0.0.1:443",
        "①②⑦.⓪.⓪.①", "127。0。0。1",
    ],
)  # fmt: skip
def test_hosts_that_are_not_public_are_refused(host: str) -> None:
    client = Client()
    with (
        pytest.raises(FetchError, match=r"not public|no such host") as raised,
        client.ask(parse_address(f"http://{host}/x?s=SECRET")),
    ):
        pass
    assert "SECRET" not in str(raised.value)
    assert not raised.value.temporary or "no such host" in str(raised.value)
    client.close()


@pytest.mark.parametrize(
    "text",
    [
        "file:///etc/passwd", "/etc/passwd", "etc/passwd", "../x", "\\\\host\\share\\x", "//host/x", "C:\\x", "c:/x",
        "", "http:", "http://", "http:///x", "https:/x", "ftp://example.com/x", "gopher://example.com", "data:,x",
        "javascript:x",
        "http://exa mple.com/", "http://example.com:99999/", "http://example.com:x/", "http://[::1",
        "http://[fe80::1%eth0]/",
        "http://[v1.a]/", "http://a\\@b/", "http://exa\nmple.com/", "http://example.com/\x00", "http://-a.com/",
        "http://a..b/",
        "http://2130706433/", "http://0x7f.1/", "http://017700000001/", "http://127.1/", "http://1.2.3.4.5/",
        "http://1.2.3.256/",
        "http://" + "a" * 70 + ".com/", "http://example.com/" + "a" * 20_000,
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(FetchError) as raised:
        parse_address(text)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


@given(st.text(max_size=60) | st.text(alphabet="htps:/.@?#[]%0x1a\\ ", max_size=40).map(lambda t: "http://" + t))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except FetchError:
        return
    assert parse_address(str(address)).public == address.public
    assert address.target.isascii()
    assert not set(address.host) & set("@/?#\\ %")


def test_secrets_are_in_no_text_of_an_address() -> None:
    address = parse_address("https://user:pa%40ss@Example.com:8443/a b/%7Ec.json?x=1&sig=SECRET#frag")
    assert str(address) == repr(address) == f"{address}" == "https://example.com:8443/a%20b/%7Ec.json"
    assert address.target == "/a%20b/%7Ec.json?x=1&sig=SECRET"
    assert address.credentials == "user:pa@ss"
    assert address.name == "~c.json"
    assert not address.complete
    for text in (
        "http://us:SECRET@exa mple.com/?SECRET",
        "http://us:SEC/RET@h:x/",
        "x://h/?SECRET",
        "http://h:x/#SECRET",
    ):
        with pytest.raises(FetchError) as raised:
            parse_address(text)
        assert "SEC" not in str(raised.value)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("https://h/a?X-Amz-Date=1&X-Amz-Signature=2", "https://h/a?X-Amz-Date=3&X-Amz-Signature=4", True),
        ("https://h/a?Expires=1&Signature=2&Key-Pair-Id=3", "https://h:443/a", True),
        ("https://h/a?sv=1&se=2&sp=r&sig=3", "https://h/a?sv=1&se=9&sp=r&sig=8", True),
        ("https://h/a?file=1&X-Amz-Signature=2", "https://h/a?file=2&X-Amz-Signature=2", False),
        ("https://h/a?st=GA", "https://h/a?st=FL", False),
        ("https://h/a", "https://h/b", False),
        ("https://u:p@h/a", "https://H/a#x", True),
    ],
)
def test_files_are_told_apart_by_all_but_the_signature(one: str, two: str, same: bool) -> None:
    assert (parse_address(one).identity == parse_address(two).identity) == same


# --- redirects ------------------------------------------------------------------------------------------------


def refused(client: Client, url: str) -> str:
    with pytest.raises(FetchError) as raised, client.ask(parse_address(url)):
        pass
    return str(raised.value)


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("http://127.0.0.2/x?SECRET", r"127.0.0.2: refused: its address 127.0.0.2 is not public \(loopback\)"),
        ("http://169.254.169.254/latest/meta-data/", r"not public \(link-local \(cloud metadata\)\)"),
        ("http://localhost:1/", "127.0.0.1|not public|cannot connect"),
        ("file:///etc/passwd", "expected an address that begins with https"),
        ("http://2130706433/", "four decimal numbers"),
        ("//[::1]/", "not public"),
        ("/again", "redirected more than 10 times"),
    ],
)
def test_redirects_are_judged_at_every_hop(server: Server, client: Client, location: str, message: str) -> None:
    server.redirect("/second", location)
    server.redirect("/first", "second?x=1")
    server.redirect("/again", "/again")
    said = refused(client, server.url("/first"))
    assert re.search(message, said), said
    assert "SECRET" not in said


def test_redirects_are_followed_and_credentials_stay_with_their_origin(server: Server, client: Client) -> None:
    server.put("/end", b"content")
    server.redirect("/same", "/end")
    with Server() as other:
        other.put("/end", b"other")
        server.redirect("/elsewhere", other.url("/end"))
        with client.ask(parse_address(f"http://u:p@127.0.0.1:{server.port}/same")) as answer:
            assert b"".join(answer.chunks()) == b"content"
        with client.ask(parse_address(f"http://u:p@127.0.0.1:{server.port}/elsewhere")) as answer:
            assert b"".join(answer.chunks()) == b"other"
        assert "Authorization" in server.requests[1][2]
        assert "Authorization" not in other.requests[0][2]


def test_https_stays_https() -> None:
    with pytest.raises(FetchError, match="https must stay https"):
        parse_address("https://example.com/a").redirected("http://example.com/a")
    assert parse_address("http://example.com/a").redirected("https://example.com/b").scheme == "https"


def test_other_ports_of_public_hosts_are_refused() -> None:
    with pytest.raises(FetchError, match="expected one of the ports"):
        Guard().judged("8.8.8.8", 25)
    assert Guard().judged("8.8.8.8", 443) == ["8.8.8.8"]
    assert Guard([ip_network("10.0.0.0/8")]).judged("10.1.2.3", 9000) == ["10.1.2.3"]


def test_nobody_listening_is_told(client: Client) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert "cannot connect: Connection refused" in refused(client, f"http://127.0.0.1:{port}/")


# --- names: a stand-in for a name server, which tests cannot run ------------------------------------------------


class Names:
    """Answers look-ups of names, in turn; addresses are looked up as ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.answers = list(answers)
        real = socket.getaddrinfo

        def look_up(host: Any, port: Any, *args: Any, **options: Any) -> Any:
            try:
                ipaddress.ip_address(host)
            except ValueError:
                return [real(ip, port, *args, **options)[0] for ip in self.answers.pop(0)]
            return real(host, port, *args, **options)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_the_address_that_was_judged_is_the_one_connected_to(
    server: Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that first leads to an allowed address, then to another, is looked up once."""
    server.put("/a", b"content")
    names = Names(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    with client.ask(parse_address(f"http://files.example:{server.port}/a")) as answer:
        assert b"".join(answer.chunks()) == b"content"
    assert len(names.answers) == 1
    assert server.requests[0][2]["Host"] == f"files.example:{server.port}"


def test_one_address_that_is_not_public_spoils_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(FetchError, match=r"files\.example: refused: its address 10\.0\.0\.1 is not public"):
        Guard().judged("files.example", 443)


def test_the_next_address_is_tried(server: Server, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    server.put("/a", b"content")
    Names(monkeypatch, ["127.0.0.3", "127.0.0.1"])
    both = Client([ip_network("127.0.0.0/8")], Patience(connect=2))
    with both.ask(parse_address(f"http://files.example:{server.port}/a")) as answer:
        assert answer.status == 200
    both.close()


# --- TLS ------------------------------------------------------------------------------------------------------


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server whose certificate, which the client trusts, is for files.example."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl, to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
         "-subj", "/CN=files.example", "-addext", "subjectAltName=DNS:files.example"],
        check=True, capture_output=True,
    )  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Server(context) as running:
        yield running


def test_tls_names_and_checks_the_host_though_the_address_is_pinned(
    secure: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure.put("/a", b"content")
    secure.redirect("/down", "http://files.example/a")
    Names(monkeypatch, ["127.0.0.1"], ["127.0.0.1"], ["127.0.0.1"])
    client = Client([ip_network("127.0.0.1/32")], Patience(connect=2))
    with client.ask(parse_address(f"https://files.example:{secure.port}/a")) as answer:
        assert b"".join(answer.chunks()) == b"content"
    assert secure.server_names == ["files.example"]
    assert "certificate cannot be trusted" in refused(client, f"https://other.example:{secure.port}/a")
    assert "https must stay https" in refused(client, f"https://files.example:{secure.port}/down")
    client.close()
