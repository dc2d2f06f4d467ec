"""Web addresses: every spelling is parsed as one thing or refused, and secrets are never shown."""

from datetime import UTC, datetime
from ipaddress import IPv4Address
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fetch.address import parse_address
from core.runtime.errors import FetchError
from tests.fetch.ip_addresses import v4


def spellings(ip: IPv4Address) -> list[str]:
    """Return the spellings that programs in the tradition of the C library accept for an IPv4 address."""
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
def test_a_text_that_is_not_a_web_address_is_refused_in_one_line(text: str) -> None:
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


def test_no_text_of_an_address_contains_its_secrets() -> None:
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
def test_files_are_distinguished_by_everything_but_the_signature(one: str, two: str, same: bool) -> None:
    assert (parse_address(one).identity == parse_address(two).identity) == same


def test_https_stays_https() -> None:
    with pytest.raises(FetchError, match="https must stay https"):
        parse_address("https://example.com/a").redirected("http://example.com/a")
    assert parse_address("http://example.com/a").redirected("https://example.com/b").scheme == "https"


FUTURE = datetime(2100, 1, 1, tzinfo=UTC)
PAST = datetime(2025, 8, 1, 12, tzinfo=UTC)


def azure(end: str, signature: str = "&sig=SECRET") -> str:
    return f"?sv=2024&se={quote(end)}&sp=r{signature}"


def started(maker: str, start: datetime, seconds: int = 3600) -> str:
    return f"?X-{maker}-Date={start:%Y%m%dT%H%M%SZ}&X-{maker}-Expires={seconds}&X-{maker}-Signature=SECRET"


@pytest.mark.parametrize(
    ("query", "expired_at"),
    [
        (started("Amz", PAST), datetime(2025, 8, 1, 13, tzinfo=UTC)),
        (started("Goog", PAST), datetime(2025, 8, 1, 13, tzinfo=UTC)),
        (started("Amz", FUTURE), None),
        (started("Goog", FUTURE), None),
        (started("Amz", PAST, seconds=2**60), None),
        (azure("2025-08-01T12:00:00Z"), PAST),
        (azure("2025-08-01T12:00:00"), PAST),
        (azure("2025-08-01T14:00:00+02:00"), PAST),
        (azure("2025-08-01"), datetime(2025, 8, 1, tzinfo=UTC)),
        (azure(FUTURE.isoformat()), None),
        (azure("2025-08-01T12:00:00Z", signature=""), None),
        (azure("August"), None),
        (f"?Expires={int(PAST.timestamp())}&Signature=SECRET", PAST),
        (f"?Expires={int(FUTURE.timestamp())}&Signature=SECRET", None),
        ("?Expires=3600&Signature=SECRET", None),
        ("?Expires=never", None),
        ("", None),
    ],
)
def test_a_signature_that_has_expired_says_when(query: str, expired_at: datetime | None) -> None:
    assert parse_address(f"https://files.example/rates.json.gz{query}").expired_at == expired_at
