"""Every exception that this package raises of its own, in one hierarchy. Rule: a message says what was wrong, where,
and what to do.

    CapnwebError
    ├── SessionError                the session has ended; every stub of it is broken
    │   ├── SessionClosed           it was closed by either side, or never opened (also a ConnectionError)
    │   │   ├── ConnectionLost      the connection broke, or the peer has fallen silent
    │   │   ├── GoingAway           the server is shutting down, or restarts
    │   │   ├── PeerAborted         the peer ended the session because of a fault
    │   │   ├── ConnectionRefused   the server refused the session, with an HTTP status
    │   │   └── Disconnected        a call was not answered before the connection, or the object's owner, was lost
    │   ├── StaleCapability         a capability was lost with its session, and cannot be got again
    │   ├── ProtocolError           a peer broke the protocol
    │   └── LimitExceeded           a bound of `Limits` was passed
    ├── DisposedError               a stub or promise was used after it had been disposed
    ├── BackplaneUnavailable        the engine of a backplane did not answer (also a ConnectionError)
    ├── LeaseLost                   what was done under a lease may be done by somebody else now
    └── RpcError                    an error that a peer sent and that no built-in exception stands for
        ├── DeadlineExceeded        a call took longer than it may (also a TimeoutError)
        ├── CostExceeded            calls would cost more than they may for now
        ├── RateLimited             a call was one too many of its kind, and was not run
        ├── RangeError              wire type RangeError (also a ValueError)
        ├── EvalError               wire type EvalError
        └── URIError                wire type URIError (also a ValueError)

One warning is issued, when a generated module is imported: StaleCodeWarning (a UserWarning).

Errors travel by the name of their type. A name that Python has too (TypeError, ValueError, KeyError, …) arrives as that
built-in exception, or as the nearest of its bases that a message alone makes; any other arrives as RpcError and keeps
its name in `RpcError.name`.
"""

from __future__ import annotations

import builtins
from typing import Any, Final, Self

_RETRY_AFTER: Final = "retryAfter"
"""Property of a `RateLimited`."""
_LONGEST_PAUSE: Final = 1e10
"""Seconds; what is more is no time to wait."""


class CapnwebError(Exception):
    """Base class of every exception that this package defines: `except CapnwebError` catches all of them."""


class SessionError(CapnwebError):
    """The session has ended, and every stub and promise that came through it is of no use any more.

    See CW-503 (`capnweb-gen explain`).
    """


class SessionClosed(SessionError, ConnectionError):
    """The session was closed by this side or by the peer, its connection was lost, or it was never opened.

    Where the cause is known, one of the subclasses is raised. An instance of this class itself means that either side
    said goodbye in the ordinary way, or that the two could not agree on a session: the server's certificate is not
    valid, say, or what answered is no Cap'n Web server.

    See CW-503 (`capnweb-gen explain`).

    Attributes:
        url: URL of the server, without user name and password; None on the side of the server.
        status: HTTP status with which the server refused; None if the server sent no such answer.
        code: close code with which the peer closed its WebSocket, 1005 if it gave none; None if the session ended in
            another way.
    """

    url: str | None = None
    status: int | None = None
    code: int | None = None

    @classmethod
    def at(cls, url: str, message: str, status: int | None = None) -> Self:
        """Makes an instance that knows which server it is about.

        Parameters:
            url: URL of the server, without user name and password.
            message: text of the exception, which should name the URL, too.
            status: HTTP status with which the server refused; None if it did not.
        """
        error = cls(message)
        error.url = url
        error.status = status
        return error


class ConnectionLost(SessionClosed):
    """The connection could not be made, broke without a goodbye, or went silent: nothing came from the peer any more,
    not even the answer to a ping. Calls that were in progress may or may not have been carried out.

    See CW-500 (`capnweb-gen explain`).
    """


class GoingAway(SessionClosed):
    """The server said that it is shutting down or restarting. A new session may be opened: with another instance of
    the server at once, with this one after `retry_after` seconds. On the server itself, calls to its clients fail with
    this exception, too.

    See CW-502 (`capnweb-gen explain`).

    Attributes:
        retry_after: seconds that the server asks clients to wait before they connect again; None if it did not say.
    """

    retry_after: float | None = None


