"""One WebSocket of an ASGI server. Rule: nothing is known of the server but what the specification says: two callables
and a scope.

Source: https://asgi.readthedocs.io/en/latest/specs/www.html#websocket
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Final

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import ConnectionLost
from capnweb_runtime.mounts.mount import Mount
from capnweb_runtime.mounts.socket_session import Closed, SocketSession, agreed
from capnweb_runtime.serving.peer import Peer, Refuse, log_refusal, shutting_down
from capnweb_runtime.serving.replies import refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_TOO_OLD: Final = frozenset(("0.9", "1", "1.0"))
_DENIAL: Final = "websocket.http.response"
"""The extension with which a handshake can be answered with a status and a body."""


class AsgiFrames:
    """The frames of a WebSocket that has been accepted.

    Parameters:
        receive: as ASGI has it.
        send: likewise.
        first: a `receive` that has begun before.
    """

    def __init__(self, receive: Receive, send: Send, first: asyncio.Future[Message]) -> None:
        self._receive = receive
        self._send = send
        self._first: asyncio.Future[Message] | None = first

    async def receive(self) -> str | bytes:
        """The next message. Raises Closed."""
        if self._first is not None:
            message, self._first = await self._first, None
        else:
            message = await self._receive()
        if message["type"] != "websocket.receive":
            raise Closed(message.get("code"), message.get("reason") or "")
        text: str | None = message.get("text")
        return bytes(message["bytes"]) if text is None else text

    async def send(self, data: bytes, *, text: bool) -> None:
        """Sends a message."""
        if text:
            await self._send({"type": "websocket.send", "text": data.decode("utf-8", "replace")})
        else:
            await self._send({"type": "websocket.send", "bytes": data})

    async def close(self, code: int, reason: str) -> None:
        """Sends a close frame."""
        await self._send({"type": "websocket.close", "code": code, "reason": reason})


async def serve_socket(mount: Mount, scope: Scope, peer: Peer, at: str | None, receive: Receive, send: Send) -> None:
    """Answers a handshake, and carries the session if there is one.

    Parameters:
        mount: has the sessions.
        scope: of the WebSocket.
        peer: who asks.
        at: see `Mount.check`.
        receive: as ASGI has it.
        send: likewise.
    """
    if (await receive())["type"] != "websocket.connect":
        return
    first = asyncio.ensure_future(receive())  # a client that goes away while the factory makes up its mind
    try:
        if scope.get("http_version") in _TOO_OLD:  # some servers upgrade it all the same
            raise Refuse(HTTPStatus.BAD_REQUEST, "A WebSocket needs HTTP/1.1 or later.")
        connection = await _admitted(mount.admit(peer, at), first)
        if connection is None:
            return
        subprotocol = agreed(scope.get("subprotocols", ()))
        await _accept(connection, send, subprotocol)
        frames = AsgiFrames(receive, send, first)
        await SocketSession(frames, connection, subprotocol, mount.rules.silence.close_timeout).run()
    except Refuse as refused:
        log_refusal(peer, refused)
        await _refuse(scope, send, refused)
    finally:
        first.cancel()


async def _accept(connection: Connection, send: Send, subprotocol: str | None) -> None:
    accepted = False
    try:
        await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})
        accepted = True
    finally:
        if not accepted:
            connection.lost(ConnectionLost("the client went away before the session began"))


async def _admitted(
    admitted: Connection | asyncio.Task[Connection], first: asyncio.Future[Message]
) -> Connection | None:
    """The connection, once there is one; None if the client has gone away meanwhile."""
    if isinstance(admitted, Connection):
        return admitted
    try:
        await asyncio.wait((admitted, first), return_when=asyncio.FIRST_COMPLETED)
        if first.done() and first.result()["type"] == "websocket.receive":  # a client need not wait for the answer
            await asyncio.wait((admitted,))
    finally:
        if not admitted.done():
            admitted.cancel()
    if not admitted.done():
        return None
    if admitted.cancelled():
        raise shutting_down()
    failure = admitted.exception()
    if failure is not None:
        raise failure if isinstance(failure, Refuse) else Refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
    return admitted.result()


async def _refuse(scope: Scope, send: Send, refused: Refuse) -> None:
    """Answers with the status and the text, where the server can; else it answers 403."""
    if _DENIAL not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    reply = refusal(refused, {})
    headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    headers.append((b"content-length", b"%d" % len(reply.body)))
    if scope.get("http_version", "1.1").startswith("1"):
        headers.append((b"connection", b"close"))  # which servers do, and not all say
    await send({"type": "websocket.http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": reply.body})
