"""The guarded client: what it reads, whom it refuses, and that nothing stretches or swells it."""

import gzip
import ipaddress
import resource
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gemba.fetch import Fetcher, clean_address, is_public
from gemba.fetch.errors import (
    BadAddress,
    BrokenAnswer,
    FetchFailed,
    NoAnswer,
    NotPublic,
    NotTrusted,
    TooLarge,
    TooManyRedirects,
    TooSlow,
    UnknownHost,
)
from tests.fakes.calendars import Server, calendar_server, ics
from tests.fakes.certificates import self_signed

LOOPBACK = ("127.0.0.0/8", "::1/128")


@pytest.fixture
def server() -> Iterator[Server]:
    with calendar_server() as server:
        yield server


def reader(**more: Any) -> Fetcher:
    """A client that may reach this machine."""
    return Fetcher(**{"allowed": LOOPBACK, "limit": 100_000, "seconds": 3.0, **more})


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.8.8", "168.63.129.16",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1",
        "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250",
        "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::8.8.8.8",
        "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
        "2002:7f00:1::", "2002:808:808::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
        "fec0::1", "ff02::1", "5f00::1",
    ],
)  # fmt: skip
def test_what_is_not_of_the_public_internet_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "142.250.185.78", "2a00:1450:4001:82b::200e", "2606:4700::1"])
def test_what_is_public_is_read(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("webcal://calendar.example.com/a.ics", "https://calendar.example.com/a.ics"),
        ("  WebCal://Calendar.Example.com/A.ics ", "https://calendar.example.com/A.ics"),
        ("https://calendar.example.com:443/a?key=1#top", "https://calendar.example.com/a?key=1"),
        ("http://calendar.example.com:8443", "http://calendar.example.com:8443/"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
        ("https://[2a00:1450::1]/a", "https://[2a00:1450::1]/a"),
    ],
)
def test_addresses_are_kept_in_one_form(typed: str, kept: str) -> None:
    assert clean_address(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "", "calendar", "ftp://example.com/a", "file:///etc/passwd", "https://", "https:///a", "gopher://x/",
        "https://user:secret@example.com/a", "https://example.com:25/a", "https://example.com:22/a",
        "https://example.com:99999/a", "https://exa mple.com/a", "https://example.com/a\r\nHost: b",
        "https://example.com/" + "a" * 2000, "javascript:alert(1)", "https://[::1",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(BadAddress):
        clean_address(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "http://127.0.0.1/a",
        "https://[::1]/a",
        "https://localhost/a",
        "http://169.254.169.254/",
        "http://nas.local/",
    ],
)
def test_private_addresses_are_refused_when_typed(typed: str) -> None:
    with pytest.raises(NotPublic):
        clean_address(typed)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f.1", "2130706433", "0"])
def test_loopback_is_refused_however_it_is_written(server: Server, host: str) -> None:
    with pytest.raises((NotPublic, UnknownHost)):
        Fetcher().get(server.url("/html", host))
    assert server.asked == []


