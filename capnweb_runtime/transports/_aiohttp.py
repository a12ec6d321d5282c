"""HTTP for batches, through aiohttp. Rule: nothing imports this module before the first HTTP request is made or
received.
"""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import lru_cache
from http import HTTPStatus

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.transports._peer import Peer, RefusedError, peer_of

_CONTENT_TYPE = "text/plain; charset=utf-8"
_KEEPALIVE_TIMEOUT = (
    75.0  # seconds between two requests of one connection; also bounds how long a client may take for the head of one
)


_CLIENT_KEEPALIVE = 2.0
"""Seconds for which a client keeps a connection for another batch: less than common servers do, so that no request is
sent into a connection that its server is just closing.
"""


class _TooLargeError(Exception):
    """A body is longer than allowed."""


async def _read(content: aiohttp.StreamReader, limit: int) -> bytes:
    if content.is_eof():
        body = content.read_nowait()
        if len(body) > limit:
            raise _TooLargeError
        return body
    chunks: list[bytes] = []
    size = 0
    async for chunk in content.iter_any():
        size += len(chunk)
        if size > limit:
            raise _TooLargeError
        chunks.append(chunk)
    return b"".join(chunks)


class BatchHttpServer:
    """Answers HTTP requests with batches, over aiohttp's request-handler protocol.

    Parameters:
        answer: runs one batch; gets the peer and the body, returns status and body of the response; may raise
            RefusedError.
        check: refuses a request before its body is read, by raising RefusedError.
        body_limit: longest request body, in bytes.
        body_timeout: seconds that a client has to send its body.
    """

    def __init__(
        self,
        answer: Callable[[Peer, bytes], Awaitable[tuple[int, bytes]]],
        check: Callable[[Peer], None],
        *,
        body_limit: int,
        body_timeout: float,
    ) -> None:
        self._answer = answer
        self._check = check
        self._body_limit = body_limit
        self._body_timeout = body_timeout
        # Bodies are not decompressed, so that a short one cannot become a long one; a client's disconnecting ends its
        # batch.
        self._server = web.Server(
            self._handle,
            handler_cancellation=True,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=_KEEPALIVE_TIMEOUT,
        )

    def protocol(self) -> asyncio.Protocol:
        """A protocol for one connection."""
        return self._server()

    @property
    def busy(self) -> bool:
        """Whether a connection is open."""
        return bool(self._server.connections)

    async def close(self, grace: float) -> None:
        """Closes every connection: idle ones at once, others once their request is answered or the time is up.

        Parameters:
            grace: seconds to wait for requests in progress.
        """
        self._server.pre_shutdown()
        await self._server.shutdown(grace)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        peername = None if request.transport is None else request.transport.get_extra_info("peername")
        peer = peer_of(request.headers.items(), peername, request.raw_path, "http")
        try:
            self._check(peer)
            if request.method != "POST":
                return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})
            body = await self._body(request)
            status, text = await self._answer(peer, body)
        except RefusedError as refused:
            response = web.Response(status=refused.status, text=refused.text + "\n")
            response.force_close()
            return response
        headers = {"Content-Type": _CONTENT_TYPE}
        if "Origin" in peer.headers:  # it was checked; the browser asks whether the page may read the answer
            headers |= {"Access-Control-Allow-Origin": peer.headers["Origin"], "Vary": "Origin"}
        return web.Response(status=status, body=text, headers=headers)

    async def _body(self, request: web.BaseRequest) -> bytes:
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A batch must be sent without Content-Encoding.")
        try:
            if request.content_length is not None and request.content_length > self._body_limit:
                raise _TooLargeError
            if request.content.is_eof():  # it came with the head, as that of most batches does
                return await _read(request.content, self._body_limit)
            async with asyncio.timeout(self._body_timeout):
                return await _read(request.content, self._body_limit)
        except _TooLargeError:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"A batch may have {self._body_limit} bytes; send less or use a WebSocket.",
            ) from None
        except TimeoutError:
            raise RefusedError(
                HTTPStatus.REQUEST_TIMEOUT, f"The body did not arrive within {self._body_timeout} s."
            ) from None


async def _client() -> aiohttp.ClientSession:
    """The client of the running loop, made at its first use and closed when the loop is shut down."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = _closed_with_loop(loop)
        await anext(_clients[loop])
    return _sessions[loop]


@lru_cache(maxsize=16)
def _timeout(open_timeout: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=open_timeout)


async def _closed_with_loop(loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None]:
    """Holds the client of a loop. A loop that is shut down, as `asyncio.run` does it, ends the asynchronous generators
    that have begun in it, and this one ends with its client.
    """
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_CLIENT_KEEPALIVE)
    _sessions[loop] = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
    try:
        yield
    finally:
        del _clients[loop]
        await _sessions.pop(loop).close()


_clients: dict[asyncio.AbstractEventLoop, AsyncGenerator[None]] = {}
_sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}


async def post(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    ssl: ssl_module.SSLContext | None,
    open_timeout: float | None,
    body_limit: int,
) -> bytes:
    """Sends one batch.

    Parameters:
        url: where to, http:// or https://.
        body: the request's body.
        headers: headers of the request.
        ssl: settings of TLS; None means the system's defaults.
        open_timeout: seconds to wait for a connection; for the response there is no bound, since calls take what they
            take.
        body_limit: longest response body, in bytes.

    Returns:
        The response's body.

    Raises:
        SessionClosed: there is no response, or its status is not of success.
    """
    sent = CIMultiDict({"Content-Type": _CONTENT_TYPE})
    sent.update(headers)
    try:
        client = await _client()
        # Redirects are not followed: they would carry the headers, credentials among them, to wherever the answer says.
        async with client.post(
            url, data=body, headers=sent, ssl=ssl or True, allow_redirects=False, timeout=_timeout(open_timeout)
        ) as response:
            answer = await _read(response.content, body_limit)
    except _TooLargeError:
        raise SessionClosed(f"RPC request failed: the response is longer than {body_limit} bytes.") from None
    except (aiohttp.ClientError, OSError) as error:
        raise SessionClosed(f"RPC request failed: {str(error) or type(error).__name__}") from error
    if not 200 <= response.status < 300:
        failure = SessionClosed(f"RPC request failed: {response.status} {response.reason}")
        failure.add_note(answer[:2000].decode("utf-8", "replace"))
        raise failure
    return answer
