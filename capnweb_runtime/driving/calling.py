"""Sessions on whose outgoing calls an application puts terms: a deadline, interceptors. Rule: a call goes out as soon
as its interceptors let it, whether or not anybody waits for it; what is pipelined on it follows it, not its result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any, Final

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.carrying import carry, written
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.codecs import ANY
from capnweb_runtime.core.hook import Codec, Hook, Leaving, Path, Payload, Wire
from capnweb_runtime.core.interface import Arguments, PropertyPath, argument_error
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.session import Session
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook
from capnweb_runtime.driving.asyncio_host import start_task
from capnweb_runtime.driving.deadline import Deadline, late, nearest
from capnweb_runtime.driving.interceptors import CallInfo, Interceptor, named, through
from capnweb_runtime.objects.stub import RpcPromise, around

_leading: Final[set[asyncio.Task[Any]]] = set()
"""Interceptors that run: what they wait for may be known to nobody else, and would not keep them."""


class TermedSession(Session):
    """A session that bounds its calls of the peer, and leads them through interceptors.

    Attributes:
        call_within: seconds that each may take; None means without end.
        interceptors: what they pass, in order.
        peer: who is at the other end, for them.
        name: what the session is called, for them.
        passing: calls on their way through them.
    """

    bounds_calls = True
    call_within: float | None = None
    interceptors: Sequence[Interceptor] = ()
    peer: object = None
    name: str = ""
    _passed: dict[str, str] | None = None  # the metadata of what is being sent, if it has passed them

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.passing: set[_Made] = set()

    def send_call(self, import_id: int, path: Path, args: Payload | None, expect: Codec | None) -> Hook:
        send = super().send_call
        if self._passed is not None or not self.interceptors or (args is not None and args.codec is None):
            return self._bounded(self._passed or {}, lambda: send(import_id, path, args, expect))
        return self.intercepted(call_of(path, args), args, lambda given: send(import_id, path, given, expect), expect)

    def send_map(
        self, import_id: int, path: Path, captures: list[Hook], instructions: list[Wire], expect: Codec | None
    ) -> Hook:
        send = super().send_map
        if self._passed is not None or not self.interceptors:
            return self._bounded(self._passed or {}, lambda: send(import_id, path, captures, instructions, expect))
        call = CallInfo("", ".".join(map(str, path)), "map")
        return self.intercepted(call, None, lambda _: send(import_id, path, captures, instructions, expect), expect)

    def import_id(self, hook: Hook) -> int | None:
        """See `Exporter.import_id`: of a call that has passed its interceptors, that of the call."""
        while isinstance(hook, PromiseHook) and hook._cell.value is not None:
            hook = hook._cell.value
        return super().import_id(hook)

    def _bounded(self, metadata: dict[str, str], make: Callable[[], Hook]) -> Hook:
        """Makes a call that carries its metadata and what is left of its deadline."""
        deadline = nearest(self.call_within)
        if deadline is None:
            return carry(self, written(None, metadata), make)
        return deadline.bound(carry(self, written(max(deadline.left(), 0.001), metadata), make))

    def intercepted(
        self,
        call: CallInfo,
        args: Payload | None,
        send: Callable[[Payload | None], Hook],
        expect: Codec | None,
        base: Cell[Hook] | None = None,
    ) -> Hook:
        """Leads a call through the interceptors.

        Parameters:
            call: the call.
            args: its arguments, typed; None if it has none.
            send: makes the call with such arguments.
            expect: codec of the result.
            base: settles with what the call is made of, if it is a call that may not have been made yet.

        Raises:
            Mismatch: an argument is of the wrong type.
        """
        if args is not None and args.codec is not None and args.codec.pure:
            args.codec.encode(args.value, Loopback(self.host))  # for what it raises
        deadline = nearest(self.call_within)
        call.peer, call.session = self.peer, self.name
        call.deadline = None if deadline is None else deadline.left()
        call.pipelined = base is not None
        made = _Made(self, call, args, send, expect, base, deadline)
        context = copy_context()
        if deadline is not None:
            context.run(around.set, deadline)
        task = start_task(self.home, made.run(), context)
        made.task = task
        self.passing.add(made)
        _leading.add(task)
        task.add_done_callback(made.done)
        return InterceptedHook(self, made)

    def _let_go(self) -> None:
        super()._let_go()
        for made in tuple(self.passing):
            made.end(self._ended())

    def passed(self, metadata: dict[str, str], make: Callable[[], Hook]) -> Hook:
        """Makes a call that has passed the interceptors."""
        outer, self._passed = self._passed, metadata
        try:
            return self._bounded(metadata, make)
        finally:
            self._passed = outer


def call_of(path: Path, args: Payload | None) -> CallInfo:
    """A call, or the reading of a property, that is about to be made."""
    name = ".".join(map(str, path))
    if args is None:
        if not isinstance(path, PropertyPath):
            return CallInfo("", name, "get", idempotent=True)
        return CallInfo(*named(path.label, name), "get", idempotent=True, declared=True, raises=path.raises)
    method = args.codec.method if isinstance(args.codec, Arguments) else None
    again = isinstance(args.codec, Arguments) and args.codec.idempotent
    arguments, keywords = args.value
    if method is None:
        return CallInfo("", name, arguments=arguments, keywords=keywords, idempotent=again)
    interface, known = named(method.label, name or method.label)
    call = CallInfo(interface, known, arguments=arguments, keywords=keywords, idempotent=again, declared=True)
    call.raises = method.raises
    return call


class _Made:
    """One call on its way through interceptors.

    Attributes:
        sent_at: see `Leaving`.
        raw: the same.
        is_dropped: whether nobody will ask for the result.
    """

    def __init__(
        self,
        session: TermedSession,
        call: CallInfo,
        args: Payload | None,
        send: Callable[[Payload | None], Hook],
        expect: Codec | None,
        base: Cell[Hook] | None,
        deadline: Deadline | None,
    ) -> None:
        self.session = session
        self.raw: Cell[Hook] = Cell()  # the call itself, once it has been sent
        self.outcome: Cell[Payload] = Cell()
        self.task: asyncio.Task[Any] | None = None
        self.asked: asyncio.Future[None] = session.home.create_future()
        self.call = call
        self.sent_at: int | None = None
        self.is_dropped = False
        self._deadline = deadline
        self._timer: asyncio.TimerHandle | None = None
        self._answering = False  # whether the interceptors wait for the peer, who has the same time
        self._args = args
        self._given = (call.arguments, call.keywords)
        self._send = send
        self._expect = expect
        self._base = base
        self._sent = False

    async def run(self) -> None:
        """Leads the call through the interceptors."""
        try:
            value = await through(self.session.interceptors, self._proceed)(self.call)
        except Mismatch as mismatch:
            self._fail(argument_error(mismatch))
        except Exception as error:  # of the peer, or of an interceptor
            self._fail(error)
        else:
            payload = Payload(value, self._expect or ANY)
            self.raw.resolve(PayloadHook(payload, self.session.host))  # unless it was sent
            self.outcome.resolve(payload)

    def end(self, reason: BaseException) -> None:
        """The session has ended: the interceptors need not wait any longer until somebody asks for the result."""
        if self.task is not None and self._sent and not self.asked.done():
            self.outcome.reject(reason)
            self.task.cancel()

    def ask(self) -> None:
        """Somebody wants the result, within the deadline."""
        if self.asked.done():
            return
        self.asked.set_result(None)
        if self._deadline is not None and not self.outcome.settled:
            self._timer = self.session.home.call_later(max(self._deadline.left(), 0), self._late)

    def _late(self) -> None:
        if not self._answering and not self.outcome.settled:
            self._fail(late())
            self.give_up()

    def give_up(self) -> None:
        """Nobody wants the result any more."""
        if self.task is not None and not self.task.done():
            self.task.cancel()

    def done(self, task: asyncio.Task[Any]) -> None:
        """It was cancelled, if it has not ended otherwise."""
        self.session.passing.discard(self)
        _leading.discard(task)
        if self._timer is not None:
            self._timer.cancel()
        self._fail(asyncio.CancelledError() if task.cancelled() else task.exception() or asyncio.CancelledError())

    def _fail(self, error: BaseException) -> None:
        self.raw.reject(error)
        self.outcome.reject(error)

    async def _proceed(self, call: CallInfo) -> Any:
        """Sends the call, and waits for its result once somebody has asked for that."""
        if self._sent and not call.idempotent:
            raise RuntimeError(f"{call.name} may have been run by the peer: only an idempotent call can be repeated")
        if self._base is not None:
            await _settled(self.session.home, self._base)
        args = self._args
        if args is not None and (call.arguments, call.keywords) != self._given:
            args = Payload((call.arguments, call.keywords), args.codec)
        bound = nearest(None)
        refusal = None if bound is None else bound.refusal()
        again = self._sent
        if not again:
            self.sent_at = self.session.position
        hook = refusal or self.session.passed(call.metadata, lambda: self._send(args))
        if isinstance(hook, ErrorHook):
            raise hook.error
        self._sent = True
        if not again:
            self.raw.resolve(hook)
        if self.is_dropped:
            raise asyncio.CancelledError
        await asyncio.shield(self.asked)
        call.asked = True
        codec: Any = self._expect or ANY
        promise: RpcPromise[Any] = RpcPromise(hook if again else hook.dup(), (), codec, raises=call.raises)
        self._answering = True
        try:
            return await promise
        except asyncio.CancelledError:  # whose traceback would keep it
            promise.dispose()
            raise
        finally:
            self._answering = False
            if self._deadline is not None and self._deadline.left() <= 0:
                self.session.home.call_soon(self._late)  # unless they end now


async def _settled(loop: asyncio.AbstractEventLoop, cell: Cell[Hook]) -> None:
    """Waits until something is known."""
    if not cell.settled:
        known: asyncio.Future[None] = loop.create_future()

        def tell(_: object) -> None:
            if not known.done():
                known.set_result(None)

        cell.then(tell, tell)
        await known


class PipelinedHook(PromiseHook):
    """The result of a call that has passed interceptors: what is pipelined on it passes them, too."""

    __slots__ = ("_session",)

    def __init__(self, session: TermedSession, cell: Cell[Hook]) -> None:
        super().__init__(cell, session.host)
        self._session = session

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        if args.codec is None:
            return super().call(path, args, expect)
        pipelined = super().call
        return self._pipelined(
            call_of(path, args), args, lambda given: pipelined(path, given or Payload([]), expect), expect
        )

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        if not path:
            return self.dup()
        if type(self) is PipelinedHook:  # a read passes them when it is sent
            return super().get(path, expect)
        pipelined = super().get
        return self._pipelined(call_of(path, None), None, lambda _: pipelined(path, expect), expect)

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        pipelined = super().map
        call = CallInfo("", ".".join(map(str, path)), "map")
        return self._pipelined(call, None, lambda _: pipelined(path, captures, instructions, expect, budget), expect)

    def _pipelined(
        self, call: CallInfo, args: Payload | None, send: Callable[[Payload | None], Hook], expect: Codec | None
    ) -> Hook:
        return self._session.intercepted(call, args, send, expect, self._cell)

    def dup(self) -> Hook:
        made = super().dup()
        return PipelinedHook(self._session, made._cell) if isinstance(made, PromiseHook) else made


class InterceptedHook(PipelinedHook):
    """A call that passes interceptors: what is pipelined goes to the call itself, who waits gets what they answer."""

    __slots__ = ("_made",)

    def __init__(self, session: TermedSession, made: _Made) -> None:
        super().__init__(session, made.raw)
        self._made = made

    def __del__(self) -> None:
        if not self._disposed:
            self.let_go()
            self._host.discard(self)

    @property
    def leaving(self) -> Leaving | None:
        return None if self._made.raw.settled else self._made

    def let_go(self) -> None:
        self._made.is_dropped = not self._made.asked.done()

    @property
    def waiting(self) -> Cell[Payload] | None:
        return None if self._made.outcome.settled else self._made.outcome

    @property
    def home(self) -> Any:
        return self._session.home

    def pull(self) -> Payload | Cell[Payload]:
        self._made.ask()
        return self._made.outcome

    def dispose(self) -> None:
        if not self._disposed:
            super().dispose()
            if self.leaving is None or not self._made.is_dropped:  # else it ends once the call is sent
                self._made.give_up()
