"""Hooks over values that have arrived, and over hooks that are not known yet. Rule: values have keys and indices, never
attributes, and what is asked of a promise is asked again, in order, of what it resolves to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from capnweb_runtime.core.broken import GIVEN_BACK, ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import (
    Codec,
    Hook,
    Host,
    IncomingArgs,
    Path,
    Payload,
    PromiseRef,
    Ref,
    StubRef,
    Wire,
    dispose_all,
)
from capnweb_runtime.core.payload import (
    Inside,
    branch,
    follow,
    is_inert,
    make_plain,
    resolve_promises,
)
from capnweb_runtime.core.remap import default_budget, replay
from capnweb_runtime.errors import LimitExceeded

WORK_PER_WAITER: Final = 8
"""Units of work that it takes, about, to go on with one of those who wait for a promise."""


class PayloadHook(Hook):
    """A value that has arrived, or a result that is known. Owns its payload."""

    __slots__ = ("_host", "_payload")

    def __init__(self, payload: Payload, host: Host) -> None:
        self._payload: Payload | None = payload
        self._host = host

    @property
    def host(self) -> Host:
        return self._host

    def _open(self) -> Payload:
        if self._payload is None:
            raise GIVEN_BACK.error_of("a stub or promise was used", "it")
        return self._payload

    def _find(self, path: Path) -> Any:
        """The plain value at the path, or an `Inside`."""
        payload = self._open()
        root = payload.value
        if isinstance(root, PromiseRef):
            return Inside(root._hook, root._path + path)
        if isinstance(root, StubRef):
            return Inside(root._hook, path) if path else root
        make_plain(payload, self._host)
        return follow(payload.value, path)

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        try:
            found = self._find(path)
        except Exception as error:  # the path leads nowhere, or the value cannot be made plain
            args.dispose()
            return ErrorHook(error)
        if isinstance(found, Inside):
            return found.hook.call(found.rest, args, expect)
        if isinstance(found, StubRef):
            return found._hook.call((), args, expect)
        args.dispose()
        return ErrorHook(not_a_function(path))

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        root = None if self._payload is None else self._payload.value
        if isinstance(root, StubRef):  # a call on a result that is a capability: its target decodes in one pass
            return root._hook.call_wire(path, args)
        return self.call(path, args.payload())

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        payload = self._payload
        if payload is not None and not path and payload.codec is not None and payload.codec.pure:
            return PayloadHook(Payload(payload.value, payload.codec), self._host)
        try:
            found = self._find(path)
        except Exception as error:  # as above
            return ErrorHook(error)
        if isinstance(found, Inside):
            return found.hook.get(found.rest, expect)
        return self._part(path)

    def _part(self, path: Path) -> Hook:
        """A hook over a copy of the value at the path, once the promises in this payload have been resolved: a copy
        of a promise each time it is named would let messages double what they hold.
        """
        waiting = resolve_promises(self._open(), self._host)
        if waiting is None:
            try:
                return PayloadHook(branch(follow(self._open().value, path), self._host, self._holds_any), self._host)
            except (LimitExceeded, RecursionError, TypeError) as error:
                return ErrorHook(error)
        part: Cell[Hook] = Cell()
        waiting.then(lambda _: part.resolve(self._part_now(path)), part.reject)
        return PromiseHook(part, self._host)

    def _part_now(self, path: Path) -> Hook:
        return GIVEN_BACK if self._payload is None else self._part(path)

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        try:
            found = self._find(path)
        except Exception as error:  # as above
            dispose_all(captures)
            return ErrorHook(error)
        if isinstance(found, Inside):
            return found.hook.map(found.rest, captures, instructions, expect, budget)
        budget = budget or default_budget()
        try:
            result = replay(found, captures, instructions, budget, self._host, self._wrap, self._holds_any)
        except Exception as error:  # an error in one element rejects the whole
            return ErrorHook(error)
        if isinstance(result, Payload):
            return PayloadHook(result, self._host)
        mapped: Cell[Hook] = Cell()
        result.then(lambda payload: mapped.resolve(PayloadHook(payload, self._host)), mapped.reject)
        return PromiseHook(mapped, self._host)

    @property
    def _holds_any(self) -> bool:
        """Whether there may be something in the payload that could be owned; what it owns says so."""
        return self._payload is None or not is_inert(self._payload)

    def _wrap(self, payload: Payload) -> Hook:
        return PayloadHook(payload, self._host)

    def dup(self) -> Hook:
        root = self._open().value
        if isinstance(root, StubRef):
            return root._hook.dup()
        return self.get(())

    def pull(self) -> Payload | Cell[Payload]:
        return self._payload or self._open()

    def dispose(self) -> None:
        payload, self._payload = self._payload, None
        if payload is not None and payload.hooks is not None:
            payload.dispose()

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        if self._payload is not None and isinstance(self._payload.value, Ref):
            self._payload.value._hook.on_broken(callback)


class PromiseHook(Hook):
    """A hook that is not known yet. Whatever is asked of it is asked again of what it resolves to, in the order in
    which it was asked.
    """

    __slots__ = ("_cell", "_disposed", "_host")

    def __init__(self, cell: Cell[Hook], host: Host) -> None:
        self._cell = cell
        self._host = host
        self._disposed = False

    @property
    def host(self) -> Host:
        return self._host

    def _then(self, use: Callable[[Hook], object], otherwise: Callable[[BaseException], object]) -> None:
        """Calls one of the two once this is known, in the order in which that was asked for; where others are to go
        first, after them.
        """
        host = self._host

        def on_hook(hook: Hook) -> None:
            account = host.account
            account.spent += WORK_PER_WAITER
            if account.spent > account.look_at and account.is_over():
                host.put_off(lambda: use(hook))
            else:
                use(hook)

        self._cell.then(on_hook, otherwise)

    def _later(self, use: Callable[[Hook], Hook], otherwise: Callable[[], None] | None = None) -> Hook:
        result: Cell[Hook] = Cell()
        if self._host.carried is not None:
            use = partial(self._host.within, self._host.carried, use)
        self._then(
            partial(_settle, result, use),
            result.reject if otherwise is None else partial(_fail, result, otherwise),
        )
        return PromiseHook(result, self._host)

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        make_plain(args, self._host, arguments=True)  # the caller may change its values before they are sent
        return self._later(lambda hook: hook.call(path, args, expect), args.dispose)

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return self._later(lambda hook: hook.get(path, expect))

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        return self._later(
            lambda hook: hook.map(path, captures, instructions, expect, budget), lambda: dispose_all(captures)
        )

    def dup(self) -> Hook:
        return self._later(lambda hook: hook.dup())

    def pull(self) -> Payload | Cell[Payload]:
        result: Cell[Payload] = Cell()
        self._then(lambda hook: _pull_into(hook, result), result.reject)
        return result

    def dispose(self) -> None:
        if not self._disposed:
            self._disposed = True
            self._then(lambda hook: hook.dispose(), lambda error: None)

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        self._then(lambda hook: hook.on_broken(callback), callback)


def _settle(result: Cell[Hook], use: Callable[[Hook], Hook], hook: Hook) -> None:
    try:
        result.resolve(use(hook))
    except Exception as error:  # a disposed hook, say: the error belongs to whoever waits for the result
        result.reject(error)


def _fail(result: Cell[Hook], otherwise: Callable[[], None], error: BaseException) -> None:
    otherwise()
    result.reject(error)


def _pull_into(hook: Hook, result: Cell[Payload]) -> None:
    try:
        pulled = hook.pull()
    except Exception as error:  # a disposed hook
        result.reject(error)
        return
    if isinstance(pulled, Payload):
        result.resolve(pulled)
    else:
        pulled.then(result.resolve, result.reject)


def not_a_function(path: Path) -> TypeError:
    """The error for a call of something that cannot be called."""
    return TypeError(f"'{'.'.join(map(str, path))}' is not a function.")
