"""Sessions that take each other's place. Rule: a session is published once it is ready; when it is lost, it is known of
each call whether it may have arrived.

    dial → on_connect → published, calls go out → lost → on_disconnect → wait → dial → …
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from capnweb_runtime.connecting.lasting import Root
from capnweb_runtime.connecting.outstanding import Outstanding, wake
from capnweb_runtime.connecting.reconnect import Connected, Reconnect, State, is_fault
from capnweb_runtime.core.hook import Hook
from capnweb_runtime.core.session import Session
from capnweb_runtime.driving.asyncio_host import AsyncioHost
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.stub import outside
from capnweb_runtime.observe import Observer


class Succession(Outstanding):
    """The sessions of one client.

    Parameters:
        dial: opens a connection, in which nothing has been called yet.
        policy: when and how to try again.
        stub: makes the stub that `Reconnect.on_connect` is given.
        limits: bounds of the client.
        observer: is told of failures of callbacks.
        call_within: seconds that each call may take, with all the time that it waits; None means without end.
        intercepts: whether the calls of its connections pass interceptors.

    Attributes:
        connection: what carries the current session, or carried the one before.
        state: what it is at.
        root: what leads to the main object.
    """

    def __init__(
        self,
        dial: Callable[[], Awaitable[Connection]],
        policy: Reconnect,
        stub: Callable[[Hook], object],
        *,
        limits: Limits = DEFAULT_LIMITS,
        observer: Observer | None = None,
        call_within: float | None = None,
        intercepts: bool = False,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        host = AsyncioHost(self._loop, observer=observer, limits=limits)
        super().__init__(policy, host, call_within, intercepts)
        self.connection: Connection | None = None
        self.state: State = "connecting"
        self.root = Root(self)
        self._dial = dial
        self._policy = policy
        self._stub = stub
        self._waits = 0  # in a row: before attempts since the last session that brought an answer
        self._attempts = 0  # those
        self._on_end: Callable[[], object] = lambda: None
        self._news: list[asyncio.Future[None]] = []  # of those who wait until it is ready
        with outside():
            self._task = self._loop.create_task(self._run())

    # ---- for the application

    async def wait_ready(self) -> None:
        """Waits until there is a session. Raises what it has ended with, if it has."""
        while self.state != "ready":
            if self.reason is not None:
                raise self.reason
            news: asyncio.Future[None] = self._loop.create_future()
            self._news.append(news)
            await news

    def renew(self, error: BaseException) -> None:
        """Ends the session, as if it had been lost; another takes its place."""
        if self.connection is not None and self.session is not None:
            self.connection.abort(error, notify=False)

    def shut_down(self) -> None:
        """Ends it, and the session. Safe to repeat."""
        reason = SessionClosed("RPC session was shut down by disposing the main stub")
        self._task.cancel()
        self._end(reason)

    async def wait_closed(self) -> None:
        """Waits until it has ended and its last connection is closed."""
        await asyncio.wait([self._task])
        if self.connection is not None:
            await self.connection.wait_closed()

    def when_ended(self, callback: Callable[[], object]) -> None:
        """Calls back once it has ended. There is one such callback."""
        self._on_end = callback

    # ---- sessions

    async def _run(self) -> None:
        lost: BaseException | None = None
        try:
            while True:
                self.state = "connecting"
                try:
                    gone = await self._attempt(lost)
                except Exception as error:
                    failed: BaseException = error
                    failures = self._attempts
                else:
                    failed = lost = await gone
                    failures = max(self._attempts - 1, 0)  # whether or not it has brought anything, it has connected
                    await self._tell_disconnected(lost)
                if not self._policy.is_worth(failed, failures):
                    self._end(failed)
                    return
                self.state = "waiting"
                delay = self._policy.delay(self._waits, failed)
                self._waits += 1
                await self._policy.sleep(delay)
        except BaseException as error:
            self._end(SessionClosed("the client was cancelled") if isinstance(error, asyncio.CancelledError) else error)
            if not isinstance(error, Exception):
                raise

    async def _attempt(self, lost: BaseException | None) -> asyncio.Future[BaseException]:
        """Opens a connection, and publishes its session. Returns a future that gives what the session ends with."""
        self._attempts += 1
        connection = await self._dial()
        session = connection.session
        gone: asyncio.Future[BaseException] = self._loop.create_future()
        self.connection = connection
        try:
            if session.closed:
                raise session.reason or SessionClosed("the session has ended")
            session.watch(lambda error: self._lost(session, gone, error))
            await self._introduce(connection, gone, lost)
        except BaseException as error:
            loss = gone.result() if gone.done() else None
            connection.abort(SessionClosed("the client gave the session up before it was used"), notify=False)
            if loss is not None and loss is not error and isinstance(error, Exception):
                raise loss from error
            raise
        self._publish(session)
        return gone

    async def _introduce(
        self, connection: Connection, gone: asyncio.Future[BaseException], lost: BaseException | None
    ) -> None:
        """Lets the application have the session before all others."""
        if self._policy.on_connect is not None:
            stub = self._stub(connection.session.remote_main.dup())
            info = Connected(self.generation + 1, self._attempts, lost)
            result: object = self._policy.on_connect(stub, info)
            if inspect.isawaitable(result):
                task = asyncio.ensure_future(result)
                try:
                    await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not task.done():
                        task.cancel()
                if task.done():
                    task.result()
        if gone.done():
            raise gone.result()

    async def _tell_disconnected(self, error: BaseException) -> None:
        """Calls `on_disconnect`, if it is there."""
        if self._policy.on_disconnect is None:
            return
        try:
            result: object = self._policy.on_disconnect(error)
            if inspect.isawaitable(result):
                await result
        except Exception as failure:  # a callback's failure concerns the application, not the connection
            self.host.report("on_disconnect", failure)

    def _publish(self, session: Session) -> None:
        self.session = session
        self.generation += 1
        if not self._let_out(session):
            return
        self.state = "ready"
        self._tell_news()
        if self.generation > 1:
            for entry in list(self._watched):
                entry.restored()

    def _lost(self, session: Session, gone: asyncio.Future[BaseException], error: BaseException) -> None:
        """A session has ended: called before those who wait for something of it are told."""
        if not gone.done():
            gone.set_result(error)
        if self.session is not session:
            return
        self.session = None
        self._loss = error
        if self.reason is None:
            self.state = "waiting"
            if session.stats().round_trips and not is_fault(error):  # also to what `on_connect` has asked
                self._waits = self._attempts = 0
        self._take_back(session, error)

    def _end(self, reason: BaseException) -> None:
        if self.reason is not None:
            return
        self.reason = reason
        self.state = "closed"
        if self.connection is not None:
            self.connection.abort(reason, notify=False)
        self._tell_news()
        self._give_all_up(reason)
        self._on_end()

    def _tell_news(self) -> None:
        news, self._news = self._news, []
        wake(news)
