"""nginx in front of the site, both for real, with the files that the installer writes."""

import http.client
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.scratch import HOST, install, install_new, need, read_settings
from tests.paths import ROOT

MAIN = """\
pid {root}/nginx.pid;
error_log {root}/nginx.log;
daemon off;
worker_processes 1;
{user}
events {{}}
http {{
    include {root}/mime.types;
    client_body_temp_path {root}/temp; proxy_temp_path {root}/temp; fastcgi_temp_path {root}/temp;
    uwsgi_temp_path {root}/temp; scgi_temp_path {root}/temp;
    include {root}/etc/nginx/sites-enabled/*;
}}
"""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    content: bytes


@dataclass
class Front:
    """An nginx that runs: its files, its ports, and the port at which it expects the site."""

    root: Path
    http: int
    https: int
    site: int

    def ask(self, path: str, host: str = HOST, *, tls: bool = True) -> Answer:
        """Return the answer to a request."""
        answer = self.ask_unless_refused(path, host, tls=tls)
        assert answer is not None
        return answer

    def ask_unless_refused(self, path: str, host: str = HOST, *, tls: bool = True) -> Answer | None:
        """Return the answer to a request, None if the connection was closed without one."""
        with self._connect(tls) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = http.client.HTTPResponse(connection)
            try:
                answer.begin()
            except (http.client.BadStatusLine, ConnectionError):
                return None
            return Answer(answer.status, answer.headers, answer.read())

    def ask_at_once(self, path: str, times: int) -> bytes:
        """Return the answers to many requests that are sent together, as they come."""
        request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n"
        with self._connect(tls=True) as connection:
            connection.sendall((f"{request}\r\n" * (times - 1) + f"{request}Connection: close\r\n\r\n").encode())
            with connection.makefile("rb") as answers:
                return answers.read()

    def _connect(self, tls: bool) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.https if tls else self.http), timeout=60)
        return _tls().wrap_socket(plain, server_hostname=HOST) if tls else plain

    def protocol(self) -> str | None:
        """Return the protocol that nginx chooses for a client that knows HTTP/2."""
        plain = socket.create_connection(("127.0.0.1", self.https), timeout=60)
        with _tls(["h2", "http/1.1"]).wrap_socket(plain, server_hostname=HOST) as connection:
            return connection.selected_alpn_protocol()

    def wait_for_site(self) -> None:
        """Wait until the site has answered: it listens before it can."""
        deadline = time.monotonic() + 180
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.site, timeout=60)
            with suppress(OSError, http.client.HTTPException), closing(connection) as site:
                site.request("GET", "/method/", headers={"Host": HOST, "X-Forwarded-Proto": "https"})
                if site.getresponse().status == 200:
                    return
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def log(self, name: str) -> list[str]:
        return (self.root / "var/log/beaconpoint" / name).read_text().splitlines()


def _tls(protocols: list[str] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # self-signed
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listen_elsewhere(root: Path, http_port: int, https_port: int, site_port: int) -> Path:
    """Move an installed configuration to ports of this test, and return the main file that includes it."""
    site = root / "etc/nginx/sites-available/beaconpoint"
    text = re.sub(r"^ *listen \[::].*\n", "", site.read_text(), flags=re.MULTILINE)
    text = text.replace("listen 80", f"listen 127.0.0.1:{http_port}").replace(
        "listen 443", f"listen 127.0.0.1:{https_port}"
    )
    site.write_text(text.replace("127.0.0.1:8000", f"127.0.0.1:{site_port}"))
    (root / "mime.types").write_text("types { text/css css; text/html html; }\n")
    main = root / "nginx.conf"
    main.write_text(MAIN.format(root=root, user="user root;" if os.getuid() == 0 else ""))
    return main


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def _running_nginx(root: Path) -> Iterator[Front]:
    """Run nginx with the files of a new server. Nothing answers behind it yet."""
    install_new(root)
    front = Front(root, _free_port(), _free_port(), _free_port())
    main = _listen_elsewhere(root, front.http, front.https, front.site)
    static = root / "srv/beaconpoint/current/staticfiles"
    static.mkdir(parents=True)
    (static / "site.0123456789ab.css").write_text("body {}")
    path = f"{os.environ['PATH']}:/usr/sbin"
    nginx = subprocess.Popen(["nginx", "-c", str(main), "-p", str(root)], env={**os.environ, "PATH": path})
    try:
        _wait_for(front.https)
        yield front
    finally:
        nginx.terminate()
        nginx.wait(30)


@pytest.fixture
def lonely(tmp_path: Path) -> Iterator[Front]:
    """Run nginx while the site behind it is being restarted."""
    need("nginx", "openssl")
    with _running_nginx(tmp_path) as front:
        yield front


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, demo_root: Path) -> Iterator[Front]:
    """Serve the demo's data behind TLS, as an installed server does."""
    need("nginx", "openssl")
    root = tmp_path_factory.mktemp("server")
    with _running_nginx(root) as front:
        settings = {
            **read_settings(root),
            "BEACONPOINT_DATA_DIR": str(demo_root),
            "BEACONPOINT_TEMP_DIR": str(root / "temp"),
            "BEACONPOINT_BIND": f"127.0.0.1:{front.site}",
            "BEACONPOINT_METRICS_BIND": "",
        }
        command = [sys.executable, "-m", "gunicorn", "--config", "beaconpoint/gunicorn.conf.py", "beaconpoint.wsgi"]
        with (root / "site.log").open("wb") as log:
            site = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stderr=log)
        try:
            front.wait_for_site()
            yield front
        finally:
            site.terminate()
            site.wait(30)


