"""connect_blocking(): a session for scripts and notebooks, which have no event loop of their own. Rule: ordinary calls
that wait and give values; what is passed in (callbacks, targets) runs on the background thread.

    with connect_blocking("ws://localhost:8080/rpc", PublicApiBlockingStub, timeout=10) as api:
        profile = api.authenticate("token").get_profile(1)
        name = run(api, lambda api: api.authenticate("token").get_profile(1).name)    # the same in one round trip
"""

from __future__ import annotations

import ssl as ssl_module
from collections.abc import Awaitable, Callable, Sequence
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
    """An open session. Used in a `with` block it gives the main object, and ends with the block.

    Attributes:
        main: the server's main object.
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
        """Ends the session gracefully: calls that other threads have in progress are answered, further ones fail.

        Parameters:
            timeout: seconds to wait for the calls; None means until they are answered.
        """
        self._link.background.wait(lambda: self._connecting.drain(timeout), None)

    def stats(self) -> SessionStats:
        """Counts of what the session holds and has done."""
        return self._link.background.here(self._connecting.stats)

    def capabilities(self, most: int | None = None) -> tuple[Capability, ...]:
        """What the session holds of the server, and the server of it; see `Connection.capabilities`.

        Parameters:
            most: how many imports, and how many exports, to look at; None means all.
        """
        return self._link.background.here(lambda: self._connecting.capabilities(most))

    @property
    def state(self) -> State:
        """With `reconnect`, what the client is at; see `Reconnecting.state`. Without, "ready"."""
        return getattr(self._connecting, "state", "ready")

    def wait_ready(self, timeout: float | None = None) -> None:
        """With `reconnect`, waits until there is a session.

        Parameters:
            timeout: seconds to wait; None means without end.

        Raises:
            SessionClosed: the client has ended.
            TimeoutError: there was none in time.
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
    url: str,
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
) -> BlockingSession[B]:
    """Connects to a server, and waits until it is connected.

    Parameters:
        url: ws:// or wss:// for a session; http:// or https:// for one batch, which one call, or one `run`, uses up.
        stub: generated blocking stub class of the server's main object.
        main: our own main object, for the server to call. Its methods run on the background thread.
        headers: headers of the request, beside those of the protocol; with `reconnect`, a function may give them.
        ssl: settings of TLS; None means the system's defaults.
        limits: bounds of the session.
        observer: is told of failures of our own targets and callbacks; by default they are logged.
        open_timeout: seconds to wait for the connection; None means without end.
        transport: see `connect`.
        timeout: seconds that each call may take; None means without end. For some calls, say `with timeout(5):`.
        reconnect: connects again whenever the session is lost; see `connect`. What it calls runs on the background
            thread, and is given stubs that are not blocking.
        keepalive: see `connect`.
        close_timeout: seconds for which closing waits for a server that is silent.
        call_timeout: see `connect`; it holds for what `run` calls, too.
        interceptors: see `connect`; they run on the background thread.

    Returns:
        The session: enter it with `with`, or take its `main` and `close` it.

    Raises:
        SessionClosed: there is no connection; the message names the URL and the cause. See `connect`.
        ValueError: the URL's scheme is none of the four, `keepalive` is not positive, or `close_timeout` is negative.
    """
    settings: dict[str, Any] = {"main": main, "headers": headers, "ssl": ssl, "limits": limits, "observer": observer}
    settings |= {"call_timeout": call_timeout, "interceptors": interceptors}
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
    """Runs a function on the background loop with the stub that is not blocking, and waits for what it gives.

    This is how calls are pipelined and mapped, in one round trip: `run(api, lambda api: api.friends().map(...))`.

    Parameters:
        stub: a blocking stub.
        function: called with what it covers; it may be async. Capabilities in its result have to be awaited, as in the
            async face; `XBlockingStub(x)` covers one.

    Raises:
        TimeoutError: it took longer than the session, or the `timeout` block, allows.
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
