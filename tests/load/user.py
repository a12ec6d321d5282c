"""A user of Locust that holds a session: `class Shopper(CapnwebUser)`.

Rule: sessions live on one event loop in a thread of the system's, whatever gevent has made of threads; a task of Locust
waits for what runs there. Times are taken on that loop, so that they are the session's and not the scheduler's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar, Generic, TypeVar, cast

import gevent
from gevent import monkey
from gevent.event import Event
from locust import User

from capnweb_runtime import RpcStub, connect

S = TypeVar("S", bound=RpcStub)
T = TypeVar("T")

KIND = "capnweb"
"""What Locust's tables call the kind of request."""


class Sessions:
    """The event loop of all users of a process, in a thread of its own."""

    def __init__(self) -> None:
        loops = import_module("uvloop") if find_spec("uvloop") else asyncio  # there is no uvloop on Windows
        self._loop: asyncio.AbstractEventLoop = loops.new_event_loop()
        # gevent takes a thread in which all wait for another one to be stuck for ever, unless somebody sleeps there.
        self._ticking = gevent.spawn(_tick)
        # The original: what gevent puts in its place would run the loop in the thread that waits for it.
        monkey.get_original("_thread", "start_new_thread")(self._run, ())

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the loop; meanwhile other users of this thread go on. Raises what it raises.

        Whoever is ended while they wait, as Locust does to users when a run is over, ends the work, too.
        """
        over, here = Event(), gevent.get_hub().loop
        task: list[asyncio.Task[T]] = []

        def begin() -> None:
            task.append(self._loop.create_task(work))
            task[0].add_done_callback(lambda _: here.run_callback_threadsafe(over.set))

        def give_up() -> None:
            task[0].cancel()

        self._loop.call_soon_threadsafe(begin)
        try:
            over.wait()
        except BaseException:
            self._loop.call_soon_threadsafe(give_up)
            over.wait()
            raise
        return task[0].result()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()


def _tick() -> None:
    while True:
        gevent.sleep(0.2)


_sessions: list[Sessions] = []


def sessions() -> Sessions:
    """Those of this process, begun when they are first needed: after Locust has forked, if it does."""
    if not _sessions:
        _sessions.append(Sessions())
    return _sessions[0]


class CapnwebUser(User, Generic[S]):
    """A user with a session of its own, from the first task to the last.

    A subclass says `stub = LibraryStub`, and `host` or the command line where the server is. A task calls `measure`:

        @task
        def search(self) -> None:
            self.measure("search", lambda api: api.search("Sea"))

    Attributes:
        stub: generated stub class of the server's main object.
        api: the stub, once the user has started.
    """

    abstract = True
    stub: ClassVar[type[RpcStub]]
    api: S
    _session: AbstractAsyncContextManager[Any] | None = None

    def on_start(self) -> None:
        """Open the session."""
        session = connect(str(self.host), self.stub)
        self.api = cast(S, sessions().wait(session.__aenter__()))
        self._session = session
        sessions().wait(self.prepare(self.api))

    def on_stop(self) -> None:
        """End it, if it was opened."""
        if self._session is not None:
            sessions().wait(self._session.__aexit__(None, None, None))

    async def prepare(self, api: S) -> None:
        """What a user does before anything is measured, such as to log in. The default does nothing."""

    def measure(self, name: str, work: Callable[[S], Awaitable[object]]) -> None:
        """Do something with the session, and tell Locust how long it took and whether it failed.

        Parameters:
            name: what the tables call it.
            work: is given the stub.
        """
        took, failure = sessions().wait(self._timed(work))
        self.environment.events.request.fire(
            request_type=KIND,
            name=name,
            response_time=took * 1000,
            response_length=0,
            exception=failure,
            context=self.context(),
        )

    async def _timed(self, work: Callable[[S], Awaitable[object]]) -> tuple[float, Exception | None]:
        began = time.perf_counter()
        failure: Exception | None = None
        try:
            await work(self.api)
        except Exception as error:
            failure = error
        return time.perf_counter() - began, failure
