r"""Messages as lines of one HTTP request and its response. Rule: bodies are split at "\n" and nothing else; HTTP itself
is in `http_client` and in the server.

A batch is a session that hears its peer once. The server answers when every call that the client waits for has an
answer, and fails what would wait for the client; the client fails what the response leaves open.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import LimitExceeded, RpcError, SessionClosed, wire_message, wire_type
from capnweb_runtime.transports.ends import refusal, said, shown_url

if TYPE_CHECKING:
    from capnweb_runtime.core.calls import Carried

CONTENT_TYPE: Final = "text/plain; charset=utf-8"
ENDED: Final = "Batch RPC request ended."
_ENDED_HINT: Final = (
    f"{ENDED} One request carries what was called before the first await: await together what belongs together, "
    "with asyncio.gather(...), or use a ws:// URL for a lasting session."
)
_NO_ANSWER: Final = (
    "The client cannot answer within an HTTP batch, nor go on with a stream: its request has ended. Use a ws:// URL."
)
_NO_STREAM: Final = (
    "A stream, or a blob, cannot be read within an HTTP batch: its response comes whole. Use a ws:// URL."
)
_TOO_MUCH: Final = "The answers to a batch may have {} bytes: ask for less at a time, or use a WebSocket."
_AT_A_TIME: Final = 64 * 1024  # bytes
_PULL: Final = b'["pull",'
_IS_IT: Final = "it did not answer the call; is it a Cap'n Web server?"


def pieces(body: bytes) -> Iterator[list[bytes]]:
    """Messages of a body, some at a time: a body of many short lines takes many times its size when it is split."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + _AT_A_TIME)
        if end < 0:
            end = len(body)
        yield body[start:end].split(b"\n")
        start = end + 1
        if start == len(body):
            yield [b""]  # behind a line end is a message, too


class Answer(NamedTuple):
    """A response to a batch, of a status that means success.

    Attributes:
        body: its body.
        status: its status.
        reason: the reason phrase.
        url: the server's.
    """

    body: bytes
    status: int
    reason: str
    url: str

    def error(self, what: str, body: bytes = b"") -> SessionClosed:
        """What calls fail with that it does not answer."""
        answered = said(self.status, self.reason, body)
        return request_failed(self.url, f"{answered} {what}", self.status)


def request_failed(
    url: str, why: str, status: int | None = None, kind: type[SessionClosed] = SessionClosed
) -> SessionClosed:
    """What the calls of a batch fail with that has no answer.

    Parameters:
        url: where the request was sent to.
        why: what went wrong.
        status: of what the server answered, if it did.
        kind: class of the error.
    """
    shown = shown_url(url)
    return kind.at(shown, f"RPC request to {shown} failed: {why}", status)


def batch_refused(url: str, why: str, status: int, retry_after: str | None) -> SessionClosed:
    """What the calls of a batch fail with that is answered with a status that means no success.

    Parameters:
        url: where the request was sent to.
        why: what the server answered.
        status: its status.
        retry_after: its header of that name.
    """
    shown = shown_url(url)
    return refusal(shown, f"RPC request to {shown} failed: {why}", status, retry_after)


