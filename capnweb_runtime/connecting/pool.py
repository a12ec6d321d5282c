"""Several sessions with one server, for programs that one session would hold up. Rule: whatever came through a session
stays with it; only plain calls go to whichever is the least busy.

    async with Pool(url, XStub, size=8) as pool:
        print(await pool.stub.add(1, 2))
        async with pool.session() as api:
            ...
"""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, Self, TypeVar
from urllib.parse import urlsplit

from capnweb_runtime.connecting.lasting import LastingHook
from capnweb_runtime.connecting.members import Member, within
from capnweb_runtime.connecting.outstanding import wake
from capnweb_runtime.connecting.reconnect import Reconnect
from capnweb_runtime.connecting.reconnecting import Dialling
from capnweb_runtime.connecting.settings import Headers, Settings, Transport, in_time, urls_of
from capnweb_runtime.connecting.spreading import SpreadHook
from capnweb_runtime.core.hook import Hook
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.stub import RpcStub, outside
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import Observer
from capnweb_runtime.transports.keepalive import Silence

if TYPE_CHECKING:
    from capnweb_runtime.debugging.settings import Debug
    from capnweb_runtime.driving.interceptors import Interceptor

S = TypeVar("S", bound=RpcStub)

_ENDED: Final = "the pool has been closed"


class PoolStats(NamedTuple):
    """Counts of what a pool holds and has done.

    Attributes:
        sessions: sessions of the pool, open or being opened; at most `size`.
        ready: those of them that are open.
        leased: those of them that are leased; see `Pool.session`.
        retiring: further sessions that are too old: they get no new calls, and end once nothing of them is in use.
        calls: calls that are in progress or wait for a session.
        waiting: leases that wait for a session.
        opened: how many sessions have been opened so far.
        replaced: how many sessions were replaced because they were too old or failed a check.
    """

    sessions: int
    ready: int
    leased: int
    retiring: int
    calls: int
    waiting: int
    opened: int
    replaced: int


