"""Answering batches over HTTP, through aiohttp. Rule: nothing imports this module before the first HTTP request is
received.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import HttpProcessingError

from capnweb_runtime.core.held import HeldTotal
from capnweb_runtime.errors import LimitExceeded
from capnweb_runtime.observe import printable
from capnweb_runtime.serving.bounds import Guest
from capnweb_runtime.serving.cors import answer_headers, is_preflight, preflight_headers
from capnweb_runtime.serving.http_socket import HttpSocket
from capnweb_runtime.serving.pages import Page, Pages, shown
from capnweb_runtime.serving.peer import Peer, Refuse, log_refusal, logger, peer_on
from capnweb_runtime.serving.refusals import Busy
from capnweb_runtime.serving.replies import Reply, description, not_allowed, refusal
from capnweb_runtime.transports.http_batch import CONTENT_TYPE
from capnweb_runtime.transports.http_body import TooLargeError, read_body

if TYPE_CHECKING:
    from capnweb_runtime.serving.forwarded import Forwarded

_KEEPALIVE_TIMEOUT = (
    75.0  # seconds between two requests of one connection; also bounds how long a client may take for the head of one
)


class _Log(logging.LoggerAdapter[logging.Logger]):
    """Where aiohttp logs to. Requests that it cannot read are strangers', and interest those alone who debug."""

    def exception(self, msg: object, *args: object, exc_info: Any = True, **kwargs: Any) -> None:
        if isinstance(exc_info, HttpProcessingError):
            self.debug("no request: %s; %s", str(msg) % args, printable(str(exc_info)))
        else:
            self.error(msg, *args, exc_info=exc_info, **kwargs)


class BatchHttpServer:
    """Answers HTTP requests with batches, over aiohttp's request-handler protocol.

    Parameters:
        answer: runs one batch; gets the peer and the body, returns status and body of the response; may raise
            Refuse.
        check: refuses a request before its body is read, by raising Refuse; with `describing`, one that only asks what
            is served.
        body_limit: longest request body, in bytes.
        held: what the server holds; bodies count while they come in.
        forwarded: proxies that are believed; None if none is.
        describe: says what is served to a peer; may raise Refuse. None if that is not told.
        pages: what is answered beside batches.

    Attributes:
        keeps: whether connections are kept after a batch; else its answer says that it was the last one.
    """

    def __init__(
        self,
        answer: Callable[[Peer, bytes], Awaitable[tuple[int, bytes]]],
        check: Callable[..., None],
        *,
        body_limit: int,
        held: HeldTotal | None = None,
        forwarded: Forwarded | None = None,
        describe: Callable[[Peer], Awaitable[bytes]] | None = None,
        pages: Pages | None = None,
    ) -> None:
        self._describe = describe
        self._forwarded = forwarded
        self._pages = pages or Pages()
        self._answer = answer
        self._check = check
        self._body_limit = body_limit
        self.keeps = True
        self._held = held
        # Bodies are not decompressed, so that a short one cannot become a long one; a client's disconnecting ends its
        # batch.
        self._server = web.Server(
            self._handle,
            handler_cancellation=True,
            access_log=None,
            logger=_Log(logger, {}),
            auto_decompress=False,
            keepalive_timeout=_KEEPALIVE_TIMEOUT,
        )

    def protocol(self, guest: Guest, websocket: Callable[[], asyncio.Protocol] | None = None) -> asyncio.Protocol:
        """A protocol for one connection.

        Parameters:
            guest: the connection, as the bounds of the server know it.
            websocket: makes the protocol for a WebSocket that is asked for after a batch; None if none is served.
        """
        return HttpSocket(self._server(), guest, websocket)

    def is_unused(self) -> bool:
        """Whether there are no connections."""
        return not self._server.connections

    def end_idle(self) -> None:
        """Closes every connection as soon as it has no request to be answered."""
        self._server.pre_shutdown()

    async def close(self, grace: float) -> None:
        """Closes every connection: idle ones at once, others once their request is answered or the time is up.

        Parameters:
            grace: seconds to wait for requests in progress.
        """
        self._server.pre_shutdown()
        await self._server.shutdown(grace)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        peer = self._peer(request)
        allowed: dict[str, str] = {}
        socket = HttpSocket.here()
        describe = self._describe if request.method == "GET" else None
        try:
            page = self._pages.find(peer.path)
            if page is not None:
                return await _shown(page, peer, request, socket)
            if describe is None:
                self._check(peer)
            else:
                self._check(peer, describing=True)
            allowed = answer_headers(peer)
            if is_preflight(request.method, peer):
                return web.Response(status=HTTPStatus.NO_CONTENT, headers=preflight_headers(peer))
            if request.method != "POST" and describe is None:
                raise not_allowed(self._describe is not None)
            body = await self._body(request, socket) if describe is None else b""
            socket.is_whole()
            try:
                if describe is not None:
                    return _response_to(request, description(await describe(peer), allowed))
                status, text = await self._answer(peer, body)
            finally:
                socket.is_answered()
        except Refuse as refused:
            socket.is_refused()
            log_refusal(peer, refused)
            return _refusal(refused, allowed)
        response = web.Response(status=status, body=text, headers={"Content-Type": CONTENT_TYPE, **allowed})
        if not self.keeps:
            response.force_close()
        return response

    def _peer(self, request: web.BaseRequest) -> Peer:
        peer = peer_on(request.transport, request.headers.items(), request.raw_path, "http")
        return peer if self._forwarded is None else self._forwarded.seen(peer)

    async def _body(self, request: web.BaseRequest, socket: HttpSocket) -> bytes:
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A batch must be sent without Content-Encoding.")
        try:
            if request.content_length is not None and request.content_length > self._body_limit:
                raise TooLargeError
            if request.content.is_eof():  # it came with the head, as that of most batches does
                return await read_body(request.content, self._body_limit)
            await _ask_for_body(request)
            return await socket.whole(read_body(request.content, self._body_limit, self._held))
        except LimitExceeded:
            raise Busy from None
        except TooLargeError:
            raise Refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"A batch may have {self._body_limit} bytes; send less or use a WebSocket.",
            ) from None
        except (HttpProcessingError, web.RequestPayloadError) as error:  # chunks that are none
            logger.debug("no body from %s: %s", request.remote, printable(str(error)))
            raise Refuse(HTTPStatus.BAD_REQUEST, "The body is not what its headers say.") from None


async def _shown(page: Page, peer: Peer, request: web.BaseRequest, socket: HttpSocket) -> web.Response:
    socket.is_whole()
    try:
        reply = await shown(page, peer, request.method)
    finally:
        socket.is_answered()
    return _response_to(request, reply)


async def _ask_for_body(request: web.BaseRequest) -> None:
    """Tells a client that waits for leave to send its body to do so."""
    # https://datatracker.ietf.org/doc/html/rfc9110#section-10.1.1: such a client gets a 100 or a final status.
    if request.version < HttpVersion11 or "Expect" not in request.headers:
        return
    if request.headers["Expect"].lower() != "100-continue":
        raise Refuse(HTTPStatus.EXPECTATION_FAILED, "Of Expect headers, 100-continue alone is understood.")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # of the answer itself, nothing has been sent


def _refusal(refused: Refuse, allowed: Mapping[str, str]) -> web.Response:
    response = _response(refusal(refused, allowed))
    response.force_close()
    return response


def _response_to(request: web.BaseRequest, reply: Reply) -> web.Response:
    response = _response(reply)
    if request.can_read_body:  # which nobody will
        response.force_close()
    return response


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
