"""Which web pages may talk to a server. Rule: a request without an Origin header is no page's."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from capnweb_runtime.serving.peer import Peer, Refuse

_DEFAULT_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def is_same_origin(origin: str, host: str) -> bool:
    """Whether a page of the origin was loaded from the host that it asks now.

    Parameters:
        origin: value of the Origin header.
        host: value of the Host header.
    """
    try:
        page = urlsplit(origin)
        default = _DEFAULT_PORTS.get(page.scheme)
        asked = urlsplit(f"//{host}")
        # A server behind a proxy that ends TLS sees no scheme of its own, so a missing port is the one of the page's
        # scheme.
        return bool(page.hostname) and (page.hostname, page.port or default) == (asked.hostname, asked.port or default)
    except ValueError:
        return False


def check_origin(peer: Peer, origins: frozenset[str] | None) -> None:
    """Refuses a page of a site that may not talk to this server.

    Parameters:
        peer: who asks; without an Origin header it is no page.
        origins: origins that may, beside the server's own; with "*" in it, all may.

    Raises:
        Refuse: with status 403.
    """
    origin = peer.headers.get("Origin")
    if origin is None or (origins is not None and ("*" in origins or origin in origins)):
        return
    if not is_same_origin(origin, peer.headers.get("Host", "")):
        raise Refuse(
            HTTPStatus.FORBIDDEN,
            f"Origin {origin} may not use this server; its serve() call can allow it with origins=[...].",
        )
