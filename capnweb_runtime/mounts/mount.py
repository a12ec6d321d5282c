"""What every mount is: a factory with its rules, and the sessions that it has on one event loop. Rule: the application
has the sockets; whatever is counted or bounded here is what reaches the mount.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar
from weakref import WeakKeyDictionary

from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import LimitExceeded
from capnweb_runtime.limits import DEFAULT_SERVER_LIMITS, Limits, ServerLimits
from capnweb_runtime.mounts.stopping import stopping_after
from capnweb_runtime.observe import Observer
from capnweb_runtime.serving.admission import Admission, MainFactory, Rules
from capnweb_runtime.serving.bounds import Bounds, Guest, ServerStats
from capnweb_runtime.serving.cors import answer_headers, is_preflight, preflight_headers
from capnweb_runtime.serving.ending import Ending
from capnweb_runtime.serving.hosts import Hosts, is_loopback
from capnweb_runtime.serving.options import check_several, rules_of
from capnweb_runtime.serving.pages import Pages, shown
from capnweb_runtime.serving.peer import Peer, Refuse, Transport, log_refusal, logger
from capnweb_runtime.serving.refusals import Busy
from capnweb_runtime.serving.replies import Reply, description, not_allowed, refusal
from capnweb_runtime.serving.totals import ServerTotals
from capnweb_runtime.transports.http_batch import CONTENT_TYPE
from capnweb_runtime.transports.keepalive import Silence

if TYPE_CHECKING:
    from capnweb_runtime.debugging.settings import Debug
    from capnweb_runtime.driving.interceptors import Interceptor
    from capnweb_runtime.health import Health

T = TypeVar("T")

_LOOPBACK: Final = Hosts([], loopback=True)
Chunks = Callable[[], Awaitable[bytes]]
"""Gives the next piece of a request's body, and nothing behind the last."""


class MountOptions(TypedDict, total=False):
    """What a mount may be told beside its factory; each is the parameter of `serve` of that name, with its default."""

    path: str | None
    origins: Iterable[str] | None
    hosts: Iterable[str] | None
    limits: Limits
    observer: Observer | None
    request_timeout: float
    errors: Disclosure
    threads: int | None
    server_limits: ServerLimits
    cancel_lost: bool
    call_timeout: float | None
    interceptors: Sequence[Interceptor]
    debug: Debug
    plans: bool
    reflection: bool
    health: Health | None


