"""serve(): what a server is asked for. Rule: what is wrong with the request is said before anything listens."""

from __future__ import annotations

import ssl as ssl_module
from collections.abc import Generator, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.observe import Observer
from capnweb_runtime.serving.admission import MainFactory, Rules
from capnweb_runtime.serving.factory import check_factory
from capnweb_runtime.serving.server import Place, Server

if TYPE_CHECKING:
    from capnweb_runtime.driving.attending import Terms
    from capnweb_runtime.driving.interceptors import Interceptor

__all__ = ["Serving", "serve"]


class Serving:
    """A server that is about to start: `async with serve(...) as server:` or `server = await serve(...)`."""

    def __init__(self, place: Place, rules: Rules) -> None:
        self._place = place
        self._rules = rules
        self._server: Server | None = None

    def __await__(self) -> Generator[Any, Any, Server]:
        return self._start().__await__()

    async def __aenter__(self) -> Server:
        self._server = await self._start()
        return self._server

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None:
            await self._server.close()

    async def _start(self) -> Server:
        server = Server(self._place, self._rules)
        await server.start()
        return server


def serve(
    main_factory: MainFactory,
    host: str | None,
    port: int,
    *,
    path: str | None = "/",
    ssl: ssl_module.SSLContext | None = None,
    origins: Iterable[str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    observer: Observer | None = None,
    request_timeout: float = 30.0,
    errors: Disclosure = "plain",
    threads: int | None = None,
    cancel_lost: bool = False,
    call_timeout: float | None = None,
    interceptors: Sequence[Interceptor] = (),
) -> Serving:
    """Serves sessions over WebSocket and HTTP batch on one port and path.

    Parameters:
        main_factory: makes the main object of a new session; it gets the peer, and may be async. Raising `Refuse` it
            refuses the session with a status of its own, raising anything else with 500.
        host: address to listen on; None means every one.
        port: port to listen on; 0 means any, see `Server.port`.
        path: path that is served, anything else is 404; None means every path.
        ssl: settings of TLS, for wss:// and https://.
        origins: web origins, such as "https://app.example", whose pages may connect beside those of the server's own
            host; "*" allows every one. Programs that are no browsers send no origin and may always connect.
        limits: bounds of each session. A batch as a whole may have as many bytes as a message.
        observer: is told of failures; by default they are logged.
        request_timeout: seconds that a client has for the TLS handshake, for the head of its first request, and for the
            body of a batch; and an async `main_factory` for the main object.
        errors: which errors a peer is sent as they are. "declared": those that the schema declares with `@raises`, and
            RpcError. "plain": those, and what people raise to tell a caller something, that is instances of exactly
            ValueError, TypeError, LookupError, NotImplementedError, TimeoutError, or PermissionError without an errno.
            "all": every one, as the npm package does. In place of any other the peer gets an RpcError with a reference
            number, under which the log has the error with its traceback.
        threads: how many plain methods (`def`) run at a time, in threads of their own, for servers whose methods block.
            None runs them on the event loop, which is faster, and stops every session while one of them blocks; see
            `in_thread` for single methods.
        cancel_lost: whether every call whose result the peer waits for is cancelled when its session is lost, as if its
            method were declared `@cancellable`.
        call_timeout: seconds that a call may take; then it fails with a DeadlineExceeded, and its task is cancelled.
            Where its caller has a nearer deadline, that counts. None means without end.
        interceptors: what the calls of all sessions pass, in both directions, the first one outermost; see `CallInfo`.

    Returns:
        What starts the server: await it, or enter it with `async with`, which closes the server on leaving.

    Raises:
        TypeError: origins is one string; or main_factory cannot make a main object, being one itself, say, or a class
            that takes no peer or that leaves out methods.
        ValueError: the path does not start with a slash, `errors` is none of the three, or `threads` is less than 1.
    """
    _check(main_factory, path, origins, errors, threads)
    allowed = None if origins is None else frozenset(origins)
    terms = _terms(cancel_lost, call_timeout, interceptors)
    rules = Rules(main_factory, path, allowed, limits, observer, request_timeout, errors, threads, terms)
    return Serving(Place(host, port, ssl), rules)


def _terms(cancel_lost: bool, call_timeout: float | None, interceptors: Sequence[Interceptor]) -> Terms | None:
    if not cancel_lost and call_timeout is None and not interceptors:
        return None
    # Of no use to a server without terms.
    from capnweb_runtime.driving.attending import Terms  # noqa: PLC0415

    return Terms(cancel_lost, call_timeout, tuple(interceptors))


def _check(
    main_factory: MainFactory, path: str | None, origins: Iterable[str] | None, errors: str, threads: int | None
) -> None:
    """Raises what `serve` raises for these."""
    check_factory(main_factory)
    if isinstance(origins, str):
        raise TypeError(f'origins takes several, as in origins=["{origins}"]')
    if path is not None and not path.startswith("/"):
        raise ValueError(f'path has to start with a slash, as in path="/{path}"; None serves every path')
    if errors not in ("declared", "plain", "all"):
        raise ValueError(f'errors has to be "declared", "plain" or "all", not {errors!r}')
    if threads is not None and threads < 1:
        raise ValueError(f"threads has to be at least 1, not {threads}; None runs plain methods on the event loop")
