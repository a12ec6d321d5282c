"""Who gets a session: host, path, origin, and what the application's factory says. Rule: asked once for every session,
whatever the transport.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from capnweb_runtime.core.carrying import HEADER
from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import GoingAway, LimitExceeded, SessionClosed, wire_message
from capnweb_runtime.limits import Limits
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import Observer, error_for_peer, printable
from capnweb_runtime.serving.bounds import Bounds
from capnweb_runtime.serving.factory import checked_main
from capnweb_runtime.serving.hosts import Hosts
from capnweb_runtime.serving.origin import check_origin, check_site
from capnweb_runtime.serving.peer import Peer, Refuse, Transport, logger, shutting_down
from capnweb_runtime.serving.refusals import Busy
from capnweb_runtime.serving.totals import ServerTotals
from capnweb_runtime.transports.http_batch import BatchAnswer
from capnweb_runtime.transports.keepalive import Silence

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from capnweb_runtime.debugging.settings import Sampling
    from capnweb_runtime.driving.asyncio_host import AsyncioHost
    from capnweb_runtime.driving.attending import Terms
    from capnweb_runtime.health import Health
    from capnweb_runtime.inspector.settings import Inspector
    from capnweb_runtime.serving.forwarded import Forwarded

_NAMES: Final[dict[Transport, str]] = {
    "websocket": "WebSocket",
    "http": "HTTP batches",
    "webtransport": "WebTransport",
}

MainFactory = Callable[[Peer], RpcTarget | Awaitable[RpcTarget]]
"""A function, plain or async, that is called for each session with its `Peer`, and returns the session's main object.
It raises `Refuse` to refuse the session.
"""


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may have a session, and what it is like; as the parameters of `serve` say."""

    main_factory: MainFactory
    path: str | None
    origins: frozenset[str] | None
    hosts: Hosts | None
    limits: Limits
    observer: Observer | None
    request_timeout: float
    errors: Disclosure
    threads: int | None
    transports: frozenset[Transport]
    silence: Silence
    terms: Terms | None = None
    debug: bool | Sampling = False
    plans: bool = False
    forwarded: Forwarded | None = None
    reflection: bool = False
    health: Health | None = None
    inspector: Inspector | None = None


