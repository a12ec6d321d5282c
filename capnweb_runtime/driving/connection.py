"""Drives one session on asyncio: moves messages between it and a transport, and ends it. Rule: everything here runs in
callbacks of one event loop.

A transport gives the connection a `Wire` to write to and tells it what arrived (`received`), when to hold back
(`pause_writing`), and that it is gone (`lost`).
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.exchange import Encoding
from capnweb_runtime.core.held import HeldTotal
from capnweb_runtime.core.hook import Disclosure, Hook
from capnweb_runtime.core.session import Session, SessionStats
from capnweb_runtime.core.target_hooks import TargetHook
from capnweb_runtime.driving.asyncio_host import AsyncioHost
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.target import RpcTarget, target_hook
from capnweb_runtime.observe import Observer, logger_named

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from capnweb_runtime.debugging.capabilities import Capability
    from capnweb_runtime.debugging.reader import MessageReader
    from capnweb_runtime.debugging.settings import Debug, Sampling
    from capnweb_runtime.driving.attending import Terms
    from capnweb_runtime.driving.taps import Tap
    from capnweb_runtime.driving.trace import Trace

S = TypeVar("S")

wire_logger: Final = logger_named("capnweb_runtime.wire")
"""Shows every message, at level DEBUG; asked when a session begins."""

FINISHING: Final = "The session is being drained: it finishes what is in progress and makes no further calls."


def debug_mode(debug: Debug) -> bool | Sampling:
    """What is watched of a session: everything, nothing, or some of it.

    Parameters:
        debug: as it was given; None means as the environment says.

    Raises:
        TypeError: it is none that can be meant.
        ValueError: the environment says what cannot be meant.
    """
    if debug is False or (debug is None and "CAPNWEB_DEBUG" not in os.environ):
        return False
    # Of no use to a program that is not debugged.
    from capnweb_runtime.debugging.settings import mode_of  # noqa: PLC0415

    return mode_of(debug)


def _host_class(loop: asyncio.AbstractEventLoop, threads: Executor | None, debug: bool) -> type[AsyncioHost]:
    """What runs the calls: plain functions on the loop or in threads; in debug mode the loop is watched."""
    watched = debug or loop.get_debug()
    if threads is None and not watched:
        return AsyncioHost
    # Of no use to most programs.
    from capnweb_runtime.driving.threads import ThreadedHost, WatchedHost, WatchedThreadedHost  # noqa: PLC0415

    if threads is None:
        return WatchedHost
    return WatchedThreadedHost if watched else ThreadedHost


def _trace(label: object) -> Trace:
    # Of no use to a program that does not show its messages.
    from capnweb_runtime.driving.trace import Trace  # noqa: PLC0415

    return Trace(str(label), wire_logger)


def _lines(connection: Connection) -> Tap:
    # Of no use to a program that is not debugged.
    from capnweb_runtime.debugging.mode import Lines  # noqa: PLC0415

    return Lines(connection.session, str(connection._label), lambda: connection.main_stub)


def _tapped(wire: Wire, taps: Sequence[Tap]) -> Wire:
    # Of no use to a session without taps.
    from capnweb_runtime.driving.taps import TappedWire  # noqa: PLC0415

    return TappedWire(wire, taps)


def _host_on(
    terms: Terms | None, plain: type[AsyncioHost], is_lost: Callable[[], bool], **settings: Any
) -> AsyncioHost:
    # Of no use to sessions without terms.
    from capnweb_runtime.driving.attending import Terms, attending  # noqa: PLC0415

    host = attending(plain)(**settings)
    host.terms, host.is_lost = terms or Terms(), is_lost
    host.bound_costs()
    return host


def _session_class(call_within: float | None, terms: Terms | None, mode: bool | Sampling) -> type[Session]:
    plain = _plain_session_class(call_within, terms)
    if not mode:
        return plain
    # As above.
    from capnweb_runtime.debugging.mode import session_class  # noqa: PLC0415

    return session_class(mode, plain)


def _plain_session_class(call_within: float | None, terms: Terms | None) -> type[Session]:
    interceptors = () if terms is None else terms.interceptors
    if call_within is None and not interceptors:
        return Session
    # As above.
    from capnweb_runtime.driving.calling import TermedSession  # noqa: PLC0415

    own: dict[str, Any] = {"call_within": call_within, "interceptors": interceptors}
    if terms is not None:
        own |= {"peer": terms.peer, "name": terms.session}
    return type("_OnTerms", (TermedSession,), own)


class Wire(Protocol):
    """What a transport offers to its connection."""

    def write(self, messages: list[Any]) -> None:
        """Sends the messages, in order, as one write; each is what the connection's encoding says, text as bytes."""
        ...

    def close(self, reason: BaseException) -> None:
        """Closes the transport after what has been written; called once. The transport answers with
        `Connection.lost`.
        """
        ...

    def buffered(self) -> int:
        """Bytes that were written and have not left this process."""
        ...


