"""What generated fakes are made of. Rule: beside `codegen_api` this is the only module that generated code imports, and
only its modules of fakes do, so that no program loads it.

A fake is a target: everything between it and its caller is as it is in production. Its methods are set, not written.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Generator, Iterator
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, cast

from capnweb_runtime.objects.stub import RpcStub
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.testing.answers import Answer, Answers, Call, UnexpectedCall

__all__ = ["BareFake", "Call", "Fake", "Members", "Method", "Property", "Stream", "method", "stream", "verify"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
C = TypeVar("C", bound=Call)


class _Member(Answers[P, R], Generic[P, R]):
    """A member of one fake: what is set for its calls, and those that nothing was set for.

    Parameters:
        owner: the class of the fake, for messages.
        name: the member.
    """

    def __init__(self, owner: str, name: str) -> None:
        super().__init__(name)
        self._owner = owner
        self._unexpected: list[str] = []

    def _sets(self) -> Iterator[Answers[P, R]]:
        yield self

    def _refuse(self, asked: str) -> UnexpectedCall:
        self._unexpected.append(asked)
        told = [line for answers in self._sets() for line in answers._told()]
        if told:
            expected = "set are:" + "".join(f"\n  {line}" for line in told)
        else:
            expected = f"nothing is set for it: use {self._label}.returns(...), .raises(...) or .does(...)"
        return UnexpectedCall(f"{self._owner} was not expected to be asked for {asked}; {expected}")

    def _faults(self) -> Iterator[str]:
        for asked in self._unexpected:
            yield f"was asked for {asked}, which nothing is set for"
        for answers in self._sets():
            for line in answers._missed():
                yield f"was not asked for what is set, {line}"

    def _let_go(self) -> None:
        """Gives up what it has kept of its arguments."""


class Method(_Member[P, R], Generic[C, P, R]):
    """A method of a fake.

    Parameters:
        owner: the class of the fake.
        name: the method's name.
        call: the class of its recorded calls.
        signature: of the method, without self.
    """

    def __init__(self, owner: str, name: str, call: type[C], signature: inspect.Signature) -> None:
        super().__init__(owner, name)
        self._call = call
        self._signature = signature
        self._calls: list[C] = []
        self._when: list[tuple[C, Answers[P, R]]] = []
        self._kept: list[RpcStub] = []

    def __set_name__(self, owner: type, name: str) -> None:
        self._label = name

    def __get__(self, instance: object, owner: type | None = None) -> Self:
        if instance is None:
            return self
        members: dict[str, Any] = vars(instance).setdefault("_fake_members", {})
        if self._label not in members:
            members[self._label] = type(self)(type(instance).__name__, self._label, self._call, self._signature)
        return cast(Self, members[self._label])

    @property
    def calls(self) -> list[C]:
        """The calls that have come, in order, with the arguments as attributes. Stubs among them, also in lists and
        dicts, can be called until the fake is verified or its session ends.
        """
        return list(self._calls)

    def when(self, *args: P.args, **kwargs: P.kwargs) -> Answers[P, R]:
        """Gives what sets the answers for calls with these arguments, which come before answers for all calls:
        `fake.search.when("Sea").returns([1])`.

        Parameters:
            args: positional arguments, compared with `==`.
            kwargs: arguments by name, likewise.
        """
        wanted = self._recorded(args, kwargs)
        for call, answers in self._when:
            if call == wanted:
                return answers
        answers = Answers[P, R](f"{self._label}.when({_arguments(wanted)})")
        self._when.append((wanted, answers))
        return answers

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R | Awaitable[R]:
        call = self._recorded(args, kwargs, self._keep)
        self._calls.append(call)
        found: Answer | None = None
        for wanted, answers in self._when:
            if found is None and wanted == call:
                found = answers._next()
        found = found or self._next()
        if found is None:
            raise self._refuse(f"{self._label}({_arguments(call)})")
        found.used += 1
        return cast("R | Awaitable[R]", found.give(*args, **kwargs))

    def _recorded(self, args: Any, kwargs: Any, keep: Callable[[Any], Any] = lambda value: value) -> C:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return self._call(**{name: keep(value) for name, value in bound.arguments.items()})

    def _keep(self, value: Any) -> Any:
        """An argument that outlives the call, at the end of which the stubs in it are disposed."""
        if isinstance(value, RpcStub):
            kept = value.dup()
            kept._owned = False  # nobody has to dispose it
            self._kept.append(kept)
            return kept
        if type(value) in (list, tuple):
            return type(value)(map(self._keep, value))
        return {key: self._keep(item) for key, item in value.items()} if type(value) is dict else value

    def _sets(self) -> Iterator[Answers[P, R]]:
        yield from (answers for _, answers in self._when)
        yield self

    def _let_go(self) -> None:
        kept, self._kept = self._kept, []
        for stub in kept:
            stub.dispose()


class Stream(Method[C, P, AsyncIterable[T]], Generic[C, P, T]):
    """A method of a fake that gives a stream."""

    def yields(self, *chunks: T, times: int | None = None) -> None:
        """Makes calls return a stream.

        Parameters:
            chunks: what the stream gives before it ends.
            times: how many calls get one; see `returns`.
        """

        async def give(*_: object, **__: object) -> AsyncIterator[T]:
            for chunk in chunks:
                yield chunk

        self._set(Answer(f"yields {len(chunks)} chunks", give, times))


class Property(_Member[[], R], Generic[R]):
    """A property of a fake. It is read by awaiting it, which a session does."""

    def __init__(self, owner: str, name: str) -> None:
        super().__init__(owner, name)
        self._reads = 0

    @property
    def reads(self) -> int:
        """How often the property has been read."""
        return self._reads

    def __await__(self) -> Generator[Any, Any, R]:
        self._reads += 1
        answer = self._next()
        if answer is None:
            raise self._refuse(self._label)
        answer.used += 1
        return _value(answer.give()).__await__()


async def _value(given: Any) -> Any:
    return await given if inspect.isawaitable(given) else given


class Members:
    """Base of the generated classes that have an interface's members as a fake has them."""

    def _property(self, name: str) -> Property[Any]:
        members: dict[str, Any] = vars(self).setdefault("_fake_members", {})
        if name not in members:
            members[name] = Property[Any](type(self).__name__, name)
        found: Property[Any] = members[name]
        return found


