"""connect_blocking(): a session for scripts and notebooks, which have no event loop of their own. Rule: ordinary calls
that wait and give values; what is passed in (callbacks, targets) runs on the background thread.

    with connect_blocking("ws://localhost:8080/rpc", PublicApiBlockingStub, timeout=10) as api:
        profile = api.authenticate("token").get_profile(1)
        name = run(api, lambda api: api.authenticate("token").get_profile(1).name)    # the same in one round trip
"""

from __future__ import annotations

import socket
import ssl as ssl_module
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from capnweb_runtime.blocking.background import background, timeout
from capnweb_runtime.blocking.stub import (
    BlockingAnyStub,
    BlockingCallback,
    BlockingReadable,
    BlockingStub,
    BlockingWritable,
    Link,
)
from capnweb_runtime.connecting.connect import Connecting, connect
from capnweb_runtime.core.session import SessionStats
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.stub import RpcPromise, RpcStub
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import Observer

if TYPE_CHECKING:
    from capnweb_runtime.connecting.reconnect import Reconnect, State
    from capnweb_runtime.connecting.reconnecting import Reconnecting
    from capnweb_runtime.connecting.settings import Headers, Transport
    from capnweb_runtime.debugging.capabilities import Capability
    from capnweb_runtime.debugging.settings import Debug
    from capnweb_runtime.driving.interceptors import Interceptor

__all__ = [
    "BlockingAnyStub",
    "BlockingCallback",
    "BlockingReadable",
    "BlockingSession",
    "BlockingStub",
    "BlockingWritable",
    "connect_blocking",
    "run",
    "timeout",
]

S_co = TypeVar("S_co", bound=RpcStub, covariant=True)
B = TypeVar("B", bound=BlockingStub)
T = TypeVar("T")


class Covering(Protocol[S_co]):
    """A blocking stub, of which type checkers know what it covers."""

    @property
    def _stub(self) -> S_co: ...


class BlockingSession(Generic[B]):
    """An open session, as `connect_blocking` returns it: `with connect_blocking(...) as api:` gives the stub of the
    server's main object, and the session ends with the block.

    Attributes:
        main: the stub of the server's main object.
    """

    def __init__(self, connecting: Connecting[Any] | Reconnecting[Any], main: B, link: Link) -> None:
        self.main = main
        self._connecting = connecting
        self._link = link

    def close(self) -> None:
        """Ends the session and waits until its connection is closed; safe to repeat."""
        background = self._link.background
        if background.usable:
            background.wait(self._link.aclose, None)

    def drain(self, timeout: float | None = None) -> None:
        """Ends the session gracefully: calls in progress, of other threads, get their answers; new calls fail.

        Parameters:
            timeout: seconds to wait for the calls in progress; None means until all have an answer.
        """
        self._link.background.wait(lambda: self._connecting.drain(timeout), None)

    def stats(self) -> SessionStats:
        """Counts of what the session holds and has done."""
        return self._link.background.here(self._connecting.stats)

    def capabilities(self, most: int | None = None) -> tuple[Capability, ...]:
        """Lists what this side holds of the server, and what the server holds of this side.

        Parameters:
            most: how many imports and how many exports to list at most; None means all.
        """
        return self._link.background.here(lambda: self._connecting.capabilities(most))

    @property
    def state(self) -> State:
        """With `reconnect`, what the client is doing: "connecting", "ready", "waiting" before it tries again, or
        "closed". Without `reconnect`, "ready".
        """
        return getattr(self._connecting, "state", "ready")

    def wait_ready(self, timeout: float | None = None) -> None:
        """With `reconnect`, waits until there is a session. Without, returns at once.

        Parameters:
            timeout: seconds to wait; None means without end.

        Raises:
            SessionClosed: the client was closed, or has given up.
            TimeoutError: there was no session in time.
        """
        wait_ready = getattr(self._connecting, "wait_ready", None)
        if wait_ready is not None:
            self._link.background.wait(wait_ready, timeout)

    def __enter__(self) -> B:
        return self.main

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.main!r}>"


