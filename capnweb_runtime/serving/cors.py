"""What a browser asks before it lets a page of another origin talk over HTTP, and read what it gets. Rule: nothing is
allowed here; who may talk has been decided before.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from typing import Final

from capnweb_runtime.serving.peer import Peer

MAX_AGE: Final = 7200
"""Seconds for which a browser need not ask again: more than that browsers cut to it."""


def is_preflight(method: str, peer: Peer) -> bool:
    """Whether a request asks if another may be sent."""
    return method == "OPTIONS" and "Origin" in peer.headers and "Access-Control-Request-Method" in peer.headers


def preflight_headers(peer: Peer) -> dict[str, str]:
    """Headers that let an allowed page send a batch, with whatever headers it asks for."""
    asked = peer.headers.get("Access-Control-Request-Headers", "")
    headers = {"Access-Control-Allow-Methods": "POST", "Access-Control-Max-Age": str(MAX_AGE), **answer_headers(peer)}
    if asked:
        headers["Access-Control-Allow-Headers"] = asked
    headers["Vary"] = "Origin, Access-Control-Request-Headers"
    return headers


def answer_headers(peer: Peer) -> dict[str, str]:
    """Headers that let an allowed page read an answer; none for what is no page."""
    origin = peer.headers.get("Origin")
    return {} if origin is None else {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
