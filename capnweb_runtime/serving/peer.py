"""Who asks for a session, and how a server refuses. Rule: the same for every transport; what comes from the network is
only read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal, TypeVar

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.objects.stub import RpcStub

S = TypeVar("S", bound=RpcStub)


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