def connect_blocking(
    url: str | Iterable[str],
    stub: type[B],
    *,
    main: RpcTarget | None = None,
    headers: Headers | None = None,
    ssl: ssl_module.SSLContext | None = None,
    limits: Limits = DEFAULT_LIMITS,
    observer: Observer | None = None,
    open_timeout: float | None = 30.0,
    transport: Transport | None = None,
    timeout: float | None = None,
    reconnect: Reconnect | None = None,
    keepalive: float | None = 20.0,
    close_timeout: float = 10.0,
    call_timeout: float | None = None,
    interceptors: Sequence[Interceptor] = (),
    debug: Debug = None,
    sock: socket.socket | None = None,
) -> BlockingSession[B]:
    """Opens a session with a server, for programs without an event loop, and waits until it is open. Calls on its stubs
    wait for their results. The session itself runs on an event loop in a background thread, which all sessions of the
    process share.

    Parameters:
        url: address of the server, or several, as for `connect`. An `http://` or `https://` URL is for one batch, which
            one call, or one `run`, uses up.
        stub: class of the stub, generated with `--blocking` from the interface of the server's main object, such as
            `LibraryBlockingStub`; `BlockingAnyStub` where there is no schema.
        main: object of this side that the server may call. Its methods run on the background thread.
        headers: further headers of the request that opens the session; with `reconnect`, it may be a function that
            gives them.
        ssl: settings of TLS, for `wss://` and `https://`; None means the system's defaults.
        limits: what the server may make this side do and hold.
        observer: is told of failures of targets and callbacks of this side; by default they are logged.
        open_timeout: seconds to wait for the connection, at each URL; None means without end.
        transport: see `connect`.
        timeout: seconds that each blocking call may take; then it raises TimeoutError. None means without end. `with
            timeout(5):` sets it for some calls.
        reconnect: how to connect again when the session is lost; see `connect`. Its functions run on the background
            thread, and are given stubs that are not blocking.
        keepalive: see `connect`.
        close_timeout: seconds that closing waits for a server that does not answer.
        call_timeout: see `connect`; unlike `timeout`, it also bounds each call that is made in `run`.
        interceptors: see `connect`; they run on the background thread.
        debug: see `connect`.
        sock: see `connect`.

    Returns:
        The session: enter it with `with`, or use its `main`, and `close` it in the end.

    Raises:
        SessionClosed: there is no connection; the message names the URL and the cause. See `connect`.
        RuntimeError: this thread runs an event loop, which would stand still, or is the background thread.
        ValueError: as `connect` does.
        TypeError: as `connect` does.
    """
    settings: dict[str, Any] = {"main": main, "headers": headers, "ssl": ssl, "limits": limits, "observer": observer}
    settings |= {"call_timeout": call_timeout, "interceptors": interceptors, "sock": sock, "debug": debug}
    settings |= {"transport": transport, "reconnect": reconnect, "keepalive": keepalive, "close_timeout": close_timeout}
    connecting: Connecting[Any] | Reconnecting[Any] = connect(
        url, stub._covering, open_timeout=open_timeout, **settings
    )
    loop = background()

    async def close() -> None:
        await connecting.__aexit__(None, None, None)

    async def opened() -> RpcStub:
        api: RpcStub = await connecting
        return api

    api = loop.wait(opened, None)
    link = Link(loop, timeout, close, api.dispose)
    return BlockingSession(connecting, stub(api, link), link)


def run(stub: Covering[S_co], function: Callable[[S_co], Awaitable[T]]) -> T:
    """Runs a function on the background thread with the stub that is not blocking, and waits for its result: the way to
    make several calls in one round trip, as in `run(api, lambda api: api.friends().map(...))`.

    Parameters:
        stub: a blocking stub.
        function: function, plain or async, that is called with the stub behind `stub`, whose methods return promises,
            and returns a promise or another awaitable.

    Returns:
        What the awaitable gives. Stubs in it are not blocking; `XBlockingStub(stub)` makes a blocking one.

    Raises:
        TimeoutError: it took longer than `timeout` of the session, or of a `timeout` block, allows.
        RuntimeError: as `connect_blocking` does.
    """
    link: Link = getattr(stub, "_link")  # noqa: B009  # which the protocol leaves out, being for type checkers

    async def result() -> T:
        awaitable = function(stub._stub)
        try:
            return await awaitable
        except BaseException:
            if isinstance(awaitable, RpcPromise):
                awaitable.dispose()
            raise

    return link.wait(result)
