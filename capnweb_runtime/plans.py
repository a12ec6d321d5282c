"""Plans: branches, loops and filters over calls, in one round trip. Rule: a function is called once, here, with
placeholders, and what it records runs where the values are.

    from capnweb_runtime.plans import eq, plan, when

    name = await plan(api, lambda p: when(eq(p.role(), "admin"), p.full_name, p.nickname))

The server has to allow it, with `serve(..., plans=True)`; with any other the same is done call by call. See
`docs/plans.md`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol, TypeAlias, TypeVar, cast, overload

from capnweb_runtime.core.codecs import ANY, BOOL, INT, TypeCodec
from capnweb_runtime.core.compound import ListCodec, UnionCodec
from capnweb_runtime.core.hook import Payload, PromiseRef
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.plan_record import PlanRecorder
from capnweb_runtime.core.raises import join, join_returned
from capnweb_runtime.core.remap import Recorder
from capnweb_runtime.objects.stub import (
    ListPromise,
    RpcPromise,
    RpcStub,
    Scope,
    _item_codec,
    _promise,
    _recorded_codec,
    around,
)

__all__ = [
    "contains",
    "eq",
    "ge",
    "gt",
    "is_none",
    "keep",
    "le",
    "lt",
    "ne",
    "not_",
    "plan",
    "repeat",
    "size",
    "when",
]

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
S = TypeVar("S", bound=RpcStub | RpcPromise[Any])
P = TypeVar("P", bound=RpcPromise[object])
I_co = TypeVar("I_co", bound=RpcPromise[Any], covariant=True)
T_co = TypeVar("T_co", covariant=True)
P_co = TypeVar("P_co", covariant=True)
Compared: TypeAlias = RpcPromise[Any] | str | int | float | bool | bytes | datetime | None
"""What comparisons take: a promise of the plan, or a value that is known here."""

_ASYNC: Final = "functions of plans cannot be async: return the promise itself instead of awaiting it"
_PROMISES: Final = (
    "{name}() works on promises, such as the results of calls, and its functions return them; here is {given}. What is "
    "known beforehand is chosen by Python, before the plan or once it has been awaited"
)


class _State(Protocol[T_co, P_co]):
    """A promise, as a loop goes on from it: what it is a promise of, and its own class."""

    def __await__(self) -> Generator[Any, Any, T_co]: ...
    def __enter__(self) -> P_co: ...


@overload
def plan(subject: S, function: Callable[[S], P]) -> P: ...
@overload
def plan(subject: S, function: Callable[[S], tuple[RpcPromise[T], RpcPromise[U]]]) -> RpcPromise[tuple[T, U]]: ...
@overload
def plan(
    subject: S, function: Callable[[S], tuple[RpcPromise[T], RpcPromise[U], RpcPromise[V]]]
) -> RpcPromise[tuple[T, U, V]]: ...
@overload
def plan(subject: S, function: Callable[[S], list[RpcPromise[T]]]) -> RpcPromise[list[T]]: ...
@overload
def plan(subject: S, function: Callable[[S], dict[str, RpcPromise[T]]]) -> RpcPromise[dict[str, T]]: ...
def plan(subject: Any, function: Callable[[Any], Any]) -> Any:
    """Sends a small program of calls, with branches, loops and filters between them, to the peer, which carries all of
    it out in one round trip. The program is what `function` does with its argument, which is recorded here.

    Parameters:
        subject: stub that the plan begins with, or the promise of one.
        function: plain function that is called once, here, with a placeholder for the subject. It may call methods of
            the placeholder and of other stubs and promises, use `when`, `repeat`, `keep`, `map()` and the comparisons
            of this module, and returns a promise, or a tuple, list or dict of promises.

    Returns:
        The promise of what the function has returned. Awaiting it raises the first error of the plan, whose text begins
        with the place in the plan, as in `plan[3].then[1]`; calls made before that stay made. If the peer takes no
        plans, this side carries the plan out, call by call; in an HTTP batch it fails with a TypeError, and nothing of
        it is done.

    Raises:
        TypeError: `subject` is neither a stub nor a promise; the function is async, or does what cannot be recorded; or
            this is called in a plan or a function of `map()`. Nothing has been sent.
    """
    outside = around.get()
    if isinstance(outside, Recorder):
        raise TypeError("plan() cannot stand in a plan or in a mapper function: what is in it can stand there itself")
    if not isinstance(subject, (RpcStub, RpcPromise)):
        raise TypeError(f"plan() takes a stub or a promise of one, not {type(subject).__name__}")
    recorder = PlanRecorder()
    placeholder: Any = recorder.placeholder()
    with recording(recorder):
        result = function(standing_for(subject, placeholder))
        check_sync(result)
        codec = _recorded_codec(result)
    raises = join(subject._raises, join_returned(result, recorder.raises))
    finish = partial(recorder.finish, subject._hook, subject._path, Payload(result), codec)
    try:
        hook = outside.made(subject._hook, finish) if isinstance(outside, Scope) else finish()
    except Mismatch as mismatch:
        raise mismatch.error("result of the plan") from None
    return _promise(codec, hook, (), None, raises)


def when(
    condition: RpcPromise[bool], then: Callable[[], RpcPromise[T]], otherwise: Callable[[], RpcPromise[U]]
) -> RpcPromise[T | U]:
    """A branch of a plan: does one of two things, as a condition says.

    Parameters:
        condition: promise of True or False: a comparison, or the result of a call. A promise of anything else makes the
            plan fail with a TypeError.
        then: function without parameters that makes the calls for True, and returns a promise.
        otherwise: function without parameters that makes the calls for False, and returns a promise.

    Returns:
        The promise of what the function that was chosen returned. If the two are of different types, the value is taken
        for the type of `then` if it fits that, else for that of `otherwise`.

    Raises:
        TypeError: this is not called in the function of a plan; `condition` is no promise; or one of the functions is
            async, returns no promise, or does what cannot be recorded.
    """
    recorder = _current("when")
    wire = recorder.wire(_promised(condition, "when"))
    first, of_first = _block(recorder, "when", then)
    second, of_second = _block(recorder, "when", otherwise)
    codec = of_first if of_first is of_second else UnionCodec((of_first, of_second))
    return cast("RpcPromise[T | U]", _promise(codec, recorder.add(["if", wire, first, second])))


def repeat(
    start: _State[T_co, P_co],
    while_: Callable[[P_co], RpcPromise[bool]],
    do: Callable[[P_co], RpcPromise[T_co]],
    *,
    at_most: int,
) -> P_co:
    """A loop of a plan: goes from one value to the next, as long as a condition is true.

    Parameters:
        start: promise of the first value.
        while_: function that is given a placeholder for the current value, and returns the condition for one more turn,
            a promise of True or False.
        do: function that is given a placeholder for the current value, and returns a promise of the next one, of the
            same type.
        at_most: turns after which the loop ends even if the condition is still true; 1 or more. The peer's
            `Limits.plan_turns` bounds it, too.

    Returns:
        The promise of the last value, which is `start` if the condition was false at once.

    Raises:
        TypeError: this is not called in the function of a plan; `start` is no promise; or one of the functions is
            async, returns no promise, or does what cannot be recorded.
        ValueError: `at_most` is less than 1.
    """
    recorder = _current("repeat")
    if at_most < 1:
        raise ValueError(f"at_most has to be 1 or more, not {at_most}")
    codec = _promised(start, "repeat")._codec
    wire = recorder.wire(start)
    again, _ = _block(recorder, "repeat", while_, codec)
    body, _ = _block(recorder, "repeat", do, codec)
    return cast(P_co, _promise(codec, recorder.add(["while", wire, again, body, at_most])))


def keep(items: ListPromise[T, I_co], condition: Callable[[I_co], RpcPromise[bool]]) -> ListPromise[T, I_co]:
    """A filter of a plan: keeps the items of a list for which a condition is true.

    Parameters:
        items: promise of a list.
        condition: function that is given a placeholder for an item, and returns the condition, a promise of True or
            False. It is carried out for one item after the other.

    Returns:
        The promise of a list of these items, in their order; it has `map()`, as any other promise of a list.

    Raises:
        TypeError: this is not called in the function of a plan; `items` is no promise; or the function is async,
            returns no promise, or does what cannot be recorded.
    """
    recorder = _current("keep")
    codec = _promised(items, "keep")._codec
    wire = recorder.wire(items)
    block, _ = _block(recorder, "keep", condition, _item_codec(codec))
    expect = codec if isinstance(codec, ListCodec) else ANY
    return cast("ListPromise[T, I_co]", _promise(expect, recorder.add(["keep", wire, block])))


def eq(first: Compared, second: Compared) -> RpcPromise[bool]:
    """Compares two values in a plan, with `==`: True if both are of one kind (None, bool, number, string, bytes, date),
    and the same. To compare a list, an object or a capability makes the plan fail with a TypeError.

    Parameters:
        first: promise of a value, or the value itself.
        second: the same.

    Returns:
        The promise of True or False.

    Raises:
        TypeError: this is not called in the function of a plan, or an argument is of a type that cannot travel.
    """
    return _operation("eq", first, second)


def ne(first: Compared, second: Compared) -> RpcPromise[bool]:
    """Compares two values in a plan, with `!=`: the opposite of `eq`, which see.

    Parameters:
        first: promise of a value, or the value itself.
        second: the same.

    Returns:
        The promise of True or False.

    Raises:
        TypeError: this is not called in the function of a plan, or an argument is of a type that cannot travel.
    """
    return _operation("ne", first, second)


def lt(first: Compared, second: Compared) -> RpcPromise[bool]:
    """Compares two values in a plan, with `<`: two numbers, two strings (by code points) or two dates. Anything else
    makes the plan fail with a TypeError.

    Parameters:
        first: promise of a value, or the value itself.
        second: the same.

    Returns:
        The promise of True or False.

    Raises:
        TypeError: this is not called in the function of a plan, or an argument is of a type that cannot travel.
    """
    return _operation("lt", first, second)


def le(first: Compared, second: Compared) -> RpcPromise[bool]:
    """Compares two values in a plan, with `<=`; see `lt`.

    Parameters:
        first: promise of a value, or the value itself.
        second: the same.

    Returns:
        The promise of True or False.

    Raises:
        TypeError: this is not called in the function of a plan, or an argument is of a type that cannot travel.
    """
    return _operation("le", first, second)


def gt(first: Compared, second: Compared) -> RpcPromise[bool]:
    """Compares two values in a plan, with `>`; see `lt`.

    Parameters:
        first: promise of a value, or the value itself.
        second: the same.

    Returns:
        The promise of True or False.

    Raises:
        TypeError: this is not called in the function of a plan, or an argument is of a type that cannot travel.
    """
    return _operation("gt", first, second)


def ge(first: Compared, second: Compared) -> RpcPromise[bool]:
    """Compares two values in a plan, with `>=`; see `lt`.

    Parameters:
        first: promise of a value, or the value itself.
        second: the same.

    Returns:
        The promise of True or False.

    Raises:
        TypeError: this is not called in the function of a plan, or an argument is of a type that cannot travel.
    """
    return _operation("ge", first, second)


def not_(condition: RpcPromise[bool]) -> RpcPromise[bool]:
    """Turns a condition of a plan into its opposite, as `not` does.

    Parameters:
        condition: promise of True or False. A promise of anything else makes the plan fail with a TypeError.

    Returns:
        The promise of False or True.

    Raises:
        TypeError: this is not called in the function of a plan.
    """
    return _operation("not", condition)


def is_none(value: RpcPromise[Any]) -> RpcPromise[bool]:
    """Tells in a plan whether a value is None, as null and undefined of JavaScript are.

    Parameters:
        value: promise of the value.

    Returns:
        The promise of True or False.

    Raises:
        TypeError: this is not called in the function of a plan.
    """
    return _operation("null", value)


def size(value: RpcPromise[Any]) -> RpcPromise[int]:
    """Counts in a plan, as `len` does: the items of a list, the fields of an object, the code points of a string, or
    bytes.

    Parameters:
        value: promise of a list, an object, a string or bytes. A promise of anything else makes the plan fail with a
            TypeError.

    Returns:
        The promise of the number.

    Raises:
        TypeError: this is not called in the function of a plan.
    """
    recorder = _current("size")
    return cast("RpcPromise[int]", _promise(INT, recorder.add(["op", "len", recorder.wire(value)])))


def contains(items: RpcPromise[Any], item: Compared) -> RpcPromise[bool]:
    """Tells in a plan whether a list has an item that is equal to a value, as `in` does; see `eq`.

    Parameters:
        items: promise of a list. Lists, objects and capabilities among its items equal nothing.
        item: the value to look for, or the promise of one.

    Returns:
        The promise of True or False.

    Raises:
        TypeError: this is not called in the function of a plan, or `item` is of a type that cannot travel.
    """
    return _operation("in", item, items)


def _operation(name: str, *operands: object) -> RpcPromise[bool]:
    recorder = _current({"not": "not_", "null": "is_none", "in": "contains"}.get(name, name))
    instruction = ["op", name, *map(recorder.wire, operands)]
    return cast("RpcPromise[bool]", _promise(BOOL, recorder.add(instruction)))


def _current(name: str) -> PlanRecorder:
    """The recorder of the function that is running. Raises TypeError if it is none of a plan's."""
    recorder = around.get()
    if isinstance(recorder, PlanRecorder):
        return recorder
    if isinstance(recorder, Recorder):
        raise TypeError(f"{name}() cannot stand in a mapper function: use keep() or repeat() beside map(), in plan()")
    raise TypeError(f"{name}() stands in the function that plan() is given: plan(stub, lambda p: ...)")


