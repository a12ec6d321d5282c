"""What one cannot do with a value that is elsewhere. Rule: refuse at once and say what to do instead, at run time
and unseen by type checkers.

A promise stands for a value that has not arrived, a mapper's placeholder for one that never will: code that tests it,
compares it or loops over it would silently do the wrong thing. So would code on another event loop, or in another
thread, than that of the session: asyncio looks for that in debug mode only, and without it wakes nobody, and waits for
ever.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, _get_running_loop
from typing import TYPE_CHECKING, Any, Final, NoReturn

from capnweb_runtime.core.hook import Hook, PromiseRef
from capnweb_runtime.core.remap import Variable

_AWAIT_FIRST = "a promise stands for a value that has not arrived: await it, then {verb}"
_IN_MAPPER = (
    "inside map() one cannot {verb}: the function runs once, on a placeholder, and what it does is repeated where the "
    "values are. Only read, call and return promises in it, and {verb} once the result has been awaited"
)
_IN_PLAN = (
    "inside plan() one cannot {verb}: the function runs once, on placeholders, and what it records runs where the "
    "values are. Use when(), repeat(), keep(), eq(), gt() and their like in it, or await the plan, and {verb} then"
)

_OTHER_LOOP: Final = (
    "this stub or promise belongs to another event loop than the one that is running here: use it in coroutines of the "
    "loop that its session was connected on, or connect once more on this loop"
)
_OTHER_THREAD: Final = (
    "this stub or promise belongs to an event loop that runs in another thread: use it in a coroutine, and hand that "
    "over with asyncio.run_coroutine_threadsafe(coroutine, loop); or connect once more here, without a loop by "
    "connect_blocking(), whose stubs may be used from any thread"
)
_CLOSED: Final = "the event loop that this stub or promise belongs to has been closed: connect once more on another"


def refuse(hook: Hook, verb: str) -> NoReturn:
    """Raises the TypeError that says why a promise cannot be used like that, and what to do instead.

    Parameters:
        hook: of the promise.
        verb: what was tried, as it goes into a sentence.
    """
    text = _AWAIT_FIRST
    if isinstance(hook, Variable):
        text = _IN_PLAN if hook.recorder.in_plan else _IN_MAPPER
    raise TypeError(text.format(verb=verb))


def refuse_elsewhere(home: AbstractEventLoop) -> None:
    """Raises RuntimeError unless the caller is where a session lives.

    Parameters:
        home: the session's event loop. While it does not run, as between two `run_until_complete`, its session may be
            used outside of any loop.
    """
    running = _get_running_loop()
    if running is home:
        return
    if home.is_closed():
        raise RuntimeError(_CLOSED)
    if home.is_running():
        raise RuntimeError(_OTHER_THREAD)
    if running is not None:
        raise RuntimeError(_OTHER_LOOP)


def allow_disposal(home: AbstractEventLoop | None) -> None:
    """The same for giving something up, which is done once the loop has been closed.

    Parameters:
        home: the session's event loop; None if there is none.
    """
    if home is not None and _get_running_loop() is not home and not home.is_closed():
        refuse_elsewhere(home)


def _has_value(other: object) -> bool:
    """Whether comparing a promise with this can only be a mistake: its class says what equal means, so that a value was
    meant. Promises, None and what is compared by identity stand beside promises in lists, sets and dictionaries, which
    compare their items to find one.
    """
    return not (other is None or isinstance(other, PromiseRef) or type(other).__eq__ is object.__eq__)


class Refusals:
    """Base of promises with the operations that they refuse.

    A promise is equal to itself only, and hashable, so that containers can hold it.
    """

    __slots__ = ()

    if not TYPE_CHECKING:

        def __bool__(self) -> bool:  # noqa: PLE0304  (it raises)
            refuse(self._hook, "test whether a value is true")

        def __iter__(self) -> Any:
            refuse(self._hook, "loop over a value")

        def __contains__(self, item: object) -> bool:
            refuse(self._hook, "look into a value")

        def __len__(self) -> int:  # noqa: PLE0303  (it raises)
            refuse(self._hook, "count a value's items")

        def __lt__(self, other: object) -> bool:
            refuse(self._hook, "compare values")

        __le__ = __gt__ = __ge__ = __lt__

        def __eq__(self, other: object) -> bool:
            if self is other:
                return True
            if isinstance(self._hook, Variable) or _has_value(other):
                refuse(self._hook, "compare values")
            return NotImplemented

        __hash__ = object.__hash__

        def __str__(self) -> str:  # noqa: PLE0307  (it raises)
            refuse(self._hook, "put a value into text")

        def __format__(self, spec: str) -> str:
            refuse(self._hook, "put a value into text")

        def __int__(self) -> int:
            refuse(self._hook, "convert a value")

        __float__ = __index__ = __int__

        def __add__(self, other: object = None) -> Any:
            refuse(self._hook, "calculate with a value")

        __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __mod__ = __neg__ = __add__


def came_of(hook: Hook) -> str:
    """Where something came from that was dropped; how to find out, if that is not known."""
    made = hook.made
    if made is None:
        return "; CAPNWEB_DEBUG=1 tells which call it came of"
    place = "" if made.place is None else " at {}:{}".format(*made.place)
    if made.member:
        return f". It came of {made.member}{place and f', called{place}'}"
    return place and f". It was made{place}"
