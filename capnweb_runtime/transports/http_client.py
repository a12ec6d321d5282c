"""Sending batches over HTTP, through aiohttp. Rule: nothing imports this module before the first HTTP request is
made.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import ssl as ssl_module
from collections.abc import AsyncGenerator, Mapping
from functools import lru_cache
from typing import TypeAlias

import aiohttp
from multidict import CIMultiDict

from capnweb_runtime.errors import ConnectionLost, SessionClosed
from capnweb_runtime.transports.ends import said
from capnweb_runtime.transports.http_batch import CONTENT_TYPE, Answer, batch_refused, request_failed
from capnweb_runtime.transports.http_body import TooLargeError, read_body
from capnweb_runtime.transports.unix import unix_url_of

_AT_ONCE = 1 << 20  # bytes of a body that are sent in one go
_CLIENT_KEEPALIVE = 2.0
"""Seconds for which a client keeps a connection for another batch: less than common servers do, so that no request is
sent into a connection that its server is just closing.
"""


async def _client(file: str | None) -> aiohttp.ClientSession:
    """The client of the running loop, made at its first use and closed when the loop is shut down; one of its own for a
    socket that is a file.
    """
    key = asyncio.get_running_loop(), file
    if key not in _clients:
        _clients[key] = _closed_with_loop(key)
        await anext(_clients[key])
    return _sessions[key]


@lru_cache(maxsize=16)
def _timeout(open_timeout: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=open_timeout)


async def _closed_with_loop(key: _Key) -> AsyncGenerator[None]:
    """Holds the client of a loop. A loop that is shut down, as `asyncio.run` does it, ends the asynchronous generators
    that have begun in it, and this one ends with its client.
    """
    _, file = key
    connector: aiohttp.BaseConnector
    if file is None:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_CLIENT_KEEPALIVE)
    else:
        connector = aiohttp.UnixConnector(file, limit=0, keepalive_timeout=_CLIENT_KEEPALIVE)
    _sessions[key] = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
    try:
        yield
    finally:
        del _clients[key]
        await _sessions.pop(key).close()


_Key: TypeAlias = tuple[asyncio.AbstractEventLoop, str | None]
_clients: dict[_Key, AsyncGenerator[None]] = {}
_sessions: dict[_Key, aiohttp.ClientSession] = {}


def _in_portions(body: bytes) -> bytes | io.BytesIO:
    """A body as aiohttp wants it: it warns of long ones that it has to send at once."""
    return body if len(body) < _AT_ONCE else io.BytesIO(body)


async def post(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    ssl: ssl_module.SSLContext | None,
    open_timeout: float | None,
    body_limit: int,
) -> Answer:
    """Sends one batch.

    Parameters:
        url: where to, http:// or https://, or of a file, see `unix`.
        body: the request's body.
        headers: headers of the request.
        ssl: settings of TLS; None means the system's defaults.
        open_timeout: seconds to wait for a connection; for the response there is no bound, since calls take what they
            take.
        body_limit: longest response body, in bytes.

    Returns:
        The response.

    Raises:
        SessionClosed: there is no response, or its status is not of success. It names the URL and what was said, and
            its class says which of the two it was.
    """
    sent = CIMultiDict({"Content-Type": CONTENT_TYPE})
    sent.update(headers)
    return await _ask("POST", url, _in_portions(body), sent, ssl, open_timeout, body_limit)


async def get(
    url: str, *, headers: Mapping[str, str], ssl: ssl_module.SSLContext | None, open_timeout: float | None, limit: int
) -> Answer:
    """Asks for what is at a URL.

    Parameters:
        url: as of `post`, and so are the others.
        headers: headers of the request.
        ssl: settings of TLS.
        open_timeout: seconds to wait for a connection.
        limit: longest response body, in bytes.

    Returns:
        The response.

    Raises:
        SessionClosed: as `post` does.
    """
    return await _ask("GET", url, None, CIMultiDict(headers), ssl, open_timeout, limit)


async def _ask(
    method: str,
    url: str,
    body: bytes | io.BytesIO | None,
    headers: CIMultiDict[str],
    ssl: ssl_module.SSLContext | None,
    open_timeout: float | None,
    body_limit: int,
) -> Answer:
    plain, file = unix_url_of(url) or (url, None)
    try:
        client = await _client(file)
        # Redirects are not followed: they would carry the headers, credentials among them, to wherever the answer says.
        async with client.request(
            method,
            plain,
            data=body,
            headers=headers,
            ssl=ssl or True,
            allow_redirects=False,
            timeout=_timeout(open_timeout),
        ) as response:
            answer: bytes | None = None
            with contextlib.suppress(TooLargeError):
                answer = await read_body(response.content, body_limit)
    except (aiohttp.ClientError, OSError) as error:
        raise request_failed(url, str(error) or type(error).__name__, kind=_kind(error)) from error
    if answer is None:
        raise request_failed(url, f"the response is longer than {body_limit} bytes", response.status)
    reason = response.reason or ""
    if not 200 <= response.status < 300:
        why = said(response.status, reason, answer, response.headers.get("Location"))
        failure = batch_refused(url, why, response.status, response.headers.get("Retry-After"))
        failure.add_note(answer[:2000].decode("utf-8", "replace"))
        raise failure
    return Answer(answer, response.status, reason, url)


def _kind(error: Exception) -> type[SessionClosed]:
    """Whether a connection broke, which may go better another time, or the ends do not fit together."""
    broke = isinstance(error, (OSError, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError))
    return ConnectionLost if broke and not isinstance(error, aiohttp.ClientSSLError) else SessionClosed