class Admission:
    """Admits peers, each to a session with a main object of its own.

    Parameters:
        rules: who may.
        bounds: of the server.

    Attributes:
        hosts: the names that the server answers to.
        connections: of the sessions that are open.
        batches: those of them that are for one request, and end by themselves.
        refusing: whether nobody is admitted any more.
        on_opened: told of each session that begins; None if nobody wants to know.
    """

    def __init__(self, rules: Rules, bounds: Bounds) -> None:
        self.connections: set[Connection] = set()
        self.batches: set[Connection] = set()
        self._outlived: set[AsyncioHost] = set()  # of sessions that have ended before their calls
        self.refusing = False
        self.on_opened: Callable[[Peer, Connection], object] | None = None
        self.hosts = rules.hosts or Hosts(None)
        self._rules = rules
        self._bounds = bounds
        self._threads = None if rules.threads is None else _threads_of(rules.threads)
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[Connection]] = set()
        self._opened_sessions = self._ended_at_limits = 0
        self._refused: Counter[int] = Counter()  # by status

    @property
    def calls(self) -> set[asyncio.Future[Any]]:
        """Calls in progress, also those of sessions that have ended."""
        hosts = {*self._outlived, *(connection.host for connection in self.connections)}
        return {call for host in hosts for call in host.tasks}

    @property
    def sessions(self) -> int:
        """How many are open or being opened."""
        return len(self.connections) + len(self._opening)

    def totals(self) -> ServerTotals:
        """What all sessions hold together, and how many there have been."""
        connections = tuple(self.connections)
        return ServerTotals(
            imports=sum(connection.session.imports for connection in connections),
            exports=sum(connection.session.exports for connection in connections),
            queued_bytes=sum(connection.queued_bytes for connection in connections),
            opened=self._opened_sessions,
            ended_at_limits=self._ended_at_limits,
            refused=dict(self._refused),
        )

    def check(self, peer: Peer, *, describing: bool = False) -> None:
        """Raises Refuse for whom no session will be opened, before the application is asked; with `describing`, for who
        would not be told, either, what is served.
        """
        try:
            self._check(peer, describing)
        except Refuse as refused:
            self._refused[refused.status] += 1
            raise

    def _check(self, peer: Peer, describing: bool) -> None:
        self.hosts.check(peer)
        if self._rules.path is not None and peer.path != self._rules.path:
            raise Refuse(HTTPStatus.NOT_FOUND, f"Nothing is served at {peer.path}.")
        if self.refusing:
            raise shutting_down()
        if peer.transport not in self._rules.transports and not describing:
            raise Refuse(HTTPStatus.NOT_IMPLEMENTED, f"This server does not serve {_NAMES[peer.transport]}.")
        check_origin(peer, self._rules.origins)
        if describing:
            check_site(peer, self._rules.origins)
        if self._bounds.held.bytes >= self._bounds.held.most:
            self._bounds.refuse("held_bytes")
            raise Busy
        if self.sessions >= self._bounds.limits.sessions:
            self._bounds.refuse("sessions")
            raise Busy
        if self._bounds.left_running(self._bounds.address_of(peer.address)) >= self._rules.limits.calls:
            self._bounds.refuse("calls")
            raise Busy

    def admit(self, peer: Peer, *, describing: bool = False) -> Connection | asyncio.Task[Connection]:
        """Opens a session.

        Parameters:
            peer: who asks.
            describing: see `check`.

        Returns:
            Its connection, to be attached to a transport; or, where the factory is async, the task that will give it,
            which may be cancelled. Both may raise Refuse.
        """
        self.check(peer, describing=describing)
        # What the factory sets in its Context, every call of the session sees, and no other session does.
        context = contextvars.copy_context()
        connection = Connection(
            limits=self._rules.limits,
            observer=self._rules.observer,
            context=context,
            label=peer,
            errors=self._rules.errors,
            threads=self._threads,
            total=self._bounds.held,
            debug=self._rules.debug,
            plans=self._rules.plans,
            terms=None if self._rules.terms is None else self._rules.terms.of_session(peer),
        )
        # What all sessions of the server have in common, each is given here.
        connection.host.everybody = self._bounds.calls
        peer = replace(peer, connection=connection)
        try:
            main: Any = context.run(self._rules.main_factory, peer)
            if not inspect.isawaitable(main):
                return self._opened(peer, connection, main)
        except Refuse as refused:
            _give_up(connection)
            raise self._told(refused) from None
        except Exception as error:
            raise self._failed(peer, connection, error) from error
        # Not `create_task`, for which a program may have set a factory that begins a task in another Context.
        opening = asyncio.Task(self._open_later(peer, connection, main), loop=self._loop, context=context)
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
        return opening

    async def answer(self, peer: Peer, body: bytes) -> tuple[int, bytes]:
        """Opens a session for one batch, and runs it.

        Parameters:
            peer: who asks.
            body: the batch.

        Returns:
            Status and body of the response.

        Raises:
            Refuse: there is no session, or it has ended with the server.
        """
        admitted = self.admit(peer)
        connection = await admitted if isinstance(admitted, asyncio.Task) else admitted
        answer = await BatchAnswer(connection).answer(body, peer.headers.get(HEADER))
        if isinstance(connection.session.reason, GoingAway):
            raise shutting_down()
        return answer

    async def describe(self, peer: Peer) -> bytes:
        """Opens a session to see what it would offer, and ends it.

        Parameters:
            peer: who asks.

        Returns:
            The IR of that, as JSON.

        Raises:
            Refuse: there is no session, or nothing is known of its main object.
        """
        admitted = self.admit(peer, describing=True)
        connection = await admitted if isinstance(admitted, asyncio.Task) else admitted
        # Of no use to a server that tells nobody what it serves.
        from capnweb_runtime.reflection import ir_text  # noqa: PLC0415

        try:
            return ir_text(connection.main_object)
        except LookupError as error:
            logger.error("what is served to %s cannot be described: %s", peer, error)
            raise Refuse(HTTPStatus.NOT_IMPLEMENTED, "This server cannot say what it serves.") from None
        finally:
            connection.lost(SessionClosed("it was asked what is served, and nothing else"))

    def end_threads(self) -> None:
        """Lets the threads of plain methods end, each with the method that it runs."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def end_openings(self) -> None:
        """Ends the factories that still wait for something, except for one that calls this."""
        opening: set[asyncio.Task[Any]] = {*self._opening} - {asyncio.current_task()}
        for task in opening:
            task.cancel()
        if opening:
            await asyncio.wait(opening)

    async def _open_later(self, peer: Peer, connection: Connection, main: Awaitable[Any]) -> Connection:
        bound = asyncio.timeout(self._rules.request_timeout)
        try:
            async with bound:
                made = await main
            if self.refusing:
                connection.serve_main(checked_main(made))  # so that it is disposed
                raise shutting_down()
            return self._opened(peer, connection, made)
        except Refuse as refused:
            _give_up(connection)
            raise self._told(refused) from None
        except asyncio.CancelledError:
            _give_up(connection)
            raise
        except Exception as error:
            raise self._failed(peer, connection, error, bound.expired()) from error

    def _opened(self, peer: Peer, connection: Connection, main: object) -> Connection:
        connection.serve_main(checked_main(main))
        self.connections.add(connection)
        self._opened_sessions += 1
        if peer.transport == "http":
            self.batches.add(connection)
        began = self._loop.time()
        connection.when_closed(lambda: self._closed(peer, connection, began))
        logger.debug("session of %s begins", peer)
        if self.on_opened is not None:
            self.on_opened(peer, connection)
        return connection

    def _failed(self, peer: Peer, connection: Connection, error: Exception, late: bool = False) -> Refuse:
        """How a session is refused because its factory failed."""
        _give_up(connection)
        if late:
            logger.warning(
                "the main object for a session of %s was not there within %s s", peer, self._rules.request_timeout
            )
            refused = Refuse(HTTPStatus.SERVICE_UNAVAILABLE, "The session could not be started in time.")
        else:
            logger.error("the main object for a session of %s could not be made", peer, exc_info=error)
            refused = Refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "The session could not be started.")
        self._refused[refused.status] += 1
        return refused

    def _told(self, refused: Refuse) -> Refuse:
        """What the peer is told of a refusal: its text is one of an error, which the observer may replace."""
        told = refused if self._rules.observer is None else error_for_peer(self._rules.observer, refused)
        if not isinstance(told, Refuse):
            told = Refuse(refused.status, wire_message(told), refused.headers)
        told.meant = refused.meant
        self._refused[told.status] += 1
        return told

    def _closed(self, peer: Peer, connection: Connection, began: float) -> None:
        self.connections.discard(connection)
        self.batches.discard(connection)
        self._look_after(connection.host)
        self._bounds.outlived(self._bounds.address_of(peer.address), connection.host)
        self._ended_at_limits += isinstance(connection.session.reason, LimitExceeded)
        if logger.isEnabledFor(logging.INFO):
            calls, reason = connection.session.calls_received, connection.session.reason
            why = "" if reason is None else f"; {printable(wire_message(reason))}"
            logger.info("session of %s ended: %d calls in %.3f s%s", peer, calls, self._loop.time() - began, why)

    def _look_after(self, host: AsyncioHost) -> None:
        """Keeps what runs the calls of a session that has ended, for as long as there are any."""
        if host.tasks:
            self._outlived.add(host)
            next(iter(host.tasks)).add_done_callback(lambda _: self._look_after(host))
        else:
            self._outlived.discard(host)


def _threads_of(count: int) -> Executor:
    # Of no use to a server whose methods all run on the loop.
    from capnweb_runtime.driving.threads import threads_of  # noqa: PLC0415

    return threads_of(count)


def _give_up(connection: Connection) -> None:
    """Ends a session that will not be opened, so that nobody waits for its peer."""
    connection.lost(SessionClosed("the session was not opened"))