class Mount:
    """The sessions of a mount on one event loop, which is running.

    Parameters:
        rules: who may have a session.
        limits: bounds of all together.
    """

    def __init__(self, rules: Rules, limits: ServerLimits) -> None:
        self.rules = rules
        self.bounds = Bounds(limits, rules.limits.message_size)
        self._admission = Admission(rules, self.bounds)
        self._pages = Pages([rules.path])
        if rules.health is not None:
            # Of no use to mounts that nobody looks after.
            from capnweb_runtime.serving.health import add_health  # noqa: PLC0415

            add_health(self._pages, rules.health, lambda: self._admission.refusing)
        self._ending = Ending(self._admission, rules.silence.close_timeout)
        self.on_carry: Callable[[], object] | None = None  # told of each that begins
        self._sockets: set[asyncio.Task[Any]] = set()
        self._closed: asyncio.Future[None] | None = None

    def stats(self) -> ServerStats:
        """How near each bound is."""
        return self.bounds.stats(self._admission.sessions)

    def totals(self) -> ServerTotals:
        """What all sessions hold together, and how many there have been."""
        return self._admission.totals()

    def check(self, peer: Peer, at: str | None, *, describing: bool = False) -> None:
        """Refuses whom no session will be opened for.

        Parameters:
            peer: who asks.
            at: address at which the request has arrived, if that is known.
            describing: whether what is served is all that was asked.

        Raises:
            Refuse: for the reason.
        """
        if self.rules.hosts is None and at is not None and is_loopback(at):
            _LOOPBACK.check(peer)
        self._admission.check(peer, describing=describing)

    def admit(self, peer: Peer, at: str | None) -> Connection | asyncio.Task[Connection]:
        """Opens a session, as `Admission.admit` does; the parameters are those of `check`."""
        self.check(peer, at)
        return self._admission.admit(peer)

    # ---- batches

    async def reply(self, method: str, peer: Peer, at: str | None, chunks: Chunks) -> Reply:
        """Answers an HTTP request.

        Parameters:
            method: of the request.
            peer: who asks.
            at: see `check`.
            chunks: reads the request's body.
        """
        allowed: dict[str, str] = {}
        describing = self.rules.reflection and method == "GET"
        try:
            page = self._pages.find(peer.path)
            if page is not None:
                return await shown(page, peer, method)
            self.check(peer, at, describing=describing)
            allowed = answer_headers(peer)
            if is_preflight(method, peer):
                return Reply(HTTPStatus.NO_CONTENT, preflight_headers(peer), b"")
            if describing:
                return description(await self._admission.describe(peer), allowed)
            if method != "POST":
                raise not_allowed(self.rules.reflection)
            body = await self._body(peer, chunks)
            status, text = await self._admission.answer(peer, body)
        except Refuse as refused:
            log_refusal(peer, refused)
            return refusal(refused, allowed)
        return Reply(status, {"Content-Type": CONTENT_TYPE, **allowed}, text)

    async def _body(self, peer: Peer, chunks: Chunks) -> bytes:
        most = self.rules.limits.message_size
        if peer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A batch must be sent without Content-Encoding.")
        announced = peer.headers.get("Content-Length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:18]) > most:
            raise _too_large(most)
        guest = Guest(self.bounds)
        ended: list[Refuse] = []
        try:
            async with asyncio.timeout(None) as reading:

                def end(status: HTTPStatus, text: str) -> None:
                    ended.append(Busy() if status == HTTPStatus.SERVICE_UNAVAILABLE else Refuse(status, text))
                    reading.reschedule(asyncio.get_running_loop().time())

                guest.on_end = end
                return await self._read(chunks, most, guest)
        except TimeoutError:
            if ended:
                raise ended[0] from None
            raise
        finally:
            guest.forget()

    async def _read(self, chunks: Chunks, most: int, guest: Guest) -> bytes:
        """Reads a body, which counts for what is held until it is whole."""
        held = self.bounds.held
        pieces: list[bytes] = []
        size = counted = 0
        guest.hold(1)  # one that has announced a body, and sends nothing of it, is waited for no longer than others
        try:
            while chunk := await chunks():
                size += len(chunk)
                if size > most:
                    raise _too_large(most)
                held.add(len(chunk))
                counted = size
                pieces.append(chunk)
                guest.hold(1 + size)
            return b"".join(pieces)
        except LimitExceeded:
            raise Busy from None
        finally:
            held.give_back(counted)

    # ---- ends

    @asynccontextmanager
    async def living(self, grace: float | None, signals: bool = True) -> AsyncIterator[None]:
        """The life of the application, behind which the mount is drained.

        Parameters:
            grace: seconds that calls in progress have to end; None means until they end.
            signals: whether that happens before a signal that stops the process reaches the application's server.
        """
        with stopping_after(lambda: self.drain(grace)) if signals else nullcontext() as stop:
            self.on_carry = None if stop is None else stop.take_again
            try:
                yield
            finally:
                self.on_carry = None
                await self.drain(grace)

    async def carry(self, run: Coroutine[Any, Any, T]) -> T:
        """Runs what carries a session, which `aclose` waits for."""
        if self.on_carry is not None:
            self.on_carry()
        task = asyncio.current_task()
        assert task is not None
        self._sockets.add(task)
        try:
            return await run
        finally:
            self._sockets.discard(task)

    async def drain(self, timeout: float | None) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Ends each session when its calls have ended, and then as `aclose` does; new ones are refused.

        Parameters:
            timeout: seconds to wait for the calls; None means until they end.
        """
        await self._ending.drain(timeout)
        await self.aclose()

    async def aclose(self) -> None:
        """Refuses new sessions, ends every session, cancels the calls in progress, and waits for the connections."""
        self._admission.refusing = True
        if self._closed is not None:
            await asyncio.shield(self._closed)
            return
        self._closed = asyncio.get_running_loop().create_future()
        try:
            await self._admission.end_openings()
            self._ending.end_sessions()
            await self._ending.cancel_calls()
            waiting = self._sockets - {asyncio.current_task()}
            if waiting:
                _, late = await asyncio.wait(waiting, timeout=self._ending.patience)
                if late:
                    logger.warning("%d connections of a mount did not close in time", len(late))
            await self._ending.disposers_to_end()
        finally:
            self._admission.end_threads()
            self.bounds.close()
            self._closed.set_result(None)


class Mounts:
    """A mount on every event loop that asks it for something: mostly there is one, and it does not run yet when the
    application is put together.

    Parameters:
        main_factory: makes the main object of a new session.
        transports: what is served.
        silence: how long a client may be silent.
        options: the others.
        can: what can be served at all.

    Raises:
        TypeError: as `serve` does.
        ValueError: as `serve` does.
    """

    def __init__(
        self,
        main_factory: MainFactory,
        transports: Iterable[Transport],
        silence: Silence,
        options: MountOptions,
        can: frozenset[str] = frozenset(("websocket", "http")),
    ) -> None:
        check_several("transports", transports)
        served = frozenset(transports)
        if not served or not served <= can:
            wanted = " and ".join(f'"{one}"' for one in sorted(can, reverse=True))
            raise ValueError(f"transports has to be of {wanted}, and not {sorted(served) or 'nothing'}")
        self.rules = rules_of(
            main_factory,
            transports=served,
            silence=silence,
            **options,
        )
        self.check_path(self.rules.path)
        self._limits = options.get("server_limits", DEFAULT_SERVER_LIMITS)
        self._of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Mount] = WeakKeyDictionary()

    @property
    def pages(self) -> tuple[str, ...]:
        """Paths beside the one for sessions."""
        return () if self.rules.health is None else self.rules.health.paths

    def check_path(self, path: str | None) -> None:
        """Raises ValueError if sessions are to be served at a path that is one of `pages`."""
        if path in self.pages:
            raise ValueError(f"two things are to be served at {path}: give one of them another path")

    def here(self) -> Mount:
        """The mount on the running event loop."""
        loop = asyncio.get_running_loop()
        mount = self._of_loop.get(loop)
        if mount is None:
            mount = self._of_loop[loop] = Mount(self.rules, self._limits)
        return mount

    def seen(self) -> Mount:
        """The mount on the running event loop; in a thread that has none, as one that gathers metrics, the only mount.

        Raises:
            RuntimeError: no event loop runs here, and there is no mount yet, or more than one.
        """
        mounts = [*self._of_loop.values()]
        if len(mounts) == 1 and asyncio._get_running_loop() is None:
            return mounts[0]
        return self.here()


def _too_large(most: int) -> Refuse:
    return Refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A batch may have {most} bytes; send less or use a WebSocket.")
