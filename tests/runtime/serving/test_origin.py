"""Which web pages may talk to a server."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from capnweb_runtime.serving.origin import check_origin, is_same_origin
from capnweb_runtime.serving.peer import Refuse, peer_of


class TestSameOrigin:
    @pytest.mark.parametrize(
        ("origin", "host"),
        [
            ("https://example.org", "example.org"),
            ("https://EXAMPLE.org", "example.ORG"),
            ("https://example.org.", "example.org"),
            ("https://example.org", "example.org:443"),
            ("http://example.org:80", "example.org"),
            ("http://example.org", "example.org:80"),
            ("http://localhost:3000", "localhost:3000"),
            ("http://[::1]:3000", "[::1]:3000"),
        ],
    )
    def test_same(self, origin: str, host: str) -> None:
        secure = origin.startswith("https")
        assert is_same_origin(origin, host, secure)
        assert not is_same_origin(origin, host, not secure)  # the scheme counts

    @pytest.mark.parametrize(
        ("origin", "host"),
        [
            ("https://evil.org", "example.org"),
            ("https://example.org.evil.org", "example.org"),
            ("https://evil.org/example.org", "example.org"),
            ("https://example.org@evil.org", "example.org"),
            ("http://localhost:3000", "localhost:3001"),
            ("http://localhost:3000", "localhost"),
            ("https://example.org", "example.org:80"),
            ("http://example.org", "example.org:443"),
            ("null", "example.org"),
            ("null", ""),
            ("", ""),
            ("file://", ""),
            ("https://example.org:x", "example.org"),
            ("https://[", "["),
        ],
    )
    def test_different(self, origin: str, host: str) -> None:
        assert not is_same_origin(origin, host, False)
        assert not is_same_origin(origin, host, True)


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
        check_origin(peer_of(headers, None, "/", "websocket", secure=True), origins)

    @pytest.mark.parametrize(
        ("origin", "origins"),
        [
            ("https://evil.org", None),
            ("https://evil.org", frozenset[str]()),
            ("http://app.example", frozenset({"https://app.example"})),
            ("http://example.org", None),
            ("null", None),
        ],
    )
    def test_refused(self, origin: str, origins: frozenset[str] | None) -> None:
        headers = [("Host", "example.org"), ("Origin", origin)]
        with pytest.raises(Refuse, match="origins=") as caught:
            check_origin(peer_of(headers, None, "/", "http", secure=True), origins)
        assert caught.value.status is HTTPStatus.FORBIDDEN