def test_a_name_is_trusted_only_if_all_its_addresses_are_public(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(2, 1, 6, "", (address, server.port)) for address in ("8.8.8.8", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: rows)
    with pytest.raises(NotPublic):
        Fetcher().get("http://rebinding.example/")
    assert server.asked == []


def test_the_name_is_looked_up_once_and_that_address_is_dialled(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = []

    def resolve(host: str, port: int, *_rest: object, **_more: object) -> list[Any]:
        looked_up.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    server.put("/a", "here")
    with monkeypatch.context() as patched:
        # socket.create_connection asks again, but only for the numeric address.
        patched.setattr(socket, "getaddrinfo", resolve)
        assert reader().get(server.url("/a", "calendar.example")).body == b"here"
    assert looked_up.count("calendar.example") == 1
    assert server.asked[0].headers["host"] == f"calendar.example:{server.port}"


def test_a_file_is_read_and_known_again(server: Server) -> None:
    server.put("/a.ics", ics())
    first = reader().get(server.url("/a.ics"))
    assert (first.status, first.body) == (200, ics().encode())
    again = reader().get(server.url("/a.ics"), {"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert server.asked[0].headers["accept-encoding"] == "gzip"


def test_packed_bodies_are_unpacked(server: Server) -> None:
    body = b"BEGIN" * 1000
    packed = gzip.compress(body)
    server.answers["/one"] = (200, {"Content-Encoding": "gzip"}, packed)
    server.answers["/two"] = (200, {"Content-Encoding": "x-gzip"}, packed + packed)
    server.answers["/torn"] = (200, {"Content-Encoding": "gzip"}, packed[:-9])
    server.answers["/false"] = (200, {"Content-Encoding": "gzip"}, body)
    assert reader().get(server.url("/one")).body == body
    assert reader().get(server.url("/two")).body == body + body
    for path in ("/torn", "/false", "/strange-packing"):
        with pytest.raises(BrokenAnswer):
            reader().get(server.url(path))


def test_chunks_are_joined(server: Server) -> None:
    body = b"4\r\nBEGI\r\n3\r\nN:V\r\n0\r\n\r\n"
    server.answers["/a"] = (200, {"Transfer-Encoding": "chunked", "Content-Length": ""}, body)
    assert reader().get(server.url("/a")).body == b"BEGIN:V"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/drip", TooSlow),
        ("/drip-headers", TooSlow),
        ("/silence", TooSlow),
        ("/huge", TooLarge),
        ("/huge-and-says-so", TooLarge),
        ("/bomb", TooLarge),
        ("/breaks-off", BrokenAnswer),
        ("/endless", TooManyRedirects),
    ],
)
def test_mischief_ends_soon_and_small(server: Server, path: str, error: type[FetchFailed]) -> None:
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    # The body of "/bomb" is packed by this very process: only the others are weighed.
    with pytest.raises(error):
        reader(seconds=1.5).get(server.url(path))
    assert time.monotonic() - begun < 15
    if path != "/bomb":
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000


def test_the_deadline_counts_over_all_redirects(server: Server) -> None:
    server.answers["/a"] = (302, {"Location": "/drip"}, b"")
    begun = time.monotonic()
    with pytest.raises(TooSlow):
        reader(seconds=1.0).get(server.url("/a"))
    assert time.monotonic() - begun < 10


def test_every_hop_is_checked(server: Server) -> None:
    fetcher = Fetcher(allowed=("127.0.0.2/32",))
    server.put("/a", "secret of this machine")
    server.answers["/private"] = (302, {"Location": server.url("/a")}, b"")
    server.answers["/file"] = (302, {"Location": "file:///etc/passwd"}, b"")
    server.answers["/mail"] = (302, {"Location": "http://127.0.0.2:25/"}, b"")
    server.answers["/nothing"] = (302, {}, b"")
    with calendar_server() as other:
        other.answers["/on"] = (307, {"Location": server.url("/a")}, b"")
        open_door = Fetcher(allowed=(f"{ipaddress.ip_address('127.0.0.1')}/32",))
        assert open_door.get(other.url("/on")).body == b"secret of this machine"
    with pytest.raises(NotPublic):
        fetcher.get(server.url("/private"))
    for path in ("/file", "/mail"):
        with pytest.raises(BadAddress):
            reader().get(server.url(path))
    with pytest.raises(TooManyRedirects):
        reader().get(server.url("/nothing"))


def test_a_secret_header_stays_with_its_host(server: Server) -> None:
    with calendar_server() as other:
        other.put("/b", "there")
        server.answers["/a"] = (302, {"Location": other.url("/b")}, b"")
        server.answers["/c"] = (302, {"Location": "/d"}, b"")
        server.put("/d", "here")
        told = {"Authorization": "Bearer secret", "Accept": "text/calendar"}
        assert reader().get(server.url("/a"), told).body == b"there"
        assert reader().get(server.url("/c"), told).body == b"here"
        (elsewhere,) = other.asked
    assert "authorization" not in elsewhere.headers
    assert elsewhere.headers["accept"] == "text/calendar"
    assert server.asked[-1].headers["authorization"] == "Bearer secret"


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NoAnswer):
        reader().get(f"http://127.0.0.1:{port}/")
    with pytest.raises(UnknownHost):
        reader().get("https://nobody.invalid/")


def test_no_error_holds_the_address(server: Server) -> None:
    server.answers["/torn?key=hush"] = (200, {"Content-Length": "5000"}, b"")
    server.answers["/on?key=hush"] = (302, {"Location": "/on?key=hush"}, b"")
    for path in ("/torn?key=hush", "/on?key=hush"):
        with pytest.raises(FetchFailed) as caught:
            reader(seconds=1.0).get(server.url(path))
        error = caught.value
        assert "hush" not in f"{error!r} {error} {error.values}"
        assert error.__cause__ is None


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for calendar.example, signed by itself."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(b"".join(self_signed("calendar.example")))
    return path


def test_certificates_go_by_the_name(identity: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(identity)
    names: list[str | None] = []
    ours.sni_callback = lambda _sock, name, _context: names.append(name)
    trusting = ssl.create_default_context(cafile=str(identity))
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith(".example") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with calendar_server(ours) as server:
        server.put("/a", "over TLS")
        answer = reader(context=trusting).get(server.url("/a", "calendar.example"))
        assert (answer.body, names) == (b"over TLS", ["calendar.example"])
        with pytest.raises(NotTrusted):
            reader(context=trusting).get(server.url("/a", "other.example"))
        with pytest.raises(NotTrusted):
            reader().get(server.url("/a", "calendar.example"))
        with pytest.raises(TooSlow):
            reader(context=trusting, seconds=1.0).get(server.url("/drip", "calendar.example"))
        server.answers["/down"] = (302, {"Location": "http://calendar.example/"}, b"")
        with pytest.raises(NotTrusted):
            reader(context=trusting).get(server.url("/down", "calendar.example"))