def _block(
    parent: PlanRecorder, name: str, function: Callable[..., Any], element: TypeCodec | None = None
) -> tuple[Any, TypeCodec]:
    """Records a function as a block.

    Parameters:
        parent: the recorder of the block around it.
        name: what the function was given to.
        function: the function.
        element: codec of its placeholder; None if it gets none.

    Returns:
        The block, and the codec of its value.
    """
    recorder = PlanRecorder(parent)
    with recording(recorder):
        result = function() if element is None else function(_promise(element, recorder.placeholder()))
        check_sync(result)
        codec = _promised(result, name)._codec
        return recorder.close_block(result), codec


@contextmanager
def recording(recorder: PlanRecorder) -> Iterator[None]:
    """Has what is done in the block recorded; gives back what was captured if that fails."""
    token = around.set(recorder)
    try:
        yield
    except BaseException:
        recorder.give_up()
        raise
    finally:
        around.reset(token)


def standing_for(subject: RpcStub | RpcPromise[Any], placeholder: Any) -> RpcStub | RpcPromise[Any]:
    """The placeholder for the subject of a plan, of its class."""
    if isinstance(subject, RpcStub):
        return type(subject)(placeholder)
    return cast("RpcPromise[Any]", _promise(subject._codec, placeholder))


def check_sync(result: object) -> None:
    if inspect.isawaitable(result) and not isinstance(result, PromiseRef):
        if inspect.iscoroutine(result):
            result.close()
        raise TypeError(_ASYNC)


def _promised(value: object, name: str) -> RpcPromise[Any]:
    if isinstance(value, RpcPromise):
        return value
    raise TypeError(_PROMISES.format(name=name, given=type(value).__name__))
