"""How what was lost with a session is got again. Rule: in the same way, by the same calls from the main object; what
nobody said may be called again is stale, and stays so.

What a reference leads to is the main object, a result (`Ask`), or a capability in a result (`Part`). Each knows the
hook of the current session that stands for it, or how to get one: its recipe. What can be got again in another way is
one more kind of entry.
"""

from __future__ import annotations

from contextvars import Context
from functools import partial
from typing import Protocol

from capnweb_runtime.connecting.entries import Client, Entry, stale
from capnweb_runtime.connecting.lasting import LastingHook, copied
from capnweb_runtime.connecting.operations import Operation
from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.composite import charge_written
from capnweb_runtime.core.hook import Hook, Leaving, Path, Payload
from capnweb_runtime.core.invoke import own_result
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.payload import resolve_promises
from capnweb_runtime.core.refs import PlainStub
from capnweb_runtime.core.session import Session
from capnweb_runtime.errors import DisposedError
from capnweb_runtime.objects.stub import Scope, around


class Calling(Client, Protocol):
    """What calls need of the client that makes them."""

    def made(self, ask: Ask) -> None:
        """A call has been put into the session's outbox."""
        ...

    def asked(self, ask: Ask) -> None:
        """Somebody waits for the result of a call that was made."""
        ...

    def settled(self, ask: Ask, error: BaseException | None) -> None:
        """The result of a call is known."""
        ...

    def forget(self, ask: Ask) -> None:
        """Nobody waits for the result of a call any more."""
        ...

    def interrupted(self, ask: Ask) -> None:
        """A call that somebody waits for went with its session."""
        ...


class Ask(Entry):
    """A call, a read or a map, and its result.

    Attributes:
        sequence: its place among the calls of the client.
        operation: what is asked for; kept until it need not be asked for again.
        generation: of the session on which it was made last; 0 if it never was.
        mark: where in the outbox of that session it began; see `Session.withdraw`.
        sent: whether it may have arrived, on any session.
        queued: whether it waits to be made.
        since: when it began to wait, or had to again; None if it never had to.
        given_up: whether nobody wants the result, so that what was not sent need not be.
        context: what was around the call when it was made, until its result is known.
        is_open: whether its result is still to come, for somebody who may want it; the client's.
    """

    __slots__ = (
        *("_calling", "_cell", "_inner", "_is_plain", "_result", "_session", "_source", "generation", "given_up"),
        *("context", "mark", "is_open", "operation", "queued", "sent", "sequence", "settled", "since"),
    )

    def __init__(self, client: Calling, source: Entry, operation: Operation, sequence: int, context: Context) -> None:
        super().__init__(client)
        self._calling = client
        self.context: Context | None = context
        self._source = source
        self.operation = operation
        self.sequence = sequence
        self.generation = 0
        self.mark = 0
        self.sent = self.queued = self.settled = self.given_up = False
        self.is_open = True
        self.since: float | None = None
        self._inner: Hook | None = None
        self._session: Session | None = None  # on which it was made last, until its result is known
        self._result: Payload | None = None
        self._is_plain = False  # whether what came holds nothing of any session
        self._cell: Cell[Payload] | None = None

    @property
    def lasts(self) -> bool:
        return self._is_here or self.queued or (self.operation.is_recipe and self.can_be_made)

    @property
    def can_be_made(self) -> bool:
        """Whether all that it takes to make it is there, or will be."""
        return self._source.lasts and all(
            hook.can_be_had for hook in self.operation.needs if isinstance(hook, LastingHook)
        )

    @property
    def _is_here(self) -> bool:
        """Whether the hook at hand serves: it is of the current session, or a value that holds nothing of any."""
        if self._inner is None:
            return False
        if self._is_plain:
            return True
        return self.client.session is not None and self.generation == self.client.generation

    def bound(self) -> Hook:
        if not self._is_here:
            if not self.lasts:
                return ErrorHook(stale())
            self._bind()
        assert self._inner is not None
        return self._inner

    def _bind(self) -> None:
        """Makes the call for the sake of another one, whose deadline is not its own."""
        if self.queued:
            self.issue_later()
            return
        token = around.set(None)
        try:
            self.issue()
        finally:
            around.reset(token)

    def issue_later(self) -> None:
        """Makes the call, which has waited, as where the application has made it. Raises what `issue` does."""
        if self.context is None:
            self.issue()
        else:
            self.context.run(self.issue)

    def issue(self) -> None:
        """Makes the call on the current session. Raises what encoding its arguments raises."""
        client = self.client
        self.queued = False
        around_it = around.get()
        scope = around_it if isinstance(around_it, Scope) else None
        refusal = None if scope is None else scope.refusal()  # before anything is got again for it
        source = self._source.bound() if refusal is None else refusal
        session = client.session
        assert session is not None
        self.mark = session.position
        self.generation = client.generation
        self._session = None if self.settled else session
        if refusal is not None:
            self._inner = refusal
        elif not self.can_be_made:
            self._inner = ErrorHook(stale())
        elif scope is not None:
            self._inner = scope.made(source, partial(self.operation.on, source))
        else:
            self._inner = self.operation.on(source)
        self._calling.made(self)
        if self._cell is not None and not self.settled:
            self._ask()
        elif self.refs == 0 and not self.operation.is_recipe:
            self._inner.let_go()
            client.host.discard(self._inner)  # once those that are made of it have been

    @property
    def leaving(self) -> Leaving | None:
        """See `Hook.leaving`."""
        return None if self._inner is None else self._inner.leaving

    @property
    def waiting(self) -> Cell[Payload] | None:
        return None if self.settled else self._cell

    def pull(self) -> Payload | Cell[Payload]:
        if self._result is not None:
            return self._result
        if self._cell is None:
            self._cell = Cell()
            if self._is_here:
                self._ask()
            elif not self.queued:
                self._calling.interrupted(self)
        return self._cell

    def _ask(self) -> None:
        assert self._inner is not None
        generation = self.generation
        self._calling.asked(self)
        pulled = self._inner.pull()
        if isinstance(pulled, Payload):
            self._take(generation, pulled)
        else:
            pulled.then(partial(self._take, generation), partial(self._take_error, generation))

    def _take(self, generation: int, payload: Payload) -> None:
        if self.settled or self.queued or generation != self.generation:
            return
        if payload.codec is not None and not payload.codec.pure:  # an interceptor has seen it, and may have changed it
            try:
                own_result(payload, self.client.host)
            except Exception as error:
                self._settle(error.error("result") if isinstance(error, Mismatch) else error)
                return
        waiting = None if payload.codec is not None else resolve_promises(payload, self.client.host)
        if waiting is None:
            self._settle_with(generation, payload)
        else:
            waiting.then(lambda _: self._settle_with(generation, payload), partial(self._take_error, generation))

    def _settle_with(self, generation: int, payload: Payload) -> None:
        if self.settled or generation != self.generation:
            return
        try:
            self._result = payload if payload.hooks is None else self._lasting(payload)
        except Exception as error:  # more than a message may cost
            self._settle(error)
            return
        self._settle(None)

    def _take_error(self, generation: int, error: BaseException) -> None:
        if self.settled or self.queued or generation != self.generation:
            return
        if self._session is not None and error is self._session.reason:
            self._calling.interrupted(self)
        else:
            self._settle(error)

    def fail(self, error: BaseException) -> None:
        """It is not made, or not made again."""
        if self.settled:
            return
        self.queued = False
        self._inner = ErrorHook(error)
        self._cell = self._cell or Cell()
        self._settle(error)

    def _settle(self, error: BaseException | None) -> None:
        self.settled = True
        self.context = self._session = None
        self._calling.settled(self, error)
        self._is_plain = self._result is None or self._result.hooks is None
        if self._is_plain or not self.operation.is_recipe:
            self.operation.dispose()
        if error is not None:
            self.broken(error)
        cell = self._cell
        if cell is None:
            return
        if error is not None:
            cell.reject(error)
        elif self._result is not None:
            cell.resolve(self._result)

    def _lasting(self, payload: Payload) -> Payload:
        """The result with references in it that last, in place of those to capabilities of this session."""
        charge_written(payload, self.client.host.account)
        hooks: list[Hook] = []
        value = copied(payload.value, partial(Part, self.client, self), hooks)
        return Payload(value, None, hooks, None, payload.origin)

    @property
    def held(self) -> bool:
        return self._is_here and self._inner is not None and self._inner.held

    def drop(self, *, disposed: bool) -> None:
        inner, self._inner = self._inner, None
        result, self._result = self._result, None
        cell, self._cell = self._cell, None  # what it holds, too
        self._session = None
        if not disposed and (self.settled or cell is None):  # a call that nobody has asked for is made all the same
            self._calling.forget(self)
            return  # what is in them has finalizers of its own
        self.given_up = True
        if not self.settled:
            if cell is not None:
                cell.reject(GIVEN_UP)
            self.settled = True
            self._calling.forget(self)
        if result is not None:
            result.dispose()
        if inner is not None:
            inner.dispose()


