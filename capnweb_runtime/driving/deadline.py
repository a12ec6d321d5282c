"""Deadlines: until when calls may take. Rule: what travels is the time that is left, never a time of day; and only what
somebody waits for can be late.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, TypeVar
from weakref import ref

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.calls import Carried
from capnweb_runtime.core.carrying import carry, written
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.hook import Codec, Hook, Host, IncomingArgs, Path, Payload, StubRef, Wire
from capnweb_runtime.core.tables import ImportHook
from capnweb_runtime.core.target_hooks import LocalHook
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook
from capnweb_runtime.errors import DeadlineExceeded
from capnweb_runtime.objects.stub import Scope, around, metadata

T = TypeVar("T")

_LATE: Final = "the deadline of the call has passed; it has been given up"
_TOO_LATE: Final = "the deadline had passed before the call was made; nothing was sent"
_NO_SESSION: Final = "the deadline has passed before there was a session"


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bounds the time that all calls made in a `with` block may take together: those of stubs and of blocking stubs,
    reads of properties, `map()` and plans::

        with deadline(2.5):
            print(await api.authenticate("secret").me())

    When the time is up, every call of the block that somebody waits for fails with a DeadlineExceeded and is given up,
    and further calls fail at once. A method that serves such a call inherits what is left of the time, and so do the
    calls that it makes. A block inside another cannot extend it. Connecting in the block is bounded as well; what the
    session does after the block is not.

    Parameters:
        seconds: how long, from now on; with 0 or less, calls fail at once.

    Raises:
        ValueError: `seconds` is nan.
    """
    if seconds != seconds:  # nan
        raise ValueError("a deadline is a number of seconds, not nan")
    at = time.monotonic() + seconds
    outside = around.get()
    if isinstance(outside, Deadline):
        at = min(at, outside.at)
    token = around.set(Deadline(at))
    try:
        yield
    finally:
        around.reset(token)


def time_left() -> float | None:
    """Tells how much time is left for calls that are made here. In a method of a target that is how long its caller
    will still wait for the answer.

    Returns:
        Seconds until the deadline, negative once it has passed; None if there is no deadline.
    """
    outside = around.get()
    return outside.left() if isinstance(outside, Deadline) else None


class Deadline(Scope):
    """Until when the calls made in a Context may take.

    Attributes:
        at: on the clock of `time.monotonic`.
    """

    __slots__ = ("at",)

    def __init__(self, at: float) -> None:
        self.at = at

    def left(self) -> float:
        """Seconds that are left."""
        return self.at - time.monotonic()

    def call(self, hook: Hook, path: Path, args: Payload, expect: TypeCodec) -> Hook:
        if (late := self.refusal()) is not None:
            args.dispose()
            return late
        return self._made(hook, lambda: hook.call(path, args, expect))

    def get(self, hook: Hook, path: Path, expect: TypeCodec) -> Hook:
        return self.made(hook, lambda: hook.get(path, expect))

    def refusal(self) -> Hook | None:
        return ErrorHook(DeadlineExceeded(_TOO_LATE)) if self.left() <= 0 else None

    def made(self, hook: Hook, make: Callable[[], Hook]) -> Hook:
        return self.refusal() or self._made(hook, make)

    def _made(self, hook: Hook, make: Callable[[], Hook]) -> Hook:
        entry = hook.entry if isinstance(hook, ImportHook) else None
        if entry is None:
            return self.bound(make())
        session: Any = entry.sender
        return make() if session.bounds_calls else self.carried_by(session, make)

    async def awaited(self, work: Awaitable[T]) -> T:
        bound = asyncio.timeout(max(self.left(), 0))
        try:
            async with bound:
                return await work
        except TimeoutError:
            if bound.expired():
                raise DeadlineExceeded(_NO_SESSION) from None
            raise

    def carried_by(self, session: Any, make: Callable[[], Hook]) -> Hook:
        """Makes a call that carries what is left, and bounds it."""
        return self.bound(carry(session, written(max(self.left(), 0.001), {}), make))

    def bound(self, made: Hook) -> Hook:
        """The hook of a call of the peer's, bounded; any other as it is, which is nobody's to wait for."""
        if not isinstance(made, ImportHook) or made.entry is None or made.entry.resolution is not None:
            return made
        timed = TimedHook(made, self)
        made.dispose()
        return timed


def late() -> DeadlineExceeded:
    """The error of a call that is given up because its time is over."""
    return DeadlineExceeded(_LATE)


def nearest(within: float | None) -> Deadline | None:
    """The deadline of a call that is made here: that of what is around it, or one of its own if that is nearer.

    Parameters:
        within: seconds that each call may take; None means without end.
    """
    outside = around.get()
    bounds = [outside] if isinstance(outside, Deadline) else []
    if within is not None:
        bounds.append(Deadline(time.monotonic() + within))
    return min(bounds, key=lambda bound: bound.at, default=None)


