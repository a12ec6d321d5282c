"""Who asks for a session, and how one is refused. Rule: the same for every transport; what comes from the network is
only read here.
"""

from __future__ import annotations

import logging
import re
import socket as socket_module
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.objects.stub import RpcStub
from capnweb_runtime.observe import logger_named, printable

if TYPE_CHECKING:
    import asyncio

    from capnweb_runtime.debugging.capabilities import Capability

S = TypeVar("S", bound=RpcStub)
Transport = Literal["websocket", "http", "webtransport"]

SHUTDOWN: Final = "The server is shutting down."
_ASK_AGAIN: Final = "1"
"""Seconds after which a client may try whether another server has taken over: that is one's time to be gone."""

logger: Final = logger_named("capnweb_runtime.server")

_ABSOLUTE: Final = re.compile(r"(?:https?|wss?)://(?:[^/?@]*@)?([^/?]*)", re.IGNORECASE)
_CREDENTIALS: Final = struct.Struct("iII")
_STATUSES: Final = frozenset(HTTPStatus)
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS: Final = frozenset(("connection", "content-length", "date", "transfer-encoding", "upgrade"))
"""Headers of an answer that follow from how it is sent."""


class PeerHeaders(Mapping[str, str]):
    """Headers of a request: names in any case, values of a repeated header joined by a comma.

    Parameters:
        items: names and values in the order of the request.
    """

    __slots__ = ("_values",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        values: dict[str, list[str]] = {}
        for name, value in items:
            values.setdefault(name.lower(), []).append(value)
        # https://datatracker.ietf.org/doc/html/rfc6265#section-5.4: cookies are the one header that is joined by a
        # semicolon.
        self._values = {key: ("; " if key == "cookie" else ", ").join(each) for key, each in values.items()}

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


class Process(NamedTuple):
    """A process of this machine, as it was when it connected.

    Attributes:
        pid: its number; 0 if it is none that this process can see.
        uid: its user.
        gid: its group.
    """

    pid: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Peer:
    """The client of a session, as its request has described it. A server's factory of main objects is given one for
    each session.

    Attributes:
        headers: headers of the request that opened the session, by name in any case.
        address: IP address and port of the client; None where its socket has none. Behind a proxy that
            `serve(forwarded=...)` trusts it is what the proxy says: the port is 0 if the proxy does not tell it, and
            all is None if the proxy does not know the client.
        path: path of the request as it was sent, without the query.
        query: what follows the question mark of the request; "" if nothing does.
        transport: how messages travel: "websocket", "http" or "webtransport".
        request: where the server is mounted in an application, the request of that: the scope of ASGI, the Request of
            aiohttp, the environ of WSGI; None from `serve`.
        connection: the connection of the session, before anything is sent on it; None if there is no session. Its
            methods `tap` and `reader` show its messages to a program; "Debugging" in the documentation says how.
        scheme: "http" or "https", by which the client has come.
        host: name that the client has asked for, with the port if it gave one; "" if it gave no name.
        certificate: certificate of the client, as `ssl.SSLSocket.getpeercert()` gives it, if the server's SSLContext
            asks clients for one and has verified it; else None. None for a trusted proxy, and over WebTransport.
        process: process of the client, if it has connected to a socket file, on Linux; else None.
    """

    headers: PeerHeaders
    address: tuple[str, int] | None
    path: str
    query: str
    transport: Transport
    connection: Connection | None = field(default=None, repr=False, compare=False)
    scheme: str = "http"
    host: str = ""
    certificate: Mapping[str, Any] | None = field(default=None, repr=False)
    process: Process | None = None
    request: Any = field(default=None, repr=False, compare=False)

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies of the request, by name. Of several cookies with one name the first counts: browsers send that of
        the longest path first. Values are as they were sent, without quotes around them.
        """
        pairs = (item.partition("=") for item in self.headers.get("Cookie", "").split(";"))
        found = [(name.strip(), value.strip()) for name, equals, value in pairs if equals]
        quoted = len('""')
        return MappingProxyType(
            {
                name: value[1:-1] if len(value) >= quoted and value[0] == value[-1] == '"' else value
                for name, value in reversed(found)
            }
        )

    def __str__(self) -> str:
        """As a line of a log shows it: address, transport and path."""
        host, port = self.address or ("an unknown address", None)
        host = f"[{host}]" if ":" in host else host
        address = f"{host}:{port}" if port else host
        return f"{address} over {self.transport} at {printable(self.path)}"

    def main(self, stub: type[S]) -> S:
        """Gives a stub of the main object that the client offers with `connect(main=...)`, to call the client back.

        Parameters:
            stub: class of the stub, generated from the interface of that object.

        Returns:
            A new stub, which the caller has to dispose. Calls on it fail if the client offers no main object, or if its
            HTTP request has ended.

        Raises:
            RuntimeError: this object belongs to no session: a test has made it by hand, say.
        """
        return stub(self._connected().session.remote_main.dup())

    def capabilities(self, most: int | None = None) -> tuple[Capability, ...]:
        """Lists what the server holds of the client in this session, and what the client holds of the server.

        Parameters:
            most: how many imports and how many exports to list at most; None means all.

        Raises:
            RuntimeError: this object belongs to no session.
        """
        return self._connected().capabilities(most)

    def _connected(self) -> Connection:
        if self.connection is None:
            raise RuntimeError("there is no session with this peer")
        return self.connection


def peer_of(
    headers: Iterable[tuple[str, str]],
    peername: tuple[Any, ...] | object,
    target: str,
    transport: Transport,
    *,
    secure: bool = False,
    certificate: Mapping[str, Any] | None = None,
    process: Process | None = None,
) -> Peer:
    """The peer behind a request.

    Parameters:
        headers: names and values of its headers.
        peername: what the socket says.
        target: path and query as in the request line.
        transport: how the messages travel.
        secure: whether it speaks TLS.
        certificate: of the client, if there is one.
        process: of the client, if it is known.
    """
    place = peername if isinstance(peername, tuple) else ()
    address = (str(place[0]), int(place[1])) if len(place) >= 2 else None
    absolute = _ABSOLUTE.match(target)
    if absolute is not None:
        # https://datatracker.ietf.org/doc/html/rfc9112#section-3.2.2: a server accepts the absolute form, and takes the
        # host from it.
        headers = [*((name, value) for name, value in headers if name.lower() != "host"), ("Host", absolute[1])]
        target = target[absolute.end() :]
        target = target if target.startswith("/") else f"/{target}"
    path, _, query = target.partition("?")
    found = PeerHeaders(headers)
    scheme, host = "https" if secure else "http", found.get("Host", "")
    return Peer(
        found, address, path, query, transport, scheme=scheme, host=host, certificate=certificate, process=process
    )


def peer_on(
    socket: asyncio.BaseTransport | None, headers: Iterable[tuple[str, str]], target: str, transport: Transport
) -> Peer:
    """The peer behind a request, with what its socket tells.

    Parameters:
        socket: the socket; None if it is lost.
        headers: names and values of the headers.
        target: path and query as in the request line.
        transport: how the messages travel.
    """
    if socket is None:
        return peer_of(headers, None, target, transport)
    told = socket.get_extra_info
    peername = told("peername")
    return peer_of(
        headers,
        peername,
        target,
        transport,
        secure=told("sslcontext") is not None,
        certificate=told("peercert") or None,
        process=None if isinstance(peername, tuple) else _process_behind(told("socket")),
    )


def _process_behind(connected: Any) -> Process | None:
    if connected is None or sys.platform != "linux" or connected.family != socket_module.AF_UNIX:
        return None
    try:
        told = connected.getsockopt(socket_module.SOL_SOCKET, socket_module.SO_PEERCRED, _CREDENTIALS.size)
    except (OSError, TypeError):  # uvloop's sockets do not tell
        return None
    return Process(*_CREDENTIALS.unpack(told))


def told_by(peer: Peer) -> str:
    """What was told who may connect, as the text of a refusal has it."""
    return "serve() call" if peer.request is None else "mount"


class Refuse(Exception):
    """Refuses a session, when a server's factory of main objects raises it: `raise Refuse(401, "no token")`.

    Parameters:
        status: HTTP status of the answer: one of 300 to 599 that `http.HTTPStatus` knows.
        text: body of the answer; the error of a client that is refused has its first line.
        headers: further headers of the answer, such as {"WWW-Authenticate": "Bearer"}.

    Raises:
        ValueError: the status is not one of these, or a header cannot be sent: its name or value is not ASCII, or it is
            one that the server sets itself, such as Content-Length.
    """

    is_expected = False
    """Whether the log has what there is to say of it elsewhere."""

    def __init__(self, status: int, text: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        known = HTTPStatus(status) if status in _STATUSES else None
        if known is None or not 300 <= known < 600:
            raise ValueError(
                f"Refuse takes a status of 300 to 599 that http.HTTPStatus knows, such as 401, not {status}"
            )
        self.status = known
        self.text = text
        self.meant = text  # for the log, where an observer has replaced what the peer is told
        self.headers = dict(headers or {})
        for name, value in self.headers.items():
            sendable = value.isprintable() and value.isascii() and name.lower() not in _OURS
            if _HEADER_NAME.fullmatch(name) is None or not sendable:
                raise ValueError(
                    f"the header {name!r} cannot be sent with a refusal, or not with this value: both have to be "
                    f"ASCII, and {', '.join(sorted(_OURS))} are the server's"
                )


def shutting_down() -> Refuse:
    """How sessions are refused by a server that is going away."""
    return Refuse(HTTPStatus.SERVICE_UNAVAILABLE, SHUTDOWN, {"Retry-After": _ASK_AGAIN})


def log_refusal(peer: Peer, refuse: Refuse) -> None:
    """Logs that a peer was refused, and why: as the application says, whatever the peer is told."""
    level = logging.DEBUG if refuse.is_expected else logging.INFO
    logger.log(level, "refused %s: %d %s", peer, refuse.status, printable(refuse.meant))