class Connection:
    """One session and the transport that carries it.

    The messages of a loop turn go out in one write at its end; where there are many, in one for every burst of them, so
    that the peer does its part while this side does its own. While the transport holds back, messages stay in the
    session's outbox. Once it holds `Limits.outbox_bytes`, calls are refused, and answers and streams wait.

    Parameters:
        main: what the peer sees as our main object; None if there is none.
        loop: the event loop; by default the running one.
        limits: bounds of the session.
        observer: is told of failures; by default they are logged.
        context: calls run in copies of it; by default, of the current one.
        encoding: what the transport carries: JSON text as bytes; or trees ("json"), in which bytes may stay as they are
            ("json-with-bytes"), for a transport that encodes them by itself.
        errors: which errors the peer is sent as they are; see `serve`.
        label: what the log calls the session where it shows its messages.
        threads: runs plain functions; None means the event loop.
        total: what the sessions of a server hold together, if anybody counts that; the sessions of one event loop may
            share it.
        terms: on what terms calls run; None means that they just do.
        call_within: seconds that calls of the peer may take where nothing else bounds them; None means without end.
        debug: what is watched: see `connect`.
        plans: whether plans of the peer's are carried out; see `serve`.

    Attributes:
        session: the session that is driven.
        host: runs the session's calls.
        url: of the server, for the error that the session ends with; None where there is none.
        round_trip_time: see `SessionStats`; set by the transport.
        main_stub: the class of stubs that the peer's main object was asked for; None if that is not known.
    """

    def __init__(
        self,
        main: RpcTarget | None = None,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        limits: Limits = DEFAULT_LIMITS,
        observer: Observer | None = None,
        context: contextvars.Context | None = None,
        encoding: Encoding = "string",
        errors: Disclosure = "all",
        label: object = "a session",
        threads: Executor | None = None,
        total: HeldTotal | None = None,
        terms: Terms | None = None,
        call_within: float | None = None,
        debug: Debug = None,
        plans: bool = False,
    ) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self.limits = limits
        observer = observer or Observer()
        mode = debug_mode(debug)
        host_class = _host_class(self._loop, threads, mode is True)
        if terms is None and limits.cost is None:
            self.host = host_class(self._loop, observer=observer, context=context, limits=limits, total=total)
        else:
            settings = {"observer": observer, "context": context, "limits": limits, "total": total}
            self.host = _host_on(terms, host_class, lambda: self.session.closed, loop=self._loop, **settings)
        self.host.threads = threads
        self.host.disclosure = errors
        self.session = _session_class(call_within, terms, mode)(
            None if main is None else target_hook(main, self.host),
            host=self.host,
            wake=self._wake,
            on_closed=self._session_closed,
            on_burst=self._write_burst,
            limits=limits,
            observer=observer,
            encoding=encoding,
        )
        if plans:
            # Of no use to servers that take no plans.
            from capnweb_runtime.core.plan import run_plan  # noqa: PLC0415

            self.session.begin_plan = run_plan
        self._label = label
        self.main_stub: object = None
        self._taps: tuple[Tap, ...] = ()
        self._account = self.host.account
        self._wire: Wire | None = None
        self._bare_wire: Wire | None = None  # the one that the transport gave
        self.url: str | None = None
        self.round_trip_time: float | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._flush_due = False
        self._paused = False
        self._close_reason: BaseException | None = None
        if mode is True:
            self.tap(_lines(self))
        if wire_logger.isEnabledFor(logging.DEBUG):
            self.tap(_trace(label))

    # ---- for the application

    def serve_main(self, main: RpcTarget) -> None:
        """Offers a main object to the peer, in place of the one given before; to be called before anything arrives."""
        self.session.export_main(target_hook(main, self.host))

    @property
    def main_object(self) -> RpcTarget | None:
        """What the peer sees as our main object; None if there is none."""
        hook = self.session.main_hook
        target = hook.target if isinstance(hook, TargetHook) else None
        return target if isinstance(target, RpcTarget) else None

    def main(self, stub: Callable[[Hook], S]) -> S:
        """The peer's main object.

        Parameters:
            stub: the class of the stub.

        Returns:
            A stub that owns the session: disposing it ends the session.
        """
        self.main_stub = stub
        return stub(self.session.remote_main)

    def stats(self) -> SessionStats:
        """Counts of what the session holds and has done."""
        return self.session.stats()._replace(round_trip_time=self.round_trip_time)

    def capabilities(self, most: int | None = None) -> tuple[Capability, ...]:
        """What the two sides hold of each other; see `Capability`. When and where each came about is known in debug
        mode.

        Parameters:
            most: how many imports, and how many exports, to look at; None means all. Their `stats()` tell how many
                there are.

        Returns:
            Imports first, the oldest of each first; nothing once the session has ended.
        """
        # Of no use to most programs.
        from capnweb_runtime.debugging.capabilities import capabilities_of  # noqa: PLC0415
        from capnweb_runtime.debugging.names import interface_of_stub  # noqa: PLC0415

        return capabilities_of(self.session, str(self._label), interface_of_stub(self.main_stub), most)

    @property
    def messages_received(self) -> int:
        """Messages that the session has taken."""
        return self._account.messages

    @property
    def queued_bytes(self) -> int:
        """Bytes that wait for a peer that does not read, in the session and in the transport."""
        return self.session.outbox_bytes + (0 if self._wire is None else self._wire.buffered())

    def abort(self, error: BaseException, *, notify: bool = True) -> None:
        """Ends the session; does nothing if it has ended.

        Parameters:
            error: the reason, with which everything in progress fails.
            notify: whether to tell the peer.
        """
        self.session.abort(error, notify=notify)

    async def drained(self) -> None:
        """Waits until every call that the peer is waiting for has been answered. Raises the session's reason if it ends
        before that.
        """
        drained = self.session.drain()
        await self._settled(drained)
        if not drained.fulfilled and self.session.reason is not None:
            raise self.session.reason

    @property
    def is_drained(self) -> bool:
        """Whether every call that the peer is waiting for has been answered."""
        return self.session.drain().settled

    @property
    def is_idle(self) -> bool:
        """Whether no call of the peer's is in progress, also none whose answer it does not wait for; or the session has
        ended.
        """
        return self.session.closed or (not self.host.tasks and self.is_drained)

    async def idle(self) -> None:
        """Waits until the connection `is_idle`."""
        while not self.is_idle:
            if self.host.tasks:
                await asyncio.wait((*self.host.tasks, self._closed), return_when=asyncio.FIRST_COMPLETED)
            else:
                await self._settled(self.session.drain())

    async def finish(self) -> None:
        """Makes no further calls, and waits until those of both sides that are in progress have been answered, or the
        session has ended.
        """
        self.session.refuse_calls(SessionClosed(FINISHING))
        while True:
            await self.idle()
            unanswered = self.session.unanswered()
            if self.session.closed or not unanswered:
                return
            await self._settled(unanswered[0])

    async def _settled(self, cell: Cell[Any]) -> None:
        """Waits until a cell is settled, however."""
        settled: asyncio.Future[None] = self._loop.create_future()

        def settle(_: object) -> None:
            if not settled.done():
                settled.set_result(None)

        cell.then(settle, settle)
        await settled

    @property
    def closed(self) -> bool:
        """Whether the session has ended, its transport is gone and its targets are disposed."""
        return self._closed.done()

    async def wait_closed(self) -> None:
        """Waits until the session has ended, its transport is gone and the async disposers of its targets have ended;
        for whatever reason, so it raises nothing.
        """
        await asyncio.shield(self._closed)

    def when_closed(self, callback: Callable[[], object]) -> None:
        """Calls back once the connection is `closed`."""
        self._closed.add_done_callback(lambda _: callback())

    # ---- for the transport

    def attach(self, wire: Wire) -> None:
        """Starts writing to the transport, with what waits already."""
        self._wire = self._bare_wire = wire
        self._apply_taps()
        self._wake()

    def tap(self, tap: Tap) -> Callable[[], None]:
        """Shows every message from now on.

        Parameters:
            tap: is shown them.

        Returns:
            What ends that.
        """
        self._taps = (*self._taps, tap)
        self._apply_taps()

        def end() -> None:
            self._taps = tuple(other for other in self._taps if other is not tap)
            self._apply_taps()

        return end

    def reader(self) -> MessageReader:
        """What makes records of the messages that a `Tap` is shown, from now on: each of them has to be shown to it, in
        order.
        """
        # Of no use to a program that is not debugged.
        from capnweb_runtime.debugging.mode import reader_of  # noqa: PLC0415

        return reader_of(self.session, lambda: self.main_stub)

    def _apply_taps(self) -> None:
        bare = self._bare_wire
        if self._wire is not None and bare is not None:
            self._wire = _tapped(bare, self._taps) if self._taps else bare

    def received(self, messages: Sequence[Any], *, again: bool = False) -> None:
        """Takes messages that arrived together, in order, and writes what answers to them are ready at once. Some may
        have to wait until other sessions have had their turn.

        Parameters:
            messages: each as the connection's encoding says; a tuple of text and attachments, where both ends have
                agreed on them.
            again: whether they are what was left when the session had had its turn.
        """
        self._flush_due = True  # by the flush below, so that none needs to be scheduled meanwhile
        session = self.session
        if self._taps and not again:
            messages = list(messages)
            for tap in self._taps:
                tap.received(messages)
        try:
            left = session.receive_all(messages)
        finally:
            if session.releases and session.nobody_waits and not session.closed:
                # Results came in and are given back. Whoever waited for them goes on in this turn of the loop, most
                # often with another call, which then goes out in the same write.
                self._loop.call_soon(self.flush)
            else:
                self.flush()
        if left is not None:
            self.host.line.take_later(partial(self.received, left, again=True))

    @property
    def behind(self) -> bool:
        """Whether something that has been received waits for the session's turn."""
        return self._account.over

    def tell_when_behind(self, callback: Callable[[bool], None]) -> None:
        """Calls back with True when something that has been received has to wait, and with False when nothing does any
        more.
        """
        self.host.line.on_wait = callback

    def has_worked(self, work: int) -> bool:
        """Counts work of the transport's own.

        Parameters:
            work: units; see `core.account`.

        Returns:
            Whether other sessions are to go first.
        """
        account = self._account
        account.spent += work
        return account.spent > account.look_at and account.is_over()

    def later(self, work: Callable[[], object]) -> None:
        """Takes what has been received in the session's next turn, when others have had theirs."""
        self.host.line.take_later(work)

    def in_order(self, work: Callable[[], object]) -> None:
        """Does something once what has been received so far has been taken; at once if it has."""
        self.host.line.in_order(work)

    def flush(self) -> None:
        """Writes what waits in the outbox now, unless the transport holds back; closes the transport if the session has
        ended.
        """
        self._flush_due = False
        wire = self._wire
        if wire is None or (self._paused and self._close_reason is None):
            return
        session = self.session
        messages = session.take_outbox()
        if messages:
            wire.write(messages)
            if session.was_long:
                session.was_long = False
                session.held.set_outbox(wire.buffered())
        if session.waits:
            session.go_on()
            if self._close_reason is not None:
                self._wire = self._bare_wire = None
                wire.close(self._close_reason)

    def pause_writing(self) -> None:
        """The transport holds back: messages stay in the outbox."""
        self._paused = True

    def resume_writing(self) -> None:
        """The transport takes messages again."""
        self._paused = False
        if self.session.held.outbox:
            self.session.held.set_outbox(self.session.outbox_bytes)
        self._wake()

    def lost(self, error: BaseException) -> None:
        """The transport is gone.

        Parameters:
            error: why, for what is in progress; ignored if the session has ended already.
        """
        self._wire = self._bare_wire = None
        self._taps = ()
        self.host.line.in_order(partial(self._end, error))

    def _end(self, error: BaseException) -> None:
        self.session.abort(error, notify=False)
        self.host.line.let_go()
        self.host.when_disposed(self._now_closed)

    def _now_closed(self) -> None:
        if not self._closed.done():
            self._closed.set_result(None)

    # ---- for the session

    def _wake(self) -> None:
        if not self._flush_due:
            try:
                self._loop.call_soon(self.flush)
            except RuntimeError:
                if not self._loop.is_closed():  # a loop in debug mode refuses other threads
                    raise
            self._flush_due = True  # not before: it would keep every later message back

    def _write_burst(self) -> None:
        if self._wire is not None and not self._paused:
            self._wire.write(self.session.take_burst())

    def _session_closed(self, reason: BaseException) -> None:
        self._close_reason = reason
        if isinstance(reason, SessionClosed) and reason.url is None:
            reason.url = self.url
        self._wake()
