"""Which web pages may talk to a server. Rule: a request without an Origin header is no page's, unless it is a GET,
of which browsers may say no more than whether it is another site's.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from capnweb_runtime.observe import printable
from capnweb_runtime.serving.hosts import authority_of
from capnweb_runtime.serving.peer import Peer, Refuse, told_by

_SCHEMES: Final = {False: ("http", "ws"), True: ("https", "wss")}
"""Schemes of pages and servers, without and with TLS."""
_DEFAULT_PORTS: Final = {False: 80, True: 443}


def is_same_origin(origin: str, host: str, secure: bool) -> bool:
    """Whether a page of the origin was loaded from the server that it asks now: scheme, host and port are the same.

    Parameters:
        origin: value of the Origin header.
        host: value of the Host header.
        secure: whether the server speaks TLS.
    """
    scheme, _, rest = origin.partition("://")
    page, asked = authority_of(rest), authority_of(host)
    if page is None or asked is None or scheme.lower() not in _SCHEMES[secure]:
        return False
    default = _DEFAULT_PORTS[secure]
    return (page.name, page.port or default) == (asked.name, asked.port or default)


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
    if not is_same_origin(origin, peer.host, peer.scheme == "https"):
        raise Refuse(
            HTTPStatus.FORBIDDEN,
            f"Origin {printable(origin)} may not use this server; its {told_by(peer)} can allow it with origins=[...].",
        )


def check_site(peer: Peer, origins: frozenset[str] | None) -> None:
    """Refuses a page of another site that asks with a GET whose answer it could not read, as for a picture.

    Parameters:
        peer: who asks, after `check_origin`.
        origins: see there.

    Raises:
        Refuse: with status 403.
    """
    if "Origin" in peer.headers or (origins is not None and "*" in origins):
        return
    # https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
    if peer.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise Refuse(HTTPStatus.FORBIDDEN, "Pages of other sites may not ask what is served here.")
