"""Hooks over local functions and targets. Rule: a target is reached by the table of its interface only.

There is no getattr on names that a peer chose: the table maps names of the wire to attributes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from capnweb_runtime.core.broken import GIVEN_BACK, ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Host, IncomingArgs, Path, Payload, Wire
from capnweb_runtime.core.interface import Method, Property
from capnweb_runtime.core.invoke import invoke, invoke_wire, run
from capnweb_runtime.core.refs import PlainStub
from capnweb_runtime.core.value_hooks import PayloadHook, not_a_function
from capnweb_runtime.errors import CostExceeded
from capnweb_runtime.values import UNDEFINED


class LocalHook(Hook):
    """What functions and targets have in common: as a value, each is a stub of itself."""

    __slots__ = ("_host",)

    _host: Host

    @property
    def host(self) -> Host:
        return self._host

    def _begin(self, args: Payload) -> None:
        """A call on this side is about to be made. Raises RuntimeError if that is elsewhere than the session lives."""
        host = self._host
        if host.here() is not host.home:
            try:
                host.elsewhere()
            except RuntimeError:
                args.dispose()
                raise

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

    def pull(self) -> Payload | Cell[Payload]:
        return self._as_value().pull()


class FunctionHook(LocalHook):
    """A local function, called with an empty path.

    Parameters:
        function: sync or async; called with decoded arguments.
        method: how arguments and result travel.
        host: runs it.
        where: what to call it in a report.
    """

    __slots__ = ("_function", "_method", "_where")

    def __init__(self, function: Callable[..., Any], method: Method, host: Host, where: str) -> None:
        self._function: Callable[..., Any] | None = function
        self._method = method
        self._host = host
        self._where = where

    @property
    def target(self) -> object:
        """The function itself; None once this reference has been disposed."""
        return self._function

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        self._begin(args)
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
            return GIVEN_BACK
        return ErrorHook(not_a_function(path)) if path else self._function

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        return _no_such_property(path, self._host) if path else self._as_value()

    def dup(self) -> Hook:
        if self._function is None:
            raise GIVEN_BACK.error_of("a stub was used", "it")
        return FunctionHook(self._function, self._method, self._host, self._where)

    def dispose(self) -> None:
        self._function = None

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """A local function never breaks."""


class AttendedFunctionHook(FunctionHook):
    """A local function of whose calls there is more to say; see `Host.attend`."""

    __slots__ = ()

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        self._begin(args)
        function = self._callable(path)
        if isinstance(function, ErrorHook):
            args.dispose()
            return function
        return self._host.attend(invoke, function, self._method, args, self._where)

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        function = self._callable(path)
        if isinstance(function, ErrorHook):
            args.payload().dispose()
            return function
        return self._host.attend(invoke_wire, function, self._method, args, self._where)

    def dup(self) -> Hook:
        if self._function is None:
            raise GIVEN_BACK.error_of("a stub was used", "it")
        return AttendedFunctionHook(self._function, self._method, self._host, self._where)


def function_hook(function: Callable[..., Any], method: Method, host: Host, where: str) -> FunctionHook:
    """A new hook over a local function, owned by the caller; see `FunctionHook`."""
    plain = type(method) is Method and not host.attends
    return (FunctionHook if plain else AttendedFunctionHook)(function, method, host, where)


def _no_such_property(path: Path, host: Host) -> Hook:
    """Reading what is not there: undefined, and an error one step beyond."""
    return PayloadHook(Payload(UNDEFINED), host).get(path[1:])


class Shares:
    """How many hooks there are over one target, and what to do when the last one goes."""

    __slots__ = ("count", "on_last")

    def __init__(self, on_last: Callable[[], Awaitable[None] | None]) -> None:
        self.count = 1
        self.on_last = on_last


class TargetHook(LocalHook):
    """A local target, reached by the table of its interface.

    Parameters:
        target: the object; its attributes are used by the names in the table only.
        members: name on the wire → (attribute, member).
        host: runs its methods.
        shares: counts the hooks over this export of the target; one share is this hook's.
    """

    __slots__ = ("_members", "_shares", "_target")

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
    def target(self) -> object:
        """The object itself; None once this reference has been disposed."""
        return self._target

    def _method(self, path: Path) -> tuple[Callable[..., Any], Method] | None:
        """The bound function and its table entry, if the path names a method of which no more is said."""
        if len(path) == 1 and self._shares is not None:
            entry = self._member(path)
            if entry is not None and type(entry[1]) is Method:
                return getattr(self._target, entry[0]), entry[1]
        return None

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        self._begin(args)
        found = self._method(path)
        if found is None:
            return self._call_inside(path, args)
        return invoke(found[0], found[1], args, self._host, self._where(path))

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        if len(path) == 1 and self._shares is not None:
            entry = self._members.get(path[0])  # type: ignore[arg-type]  # an index is no name, and so not in there
            if entry is not None and type(entry[1]) is Method:
                target = self._target
                where = f"{type(target).__name__}.{path[0]}"
                return invoke_wire(getattr(target, entry[0]), entry[1], args, self._host, where)
            if entry is not None and isinstance(entry[1], Method):
                function = getattr(self._target, entry[0])
                return self._host.attend(invoke_wire, function, entry[1], args, self._where(path))
        return self._call_inside(path, args.payload())

    def _where(self, path: Path) -> str:
        return f"{type(self._target).__name__}.{path[0]}"

    def _call_inside(self, path: Path, args: Payload) -> Hook:
        """A call of a method of which more is said, of something that a property holds, or of nothing."""
        if self._shares is None:
            args.dispose()
            return GIVEN_BACK
        entry = self._member(path)
        if entry is not None and len(path) == 1 and isinstance(entry[1], Method):
            function = getattr(self._target, entry[0])
            return self._host.attend(invoke, function, entry[1], args, self._where(path))
        if entry is None and len(path) < 2:
            args.dispose()
            return ErrorHook(not_a_function(path, getattr(self._target, "_rpc_interface", "")))
        inner = self.get(path[:1])
        result = inner.call(path[1:], args)
        inner.dispose()
        return _named_from(result, path)

    def _member(self, path: Path) -> tuple[str, Method | Property] | None:
        return self._members.get(path[0]) if path and type(path[0]) is str else None

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        if self._shares is None:
            return GIVEN_BACK
        if not path:
            return self._as_value()
        entry = self._member(path)
        if entry is None:
            return _no_such_property(path, self._host)
        attribute, member = entry
        if isinstance(member, Method):
            function = function_hook(getattr(self._target, attribute), member, self._host, self._where(path))
            return function.get(path[1:])
        where = self._where(path)
        read = self._reading(attribute, member, where)
        value = run(read, (), {}, member.codec, self._host, where, [], member.raises)
        if len(path) == 1:
            return value
        inner = value.get(path[1:])
        value.dispose()
        return inner

    def _reading(self, attribute: str, member: Property, where: str) -> Callable[..., Any]:
        """What reads a property."""
        target = self._target
        return lambda: getattr(target, attribute)

    def dup(self) -> Hook:
        if self._shares is None:
            raise GIVEN_BACK.error_of("a stub was used", "it")
        self._shares.count += 1
        return type(self)(self._target, self._members, self._host, self._shares)

    def dispose(self) -> None:
        shares, self._shares = self._shares, None
        if shares is None:
            return
        shares.count -= 1
        target, self._target = self._target, None
        if shares.count == 0:
            name = f"{type(target).__name__}.dispose"
            self._host.once_begun(partial(_run_disposer, shares.on_last, self._host, name))

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """A local target never breaks."""


class AttendedTargetHook(TargetHook):
    """A local target of whose calls there is more to say; see `Host.attend`."""

    __slots__ = ()

    def _method(self, path: Path) -> None:
        return None  # each is called as one of which more is said

    def _reading(self, attribute: str, member: Property, where: str) -> Callable[..., Any]:
        return self._host.attended_reading(super()._reading(attribute, member, where), member, where)

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        try:
            return super().get(path, expect)
        except CostExceeded as refused:
            return ErrorHook(refused)

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        entry = self._member(path) if len(path) == 1 and self._shares is not None else None
        if entry is None or not isinstance(entry[1], Method):
            return self._call_inside(path, args.payload())
        function = getattr(self._target, entry[0])
        return self._host.attend(invoke_wire, function, entry[1], args, self._where(path))

    def _call_inside(self, path: Path, args: Payload) -> Hook:
        result = super()._call_inside(path, args)
        if isinstance(result, ErrorHook) and self._target is not None and not self._member(path):
            self._host.refused(".".join(map(str, path)), result.error)
        return result


def _run_disposer(dispose: Callable[[], Awaitable[None] | None], host: Host, where: str) -> None:
    """Calls a disposer, as a task if it is async, and counts it among the calls that `Limits.calls` bounds: a peer that
    has objects made and gives them up would otherwise leave any number behind. What it raises concerns the application,
    not the session.
    """
    try:
        awaitable = dispose()
        if awaitable is None:
            return
        outcome = host.finish(awaitable)
    except Exception as error:  # whatever the application raises
        host.report(where, error)
        return
    if isinstance(outcome, Cell):
        _count_until(outcome, host, where)


def _count_until(outcome: Cell[Any], host: Host, where: str) -> None:
    """Counts an async disposer among the calls until it has ended."""
    everybody = host.everybody

    def done(_: object) -> None:
        host.running -= 1
        everybody.count -= 1

    def failed(error: BaseException) -> None:
        done(None)
        host.report(where, error)

    host.running += 1
    everybody.count += 1
    outcome.then(done, failed)


def _named_from(hook: Hook, path: Path) -> Hook:
    """Corrects the name in a "not a function" error that arose one step down the path."""
    inner = str(not_a_function(path[1:]))[:-1]
    if isinstance(hook, ErrorHook) and str(hook.error).startswith(inner):
        return ErrorHook(TypeError(str(not_a_function(path))[:-1] + str(hook.error)[len(inner) :]))
    return hook
