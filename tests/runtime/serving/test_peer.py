"""Who asks for a session."""

from __future__ import annotations

import pytest

from capnweb_runtime.serving.peer import PeerHeaders, peer_of


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
