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
"""What can be compared: a promise, or a value."""

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
    """Records what a function does with a capability, and has all of it done where that is, in one round trip.

    Parameters:
        subject: a stub, or the promise of one.
        function: called once, here, with a placeholder for the subject. It may call methods of that and of stubs and
            promises outside, use `when`, `repeat`, `keep`, `map()` and the comparisons of this module, and returns a
            promise, or a tuple, list or dict of promises.

    Returns:
        The promise of what the function returned. Awaiting it raises the first error of what was done, whose text
        begins with the place, as in `plan[3].then[1]`; what had been done by then stays done. Where the peer takes no
        plans, it is carried out from here, call by call; within an HTTP batch it fails, with nothing done.

    Raises:
        TypeError: the function is async, or does what cannot be recorded; nothing has been sent.
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
    """Does one of two things.

    Parameters:
        condition: anything that is true or false: a comparison, or the result of a call.
        then: records what is done if it is true, and returns the result.
        otherwise: records what is done if it is false, and returns the result.

    Returns:
        The promise of the result. Where the two are of different types, the value is read as the first that it can be.

    Raises:
        TypeError: outside of a plan, or one of the functions does what cannot be recorded.
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
    """Does something again and again, each time with what it gave the time before.

    Parameters:
        start: what it begins with.
        while_: records the condition: whether to go on, from what there is now.
        do: records what is done, and returns what there is from then on, of the same type.
        at_most: turns after which the loop ends all the same; whether there was more to do, its result says.

    Returns:
        The promise of what there is at the end: `start` itself if the condition was false at once.

    Raises:
        TypeError: outside of a plan, or one of the functions does what cannot be recorded.
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
    """Keeps the items of a list for which a condition is true, in order.

    Parameters:
        items: the list.
        condition: records the condition, from a placeholder for an item; the items are asked one after the other.

    Returns:
        The promise of the list of those, for which `map()` may be used as for any other.

    Raises:
        TypeError: outside of a plan, or the function does what cannot be recorded.
    """
    recorder = _current("keep")
    codec = _promised(items, "keep")._codec
    wire = recorder.wire(items)
    block, _ = _block(recorder, "keep", condition, _item_codec(codec))
    expect = codec if isinstance(codec, ListCodec) else ANY
    return cast("ListPromise[T, I_co]", _promise(expect, recorder.add(["keep", wire, block])))


def eq(first: Compared, second: Compared) -> RpcPromise[bool]:
    """Whether two values are equal: of one kind, and the same. Numbers are of one kind, whatever their size; lists and
    objects cannot be compared.

    Parameters:
        first: a promise of the plan, or a value.
        second: the same.

    Raises:
        TypeError: it is not called in a function of a plan, or is given what has no form on the wire.
    """
    return _operation("eq", first, second)


def ne(first: Compared, second: Compared) -> RpcPromise[bool]:
    """Whether two values are not equal; see `eq`.

    Parameters:
        first: a promise of the plan, or a value.
        second: the same.

    Raises:
        TypeError: it is not called in a function of a plan, or is given what has no form on the wire.
    """
    return _operation("ne", first, second)


def lt(first: Compared, second: Compared) -> RpcPromise[bool]:
    """Whether the first is less than the second: two numbers, two strings or two dates.

    Parameters:
        first: a promise of the plan, or a value.
        second: the same.

    Raises:
        TypeError: it is not called in a function of a plan, or is given what has no form on the wire.
    """
    return _operation("lt", first, second)


def le(first: Compared, second: Compared) -> RpcPromise[bool]:
    """Whether the first is not greater than the second; see `lt`.

    Parameters:
        first: a promise of the plan, or a value.
        second: the same.

    Raises:
        TypeError: it is not called in a function of a plan, or is given what has no form on the wire.
    """
    return _operation("le", first, second)


def gt(first: Compared, second: Compared) -> RpcPromise[bool]:
    """Whether the first is greater than the second; see `lt`.

    Parameters:
        first: a promise of the plan, or a value.
        second: the same.

    Raises:
        TypeError: it is not called in a function of a plan, or is given what has no form on the wire.
    """
    return _operation("gt", first, second)


def ge(first: Compared, second: Compared) -> RpcPromise[bool]:
    """Whether the first is not less than the second; see `lt`.

    Parameters:
        first: a promise of the plan, or a value.
        second: the same.

    Raises:
        TypeError: it is not called in a function of a plan, or is given what has no form on the wire.
    """
    return _operation("ge", first, second)


def not_(condition: RpcPromise[bool]) -> RpcPromise[bool]:
    """Whether a condition is false.

    Parameters:
        condition: a promise of a bool; anything else is a TypeError of the plan, not taken for true or false.

    Raises:
        TypeError: it is not called in a function of a plan.
    """
    return _operation("not", condition)


def is_none(value: RpcPromise[Any]) -> RpcPromise[bool]:
    """Whether a value is null or undefined.

    Parameters:
        value: a promise of the plan.

    Raises:
        TypeError: it is not called in a function of a plan.
    """
    return _operation("null", value)


def size(value: RpcPromise[Any]) -> RpcPromise[int]:
    """How many items a list has, fields an object, code points a string, or bytes there are.

    Parameters:
        value: a promise of a list, an object, a string or bytes.

    Raises:
        TypeError: it is not called in a function of a plan.
    """
    recorder = _current("size")
    return cast("RpcPromise[int]", _promise(INT, recorder.add(["op", "len", recorder.wire(value)])))


def contains(items: RpcPromise[Any], item: Compared) -> RpcPromise[bool]:
    """Whether a list has an item that is equal to a value; see `eq`.

    Parameters:
        items: a promise of a list.
        item: what is looked for: a promise, or a value.

    Raises:
        TypeError: it is not called in a function of a plan.
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
