"""Interceptors: what an application puts around the calls of a connection or a server, one around the other. Rule: an
interceptor sees a call once, on the side that makes it or on the side that serves it, and says how it goes on.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from capnweb_runtime.core.carrying import DEADLINE, LONGEST_NAME, LONGEST_VALUE, MOST_ITEMS

if TYPE_CHECKING:
    from capnweb_runtime.core.raises import Raises


@dataclass(slots=True)
class CallInfo:
    """One call, as interceptors see it, on the side that makes it or on the side that serves it. An interceptor may set
    `arguments`, `keywords` and `metadata` before it proceeds: the call goes on with what it finds there.

    Attributes:
        interface: name of the interface that declares the method; "" for a function, and where no schema declares it.
        method: name of the method or property: that in Python where a schema declares it, else that on the wire. A path
            into the value of a property stands behind the name, as in "profile.name".
        kind: "call"; "get" for a property; "map" for a whole `map()` or plan, on the side that makes it.
        served: True where this side runs the call, False where this side has made it.
        arguments: the positional arguments.
        keywords: the arguments by name.
        metadata: texts by name that travel beside the call, where both ends have agreed on that, as two ends of this
            implementation do: those that came with the call, or those that are to go with it.
        peer: on the side of a server its `Peer`; on the side of a client the URL, as text; None where it is not known.
        deadline: seconds that were left for the call when it began; None if it has no deadline.
        pipelined: whether the call was made on a result that had not arrived yet.
        mapped: whether a `map()` or a plan of the peer makes the call, on the side that serves it.
        idempotent: whether the schema declares it as `@idempotent`, so that it may be repeated after a lost connection.
        asked: whether anybody has asked for the result yet. A call on the side that makes it whose result nobody asks
            for ends as cancelled, which does not mean that it failed.
        session: random text that names the session, the same for all of its calls; the peer has another one.
        declared: whether a schema declares the method or function. If not, the name is whatever the peer sent, and
            there may be any number of such names: do not label metrics with them.
        raises: the exceptions that the schema declares for the method; see `expects`.
    """

    interface: str
    method: str
    kind: Literal["call", "get", "map"] = "call"
    served: bool = False
    arguments: Sequence[Any] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    peer: object = None
    deadline: float | None = None
    pipelined: bool = False
    mapped: bool = False
    idempotent: bool = False
    asked: bool = False
    session: str = ""
    declared: bool = False
    raises: Raises | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Interface and method, as in "Library.search"; the method alone where there is no interface."""
        return f"{self.interface}.{self.method}" if self.interface else self.method

    def expects(self, error: BaseException) -> bool:
        """Whether the schema declares with `@raises` that the method may raise this exception, so that it is an answer
        and no failure.

        Parameters:
            error: what the call has raised.
        """
        return self.raises is not None and self.raises.of(error) is not None

    def carry(self, name: str, value: str) -> bool:
        """Puts a text into `metadata`, in place of the one of that name, if there is room for it.

        Returns:
            Whether there was; a call with more than fits would fail.
        """
        room = name in self.metadata or len(self.metadata) < MOST_ITEMS - 1  # one is the deadline's
        if not room or name == DEADLINE or len(name) > LONGEST_NAME or len(value) > LONGEST_VALUE:
            return False
        self.metadata[name] = value
        return True


Proceed: TypeAlias = Callable[[CallInfo], Awaitable[Any]]
"""What an interceptor is given to go on with: `await proceed(call)` hands the call to the next interceptor, and in the
end to the peer or to the method, and returns its result or raises its error.
"""


class Interceptor(Protocol):
    """A function, or an object with `__call__`, that is put around every call of a client or a server::

        async def timing(call: CallInfo, proceed: Proceed) -> Any:
            begun = time.perf_counter()
            try:
                return await proceed(call)
            finally:
                print(call.name, time.perf_counter() - begun)

    Give it to `connect(interceptors=[...])` or `serve(interceptors=[...])`. What it returns or raises is what the
    caller gets.
    """

    async def __call__(self, call: CallInfo, proceed: Proceed, /) -> Any:
        """Answers one call, or refuses it by raising.

        Parameters:
            call: the call.
            proceed: hands the call on; see `Proceed`. It may be awaited more than once, or never.

        Returns:
            The result that the caller gets: usually that of `await proceed(call)`.
        """
        ...


@runtime_checkable
class SeesRefused(Protocol):
    """An interceptor that is also told of what it cannot intercept: calls that fail before anything of them runs."""

    def refused(self, call: CallInfo, error: BaseException, /) -> None:
        """A peer has called what is not there, with arguments that do not fit, or too much at a time. The call fails,
        whatever this does.

        Parameters:
            call: the call, without arguments. Where it is of what no schema declares, it has no interface, and its
                `method` is the peer's text.
            error: what the peer is told.
        """
        ...


def session_name() -> str:
    """What to call a new session: a text that no other session has, of this process or another."""
    return os.urandom(5).hex()


def through(interceptors: Sequence[Interceptor], end: Proceed) -> Proceed:
    """What leads through all of them, the first one outermost, to the end."""
    for interceptor in reversed(interceptors):
        end = _around(interceptor, end)
    return end


def _around(interceptor: Interceptor, proceed: Proceed) -> Proceed:
    return lambda call: interceptor(call, proceed)


def named(label: str, otherwise: str) -> tuple[str, str]:
    """Interface and method of a table's entry.

    Parameters:
        label: what messages call the entry.
        otherwise: the method's name if the label has none, as that of a function.
    """
    interface, dot, method = label.partition(".")
    return (interface, method) if dot else ("", otherwise)
