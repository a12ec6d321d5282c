"""What an application may watch in a session, and what a log says of it. Rule: an observer is told, never asked,
except for the error that it may replace; whatever it raises is logged and changes nothing else.

The default logs what a target raised, with its traceback, under the logger `capnweb_runtime`; the peer gets type and
message only. Texts of strangers are shown in part, by `printable`, and
escaped in every line of every logger of this package.
"""

from __future__ import annotations

import logging
import traceback
from contextvars import Context, copy_context
from typing import Final

from capnweb_runtime.errors import RpcError, wire_message

_LONGEST: Final = 500
"""Characters of a stranger's text that a line of a log shows."""
_LONGEST_LINE: Final = 4_000
"""Characters of a line as a whole."""
_LONGEST_TRACEBACK: Final = 100_000
_CONTEXT: Final = "__capnweb_context__"
_NOT_SENT: Final = "The call failed. What it failed with is not sent."


class _OneLineEach(logging.Filter):
    """Writes records so that no text in one can pass for a line of the log, or be hidden by a terminal: what cannot be
    printed is escaped, wherever it comes from; every line of a traceback is indented.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if len(message) > _LONGEST_LINE or not message.isprintable():
            record.msg, record.args = printable(message, _LONGEST_LINE), None
        if record.exc_info is not None and record.exc_info[1] is not None and not record.exc_text:
            record.exc_text = escaped_traceback(record.exc_info[1])
        return True


def logger_named(name: str) -> logging.Logger:
    """A logger of this package, in which no text can forge lines."""
    made = logging.getLogger(name)
    if not any(isinstance(existing, _OneLineEach) for existing in made.filters):
        made.addFilter(_OneLineEach())
    return made


def printable(text: str, longest: int = _LONGEST) -> str:
    """A stranger's text for one line of a log.

    Parameters:
        text: whatever came.
        longest: characters of it that are shown.

    Returns:
        The text with an escape in place of every line break and control character, and an ellipsis for what is cut.
    """
    return _escaped(text) if len(text) <= longest else _escaped(text[:longest]) + "…"


def escaped_traceback(error: BaseException) -> str:
    """The traceback of an exception, each line of it indented, and what cannot be printed escaped."""
    text = "".join(traceback.format_exception(error)).rstrip("\n")
    return "\n".join(f"    {_escaped(line)}" for line in text[:_LONGEST_TRACEBACK].split("\n"))


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


logger: Final = logger_named("capnweb_runtime")


class Observer:
    """Is told of failures in a session, and may replace the errors that it sends: override the methods that you need,
    and give an instance to `serve(observer=...)` or `connect(observer=...)`.

    What a method of an observer raises is logged, and changes nothing else.
    """

    def target_failed(self, where: str, error: BaseException) -> None:
        """Called when a method or property of a target on this side has raised. The default logs it, with its
        traceback, under the logger `capnweb_runtime`.

        Parameters:
            where: interface and member, such as "AccountsTarget.authenticate".
            error: the exception, with its traceback.
        """
        logger.error("%s raised %s: %s", where, type(error).__name__, _text(error), exc_info=error)

    def sending_error(self, error: BaseException) -> BaseException | None:
        """Called before an exception is sent to the peer: in answer to a call, as a value, or as the reason for which
        a session ends or is refused.

        Parameters:
            error: the exception that is about to be sent.

        Returns:
            The exception to send in its place; None, or `error` itself, sends it unchanged, as the default does. If
            this method raises, an error without details is sent, since the details may be what was to be kept back.
        """
        return error

    def session_ended(self, reason: BaseException) -> None:
        """Called when the session has ended. The default does nothing, since clients come and go.

        Parameters:
            reason: why it has ended; a `SessionClosed` without a cause is an ordinary goodbye.
        """


def keep_context(error: BaseException, *, again: bool = True) -> None:
    """Keeps this Context with an exception: the observer is told of it in there, so that the log has what loggers take
    from context variables.

    Parameters:
        error: what has been raised here.
        again: whether this is the one if another is kept.
    """
    if again or _CONTEXT not in vars(error):
        vars(error)[_CONTEXT] = copy_context()


def tell_failed(observer: Observer, where: str, error: BaseException) -> None:
    """Tells the observer that a target has failed."""
    context: Context | None = vars(error).pop(_CONTEXT, None)
    try:
        if context is None:
            observer.target_failed(where, error)
        else:
            context.run(observer.target_failed, where, error)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as failure:  # also a CancelledError, which must not leave a call without an answer
        told = f"{where} raised {type(error).__name__}: {_text(error)}"
        _log_failure(observer, "target_failed", failure, f"; it was told that {told}")


def tell_ended(observer: Observer, reason: BaseException) -> None:
    """Tells the observer that the session has ended."""
    try:
        observer.session_ended(reason)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as failure:
        _log_failure(observer, "session_ended", failure)


def error_for_peer(observer: Observer, error: BaseException) -> BaseException:
    """What the observer sends in place of an error."""
    try:
        replaced: object = observer.sending_error(error)
        if replaced is None:
            return error
        if isinstance(replaced, BaseException):
            return replaced
        raise TypeError(f"it has to return an exception or None, and returned {type(replaced).__name__}")
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as failure:
        _log_failure(observer, "sending_error", failure, f"; it was given {type(error).__name__}: {_text(error)}")
        return RpcError(_NOT_SENT)


def _log_failure(observer: Observer, method: str, failure: BaseException, more: str = "") -> None:
    logger.error(
        "%s.%s raised %s: %s%s",
        type(observer).__name__, method, type(failure).__name__, _text(failure), more,
        exc_info=failure,
    )  # fmt: skip


def _text(error: BaseException) -> str:
    return printable(wire_message(error))
