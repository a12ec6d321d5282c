"""Calls of one method that begin together, run as one call with a list. Rule: each call is still a call by itself: it
has its own result or error, and leaves alone; only the load is shared.

Calls belong together that are of the same target object, and begin before the event loop has gone round: those of a
map, of the messages that came together, and of whatever other sessions hold the same object. A map or a plan that takes
long leaves others their turns in between; a batch waits for the rest of it, for a few milliseconds.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextvars import Context, copy_context
from functools import partial, update_wrapper
from typing import Any, Concatenate, Final, Generic, NoReturn, ParamSpec, TypeVar, overload

from capnweb_runtime.driving import turns
from capnweb_runtime.driving.asyncio_host import Begun
from capnweb_runtime.driving.deadline import Deadline
from capnweb_runtime.driving.handle import ON_LOOP
from capnweb_runtime.errors import as_answer
from capnweb_runtime.objects.stub import around, metadata

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
S = TypeVar("S")
R = TypeVar("R")
P = ParamSpec("P")
Declared = TypeVar("Declared")
ByPosition_co = TypeVar("ByPosition_co", covariant=True)
AsDeclared_co = TypeVar("AsDeclared_co", covariant=True)

_ABSENT: Final = object()
_PATIENCE: Final = 4
"""Turns of others in a row after which a batch waits no longer for calls of maps and plans that go on in theirs."""
_MOST_TURNS: Final = 20
"""Turns after which it waits no longer for anything: some milliseconds. By the clock a busy machine, which gets less
done in a millisecond, would make more and smaller batches, and have still more to do.
"""
_loading: Final[set[asyncio.Task[Any]]] = set()
"""Loads that run: once all of its calls have left, nobody else may know one that is clearing up."""


def batched(declared: Declared, *, most: int = 1000) -> Batching[Declared, Declared]:
    """Lets one function answer many calls of a method at once, as with one query of a database. Calls of the method
    that begin on the same target object in the same iteration of the event loop, or in one map or plan that takes no
    longer than some milliseconds, become one call with a list::

        class Orders(OrdersTarget):
            @batched(OrdersTarget.customer)
            async def customer(self, numbers: list[int]) -> list[Customer]:
                found = {row.number: row for row in await customers_with(numbers)}
                return [found[number] for number in numbers]

    The list has one element for each call, in the order of the calls: its argument, or, where the method has several
    parameters, a tuple of all of them with defaults filled in. Equal arguments are not merged. The function returns a
    list with one result for each element, in the same order. An Exception in that list is raised by that call alone; an
    exception that the function raises is raised by all calls. A call that is cancelled leaves the batch; the function
    is cancelled once all have left.

    The function runs in a Context of its own, in which a context variable is set if it has the same value in all calls.
    Its deadline is the latest of the calls'; it has the metadata of none of them.

    Parameters:
        declared: the method of the generated target that is implemented, such as `OrdersTarget.customer`. It has one
            parameter or more, all of which can be passed by position, and no `*args`.
        most: largest number of calls in one batch; one more begins another batch. 1 or more.

    Returns:
        A decorator for the async function, which makes the method of it.

    Raises:
        TypeError: `declared` is no method, has no parameters, or has keyword-only ones or `*args`. Also by the
            decorator: the function is not async.
        ValueError: `most` is less than 1.
    """
    if most < 1:
        raise ValueError(f"a batch has at least one call, and most={most} allows none")
    return Batching(_Parameters(declared), most)


class Batching(Generic[ByPosition_co, AsDeclared_co]):
    """Makes a method of a function of lists; see `batched`. Both type parameters are the declared method: one function
    cannot be matched twice, for the types of its parameters and for their names, and so it is here under two.
    """

    def __init__(self, parameters: _Parameters, most: int) -> None:
        self._parameters = parameters
        self._most = most

    def __set_name__(self, owner: type, name: str) -> NoReturn:
        raise TypeError(f"{owner.__name__}.{name} does not say what it fills in: write @batched(...Target.{name})")

    @overload
    def __call__(
        self: Batching[Callable[[Any, A], Any], Callable[Concatenate[Any, P], Any]],
        function: Callable[[S, list[A]], Awaitable[Sequence[R | Exception]]],
        /,
    ) -> Callable[Concatenate[S, P], Awaitable[R]]: ...

    @overload
    def __call__(
        self: Batching[Callable[[Any, A, B], Any], Callable[Concatenate[Any, P], Any]],
        function: Callable[[S, list[tuple[A, B]]], Awaitable[Sequence[R | Exception]]],
        /,
    ) -> Callable[Concatenate[S, P], Awaitable[R]]: ...

    @overload
    def __call__(
        self: Batching[Callable[[Any, A, B, C], Any], Callable[Concatenate[Any, P], Any]],
        function: Callable[[S, list[tuple[A, B, C]]], Awaitable[Sequence[R | Exception]]],
        /,
    ) -> Callable[Concatenate[S, P], Awaitable[R]]: ...

    @overload
    def __call__(
        self: Batching[Callable[[Any, A, B, C, D], Any], Callable[Concatenate[Any, P], Any]],
        function: Callable[[S, list[tuple[A, B, C, D]]], Awaitable[Sequence[R | Exception]]],
        /,
    ) -> Callable[Concatenate[S, P], Awaitable[R]]: ...

    def __call__(self, function: Any, /) -> Any:
        """The method.

        Parameters:
            function: takes a list, and returns one of the same length.

        Raises:
            TypeError: the function is not async.
        """
        if not inspect.iscoroutinefunction(function):
            raise TypeError(
                f"{function.__qualname__} has to be async to be @batched; if it blocks, put @in_thread below that"
            )
        parameters, batches = self._parameters, _Batches(function, self._most)

        def run(target: Any, /, *args: Any, **kwargs: Any) -> Begun:
            return batches.join(target, parameters.element(args, kwargs))

        update_wrapper(run, function, updated=())
        vars(run).update({"__signature__": parameters.signature, ON_LOOP: True})
        return run


class _Parameters:
    """The parameters of a declared method.

    Parameters:
        declared: the method, as a function.

    Attributes:
        signature: with `self`.
    """

    def __init__(self, declared: object) -> None:
        if not inspect.isfunction(declared):
            raise TypeError(f"@batched takes the method that it fills in, as the target declares it, not {declared!r}")
        self.signature = inspect.signature(declared)
        _, *parameters = self.signature.parameters.values()
        for parameter in parameters:
            if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                raise TypeError(
                    f"{declared.__qualname__} cannot be @batched: its parameter {parameter.name} is keyword-only, or "
                    "any number of arguments, and a batch has elements of one form"
                )
        if not parameters:
            raise TypeError(f"{declared.__qualname__} cannot be @batched: it has no parameters to make a list of")
        self._count = len(parameters)

    def element(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """What stands for a call in the list."""
        if kwargs or len(args) != self._count:
            bound = self.signature.bind(None, *args, **kwargs)
            bound.apply_defaults()
            _, *given = bound.args
            args = tuple(given)
        return args[0] if self._count == 1 else args


class _Batches:
    """The batches of one method that have not begun, by target object and event loop.

    Parameters:
        function: loads a batch.
        most: calls that one may have.
    """

    def __init__(self, function: Callable[[Any, list[Any]], Coroutine[Any, Any, object]], most: int) -> None:
        self._function = function
        self._most = most
        self._open: dict[tuple[int, int], _Batch] = {}  # by id: a batch keeps both alive

    def join(self, target: object, element: Any) -> Begun:
        """Adds a call to the batch of the turn."""
        loop = asyncio.get_running_loop()
        key = id(target), id(loop)
        batch = self._open.get(key)
        if batch is None:
            batch = self._open[key] = _Batch(self._function, target, loop)
            _Waiting(loop, batch, partial(self._begin, key, batch)).wait()
        call = batch.join(element)
        if len(batch) >= self._most:
            self._begin(key, batch)
        return call

    def _begin(self, key: tuple[int, int], batch: _Batch) -> None:
        if self._open.get(key) is batch:
            del self._open[key]
            batch.begin()


class _Waiting:
    """When a batch begins: once the event loop has gone round, or, where something waits for its next turn, once no
    more calls come in those, and after some turns at the latest.

    Parameters:
        loop: the event loop.
        batch: the calls.
        begin: begins the batch, if it has not begun.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, batch: _Batch, begin: Callable[[], None]) -> None:
        self._loop = loop
        self._turns = turns.Turns.of(loop)
        self._batch = batch
        self._begin = begin
        self._known = self._idle = 0
        self._left = _MOST_TURNS

    def wait(self) -> None:
        """Looks again when the loop has gone round."""
        # What the sockets have to say in the meantime stands before the second of the two.
        self._loop.call_soon(self._loop.call_soon, self._look)

    def _look(self) -> None:
        self._idle = 0 if len(self._batch) > self._known else self._idle + 1
        self._known = len(self._batch)
        self._left -= 1
        if self._turns.are_waited_for and self._idle < _PATIENCE and self._left > 0:
            self.wait()
        else:
            self._begin()


