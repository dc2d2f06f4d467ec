"""Requests: private hosts are refused, redirects checked, and the address that was checked is connected to."""

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from core.fetch.address import parse_address
from core.fetch.client import Client, Patience
from core.runtime.errors import FetchError
from tests.fetch.name_server import Names
from tests.fetch.server import Server


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
        client.request(parse_address(f"http://{host}/x?s=SECRET")),
    ):
        pass
    assert "SECRET" not in str(raised.value)
    assert not raised.value.temporary or "no such host" in str(raised.value)
    client.close()


def refused(client: Client, url: str) -> str:
    with pytest.raises(FetchError) as raised, client.request(parse_address(url)):
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
def test_redirects_are_checked_at_every_hop(server: Server, client: Client, location: str, message: str) -> None:
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
        with client.request(parse_address(f"http://u:p@127.0.0.1:{server.port}/same")) as answer:
            assert b"".join(answer.chunks()) == b"content"
        with client.request(parse_address(f"http://u:p@127.0.0.1:{server.port}/elsewhere")) as answer:
            assert b"".join(answer.chunks()) == b"other"
        assert "Authorization" in server.requests[1][2]
        assert "Authorization" not in other.requests[0][2]


def test_a_port_where_nothing_listens_is_reported(client: Client) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert "cannot connect: Connection refused" in refused(client, f"http://127.0.0.1:{port}/")


def test_the_address_that_was_checked_is_the_one_connected_to(
    server: Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that first leads to an allowed address, then to another, is looked up once."""
    server.put("/a", b"content")
    names = Names(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    with client.request(parse_address(f"http://files.example:{server.port}/a")) as answer:
        assert b"".join(answer.chunks()) == b"content"
    assert len(names.answers) == 1
    assert server.requests[0][2]["Host"] == f"files.example:{server.port}"


def test_an_address_that_refuses_is_followed_by_the_next(
    server: Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("/a", b"content")
    Names(monkeypatch, ["127.0.0.3", "127.0.0.1"])
    both = Client([ip_network("127.0.0.0/8")], Patience(connect=2))
    with both.request(parse_address(f"http://files.example:{server.port}/a")) as answer:
        assert answer.status == 200
    both.close()


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Run a server whose certificate, which the client trusts, is for files.example."""
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
    with client.request(parse_address(f"https://files.example:{secure.port}/a")) as answer:
        assert b"".join(answer.chunks()) == b"content"
    assert secure.server_names == ["files.example"]
    assert "certificate cannot be trusted" in refused(client, f"https://other.example:{secure.port}/a")
    assert "https must stay https" in refused(client, f"https://files.example:{secure.port}/down")
    client.close()