class Part(Entry):
    """A capability in a result.

    Parameters:
        client: whose it is.
        ask: what gave it, which is its recipe.
        path: where in the result it stands.
        inner: the hook of the current session, owned by this.
    """

    __slots__ = ("_ask", "_generation", "_inner", "_path")

    def __init__(self, client: Client, ask: Ask, path: Path, inner: Hook) -> None:
        super().__init__(client)
        self._ask = ask
        self._path = path
        self._inner: Hook | None = inner
        self._generation = client.generation
        client.capabilities += 1

    @property
    def _is_here(self) -> bool:
        return self.client.session is not None and self._generation == self.client.generation

    @property
    def lasts(self) -> bool:
        return self._is_here or (self._ask.operation.is_recipe and self._ask.can_be_made)

    def bound(self) -> Hook:
        if not self._is_here or self._inner is None:
            if not self.lasts:
                return ErrorHook(stale())
            before, self._inner = self._inner, self._ask.bound().get(self._path)
            self._generation = self.client.generation
            if before is not None:
                before.dispose()
        return self._inner

    def pull(self) -> Payload | Cell[Payload]:
        stub = PlainStub(LastingHook(self))
        return Payload(stub, None, [stub._hook])

    @property
    def held(self) -> bool:
        return self._is_here and self._inner is not None and self._inner.held

    def drop(self, *, disposed: bool) -> None:
        self.client.capabilities -= 1
        inner, self._inner = self._inner, None
        self._on_broken, self._on_restored = [], []
        if disposed and inner is not None:
            inner.dispose()


GIVEN_UP = DisposedError("the promise was disposed before its result had arrived")
