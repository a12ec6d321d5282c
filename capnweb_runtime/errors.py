"""Every exception that this package raises of its own, in one hierarchy. Rule: a message says what was wrong, where,
and what to do.

    CapnwebError
    ├── SessionError                the session has ended; every stub of it is broken
    │   ├── SessionClosed           it was closed by either side, or the connection was lost (also a ConnectionError)
    │   ├── ProtocolError           a peer broke the protocol
    │   └── LimitExceeded           a bound of `Limits` was passed
    ├── DisposedError               a stub or promise was used after it had been disposed
    └── RpcError                    an error that a peer sent and that no built-in exception stands for
        ├── RangeError              wire type RangeError (also a ValueError)
        ├── EvalError               wire type EvalError
        └── URIError                wire type URIError (also a ValueError)

One warning is issued, when a generated module is imported: StaleCodeWarning (a UserWarning).

Errors travel by the name of their type. A name that Python has too (TypeError, ValueError, KeyError, …) arrives as that
built-in exception; any other arrives as RpcError and keeps its name in `RpcError.name`.
"""

from __future__ import annotations

import builtins
from typing import Any, Final


class CapnwebError(Exception):
    """Base of all exceptions defined here."""


class SessionError(CapnwebError):
    """The session has ended, and with it every stub and promise that belongs to it."""


class SessionClosed(SessionError, ConnectionError):
    """The session was closed by this side or by the peer, or its connection was lost."""


class ProtocolError(SessionError):
    """A message broke the protocol; the session in which it came has been aborted.

    Parameters:
        message: what was wrong.
        name: type name under which the peer is told.
    """

    def __init__(self, message: str, name: str = "Error") -> None:
        super().__init__(message)
        self.name = name


class LimitExceeded(SessionError):
    """A bound of `capnweb_runtime.limits.Limits` was passed."""


class DisposedError(CapnwebError):
    """A stub or promise was used after it had been disposed."""


class RpcError(CapnwebError):
    """An error of the wire.

    Raised where a call was rejected with an error type that Python does not have; raise it in a target to choose the
    type that the peer sees.

    Parameters:
        message: text for the peer.
        name: type name on the wire; None means the class's own: "Error" for RpcError itself.
        props: further properties that travel with the error; any value that can be serialized.
    """

    wire_name: str = "Error"

    def __init__(self, message: str = "", name: str | None = None, **props: Any) -> None:
        super().__init__(message)
        self.name = self.wire_name if name is None else name
        self.message = message
        self.props = props


class RangeError(RpcError, ValueError):
    """Wire type RangeError: a value outside of what is allowed."""

    wire_name = "RangeError"


class EvalError(RpcError):
    """Wire type EvalError."""

    wire_name = "EvalError"


class URIError(RpcError, ValueError):
    """Wire type URIError: malformed URI text."""

    wire_name = "URIError"


class StaleCodeWarning(UserWarning):
    """A generated module is older than its schema: what the schema has gained does not travel."""


# Built-in exceptions that can be built from a message alone and that a peer may make us raise. Left out: those with a
# meaning for the
# interpreter or the event loop (StopIteration, GeneratorExit, KeyboardInterrupt, CancelledError) and those with other
# constructors.
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
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "LookupError",
    "MemoryError",
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
    "TimeoutError",
    "TypeError",
    "ValueError",
    "ZeroDivisionError",
]

ERROR_TYPES: Final[dict[str, type[Exception]]] = {
    **{name: getattr(builtins, name) for name in _BUILTIN_NAMES},
    **{cls.wire_name: cls for cls in (RpcError, RangeError, EvalError, URIError)},
}
"""Wire type name → the exception class that it arrives as."""


def wire_type(error: BaseException) -> str:
    """Type name under which an exception goes on the wire.

    Parameters:
        error: the exception.

    Returns:
        The name that an `RpcError` carries; "Error" for a bare Exception and for what only this package knows;
        otherwise the name of the class.
    """
    if isinstance(error, (RpcError, ProtocolError)):
        return error.name
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
    except Exception as failure:  # an application's exception may do anything
        return f"({type(error).__name__} without text: its __str__ raised {type(failure).__name__})"


def from_wire(name: str, message: str) -> Exception:
    """The exception for an error of the wire.

    Parameters:
        name: type name as received.
        message: message as received.

    Returns:
        An instance of the class in `ERROR_TYPES`, or an `RpcError` that keeps an unknown name.
    """
    cls: Any = ERROR_TYPES.get(name)
    if cls is None:
        return RpcError(message, name)
    error: Exception = cls(message)
    return error
