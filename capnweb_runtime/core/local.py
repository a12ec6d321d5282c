"""Hooks over what is on this side: values that have arrived, promises of hooks, targets and functions. Rule: targets
are reached by table only.

There is no getattr on names that a peer chose: a target's interface table maps names of the wire to attributes, and
values have keys and indices, not attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.evaluate import NotDirect
from capnweb_runtime.core.hook import (
    Budget,
    Codec,
    ErrorHook,
    Hook,
    Host,
    IncomingArgs,
    Path,
    Payload,
    PlainStub,
    PromiseRef,
    Ref,
    StubRef,
    Wire,
    dispose_all,
)
from capnweb_runtime.core.interface import Method, Property, argument_error
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.payload import (
    Inside,
    branch,
    decode_arguments,
    follow,
    make_plain,
    resolve_promises,
)
from capnweb_runtime.core.remap import default_budget, replay
from capnweb_runtime.errors import DisposedError, LimitExceeded
from capnweb_runtime.values import UNDEFINED

_DISPOSED = "Attempted to use an RPC StubHook after it was disposed."


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
            raise DisposedError(_DISPOSED)
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
        try:
            return PayloadHook(branch(self._open(), found), self._host)
        except LimitExceeded as error:
            return ErrorHook(error)

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
        try:
            return PayloadHook(
                replay(found, captures, instructions, budget or default_budget(), self._host, self._wrap), self._host
            )
        except Exception as error:  # an error in one element rejects the whole
            return ErrorHook(error)

    def _wrap(self, payload: Payload) -> Hook:
        return PayloadHook(payload, self._host)

    def dup(self) -> Hook:
        root = self._open().value
        if isinstance(root, StubRef):
            return root._hook.dup()
        return self.get(())

    def pull(self) -> Payload | Cell[Payload]:
        return self._open()

    def dispose(self) -> None:
        payload, self._payload = self._payload, None
        if payload is not None:
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

    def _later(self, use: Callable[[Hook], Hook], otherwise: Callable[[], None] | None = None) -> Hook:
        result: Cell[Hook] = Cell()

        def on_hook(hook: Hook) -> None:
            try:
                result.resolve(use(hook))
            except Exception as error:  # a disposed hook, say: the error belongs to whoever waits for the result
                result.reject(error)

        def on_error(error: BaseException) -> None:
            if otherwise is not None:
                otherwise()
            result.reject(error)

        self._cell.then(on_hook, on_error)
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
        self._cell.then(lambda hook: _pull_into(hook, result), result.reject)
        return result

    def dispose(self) -> None:
        if not self._disposed:
            self._disposed = True
            self._cell.then(lambda hook: hook.dispose(), lambda error: None)

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        self._cell.then(lambda hook: hook.on_broken(callback), callback)


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


class FunctionHook(Hook):
    """A local function, called with an empty path.

    Parameters:
        function: sync or async; called with decoded arguments.
        method: how arguments and result travel.
        host: runs it.
        where: what to call it in a report.
    """

    __slots__ = ("_function", "_host", "_method", "_where")

    def __init__(self, function: Callable[..., Any], method: Method, host: Host, where: str) -> None:
        self._function: Callable[..., Any] | None = function
        self._method = method
        self._host = host
        self._where = where

    @property
    def host(self) -> Host:
        return self._host

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        function = self._callable(path)
        if isinstance(function, ErrorHook):
            args.dispose()
            return function
        return invoke(function, self._method, args, self._host, self._where)

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        function = self._callable(path)
        if isinstance(function, ErrorHook):
            args.payload().dispose()
            return function
        return invoke_wire(function, self._method, args, self._host, self._where)

    def _callable(self, path: Path) -> Any:
        if self._function is None:
            return ErrorHook(DisposedError(_DISPOSED))
        return ErrorHook(not_a_function(path)) if path else self._function

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return _no_such_property(path, self._host) if path else self._as_value()

    def _as_value(self) -> Hook:
        stub = PlainStub(self.dup())
        return PayloadHook(Payload(stub, None, [stub._hook]), self._host)

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        return self.get(path).map((), captures, instructions, expect, budget)

    def dup(self) -> Hook:
        if self._function is None:
            raise DisposedError(_DISPOSED)
        return FunctionHook(self._function, self._method, self._host, self._where)

    def pull(self) -> Payload | Cell[Payload]:
        return self._as_value().pull()

    def dispose(self) -> None:
        self._function = None

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """A local function never breaks."""


def _no_such_property(path: Path, host: Host) -> Hook:
    """Reading what is not there: undefined, and an error one step beyond."""
    return PayloadHook(Payload(UNDEFINED), host).get(path[1:])


class Shares:
    """How many hooks there are over one target, and what to do when the last one goes."""

    __slots__ = ("count", "on_last")

    def __init__(self, on_last: Callable[[], None]) -> None:
        self.count = 1
        self.on_last = on_last


class TargetHook(Hook):
    """A local target, reached by the table of its interface.

    Parameters:
        target: the object; its attributes are used by the names in the table only.
        members: name on the wire → (attribute, member).
        host: runs its methods.
        shares: counts the hooks over this export of the target; one share is this hook's.
    """

    __slots__ = ("_host", "_members", "_shares", "_target")

    def __init__(
        self, target: object, members: Mapping[str, tuple[str, Method | Property]], host: Host, shares: Shares
    ) -> None:
        self._target: Any = target
        self._members = members
        self._host = host
        self._shares: Shares | None = shares

    def __del__(self) -> None:
        if self._shares is not None:  # dropped without having been disposed
            self._host.discard(self)

    @property
    def host(self) -> Host:
        return self._host

    @property
    def target(self) -> object:
        """The object itself; None once this reference has been disposed."""
        return self._target

    def _method(self, path: Path) -> tuple[Callable[..., Any], Method] | None:
        """The bound function and its table entry, if the path names a method."""
        if len(path) == 1 and self._shares is not None:
            entry = self._member(path)
            if entry is not None and isinstance(entry[1], Method):
                return getattr(self._target, entry[0]), entry[1]
        return None

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        found = self._method(path)
        if found is None:
            return self._call_inside(path, args)
        return invoke(found[0], found[1], args, self._host, self._where(path))

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        found = self._method(path)
        if found is None:
            return self._call_inside(path, args.payload())
        return invoke_wire(found[0], found[1], args, self._host, self._where(path))

    def _where(self, path: Path) -> str:
        return f"{type(self._target).__name__}.{path[0]}"

    def _call_inside(self, path: Path, args: Payload) -> Hook:
        """A call of something that a property holds, or of nothing."""
        if self._shares is None:
            args.dispose()
            return ErrorHook(DisposedError(_DISPOSED))
        entry = self._member(path)
        if entry is None and len(path) < 2:
            args.dispose()
            return ErrorHook(not_a_function(path))
        inner = self.get(path[:1])
        result = inner.call(path[1:], args)
        inner.dispose()
        return _named_from(result, path)

    def _member(self, path: Path) -> tuple[str, Method | Property] | None:
        return self._members.get(path[0]) if path and type(path[0]) is str else None

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        if self._shares is None:
            return ErrorHook(DisposedError(_DISPOSED))
        if not path:
            return self._as_value()
        entry = self._member(path)
        if entry is None:
            return _no_such_property(path, self._host)
        attribute, member = entry
        if isinstance(member, Method):
            function = FunctionHook(getattr(self._target, attribute), member, self._host, self._where(path))
            return function.get(path[1:])
        target = self._target
        value = run(lambda: getattr(target, attribute), (), {}, member.codec, self._host, self._where(path), [])
        if len(path) == 1:
            return value
        inner = value.get(path[1:])
        value.dispose()
        return inner

    def _as_value(self) -> Hook:
        stub = PlainStub(self.dup())
        return PayloadHook(Payload(stub, None, [stub._hook]), self._host)

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        inner = self.get(path)
        try:
            return inner.map((), captures, instructions, expect, budget)
        finally:
            inner.dispose()

    def dup(self) -> Hook:
        if self._shares is None:
            raise DisposedError(_DISPOSED)
        self._shares.count += 1
        return TargetHook(self._target, self._members, self._host, self._shares)

    def pull(self) -> Payload | Cell[Payload]:
        return self._as_value().pull()

    def dispose(self) -> None:
        shares, self._shares = self._shares, None
        if shares is None:
            return
        shares.count -= 1
        target, self._target = self._target, None
        if shares.count == 0:
            try:
                shares.on_last()
            except Exception as error:  # a disposer's failure concerns the application, not the session
                self._host.report(f"{type(target).__name__}.dispose", error)

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """A local target never breaks."""


def _named_from(hook: Hook, path: Path) -> Hook:
    """Corrects the name in a "not a function" error that arose one step down the path."""
    if isinstance(hook, ErrorHook) and str(hook.error) == str(not_a_function(path[1:])):
        return ErrorHook(not_a_function(path))
    return hook


def invoke(function: Callable[..., Any], method: Method, args: Payload, host: Host, where: str) -> Hook:
    """Calls a function with a payload of arguments, once the promises among them are resolved; the payload is
    disposed when the call returns.
    """
    waiting = resolve_promises(args, host)
    if waiting is None:
        return _invoke_resolved(function, method, args, host, where)
    result: Cell[Hook] = Cell()

    def on_error(error: BaseException) -> None:
        args.dispose()
        result.reject(error)

    waiting.then(lambda _: result.resolve(_invoke_resolved(function, method, args, host, where)), on_error)
    return PromiseHook(result, host)


def _invoke_resolved(function: Callable[..., Any], method: Method, args: Payload, host: Host, where: str) -> Hook:
    try:
        values, kwargs = decode_arguments(args, method.params, host)
    except Mismatch as mismatch:
        args.dispose()
        return ErrorHook(argument_error(mismatch))
    except Exception as error:  # an application's validator
        args.dispose()
        return ErrorHook(error)
    held, args.hooks = args.hooks or [], None
    return run(function, values, kwargs, method.result, host, where, held)


def invoke_wire(function: Callable[..., Any], method: Method, args: IncomingArgs, host: Host, where: str) -> Hook:
    """Calls a function with arguments as they stand in a message: decoded in one pass if possible."""
    try:
        (values, kwargs), held = args.direct(method.params)
    except (Mismatch, NotDirect):
        pass  # and not from in here, or what the function raises has this as its context
    else:
        return run(function, values, kwargs, method.result, host, where, held)
    return invoke(function, method, args.payload(), host, where)


def run(
    function: Callable[..., Any],
    args: Any,
    kwargs: Mapping[str, Any],
    codec: TypeCodec,
    host: Host,
    where: str,
    held: list[Hook],
) -> Hook:
    """Starts a function of the application.

    Parameters:
        function: sync or async.
        args: decoded positional arguments.
        kwargs: decoded keyword arguments.
        codec: how the result travels.
        host: runs it.
        where: what to call it in a report.
        held: capabilities among the arguments, disposed when the call returns.

    Returns:
        A hook for the result, owned by the caller.
    """
    try:
        outcome = host.start(function, args, kwargs)
    except Exception as error:  # whatever the application raises is its answer
        dispose_all(held)
        host.report(where, error)
        return ErrorHook(error)
    if type(outcome) is not Cell:
        return _settled(outcome, codec, host, where, held)
    result: Cell[Hook] = Cell()

    def on_error(error: BaseException) -> None:
        dispose_all(held)
        host.report(where, error)
        result.reject(error)

    outcome.then(lambda value: result.resolve(_settled(value, codec, host, where, held)), on_error)
    return PromiseHook(result, host)


def _settled(value: Any, codec: TypeCodec, host: Host, where: str, held: list[Hook]) -> Hook:
    """The hook of a result. A result with capabilities in it is made plain at once, so that they are owned before
    the arguments are disposed.
    """
    payload = Payload(value, codec, None, None, where)
    try:
        if not codec.pure:
            captured = codec.capture(value, host)
            if captured is not None:
                return PayloadHook(Payload(PlainStub(captured), None, [captured]), host)
            own_result(payload, host)
    except Mismatch as mismatch:
        error = mismatch.error(f"result of {where}")
        host.report(where, error)
        return ErrorHook(error)
    except Exception as error:  # a value that has no wire form
        host.report(where, error)
        return ErrorHook(error)
    finally:
        dispose_all(held)
    return PayloadHook(payload, host)


def own_result(payload: Payload, host: Host) -> None:
    """Makes a result plain and takes over the references in it: stubs that a target returns belong to the caller
    from here on.
    """
    value = payload.value
    make_plain(payload, host)
    _give_up(value)


def _give_up(value: Any) -> None:
    """Disposes the stubs that stand in a result, now that it holds references of its own."""
    if isinstance(value, StubRef):
        value._hook.dispose()
    elif isinstance(value, (list, tuple)):
        for item in value:
            _give_up(item)
    elif isinstance(value, dict):
        for item in value.values():
            _give_up(item)
