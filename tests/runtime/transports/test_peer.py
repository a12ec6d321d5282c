"""Who asks for a session, and which pages may."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from capnweb_runtime.transports._peer import PeerHeaders, RefusedError, check_origin, is_same_origin, peer_of


class TestHeaders:
    def test_names_are_found_in_any_case(self) -> None:
        headers = PeerHeaders([("X-User", "alice")])
        assert headers["x-user"] == headers["X-USER"] == "alice"
        assert "x-User" in headers
        assert headers.get("other") is None
        not_a_name: object = 1
        assert not_a_name not in headers

    def test_repeated_headers_are_joined(self) -> None:
        headers = PeerHeaders([("Via", "a"), ("Cookie", "x=1"), ("via", "b"), ("cookie", "y=2")])
        assert dict(headers) == {"via": "a, b", "cookie": "x=1; y=2"}
        assert len(headers) == 2

    def test_values_are_not_shown(self) -> None:
        assert "secret" not in repr(PeerHeaders([("Authorization", "secret")]))


class TestPeer:
    def test_path_and_query_are_told_apart(self) -> None:
        peer = peer_of([("Host", "h")], ("10.0.0.1", 5000), "/a%20b?x=1?y", "http")
        assert (peer.path, peer.query, peer.address, peer.transport) == ("/a%20b", "x=1?y", ("10.0.0.1", 5000), "http")

    @pytest.mark.parametrize(
        ("peername", "address"),
        [(("::1", 7, 0, 0), ("::1", 7)), ("", None), (None, None), ("/run/socket", None)],
    )
    def test_sockets_without_an_address_have_none(self, peername: object, address: tuple[str, int] | None) -> None:
        assert peer_of([], peername, "/", "websocket").address == address


class TestSameOrigin:
    @pytest.mark.parametrize(
        ("origin", "host"),
        [
            ("https://example.org", "example.org"),
            ("https://EXAMPLE.org", "example.ORG"),
            ("http://example.org:80", "example.org"),
            ("https://example.org", "example.org:443"),
            ("http://localhost:3000", "localhost:3000"),
            ("http://[::1]:3000", "[::1]:3000"),
        ],
    )
    def test_same(self, origin: str, host: str) -> None:
        assert is_same_origin(origin, host)

    @pytest.mark.parametrize(
        ("origin", "host"),
        [
            ("https://evil.org", "example.org"),
            ("https://example.org.evil.org", "example.org"),
            ("https://evil.org/example.org", "example.org"),
            ("https://example.org@evil.org", "example.org"),
            ("http://localhost:3000", "localhost:3001"),
            ("http://localhost:3000", "localhost"),
            ("null", "example.org"),
            ("null", ""),
            ("", ""),
            ("file://", ""),
            ("https://example.org:x", "example.org"),
            ("https://[", "["),
        ],
    )
    def test_different(self, origin: str, host: str) -> None:
        assert not is_same_origin(origin, host)


class TestCheckOrigin:
    @pytest.mark.parametrize(
        ("origin", "origins"),
        [
            (None, None),
            ("https://example.org", None),
            ("https://example.org", frozenset[str]()),
            ("https://app.example", frozenset({"https://app.example"})),
            ("https://anything.example", frozenset({"*"})),
            ("null", frozenset({"null"})),
        ],
    )
    def test_allowed(self, origin: str | None, origins: frozenset[str] | None) -> None:
        headers = [("Host", "example.org"), *([] if origin is None else [("Origin", origin)])]
        check_origin(peer_of(headers, None, "/", "websocket"), origins)

    @pytest.mark.parametrize(
        ("origin", "origins"),
        [
            ("https://evil.org", None),
            ("https://evil.org", frozenset[str]()),
            ("http://app.example", frozenset({"https://app.example"})),
            ("null", None),
        ],
    )
    def test_refused(self, origin: str, origins: frozenset[str] | None) -> None:
        with pytest.raises(RefusedError, match="origins=") as caught:
            check_origin(peer_of([("Host", "example.org"), ("Origin", origin)], None, "/", "http"), origins)
        assert caught.value.status is HTTPStatus.FORBIDDEN
