"""Who asks through a proxy, and who only says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from capnweb_runtime import Peer, ServerLimits, SessionClosed, connect, serve
from capnweb_runtime.serving.forwarded import Forwarded
from capnweb_runtime.serving.peer import peer_of
from tests.runtime.transports.example_api import Example, ExampleStub

PROXIES = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]
NEAREST = ("127.0.0.1", 1)


def seen(headers: dict[str, str], trusted: Iterable[str] | int = PROXIES, peername: object = NEAREST) -> Peer:
    asked = [("Host", "inside.example"), *headers.items()]
    return Forwarded(trusted).seen(peer_of(asked, peername, "/", "http"))


def address(header: str, trusted: Iterable[str] | int = PROXIES, peername: object = NEAREST) -> object:
    return seen({"X-Forwarded-For": header}, trusted, peername).address


class TestWhoIsBelieved:
    @pytest.mark.parametrize("stranger", [("8.8.8.8", 1), ("::1", 1, 0, 0), ("127.0.0.2", 1), "", None])
    def test_nobody_but_those_that_are_listed(self, stranger: object) -> None:
        headers = {"X-Forwarded-For": "1.1.1.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "example.org"}
        peer = peer_of([("Host", "inside.example"), *headers.items()], stranger, "/", "http")
        assert Forwarded(PROXIES).seen(peer) is peer

    @pytest.mark.parametrize(
        "proxy", [("10.200.3.4", 1), ("::ffff:10.0.0.1", 1, 0, 0), ("fd00::1%eth0", 1, 0, 3), ("127.0.0.1", 1)]
    )
    def test_their_networks_and_other_ways_to_write_them_are(self, proxy: object) -> None:
        assert address("1.1.1.1", PROXIES, proxy) == ("1.1.1.1", 0)

    def test_those_that_connect_to_a_file_if_they_are_listed(self) -> None:
        assert address("1.1.1.1", ["unix"], "") == ("1.1.1.1", 0)
        assert address("1.1.1.1", ["unix"]) == NEAREST

    @pytest.mark.parametrize("trusted", [[], 0, -1, ["proxy.example"], ["10.0.0.0/40"], ["*"]])
    def test_what_is_no_address_is_refused(self, trusted: Any) -> None:
        with pytest.raises(ValueError, match=r"forwarded takes addresses"):
            Forwarded(trusted)

    def test_one_string_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r'forwarded=\["127.0.0.1"\]'):
            Forwarded("127.0.0.1")


class TestAddresses:
    @pytest.mark.parametrize(
        ("header", "client"),
        [
            ("1.1.1.1", ("1.1.1.1", 0)),
            ("1.1.1.1:5000", ("1.1.1.1", 5000)),
            ("[2001:db8::1]:443", ("2001:db8::1", 443)),
            ("2001:db8::1", ("2001:db8::1", 0)),
            ("6.6.6.6, 1.1.1.1", ("1.1.1.1", 0)),  # a client wrote the first
            ("6.6.6.6, 1.1.1.1, 10.0.0.9,10.0.0.8", ("1.1.1.1", 0)),
            ("10.0.0.9, 10.0.0.8", ("10.0.0.9", 0)),  # of the own network
            ("1.1.1.1, 127.0.0.1.evil", None),
            ("6.6.6.6, unknown", None),
            ("_hidden, 10.0.0.8", None),
            ("'; drop table", None),
            ("1.1.1.1\x00", None),
            ("1.1.1.1:", ("1.1.1.1", 0)),
            ("1.1.1.1:99999999999", ("1.1.1.1", 0)),
            ("1.1.1.1,", None),
            ("١.1.1.1", None),
        ],
    )
    def test_trusted_ones_are_taken_off_from_the_right(self, header: str, client: object) -> None:
        assert address(header) == client

    @pytest.mark.parametrize(
        ("hops", "header", "client"),
        [
            (1, "6.6.6.6, 1.1.1.1", ("1.1.1.1", 0)),
            (2, "6.6.6.6, 1.1.1.1, 5.5.5.5", ("1.1.1.1", 0)),
            (2, "1.1.1.1", ("1.1.1.1", 0)),
            (1, "6.6.6.6, unknown", None),
        ],
    )
    def test_or_as_many_as_there_are(self, hops: int, header: str, client: object) -> None:
        assert address(header, hops, ("8.8.8.8", 1)) == address(header, hops, "") == client

    def test_without_a_header_it_is_the_proxys_own(self) -> None:
        assert seen({}).address == seen({}, 1).address == NEAREST

    def test_a_log_line_shows_no_port_that_is_not_known(self) -> None:
        assert str(seen({"X-Forwarded-For": "2001:db8::1"})) == "[2001:db8::1] over http at /"


class TestSchemeAndHost:
    @pytest.mark.parametrize(
        ("headers", "scheme", "host"),
        [
            ({}, "http", "inside.example"),
            ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "example.org:8443"}, "https", "example.org:8443"),
            ({"X-Forwarded-Proto": "WSS"}, "https", "inside.example"),
            ({"X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "a.example, b.example"}, "http", "b.example"),
            ({"X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "exa mple.org/"}, "http", "inside.example"),
            ({"X-Forwarded-For": "1.1.1.1, 10.0.0.8", "X-Forwarded-Proto": "https, http"}, "https", "inside.example"),
            ({"X-Forwarded-For": "1.1.1.1, 10.0.0.8", "X-Forwarded-Proto": "https"}, "https", "inside.example"),
        ],
    )
    def test_are_what_the_proxy_at_the_client_says(self, headers: dict[str, str], scheme: str, host: str) -> None:
        peer = seen(headers)
        assert (peer.scheme, peer.host) == (scheme, host)


class TestForwardedHeader:
    @pytest.mark.parametrize(
        ("header", "client", "scheme", "host"),
        [
            ('For="[2001:db8::1]:47";proto=https;host="a.example:80"', ("2001:db8::1", 47), "https", "a.example:80"),
            ("for=6.6.6.6, for=1.1.1.1 ; proto=wss, for=10.0.0.8;proto=ws", ("1.1.1.1", 0), "https", "inside.example"),
            ('for=", for=1.1.1.1', ("1.1.1.1", 0), "http", "inside.example"),  # a client's quote hides nothing
            ("for=unknown;host=example.org", None, "http", "example.org"),
            ("nonsense", None, "http", "inside.example"),
        ],
    )  # fmt: skip
    def test_says_the_same(self, header: str, client: object, scheme: str, host: str) -> None:
        peer = seen({"Forwarded": header})
        assert (peer.address, peer.scheme, peer.host) == (client, scheme, host)

    def test_is_not_read_beside_the_older_ones(self) -> None:
        peer = seen({"Forwarded": "for=6.6.6.6;proto=https;host=evil.example", "X-Forwarded-For": "1.1.1.1"})
        assert (peer.address, peer.scheme, peer.host) == (("1.1.1.1", 0), "http", "inside.example")


@pytest.mark.parametrize(("trusted", "status"), [(["127.0.0.1"], None), (["10.0.0.0/8"], 503)])
async def test_connections_of_a_proxy_are_many_clients(trusted: list[str], status: int | None) -> None:
    options: Any = {"forwarded": trusted, "server_limits": ServerLimits(connections_per_address=1)}
    answered: int | None = None
    async with serve(Example, "127.0.0.1", 0, **options) as server, connect(server.url, ExampleStub) as one:
        assert await one.add(1, 2) == 3
        try:
            async with connect(server.url, ExampleStub) as other:
                assert await other.add(1, 2) == 3
        except SessionClosed as error:
            answered = error.status
    assert answered == status


@pytest.mark.parametrize("kind", ["url", "http_url"])
class TestServers:
    async def test_name_and_origin_are_the_clients(self, kind: str) -> None:
        peers: list[Peer] = []

        def main(peer: Peer) -> Example:
            peers.append(peer)
            return Example()

        asked = {
            "Host": "inside:80",
            "Origin": "https://example.org",
            "X-Forwarded-For": "1.1.1.1",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "example.org",
        }
        async with serve(main, "127.0.0.1", 0, hosts=["example.org"], forwarded=["127.0.0.1"]) as server:
            async with connect(getattr(server, kind), ExampleStub, headers=asked) as api:
                assert await api.add(1, 2) == 3
            for changed, status in (("X-Forwarded-Proto", 403), ("X-Forwarded-Host", 421)):
                headers = {name: value for name, value in asked.items() if name != changed}
                with pytest.raises(SessionClosed, match=str(status)):
                    async with connect(getattr(server, kind), ExampleStub, headers=headers) as api:
                        await api.add(1, 2)
        (peer,) = peers
        assert (peer.address, peer.scheme, peer.host) == (("1.1.1.1", 0), "https", "example.org")

    async def test_whoever_is_not_listed_is_not_believed(self, kind: str) -> None:
        asked = {"Origin": "https://example.org", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "example.org"}
        async with serve(Example, "127.0.0.1", 0, hosts=["*"], forwarded=["10.0.0.0/8"]) as server:
            with pytest.raises(SessionClosed, match="403"):
                async with connect(getattr(server, kind), ExampleStub, headers=asked) as api:
                    await api.add(1, 2)
