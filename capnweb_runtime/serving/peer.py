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
    """Who is at the other end of a session.

    Attributes:
        headers: headers of the request that opened the session.
        address: its IP address and port; None where the socket has none. Behind proxies that `serve(forwarded=...)`
            trusts, that of the client, with port 0 if they do not tell it, and None if they do not know it.
        path: path of the request, as it was sent, without the query.
        query: what followed the question mark; empty if nothing did.
        transport: how the messages travel.
        request: of a server that is mounted in an application, the request as that has it: the scope of ASGI, the
            Request of aiohttp, the environ of WSGI; None from `serve`.
        connection: the session's connection; None until there is a session.
        scheme: "http" or "https", as the client has asked.
        host: name, and port if there is one, that the client has asked for; empty if it was for none.
        certificate: the client's, as `ssl.SSLSocket.getpeercert()` has it, if the server's SSLContext demanded one and
            has found it good; else None. Never that of a proxy that is trusted, nor over WebTransport.
        process: the client's, if it has connected to a socket that is a file, on Linux; else None.
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
        """The cookies of the request, by name. Of several with one name, the first counts: browsers send those of the
        longest path first. Values are as they were sent, without the quotes around them.
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
        """The main object that the peer offers, to be called back.

        Parameters:
            stub: class of the stub.

        Returns:
            A stub of its own, to be disposed by the caller; calls fail if the peer offers none, or cannot answer
            because its HTTP request has ended.
        """
        return stub(self._connected().session.remote_main.dup())

    def capabilities(self, most: int | None = None) -> tuple[Capability, ...]:
        """What the session holds of the peer, and the peer of it; see `Connection.capabilities`.

        Parameters:
            most: how many imports, and how many exports, to look at; None means all.

        Raises:
            RuntimeError: there is no session.
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
    """Raised by the factory of main objects to refuse a session: `raise Refuse(401, "no token")`.

    Parameters:
        status: HTTP status of the answer, 300 to 599.
        text: body of the answer; the client is shown its first line.
        headers: further headers of the answer, such as {"WWW-Authenticate": "Bearer"}.

    Raises:
        ValueError: the status is none that refuses, or a header cannot be sent.
    """

    is_expected = False
    """Whether the log has what there is to say of it elsewhere."""

    def __init__(self, status: int, text: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        known = HTTPStatus(status) if status in _STATUSES else None
        if known is None or not 300 <= known < 600:
            raise ValueError(f"a session is refused with an HTTP status of 300 to 599, such as 401, not with {status}")
        self.status = known
        self.text = text
        self.meant = text  # for the log, where an observer has replaced what the peer is told
        self.headers = dict(headers or {})
        for name, value in self.headers.items():
            sendable = value.isprintable() and value.isascii() and name.lower() not in _OURS
            if _HEADER_NAME.fullmatch(name) is None or not sendable:
                raise ValueError(f"the header {name!r} cannot be sent with a refusal, or not with this value")


def shutting_down() -> Refuse:
    """How sessions are refused by a server that is going away."""
    return Refuse(HTTPStatus.SERVICE_UNAVAILABLE, SHUTDOWN, {"Retry-After": _ASK_AGAIN})


def log_refusal(peer: Peer, refuse: Refuse) -> None:
    """Logs that a peer was refused, and why: as the application says, whatever the peer is told."""
    level = logging.DEBUG if refuse.is_expected else logging.INFO
    logger.log(level, "refused %s: %d %s", peer, refuse.status, printable(refuse.meant))
