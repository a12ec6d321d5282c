"""Who asks for a session, and how a server refuses. Rule: the same for every transport; what comes from the network is
only read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from capnweb_runtime.connection import Connection
from capnweb_runtime.stub import RpcStub

S = TypeVar("S", bound=RpcStub)

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class PeerHeaders(Mapping[str, str]):
    """Headers of a request: names in any case, values of a repeated header joined by a comma.

    Parameters:
        items: names and values in the order of the request.
    """

    __slots__ = ("_values",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in items:
            key = name.lower()
            # https://datatracker.ietf.org/doc/html/rfc6265#section-5.4: cookies are the one header that is joined by a
            # semicolon.
            joint = "; " if key == "cookie" else ", "
            self._values[key] = self._values[key] + joint + value if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"PeerHeaders({list(self._values)})"  # names only: values are credentials too often


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a session.

    Attributes:
        headers: headers of the request that opened the session.
        address: its IP address and port; None where the socket has none.
        path: path of the request, as it was sent, without the query.
        query: what followed the question mark; empty if nothing did.
        transport: how the messages travel.
        connection: the session's connection; None until there is a session.
    """

    headers: PeerHeaders
    address: tuple[str, int] | None
    path: str
    query: str
    transport: Literal["websocket", "http"]
    connection: Connection | None = field(default=None, repr=False, compare=False)

    def main(self, stub: type[S]) -> S:
        """The main object that the peer offers, to be called back.

        Parameters:
            stub: class of the stub.

        Returns:
            A stub of its own, to be disposed by the caller; calls fail if the peer offers none, or cannot answer
            because its HTTP request has ended.
        """
        if self.connection is None:
            raise RuntimeError("there is no session with this peer")
        return stub(self.connection.session.remote_main.dup())


def peer_of(
    headers: Iterable[tuple[str, str]],
    peername: tuple[Any, ...] | object,
    target: str,
    transport: Literal["websocket", "http"],
) -> Peer:
    """The peer behind a request.

    Parameters:
        headers: names and values of its headers.
        peername: what the socket says.
        target: path and query as in the request line.
        transport: how the messages travel.
    """
    place = peername if isinstance(peername, tuple) else ()
    address = (str(place[0]), int(place[1])) if len(place) >= 2 else None
    path, _, query = target.partition("?")
    return Peer(PeerHeaders(headers), address, path, query, transport)


class RefusedError(Exception):
    """A session that is not opened.

    Parameters:
        status: status of the answer.
        text: body of the answer, for whoever debugs the client.
    """

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


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
        RefusedError: with status 403.
    """
    origin = peer.headers.get("Origin")
    if origin is None or (origins is not None and ("*" in origins or origin in origins)):
        return
    if not is_same_origin(origin, peer.headers.get("Host", "")):
        raise RefusedError(
            HTTPStatus.FORBIDDEN,
            f"Origin {origin} may not use this server; its serve() call can allow it with origins=[...].",
        )