class _Call(Begun):
    """One call of a batch. The last one to be cancelled goes when the load has ended, so that it counts until then."""

    def __init__(self, batch: _Batch, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._batch = batch

    def cancel(self, msg: object = None) -> bool:
        """See `asyncio.Future.cancel`."""
        return self._batch.cancel_load(self) or self.end()

    def end(self) -> bool:
        """It is cancelled, whatever becomes of the load."""
        return super().cancel()


class _Batch:
    """Calls that are loaded together. Its length is how many wait."""

    def __init__(
        self,
        function: Callable[[Any, list[Any]], Coroutine[Any, Any, object]],
        target: object,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._function = function
        self._target = target
        self._loop = loop
        self._calls: dict[_Call, tuple[Any, Context]] = {}
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._calls)

    def join(self, element: Any) -> Begun:
        """Adds a call."""
        call = _Call(self, self._loop)
        self._calls[call] = element, copy_context()
        return call

    def cancel_load(self, call: _Call) -> bool:
        """Cancels the load if it runs for this call alone; otherwise the call leaves.

        Returns:
            Whether the load was cancelled, and tells the call when it has ended.
        """
        if self._task is not None and len(self._calls) == 1 and call in self._calls:
            return self._task.cancel()
        self._calls.pop(call, None)
        return False

    def begin(self) -> None:
        """Loads what is wanted by those who have not left."""
        if self._calls:
            context = _agreed([context for _, context in self._calls.values()])
            self._task = self._loop.create_task(self._load(), context=context)
            _loading.add(self._task)
            self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Who has no result yet gets none: the load was cancelled, maybe before it had begun, or ends the program."""
        _loading.discard(task)
        for call in self._calls:
            call.end()

    async def _load(self) -> None:
        calls = list(self._calls)
        try:
            results = await self._function(self._target, [element for element, _ in self._calls.values()])
            outcomes = self._one_for_each(results, len(calls))
        except Exception as error:  # whatever the application raises is the answer of every call
            outcomes = [error] * len(calls)
        for call, outcome in zip(calls, outcomes, strict=True):
            if call.done():  # it has left
                continue
            if isinstance(outcome, Exception):
                call.set_exception(as_answer(outcome))
            else:
                call.set_result(outcome)

    def _one_for_each(self, results: object, count: int) -> Sequence[Any]:
        name = self._function.__qualname__
        if not isinstance(results, Sequence) or isinstance(results, (str, bytes)):
            raise RuntimeError(
                f"{name} returned {type(results).__name__}: what is @batched returns a list, with a result for each "
                "call in their order"
            )
        if len(results) != count:
            raise RuntimeError(
                f"{name} returned {len(results)} results for {count} calls: what is @batched returns a result for each "
                "call in their order, or an exception in its place"
            )
        return results


def _agreed(contexts: Sequence[Context]) -> Context:
    """A Context with what is the same in all of them: what one caller is must not be taken for what another is."""
    first, *others = contexts
    agreed = Context()
    for variable, value in first.items():
        if variable in (around, metadata):
            continue
        if all(other.get(variable, _ABSENT) is value for other in others):
            agreed.run(variable.set, value)
    deadlines = [deadline for context in contexts if isinstance(deadline := context.get(around), Deadline)]
    if len(deadlines) == len(contexts):
        agreed.run(around.set, max(deadlines, key=lambda deadline: deadline.at))
    return agreed