@pytest.mark.parametrize(
    ("version", "expected", "missing"),
    [
        ("1.18.0 (Ubuntu)", "listen 443 ssl http2;", "http2 on;"),
        ("1.22.1", "listen 443 ssl http2;", "http2 on;"),
        ("1.24.0 (Ubuntu)", "listen 443 ssl http2;", "http2 on;"),
        ("1.25.1", "http2 on;", "ssl http2"),
        ("1.26.3", "http2 on;", "ssl http2"),
    ],
)
def test_http2_is_spelled_for_the_nginx_that_is_there(
    tmp_path: Path, version: str, expected: str, missing: str
) -> None:
    need("openssl")
    nginx = tmp_path / "bin/nginx"
    nginx.parent.mkdir()
    nginx.write_text(f"#!/bin/sh\necho 'nginx version: nginx/{version}' >&2\n")
    nginx.chmod(0o755)
    done = install(tmp_path / "server", "--host", HOST, path=str(nginx.parent))
    assert done.returncode == 0
    written = (tmp_path / "server/etc/nginx/sites-available/beaconpoint").read_text()
    directives = "\n".join(line for line in written.splitlines() if not line.startswith("#"))
    assert expected in directives
    assert missing not in directives
    assert "[nginx" not in directives
    assert "[IPv6]" not in directives


def test_nginx_accepts_the_configuration(tmp_path: Path) -> None:
    need("nginx", "openssl")
    main = _listen_elsewhere(install_new(tmp_path), _free_port(), _free_port(), 8000)
    command = ["nginx", "-t", "-c", str(main), "-p", str(tmp_path)]
    path = f"{os.environ['PATH']}:/usr/sbin"
    done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_a_page_arrives_through_tls(front: Front) -> None:
    answer = front.ask("/codes/?q=knee")
    assert answer.status == 200
    assert b"<main" in answer.content
    assert front.protocol() == "h2"
    for header in ("Strict-Transport-Security", "X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy"):
        assert len(answer.headers.get_all(header) or []) == 1, header
    assert answer.headers["Server"] == "nginx"


def test_http_leads_to_https_and_to_the_certificate_s_proof(front: Front) -> None:
    answer = front.ask("/rates/?state=GA", tls=False)
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}/rates/?state=GA")
    proof = front.root / "var/lib/beaconpoint-acme/.well-known/acme-challenge/token"
    proof.parent.mkdir(parents=True)
    proof.write_text("proof")
    found = front.ask("/.well-known/acme-challenge/token", tls=False)
    assert found.content == b"proof"


@pytest.mark.parametrize("tls", [True, False])
def test_an_unknown_host_gets_nothing_and_one_line(front: Front, tls: bool) -> None:
    lines = len(front.log("unknown-host.log"))
    assert front.ask_unless_refused("/admin.php", "203.0.113.7", tls=tls) is None
    (line,) = front.log("unknown-host.log")[lines:]
    assert '"203.0.113.7" "GET /admin.php HTTP/1.1" 444 0 bytes' in line
    assert "admin.php" not in (front.root / "site.log").read_text()


def test_the_site_is_alive_for_everyone_and_its_state_is_told_here_only(front: Front) -> None:
    answer = front.ask("/healthz")
    assert answer.status == 200
    for path in ("/readyz", "/metrics"):
        answer = front.ask(path)
        assert answer.status == 404


def test_static_files_need_no_thread_of_the_site(front: Front) -> None:
    answer = front.ask("/static/site.0123456789ab.css")
    assert answer.content == b"body {}"
    assert answer.headers["Cache-Control"] == "max-age=31536000, public, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    # One that was not collected comes from the site.
    answer = front.ask("/static/pico-2.1.1.min.css")
    assert answer.status == 200
    assert "immutable" not in answer.headers["Cache-Control"]


def test_too_many_requests_of_one_client_are_told_when_to_come_again(lonely: Front) -> None:
    answers = lonely.ask_at_once("/method/", 100)
    assert answers.count(b"HTTP/1.1 429 ") == answers.count(b"Too many requests at once.") > 50
    assert answers.count(b"Retry-After: 5\r\n") == 100  # the others are told that the site is being restarted
    # Static files are counted apart, or a refused visitor's page would lose its style.
    assert lonely.ask("/static/site.0123456789ab.css").status == 200


def test_a_site_that_is_being_restarted_is_told_to_visitors(lonely: Front) -> None:
    answer = lonely.ask("/rates/")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert b"The site is being restarted." in answer.content