class BareFake(RpcTarget):
    """Base of fakes of interfaces that have a member called `verify`; see `Fake`."""

    def dispose(self) -> None:
        """Gives up the stubs that were kept among the arguments of calls. Called when the session ends."""
        for member in _members(self):
            member._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True  # for pytest, which then shows the line of the test
        if kind is None:
            verify(self)
        else:
            let_go(self)


class Fake(BareFake):
    """Base class of generated fakes, such as `LibraryFake`: a target for tests of clients. A test sets what each method
    answers, as in `fake.search.returns([1])`, and looks at the calls that have come, `fake.search.calls`.

    `with LibraryFake() as fake:` verifies it at the end of the block, unless the block fails. `pair` and `serve_local`
    do so, too.
    """

    def verify(self) -> None:
        """Checks that an answer was set for each call that came, and that a call came for each answer that was set;
        likewise for the fakes that this one was set to return. Gives up the stubs that were kept among arguments.

        Raises:
            AssertionError: a call or an answer is left over; the text names each.
        """
        __tracebackhide__ = True
        verify(self)


def verify(fake: BareFake) -> None:
    """Does what `Fake.verify` does: for fakes of interfaces that have a method `verify` themselves.

    Parameters:
        fake: the fake.

    Raises:
        AssertionError: a call or an answer is left over; the text names each.
    """
    __tracebackhide__ = True
    faults = [
        f"{type(one).__name__} {fault}"
        for one in _with_those_returned(fake)
        for member in _members(one)
        for fault in member._faults()
    ]
    let_go(fake)
    if faults:
        raise AssertionError("\n".join(faults))


def let_go(fake: BareFake) -> None:
    """Gives up the stubs that a fake, and those that it returns, have kept with calls."""
    for one in _with_those_returned(fake):
        one.dispose()


def _members(fake: BareFake) -> list[_Member[..., Any]]:
    members: dict[str, _Member[..., Any]] = vars(fake).get("_fake_members", {})
    return list(members.values())


def _with_those_returned(fake: BareFake) -> list[BareFake]:
    """A fake and all that it is set to return, at any depth, each once."""
    found: list[BareFake] = []
    waiting = [fake]
    while waiting:
        one = waiting.pop(0)
        if any(one is other for other in found):
            continue
        found.append(one)
        held = (value for member in _members(one) for answers in member._sets() for value in answers._held())
        waiting.extend(inside for value in held for inside in _fakes_in(value))
    return found


def _fakes_in(value: object) -> Iterator[BareFake]:
    if isinstance(value, BareFake):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _fakes_in(item)
    elif isinstance(value, dict):
        yield from _fakes_in(list(value.values()))


def _arguments(call: Call) -> str:
    return repr(call).partition("(")[2].removesuffix(")")


def method(call: type[C]) -> Callable[[Callable[Concatenate[Any, P], R]], Method[C, P, R]]:
    """Makes the method of a fake out of its signature.

    Parameters:
        call: the class of its recorded calls.
    """
    return lambda function: Method(_owner(function), function.__name__, call, _signature(function))


def stream(call: type[C]) -> Callable[[Callable[Concatenate[Any, P], AsyncIterable[T]]], Stream[C, P, T]]:
    """Makes a method of a fake that gives a stream; as `method`."""
    return lambda function: Stream(_owner(function), function.__name__, call, _signature(function))


def _owner(function: Callable[..., Any]) -> str:
    return function.__qualname__.rpartition(".")[0]


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    signature = inspect.signature(function)
    return signature.replace(parameters=list(signature.parameters.values())[1:])