class BatchAnswer:
    """The server's end of a batch: the Wire of its connection.

    Parameters:
        connection: the connection, fresh and not attached.
    """

    def __init__(self, connection: Connection) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        connection.session.write_all_at_once()
        connection.session.refuse_streams(RpcError(_NO_STREAM))
        self._messages: list[bytes] = []  # many in one, as they take less room
        self._size = 0  # bytes of them
        self._failed: asyncio.Future[None] = self._loop.create_future()

    async def answer(self, body: bytes, calls: str | None = None) -> tuple[int, bytes]:
        """Runs the session of a request.

        Parameters:
            body: the request's body.
            calls: what its header says that its calls carry, if it has that.

        Returns:
            Status and body of the response: 200 and the answers, or 500 and the reason if the session was aborted.
        """
        connection = self._connection
        connection.attach(self)
        self._hold(len(body))
        fed: asyncio.Future[None] = self._loop.create_future()
        # From a callback, so that no call sees the task of the request as its own.
        carried = None if calls is None else _carried(calls)
        if carried is None:
            self._loop.call_soon(self._feed, pieces(body), fed)
        else:
            host = connection.host
            self._loop.call_soon(host.within, host.arrived(carried), self._feed, pieces(body), fed)
        try:
            await fed
            await self._drained_or_failed()
            connection.flush()
        except BaseException:
            connection.lost(SessionClosed(ENDED))
            raise
        # Once the response is on its way: the client can do its part while this side clears up.
        self._loop.call_soon(connection.lost, SessionClosed(ENDED))
        if connection.session.reason is not None:
            told = connection.session.told
            return 500, f"{wire_type(told)}: {wire_message(told)}".encode("utf-8", "replace")
        return 200, self._body()

    def _body(self) -> bytes:
        """The messages, except for questions, which the client cannot answer any more."""
        return b"\n".join(filter(None, self._messages))

    async def _drained_or_failed(self) -> None:
        if self._connection.is_drained:
            return
        drained = asyncio.create_task(self._connection.drained())
        try:
            await asyncio.wait((drained, self._failed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            drained.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await drained  # a failure is told by the session's reason

    def _feed(self, messages: Iterator[list[bytes]], fed: asyncio.Future[None]) -> None:
        connection = self._connection
        for some in messages:
            connection.received(some)
            if connection.behind:
                connection.in_order(partial(self._feed, messages, fed))
                return
        self._connection.session.end_of_input(SessionClosed(_NO_ANSWER))
        self._connection.flush()
        if not fed.done():
            fed.set_result(None)

    # ---- Wire

    def write(self, messages: list[bytes]) -> None:
        """Keeps messages for the response; too many of them end the session."""
        joined = b"\n".join(messages)
        if _PULL in joined:  # somewhere, such as in data
            joined = b"\n".join([message for message in messages if not message.startswith(_PULL)])
        self._messages.append(joined)
        size = len(joined)
        self._size += size
        self._hold(size)
        most = self._connection.limits.outbox_bytes
        if self._size > most:
            self._connection.abort(LimitExceeded(_TOO_MUCH.format(most)), notify=False)

    def _hold(self, size: int) -> None:
        """Counts bytes of the request or the response, which are held until the session ends."""
        try:
            self._connection.session.held.add(size)
        except LimitExceeded as error:
            self._connection.abort(error, notify=False)

    def close(self, reason: BaseException) -> None:
        """The session was aborted: the request fails."""
        if not self._failed.done():
            self._failed.set_result(None)

    def buffered(self) -> int:
        """Bytes kept for the response."""
        return self._size


def _carried(header: str) -> Carried | None:
    # Of no use to batches whose calls carry nothing.
    from capnweb_runtime.core.carrying import read_header  # noqa: PLC0415

    return read_header(header)


class BatchRequest:
    """The client's end of a batch: the Wire of its connection.

    The request is sent once the outbox has held a pull and a turn of the loop has added nothing to it.

    Parameters:
        connection: the connection, fresh; it is attached here.
        post: sends a body and returns the response; raises SessionClosed with what went wrong.
    """

    def __init__(self, connection: Connection, post: Callable[[bytes], Awaitable[Answer]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        connection.session.write_all_at_once()
        connection.session.collected = []
        self._post = post
        self._messages: list[bytes] = []
        self._armed = False
        self._quiet = False
        self._request: asyncio.Task[Answer] | None = None
        connection.attach(self)

    @property
    def sent(self) -> bool:
        """Whether the request is on its way or done."""
        return self._request is not None

    async def send_rest(self) -> None:
        """Sends calls that nobody awaited, if no request was sent; waits for the response. A failure is nobody's, so
        nothing is raised.
        """
        self._connection.flush()
        if self._messages and self._request is None:
            self._send()
        if self._request is not None and not self._request.done():
            await asyncio.wait((self._request,))

    # ---- Wire

    def write(self, messages: list[bytes]) -> None:
        """Keeps messages for the request; those that come after it has been sent cannot travel any more."""
        if self._request is not None:
            return
        self._messages += messages
        self._quiet = False
        # From the end, where questions are: calls are made first and awaited together.
        if not self._armed and any(message.startswith(_PULL) for message in reversed(messages)):
            self._armed = True
            self._loop.call_soon(self._turn)

    def close(self, reason: BaseException) -> None:
        """The session has ended: a request under way is of no use."""
        if self._request is not None:
            self._request.cancel()
        self._loop.call_soon(self._connection.lost, reason)

    def buffered(self) -> int:
        """Bytes kept for the request."""
        return 0 if self._request is not None else sum(map(len, self._messages))

    # ---- the request

    def _turn(self) -> None:
        self._connection.flush()
        if self._connection.session.closed or self._request is not None:
            return
        if self._quiet:
            self._send()
        else:
            self._quiet = True
            self._loop.call_soon(self._turn)

    def _send(self) -> None:
        async def post() -> Answer:
            return await self._post(b"\n".join(self._messages))

        self._connection.session.end_of_output(SessionClosed(_ENDED_HINT))
        self._request = self._loop.create_task(post())
        self._request.add_done_callback(self._answered)

    def _answered(self, request: asyncio.Task[Answer]) -> None:
        connection = self._connection
        error = SessionClosed(_ENDED_HINT) if request.cancelled() else request.exception()
        if error is None:
            self._begin(request.result())
        else:
            connection.lost(error)

    def _begin(self, answer: Answer) -> None:
        body = answer.body
        if body and not body.lstrip().startswith(b"["):
            self._connection.lost(answer.error(f"and no messages: {_IS_IT}", body))
        else:
            self._take(answer, pieces(body))

    def _take(self, answer: Answer, messages: Iterator[list[bytes]]) -> None:
        """Takes the messages of a response. What it leaves open fails, being asked for by the request."""
        connection = self._connection
        for some in messages:
            connection.received(some)
            if connection.behind:
                connection.in_order(partial(self._take, answer, messages))
                return
        what = "with messages that do not answer the call" if answer.body else f"and nothing more: {_IS_IT}"
        connection.session.end_of_input(answer.error(what))
        connection.lost(SessionClosed(_ENDED_HINT))
