"""Who asks for a session."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from capnweb_runtime.serving.peer import PeerHeaders, Refuse, peer_of


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


class TestCookies:
    @pytest.mark.parametrize(
        ("header", "cookies"),
        [
            ("a=1; b=2", {"a": "1", "b": "2"}),
            ('a="x y";b=', {"a": "x y", "b": ""}),
            ("a=1; a=2", {"a": "1"}),
            ("a=b=c==; lonely; ;=x", {"a": "b=c==", "": "x"}),
            ('a=";b="', {"a": '"', "b": '"'}),
            ("session[id]=1; other={2}", {"session[id]": "1", "other": "{2}"}),
        ],
    )
    def test_are_found_whatever_stands_beside_them(self, header: str, cookies: dict[str, str]) -> None:
        assert peer_of([("Cookie", header)], None, "/", "http").cookies == cookies

    def test_there_are_none_without_a_header(self) -> None:
        assert peer_of([], None, "/", "http").cookies == {}


class TestAbsoluteForm:
    """RFC 9112, 3.2.2: what proxies are sent, and servers accept."""

    @pytest.mark.parametrize(
        ("target", "path", "query", "host"),
        [
            ("http://example.org/rpc", "/rpc", "", "example.org"),
            ("HTTPS://example.org:8443/rpc?x=http://y/z", "/rpc", "x=http://y/z", "example.org:8443"),
            ("ws://example.org", "/", "", "example.org"),
            ("http://example.org?x=1", "/", "x=1", "example.org"),
            ("http://user:secret@[::1]:80/a@b", "/a@b", "", "[::1]:80"),
        ],
    )
    def test_path_and_host_are_those_of_the_target(self, target: str, path: str, query: str, host: str) -> None:
        peer = peer_of([("host", "ignored.example"), ("X-User", "alice")], None, target, "http")
        assert (peer.path, peer.query, peer.headers["Host"]) == (path, query, host)
        assert peer.headers["X-User"] == "alice"

    @pytest.mark.parametrize("target", ["/http://example.org/rpc", "*", "example.org:80", "http:/rpc", "ftp://x/rpc"])
    def test_other_forms_are_paths(self, target: str) -> None:
        peer = peer_of([("Host", "kept.example")], None, target, "http")
        assert (peer.path, peer.headers["Host"]) == (target, "kept.example")


class TestRefuse:
    def test_it_keeps_what_it_was_given(self) -> None:
        refuse = Refuse(401, "no token", {"WWW-Authenticate": 'Bearer realm="books"'})
        assert refuse.status is HTTPStatus.UNAUTHORIZED
        assert (refuse.text, str(refuse)) == ("no token", "no token")
        assert refuse.headers == {"WWW-Authenticate": 'Bearer realm="books"'}

    @pytest.mark.parametrize("status", [0, 101, 200, 299, 600, 999, 499])
    def test_a_status_that_refuses_nothing_is_an_error(self, status: int) -> None:
        with pytest.raises(ValueError, match=f"300 to 599 that http.HTTPStatus knows, such as 401, not {status}"):
            Refuse(status)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("X", "a\r\nY: b"), ("X\n", "a"), ("X Y", "a"), ("", "a"), ("X", "é"), ("content-length", "3")],
    )
    def test_a_header_that_cannot_be_sent_is_an_error(self, name: str, value: str) -> None:
        with pytest.raises(ValueError, match="cannot be sent with a refusal"):
            Refuse(401, "no", {name: value})


def test_a_peer_is_shown_in_one_line_without_what_it_must_not_say() -> None:
    peer = peer_of([("Cookie", "secret")], ("::1", 80, 0, 0), "/a\nb?token=secret", "websocket")
    assert str(peer) == "[::1]:80 over websocket at /a\\nb"
    assert str(peer_of([], None, "/", "http")) == "an unknown address over http at /"