class TimedHook(ImportHook):
    """A call of the peer's with a deadline."""

    __slots__ = ("__weakref__", "_deadline", "_waiting")

    def __init__(self, made: ImportHook, deadline: Deadline) -> None:
        super().__init__(made.opened())
        self._deadline = deadline
        self._waiting: Cell[Payload] | None = None

    @property
    def waiting(self) -> Cell[Payload] | None:
        return self._waiting

    def pull(self) -> Payload | Cell[Payload]:
        if self._waiting is not None and not self._waiting.settled:
            return self._waiting
        pulled = super().pull()
        if isinstance(pulled, Payload):
            return pulled
        self._waiting = in_time(self, pulled, self._deadline)
        return self._waiting


def in_time(hook: Hook, result: Cell[Payload], deadline: Deadline) -> Cell[Payload]:
    """A result, or a DeadlineExceeded if that comes first, and the call is given up.

    Parameters:
        hook: of the call.
        result: settles with its result.
        deadline: when it is too late.
    """
    waiting: Cell[Payload] = Cell()
    held = ref(hook)

    def give_up() -> None:  # which does not keep the call: it may be given up before
        late_one = held()  # which who is told now may let go of
        waiting.reject(late())
        if late_one is not None:
            late_one.dispose()

    _until(result, waiting, deadline.left(), give_up)
    return waiting


class BoundedHook(Hook):
    """The result of a call that this side serves, in the time that its caller has left for it. Owns the hook of the
    result as it is.
    """

    __slots__ = ("_at", "_inner")

    def __init__(self, inner: Hook, at: float) -> None:
        self._inner = inner
        self._at = at

    @property
    def inner(self) -> Hook:
        """The hook as it is."""
        return self._inner

    @property
    def host(self) -> Host:
        return self._inner.host

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        return self._inner.call(path, args, expect)

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        return self._inner.call_wire(path, args)

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return self._inner.get(path, expect)

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        return self._inner.map(path, captures, instructions, expect, budget)

    def dup(self) -> Hook:
        return self._inner.dup()

    def pull(self) -> Payload | Cell[Payload]:
        pulled = self._inner.pull()
        if isinstance(pulled, Payload) or pulled.settled:
            return pulled
        bounded: Cell[Payload] = Cell()

        def give_up() -> None:
            bounded.reject(late())
            self._inner.dispose()

        _until(pulled, bounded, self._at - time.monotonic(), give_up)
        return bounded

    def dispose(self) -> None:
        self._inner.dispose()

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        self._inner.on_broken(callback)


def _until(result: Cell[Payload], into: Cell[Payload], seconds: float, give_up: Callable[[], None]) -> None:
    """Passes a result on, unless it comes too late."""
    timer = asyncio.get_running_loop().call_later(max(seconds, 0), give_up)

    def on_value(payload: Payload) -> None:
        timer.cancel()
        into.resolve(payload)

    def on_error(error: BaseException) -> None:
        timer.cancel()
        into.reject(error)

    result.then(on_value, on_error)


# ---- serving


def pass_on(host: Host, carried: Any, work: Callable[[Hook], object], called: Hook) -> None:
    """See `capnweb_runtime.core.hook.Host.passing_on`. To another peer goes what is left of the deadline, and nothing
    else: it is this side that the other peer trusts, or does not.
    """
    end, at = _end_of(called), carried.at
    if isinstance(end, LocalHook) and end.host is not host:  # another session has brought it home, and runs it
        end.host.within(carried, host.within, carried, work, called)
    elif at is None or not (isinstance(end, ImportHook) or end.lasts):
        host.within(carried, work, called)
    else:
        _pass_on(end, partial(host.within, carried, work, called), Deadline(at))


def _pass_on(end: Hook, work: Callable[[], object], deadline: Deadline) -> None:
    token = around.set(deadline)
    try:
        session: Any = end.entry.sender if isinstance(end, ImportHook) and end.entry is not None else None
        if session is None or session.bounds_calls:
            work()
        else:
            carry(session, written(max(deadline.left(), 0.001), {}), work)
    finally:
        around.reset(token)


def _end_of(hook: Hook) -> Hook:
    """What a hook leads to, as far as that is known."""
    while True:
        if isinstance(hook, BoundedHook):
            hook = hook.inner
        elif isinstance(hook, PromiseHook) and hook.known is not None:
            hook = hook.known
        elif isinstance(hook, PayloadHook) and isinstance(value := hook.value, StubRef):
            hook = value._hook
        else:
            return hook


class Arrived:
    """What came with a call, since when it came.

    Parameters:
        carried: the same.

    Attributes:
        at: when its deadline is, on the clock of `time.monotonic`; None if it has none.
    """

    __slots__ = ("_metadata", "at")

    mapped = False
    """Whether what makes calls is a mapper function."""

    def __init__(self, carried: Carried) -> None:
        self.at = None if carried.seconds is None else time.monotonic() + carried.seconds
        self._metadata = carried.metadata

    def enter(self) -> None:
        """Sets the variables of this Context to it."""
        if self.at is not None:
            around.set(Deadline(self.at))
        if self._metadata:
            metadata.set(self._metadata)

    def bounded(self, hook: Hook) -> Hook:
        """See `capnweb_runtime.core.hook.Host.bounded`."""
        return hook if self.at is None else BoundedHook(hook, self.at)
