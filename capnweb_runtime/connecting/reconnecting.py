"""What `connect(reconnect=...)` returns: one stub, for as many sessions as it takes. Rule: it is used as a single
session is.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from capnweb_runtime.connecting.lasting import MainLastingHook
from capnweb_runtime.connecting.reconnect import Reconnect, State
from capnweb_runtime.connecting.settings import Settings, in_time
from capnweb_runtime.connecting.succession import Succession
from capnweb_runtime.core.hook import Hook
from capnweb_runtime.core.session import SessionStats
from capnweb_runtime.driving.asyncio_host import AsyncioHost
from capnweb_runtime.driving.connection import FINISHING, Connection
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.objects.stub import RpcStub
from capnweb_runtime.objects.target import target_hook

if TYPE_CHECKING:
    from capnweb_runtime.debugging.capabilities import Capability

S = TypeVar("S", bound=RpcStub)


class Dialling:
    """Opens one connection after another to the same server; where it has several addresses, each behind the one of the
    session before.

    Parameters:
        settings: of each; every session has their main object, which is disposed once `close` has been called.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: Hook | None = None
        self._stub: object = None
        self._next = 0  # index of the address that is tried first

    def sessions(
        self, dial: Callable[[], Awaitable[Connection]], policy: Reconnect, stub: Callable[[Hook], object]
    ) -> Succession:
        """Sessions that take each other's place; see `Succession`.

        Parameters:
            dial: opens a connection, as `open` does.
            policy: when and how to try again.
            stub: makes stubs.
        """
        settings = self._settings
        self._stub = stub
        return Succession(
            dial,
            policy,
            stub,
            limits=settings.limits,
            observer=settings.observer,
            call_within=settings.call_timeout,
            intercepts=bool(settings.interceptors),
        )

    async def open(self) -> Connection:
        """Opens a connection. Raises SessionClosed if there is none, and what asking for headers raises."""
        settings = self._settings
        given = settings.headers() if callable(settings.headers) else settings.headers
        headers = await given if inspect.isawaitable(given) else given
        connection = settings.connection(None)
        connection.main_stub = self._stub
        if settings.main is not None:
            # One share is kept here, so that the end of a session does not dispose it.
            if self._kept is None:
                loop = asyncio.get_running_loop()
                host = AsyncioHost(loop, observer=settings.observer, limits=settings.limits)
                self._kept = target_hook(settings.main, host)
            connection.session.export_main(self._kept.dup())
        # Whoever comes next begins at the next address, also while this one is being opened: it is another session of a
        # pool then, or this one's end says nothing good of the address that it had.
        first, self._next = self._next, self._next + 1
        opened = await settings.open(connection, headers, first)
        if opened != first % len(settings.urls):
            self._next = opened + 1
        return connection

    def close(self) -> None:
        """No session is opened any more."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.dispose()


class Reconnecting(Generic[S]):
    """What `connect(..., reconnect=Reconnect())` returns: a client that connects when this is entered, `async with
    connect(...) as api:`, or awaited, `api = await connect(...)`, and connects again when its session is lost.

    Leaving `async with` disposes the stub, which ends the client, and waits until its connection is closed. After
    `await`, the caller has to do that: `api.dispose()`.

    Parameters:
        dialling: opens connections.
        stub: class of the stub.
        policy: when and how to connect again.
    """

    def __init__(self, dialling: Dialling, stub: type[S], policy: Reconnect) -> None:
        self._dialling = dialling
        self._stub = stub
        self._policy = policy
        self._succession: Succession | None = None

    def __await__(self) -> Generator[Any, Any, S]:
        return self._open().__await__()

    async def __aenter__(self) -> S:
        return await self._open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        succession = self._opened()
        succession.shut_down()
        await succession.wait_closed()

    @property
    def state(self) -> State:
        """What the client is doing: "connecting"; "ready" while there is a session; "waiting" before it tries again;
        "closed" once it has ended.
        """
        return "connecting" if self._succession is None else self._succession.state

    @property
    def sessions(self) -> int:
        """How many sessions there have been; each after the first one took the place of one that was lost."""
        return 0 if self._succession is None else self._succession.generation

    async def wait_ready(self) -> None:
        """Waits until there is a session.

        Raises:
            SessionClosed: the client was closed, or has given up.
            DeadlineExceeded: a `deadline` block around this ended first.
        """
        await in_time(self._opened().wait_ready())

    async def drain(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Ends the client gracefully. New calls fail with SessionClosed; calls in progress that somebody awaits, and
        calls that wait for a connection, get their answers, on another session if need be, and so do those of the
        server; then the session says goodbye, and this waits until the connection is closed.

        Parameters:
            timeout: seconds to wait for the calls in progress; those without an answer by then fail. None means until
                all have one.

        Raises:
            RuntimeError: the client has not been started yet.
        """
        succession = self._opened()
        succession.refuse_calls(SessionClosed(FINISHING))
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await succession.wait_idle()
                if succession.connection is not None:
                    await succession.connection.finish()
        succession.shut_down()
        await succession.wait_closed()

    def stats(self) -> SessionStats:
        """Counts of what the current session holds and has done; of the last one, if there is none now.

        Raises:
            RuntimeError: there has been no session yet.
        """
        return self._connection().stats()

    def capabilities(self, most: int | None = None) -> tuple[Capability, ...]:
        """Lists what this side holds of the server in the current session, and what the server holds of this side.

        Parameters:
            most: how many imports and how many exports to list at most; None means all.

        Raises:
            RuntimeError: there has been no session yet.
        """
        return self._connection().capabilities(most)

    def _connection(self) -> Connection:
        connection = None if self._succession is None else self._succession.connection
        if connection is None:
            raise RuntimeError("no session has been opened: enter it with `async with`, or await it, first")
        return connection

    def _opened(self) -> Succession:
        if self._succession is None:
            raise RuntimeError("the client has not been started: enter it with `async with`, or await it, first")
        return self._succession

    async def _open(self) -> S:
        if self._succession is not None:
            raise RuntimeError("connect(...) gives one client; call it again for another")
        dialling = self._dialling
        succession = self._succession = dialling.sessions(dialling.open, self._policy, self._stub)
        succession.when_ended(dialling.close)
        try:
            await in_time(succession.wait_ready())
        except BaseException:
            succession.shut_down()
            raise
        return self._stub(MainLastingHook(succession.root))