class Pool(Generic[S]):
    """Several sessions with one server, for programs whose calls would hold each other up in one. Sessions are opened
    as they are needed.

    Enter the pool with `async with`. Leaving the block waits until calls in progress have ended, and closes all
    sessions; if the block fails, they are closed at once.

    Parameters:
        url: ws:// or wss:// URL of the server. Of several, each new session tries first the one behind that of the last
            session, so that the sessions spread over all.
        stub: class of the stub; see `connect`.
        size: largest number of sessions; 1 or more.
        max_age: seconds after which a session gets no new calls, and ends once nothing of it is in use; another takes
            its place. None means never.
        check: function that makes a cheap call, such as `lambda api: api.ping()`. A session on which it fails, or takes
            longer than `check_time`, is replaced. None means that only a lost connection is noticed.
        check_every: seconds between two checks of a session, and between looks at the ages of sessions.
        check_time: seconds that a check may take.
        reconnect: how a lost session is replaced; None means `Reconnect()`. Its clock is used for ages and checks, too.
        main: object of this side that the server may call over any of the sessions.
        headers: further headers of the requests, or a function, plain or async, that gives them.
        ssl: settings of TLS; None means the system's defaults.
        limits: what the server may make this side do and hold, in each session.
        observer: is told of failures of targets and callbacks of this side; by default they are logged.
        open_timeout: seconds to wait for a connection; None means without end.
        transport: see `connect`.
        keepalive: see `connect`; a session that falls silent is replaced.
        close_timeout: see `connect`.
        call_timeout: see `connect`.
        interceptors: see `connect`.
        debug: see `connect`.

    Raises:
        ValueError: a URL is not for a session, `size` is less than 1, or as `connect` does.
        TypeError: `debug` is of another type.
    """

    def __init__(
        self,
        url: str | Iterable[str],
        stub: type[S],
        *,
        size: int = 8,
        max_age: float | None = None,
        check: Callable[[S], Awaitable[object]] | None = None,
        check_every: float = 30.0,
        check_time: float = 10.0,
        reconnect: Reconnect | None = None,
        main: RpcTarget | None = None,
        headers: Headers | None = None,
        ssl: ssl_module.SSLContext | None = None,
        limits: Limits = DEFAULT_LIMITS,
        observer: Observer | None = None,
        open_timeout: float | None = 30.0,
        transport: Transport | None = None,
        keepalive: float | None = 20.0,
        close_timeout: float = 10.0,
        call_timeout: float | None = None,
        interceptors: Sequence[Interceptor] = (),
        debug: Debug = None,
    ) -> None:
        urls = urls_of(url)
        for one in urls:
            if urlsplit(one).scheme not in {"ws", "wss", "ws+unix", "wss+unix"} and transport is None:
                raise ValueError(f"a pool holds sessions, and {one!r} opens none: use ws:// or wss://")
        if size < 1:
            raise ValueError(f"size={size} leaves no session to a pool: it has to be 1 or more")
        settings = Settings(
            urls=urls,
            main=main,
            headers=headers or {},
            ssl=ssl,
            limits=limits,
            observer=observer,
            open_timeout=open_timeout,
            transport=transport,
            silence=Silence(keepalive, close_timeout),
            call_timeout=call_timeout,
            interceptors=tuple(interceptors),
            debug=debug,
        )
        settings.check()
        self._dialling = Dialling(settings)
        self._policy = reconnect or Reconnect()
        self._stub_class = stub
        self._size = size
        self._max_age = max_age
        self._check = check
        self._check_every = check_every
        self._check_time = check_time
        self._members: list[Member] = []
        self._retiring: list[Member] = []
        self._leases: deque[asyncio.Future[None]] = deque()  # that wait
        self._opened = self._replaced = 0
        self._closing = False
        self._keeper: asyncio.Task[None] | None = None

    # ---- for the application

    @property
    def stub(self) -> S:
        """A stub of the server's main object, each call of which goes to the session that is least busy. What a call
        returns belongs to the session that it went to. Disposing this stub does nothing.

        Raises:
            RuntimeError: the pool has not been entered.
        """
        if self._keeper is None:
            raise RuntimeError("the pool has not been opened: enter it with `async with` first")
        return self._stub_class(SpreadHook(self._pick, self._loop, self._includes))

    def session(self) -> AbstractAsyncContextManager[S]:
        """Leases one session for an `async with` block, for calls that belong together: nobody else leases it
        meanwhile, and calls of `stub` go there only if there is no other session.

        Returns:
            A context manager that gives a stub of the server's main object. Entering it waits while all sessions are
            leased, and raises what is listed here.

        Raises:
            SessionClosed: the pool has been closed or not been entered, or there is no connection.
            DeadlineExceeded: a `deadline` block around it ended first.
        """
        return self._session()

    def stats(self) -> PoolStats:
        """Counts what the pool holds and has done."""
        members = self._members
        return PoolStats(
            sessions=len(members),
            ready=sum(member.sessions.state == "ready" for member in members),
            leased=sum(member.leased for member in members),
            retiring=len(self._retiring),
            calls=sum(member.sessions.load for member in (*members, *self._retiring)),
            waiting=sum(not turn.done() for turn in self._leases),
            opened=self._opened,
            replaced=self._replaced + sum(member.replaced for member in members),
        )

    async def drain(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Takes no new calls and leases, waits until those in progress have ended, and closes all sessions.

        Parameters:
            timeout: seconds to wait for calls and leases in progress; None means until they have ended.
        """
        self._closing = True
        self._tell_leases()
        if timeout is None:
            await self._wait_idle()
        else:
            await within(timeout, self._wait_idle(), self._policy.sleep)
        await self._close()

    async def __aenter__(self) -> Self:
        if self._keeper is not None or self._closing:
            raise RuntimeError("a pool is entered once: make another Pool(...)")
        self._loop = asyncio.get_running_loop()
        with outside():
            self._keeper = self._loop.create_task(self._keep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            await self.drain()
        else:
            self._closing = True
            self._tell_leases()
            await self._close()

    # ---- choosing

    def _pick(self) -> Hook:
        """The main object of the least busy session, for one call. Opens another where all are busy."""
        if self._closing:
            raise SessionClosed(_ENDED)
        member = self._least_busy(self._members)
        if member is None:
            member = self._begin()
        elif len(self._members) < self._size and (member.leased or member.sessions.load > 0):
            self._begin()
        return LastingHook(member.sessions.root)

    def _includes(self, session: object) -> bool:
        return any(member.sessions.session is session for member in (*self._members, *self._retiring))

    def _least_busy(self, members: list[Member]) -> Member | None:
        for member in [member for member in self._members if member.sessions.reason is not None]:
            self._members.remove(member)
        return min((one for one in members if one.sessions.reason is None), key=lambda one: one.load, default=None)

    def _begin(self) -> Member:
        policy = self._policy
        member = Member(self._dialling.sessions(self._dial, policy, self._stub_class), policy)
        self._members.append(member)
        return member

    async def _dial(self) -> Any:
        connection = await self._dialling.open()
        self._opened += 1
        return connection

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[S]:
        member = await in_time(self._lease())
        try:
            await in_time(member.sessions.wait_ready())
            yield self._stub_class(LastingHook(member.sessions.root))
        finally:
            member.leased = False
            self._next_turn()

    async def _lease(self) -> Member:
        while True:
            if self._closing or self._keeper is None:
                raise SessionClosed(_ENDED if self._closing else "the pool has not been opened")
            member = self._least_busy([member for member in self._members if not member.leased])
            if member is None and len(self._members) < self._size:
                member = self._begin()
            if member is not None:
                member.leased = True
                return member
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._leases.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():
                    self._next_turn()  # it had come to this one
                raise

    def _next_turn(self) -> None:
        """Lets one go on who waits for a lease, or for the last of them."""
        while self._leases:
            turn = self._leases.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _tell_leases(self) -> None:
        turns, self._leases = self._leases, deque()
        wake([*turns])

    # ---- keeping

    async def _keep(self) -> None:
        """Looks after the sessions, as long as there is a pool."""
        while True:
            await self._policy.sleep(self._check_every)
            now = self._policy.clock()
            for member in list(self._members):
                if self._max_age is not None and now - member.born >= self._max_age:
                    self._members.remove(member)
                    self._retiring.append(member)
                    self._replaced += 1
                elif self._check is not None:
                    member.begin_check(partial(self._checked, self._check), self._check_time)
            for member in [member for member in self._retiring if member.is_idle]:
                self._retiring.remove(member)
                member.sessions.shut_down()

    async def _checked(self, check: Callable[[S], Awaitable[object]], member: Member) -> object:
        return await check(self._stub_class(LastingHook(member.sessions.root)))

    async def _wait_idle(self) -> None:
        for member in (*self._members, *self._retiring):
            await member.sessions.wait_idle()
        while any(member.leased for member in (*self._members, *self._retiring)):
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._leases.append(turn)
            await turn
        for member in (*self._members, *self._retiring):
            await member.sessions.wait_idle()

    async def _close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
        members = [*self._members, *self._retiring]
        self._members, self._retiring = [], []
        await asyncio.gather(*(member.close() for member in members))
        self._dialling.close()
