"""Which names a server answers to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

import pytest

from capnweb_runtime.serving.hosts import Authority, Hosts, authority_of
from capnweb_runtime.serving.peer import Refuse, peer_of
from capnweb_runtime.serving.serve import serve
from tests.runtime.transports.example_api import Example

LOOPBACK = [
    "localhost",
    "localhost:8080",
    "LocalHost.",
    "localhost.:1",
    "127.0.0.1",
    "127.0.0.1:9",
    "127.8.0.1",
    "[::1]:8",
]
OTHERS = [
    *("evil.example", "evil.example:80", "localhost.evil.example", "evil.localhost", "127.0.0.1.evil.example"),
    *("192.168.0.1", "0.0.0.0", "[::]", "[::2]:80", "", "localhost:", "localhost:x", "localhost:999999", " localhost"),
    *(
        "localhost, evil.example",
        "user@localhost",
        "localhost/",
        "[localhost]",
        "[::1",
        "::1",
        "localhost..",
        "\u212aocalhost",
    ),
]


def refused(hosts: Hosts, *named: str) -> Refuse | None:
    """How a request with those Host headers is refused, if it is."""
    try:
        hosts.check(peer_of([("Host", name) for name in named], None, "/", "websocket"))
    except Refuse as refusal:
        return refusal
    return None


@pytest.mark.parametrize("host", LOOPBACK)
def test_names_that_are_of_every_machine_are_answered_to_at_a_loopback_address(host: str) -> None:
    assert refused(Hosts([], loopback=True), host) is None
    assert refused(Hosts([]), host) is not None


@pytest.mark.parametrize("host", OTHERS)
def test_no_other_name_is(host: str) -> None:
    refusal = refused(Hosts([], loopback=True), *[host] * bool(host))
    assert refusal is not None
    assert refusal.status is HTTPStatus.MISDIRECTED_REQUEST
    assert "hosts=[...]" in refusal.text


def test_of_two_host_headers_neither_counts() -> None:
    assert refused(Hosts(["example.org"]), "example.org", "example.org") is not None


@pytest.mark.parametrize(
    ("named", "host", "is_named"),
    [
        (["example.org"], "EXAMPLE.org.:8080", True),
        (["example.org:8080"], "example.org:8080", True),
        (["example.org:8080"], "example.org", False),
        (["example.org"], "www.example.org", False),
        (["a.example", "b.example"], "b.example", True),
        (["[2001:DB8::1]"], "[2001:db8::1]:80", True),
        (["bücher.example"], "xn--bcher-kva.example", True),
        (["*"], "whatever", True),
        ([], "whatever", False),
        (["example.org"], "localhost", False),
    ],
)
def test_the_names_that_were_given_are_the_ones(named: list[str], host: str, is_named: bool) -> None:
    assert (refused(Hosts(named), host) is None) == is_named


def test_a_name_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"not 'https://example\.org'"):
        _ = serve(lambda peer: Example(peer), "127.0.0.1", 0, hosts=["https://example.org"])
    with pytest.raises(TypeError, match=r'hosts=\["example\.org"\]'):
        _ = serve(lambda peer: Example(peer), "127.0.0.1", 0, hosts="example.org")


def test_an_authority_is_read_as_browsers_send_it() -> None:
    assert authority_of("Example.ORG.:080") == Authority("example.org", 80)
    assert authority_of("[::1]") == Authority("[::1]", None)
    assert authority_of("a" * 256) is None


_EMPTY = "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
REQUESTS = {
    "http": f"POST / HTTP/1.1\r\nHost: {{}}{_EMPTY}",
    "an absolute target": f"POST http://{{}}/ HTTP/1.1\r\nHost: localhost{_EMPTY}",
    "websocket": "GET / HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
}


async def ask(port: int, request: str) -> bytes:
    """The answer to a request; of a WebSocket that opens, its head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if b" 101 " not in answer:
        answer += await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize("over", REQUESTS)
@pytest.mark.parametrize(
    ("address", "hosts", "asked", "answered"),
    [
        ("127.0.0.1", None, "localhost:1", True),
        ("127.0.0.1", None, "evil.example", False),
        ("localhost", None, "evil.example", False),
        ("127.0.0.1", ["*"], "evil.example", True),
        ("127.0.0.1", ["example.org"], "example.org", True),
        ("127.0.0.1", ["example.org"], "localhost", False),
        ("0.0.0.0", None, "evil.example", True),
        ("0.0.0.0", ["example.org"], "evil.example", False),
    ],
)
async def test_over_each_transport(
    over: str, address: str, hosts: Sequence[str] | None, asked: str, answered: bool
) -> None:
    async with serve(lambda peer: Example(peer), address, 0, hosts=hosts) as server:
        answer = await ask(server.port, REQUESTS[over].format(asked))
    assert answer.startswith(b"HTTP/1.1 101 " if over == "websocket" else b"HTTP/1.1 200 ") == answered
    assert answer.startswith(b"HTTP/1.1 421 ") != answered
    assert (b"its serve() call can allow it with hosts=[...]." in answer) != answered


@pytest.mark.parametrize("over", ["http", "websocket"])
async def test_a_page_whose_name_leads_to_this_machine_is_no_page_of_the_servers_own(over: str) -> None:
    async with serve(lambda peer: Example(peer), "127.0.0.1", 0) as server:
        asked = f"evil.example:{server.port}\r\nOrigin: http://evil.example:{server.port}"
        answer = await ask(server.port, REQUESTS[over].format(asked))
    assert answer.startswith(b"HTTP/1.1 421 ")