class PeerAborted(SessionClosed):
    """The peer ended the session because of a fault: a failure of its own, or a message from this side that it took
    for wrong. `__cause__` is the error that the peer sent, if it sent one.

    See CW-504 (`capnweb-gen explain`).
    """


class ConnectionRefused(SessionClosed):
    """The server refused the session, or the batch, with the HTTP status in `status`.

    See CW-501 (`capnweb-gen explain`).

    Attributes:
        retry_after: seconds that the server asks clients to wait before they connect again; None if it did not say.
    """

    retry_after: float | None = None


class Disconnected(SessionClosed):
    """A call got no answer, because the connection or the worker that owns the called object was lost, and nothing
    allows to repeat the call by itself. Raised by clients with `connect(reconnect=...)` and by stubs of a `Cluster`.

    See CW-506 (`capnweb-gen explain`).

    Parameters:
        message: why the call has no answer.
        sent: whether the call may have reached the server, and may therefore have been carried out. False means that it
            has certainly not run. An attribute of the exception, too.
    """

    def __init__(self, message: str, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class StaleCapability(SessionError):
    """A stub belongs to a session that was lost, and the client that has connected again does not know how to get
    another stub for the same object.

    A client with `connect(reconnect=...)` gets a stub again by itself if it was the result of an `@idempotent` method
    that was called with plain values. Get any other stub in `Reconnect.on_connect`, or by the call that gave it before.

    See CW-507 (`capnweb-gen explain`).
    """


class ProtocolError(SessionError):
    """The peer sent a message that breaks the protocol. The session has been aborted.

    See CW-505 (`capnweb-gen explain`).

    Parameters:
        message: what was wrong with it.
        name: type name of the error that the peer is sent.
    """

    def __init__(self, message: str, name: str = "Error") -> None:
        super().__init__(message)
        self.name = name


class LimitExceeded(SessionError):
    """A bound of `Limits` was passed, such as the longest message or the number of calls; the message names the bound.

    See CW-510 (`capnweb-gen explain`).
    """


class DisposedError(CapnwebError):
    """A stub or promise was used after it had been disposed. See CW-508 (`capnweb-gen explain`)."""


class BackplaneUnavailable(CapnwebError, ConnectionError):
    """The engine behind a backplane (Redis or NATS, say) cannot be reached, did not answer in time, or refused.

    Whether it has made the change that was asked for is then not known. To publish an event again, give it the same id
    as before: the engine keeps only one of the two.

    See CW-513 (`capnweb-gen explain`).
    """


class LeaseLost(CapnwebError):
    """This process does not hold a lease any more. Another process may hold it by now, and do the work that the lease
    is for: stop doing it here.

    See CW-527 (`capnweb-gen explain`).
    """


class RpcError(CapnwebError):
    """An error as it travels between the two ends: a type name, a message, and further properties.

    A call raises it where the peer answered with an error whose type Python does not have. Raise it in a method of a
    target to choose the type name that the caller sees.

    See CW-511 (`capnweb-gen explain`).

    Parameters:
        message: text that the caller sees.
        name: type name that the caller sees; None means that of the class, which is "Error" for RpcError itself.
        props: further properties that travel with the error, by name; any values that a call could be given. Like
            `name` and `message`, `props` is an attribute of the exception, too.
    """

    wire_name: str = "Error"

    def __init__(self, message: str = "", name: str | None = None, **props: Any) -> None:
        super().__init__(message)
        self.name = self.wire_name if name is None else name
        self.message = message
        self.props = props

    def __str__(self) -> str:
        if self.name == self.wire_name:
            return self.message
        return f"{self.name}: {self.message}" if self.message else self.name


class RangeError(RpcError, ValueError):
    """JavaScript's RangeError: a value is outside of what is allowed. See CW-522 (`capnweb-gen explain`)."""

    wire_name = "RangeError"


class EvalError(RpcError):
    """JavaScript's EvalError, which old programs raise, and no engine does. See CW-523 (`capnweb-gen explain`)."""

    wire_name = "EvalError"


class URIError(RpcError, ValueError):
    """JavaScript's URIError: a text is no valid URI. See CW-524 (`capnweb-gen explain`)."""

    wire_name = "URIError"


class DeadlineExceeded(RpcError, TimeoutError):
    """A call took longer than its deadline allows: that of the caller, or `call_timeout` of either side. Whether the
    call was carried out is not known.

    See CW-509 (`capnweb-gen explain`).
    """

    wire_name = "DeadlineExceeded"


class CostExceeded(RpcError):
    """A call or a plan was not begun, since it would cost more than is left of the budget that the peer gives a session
    for a window of time (`Limits.cost`).

    In TypeScript it is an Error whose `errorName` is "CostExceeded", with the properties `retryAfter`, `cost` and
    `left`.

    See CW-525 (`capnweb-gen explain`).
    """

    wire_name = "CostExceeded"

    def __init__(self, message: str = "", name: str | None = None, **props: Any) -> None:
        super().__init__(message, name, **props)
        self.props.setdefault("errorName", self.wire_name)

    @property
    def retry_after(self) -> float | None:
        """Seconds until the next window, when the call may be made again; None if no window has room for it, or if the
        peer did not say.
        """
        return self._number("retryAfter")

    @property
    def cost(self) -> float | None:
        """Units that the call would have cost, or that the plan would cost at least, lists being as long as `@cost`
        assumes; None if the peer did not say.
        """
        return self._number("cost")

    @property
    def left(self) -> float | None:
        """Units that were left of the budget; None if the peer did not say."""
        return self._number("left")

    def _number(self, name: str) -> float | None:
        value = self.props.get(name)
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


class RateLimited(RpcError):
    """A call was refused without being run, since the server allows only so many within some time. It may be made
    again later. `scale.rate_limits.RateLimits` raises it, and methods and interceptors of your own may.

    In TypeScript it is an Error whose `errorName` is "RateLimited", with the property `retryAfter`.

    See CW-526 (`capnweb-gen explain`).

    Parameters:
        message: text that the caller sees.
        retry_after: seconds after which the call may be made again; None if waiting does not help.
    """

    wire_name = "RateLimited"

    def __init__(self, message: str = "", retry_after: float | None = None) -> None:
        told = {} if retry_after is None else {_RETRY_AFTER: retry_after}
        super().__init__(message, None, errorName=self.wire_name, **told)  # npm peers drop the name itself

    @property
    def retry_after(self) -> float | None:
        """Seconds after which the call may be made again; None if waiting does not help, or if the peer did not say."""
        told: object = self.props.get(_RETRY_AFTER)  # of a peer, that may say anything
        return float(told) if isinstance(told, (int, float)) and 0 <= told <= _LONGEST_PAUSE else None


class StaleCodeWarning(UserWarning):
    """A generated module is older than its schema: fields of models and members of interfaces that the schema has
    gained since do not travel. Issued when the module is imported; the message says which command to run.

    See CW-512 (`capnweb-gen explain`).
    """


# Built-in exceptions that can be built from a message alone and that a peer may make us raise. Left out: those with a
# meaning for the interpreter or the event loop (StopIteration, StopAsyncIteration, GeneratorExit, KeyboardInterrupt,
# CancelledError), warnings, and those with other constructors.
_BUILTIN_NAMES: Final = [
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "EOFError",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "ImportError",
    "IndexError",
    "IndentationError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotADirectoryError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PermissionError",
    "ProcessLookupError",
    "RecursionError",
    "ReferenceError",
    "RuntimeError",
    "SyntaxError",
    "SystemError",
    "TabError",
    "TimeoutError",
    "TypeError",
    "UnboundLocalError",
    "UnicodeError",
    "ValueError",
    "ZeroDivisionError",
]

ERROR_TYPES: Final[dict[str, type[Exception]]] = {
    **{name: getattr(builtins, name) for name in _BUILTIN_NAMES},
    **{
        cls.wire_name: cls
        for cls in (RpcError, CostExceeded, DeadlineExceeded, RateLimited, RangeError, EvalError, URIError)
    },
}
"""Wire type name → the exception class that it arrives as."""

_NEAREST: Final[dict[str, type[Exception]]] = {
    name: base
    for name, cls in vars(builtins).items()
    if isinstance(cls, type) and name == cls.__name__ and name not in ERROR_TYPES
    for base in reversed(cls.__mro__)  # the nearest comes last, and stays
    if ERROR_TYPES.get(base.__name__) is base
}
"""Names of the other built-in exceptions → their nearest base that is in `ERROR_TYPES`, where there is one."""

PEER: Final = "__capnweb_peer__"
"""Attribute of an exception that a peer has answered a call with."""
_WIRE_NAME: Final = "__capnweb_name__"
"""Attribute of an exception that has arrived as a base of what it was: the type name with which it goes on."""
_WHOSE: Final = "raised by the peer"


def wire_type(error: BaseException) -> str:
    """Type name under which an exception goes on the wire.

    Parameters:
        error: the exception.

    Returns:
        The name that an `RpcError` carries; "Error" for a bare Exception and for what only this package knows;
        otherwise the name of the class, or that with which it arrived.
    """
    if isinstance(error, (RpcError, ProtocolError)):
        return error.name
    arrived_as: str | None = vars(error).get(_WIRE_NAME)
    if arrived_as is not None:
        return arrived_as
    cls = type(error)
    if isinstance(error, BaseExceptionGroup):
        return "AggregateError"
    if cls in (Exception, BaseException) or isinstance(error, CapnwebError):
        return "Error"
    return cls.__name__


def wire_message(error: BaseException) -> str:
    """Message text under which an exception goes on the wire: its only string argument, else its `str` (KeyError's
    adds quotes).
    """
    args = error.args
    if isinstance(error, BaseExceptionGroup):
        return error.message
    if len(args) == 1 and isinstance(args[0], str):
        return args[0]
    try:
        return str(error)
    except ENDS_PROGRAM:
        raise
    except BaseException as failure:  # an application's exception may do anything
        return f"({type(error).__name__} without text: its __str__ raised {type(failure).__name__})"


def from_wire(name: str, message: str) -> Exception:
    """The exception for an error of the wire.

    Parameters:
        name: type name as received.
        message: message as received.

    Returns:
        An instance of the class in `ERROR_TYPES`; of the nearest base of a built-in exception that is not in there,
        with a note that says so; or an `RpcError` that keeps an unknown name.
    """
    cls: Any = ERROR_TYPES.get(name)
    if cls is None:
        cls = _NEAREST.get(name)
        if cls is None:
            return RpcError(message, name)
        nearest: Exception = cls(message)
        vars(nearest)[_WIRE_NAME] = name
        nearest.add_note(f"{name}, where it was raised")
        return nearest
    error: Exception = cls(message)
    return error


def say_whose(error: BaseException, origin: str) -> None:
    """Notes on an error that a peer has sent that it is the peer's; once, however many wait for it.

    Parameters:
        error: the error.
        origin: what the peer was asked for: interface and member; "" if that is not known.
    """
    notes: list[str] = vars(error).setdefault("__notes__", [])  # an application's exception may be frozen
    if not any(note.startswith(_WHOSE) for note in notes):
        notes.append(f"{_WHOSE}, in answer to {origin}" if origin else _WHOSE)


ENDS_PROGRAM: Final = (SystemExit, KeyboardInterrupt)
"""What code of the application raises to end the program, as it does wherever else it is raised: never an answer."""
NOT_OURS: Final = (*ENDS_PROGRAM, MemoryError)
"""What is not an answer of the message that is being read."""


def as_answer(error: BaseException) -> Exception:
    """What a call is rejected with for which code of the application raised something: a method, a validator, a default
    factory, a getter.

    Parameters:
        error: what was raised.

    Returns:
        The exception itself; an RpcError that names it where it means something to asyncio or to a generator:
        a CancelledError would cancel whoever waits for the call, a StopIteration cannot be put into a future.
    """
    if isinstance(error, Exception) and not isinstance(error, (StopIteration, StopAsyncIteration)):
        return error
    answer = RpcError(f"Code of the application raised {type(error).__name__}.")
    answer.__cause__ = error
    return answer
