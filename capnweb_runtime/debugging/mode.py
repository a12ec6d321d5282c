"""What debug mode does to one session: which class it is of, and who is shown its messages. Rule: asked once, when the
session begins.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final, TextIO, cast

from capnweb_runtime.core.session import Session
from capnweb_runtime.debugging.names import interface_of_stub
from capnweb_runtime.debugging.reader import MessageReader
from capnweb_runtime.debugging.records import Record, line
from capnweb_runtime.debugging.session import WatchedSession, sampled, watched
from capnweb_runtime.debugging.settings import Sampling
from capnweb_runtime.debugging.tables import Known
from capnweb_runtime.observe import logger_named

debug_logger: Final = logger_named("capnweb_runtime.debug")
"""Shows the messages of sessions in debug mode, in words."""


@lru_cache(maxsize=16)
def _class_of_plain(mode: bool | Sampling) -> type[Session]:
    return _made(mode, Session)


def _made(mode: bool | Sampling, plain: type[Session]) -> type[Session]:
    return sampled(plain, mode.every) if isinstance(mode, Sampling) else watched(plain)


def session_class(mode: bool | Sampling, plain: type[Session]) -> type[Session]:
    """The class of the session.

    Parameters:
        mode: what is watched.
        plain: what it would be of without that.
    """
    return _class_of_plain(mode) if plain is Session else _made(mode, plain)


def main_of(stub: Any) -> Known:
    """What is known of a main object by the class of its stubs: the module that has it has the target, too.

    Parameters:
        stub: the class.
    """
    interface = interface_of_stub(stub)
    target = getattr(sys.modules.get(getattr(stub, "__module__", "")), f"{interface}Target", None)
    return Known(interface, members=getattr(target, "_rpc_members", None))


def reader_of(session: Session, main: Callable[[], object]) -> MessageReader:
    """Reads the messages of a session; see `Connection.reader`.

    Parameters:
        session: the session.
        main: gives the class of the stubs of the peer's main object.
    """
    return MessageReader(session, lambda: main_of(main()))


class Lines:
    """Shows the messages of a session in words.

    Parameters:
        session: the session, which is watched.
        label: what the log calls it.
        main: gives the class of the stubs of the peer's main object.
    """

    def __init__(self, session: Session, label: str, main: Callable[[], object]) -> None:
        show_somewhere()
        self._label = label
        self._reader = reader_of(session, main)
        cast(WatchedSession, session).reader = self._reader

    def received(self, messages: list[Any]) -> None:
        """Shows what has arrived."""
        self._show(map(self._reader.received, messages))

    def sent(self, messages: list[Any]) -> None:
        """Shows what is sent."""
        self._show(map(self._reader.sent, messages))

    def _show(self, records: Iterable[Record]) -> None:
        for record in records:  # each is read, so that what comes behind is understood
            if debug_logger.isEnabledFor(logging.DEBUG):
                debug_logger.debug("%s %s", self._label, line(record))


def show_somewhere() -> None:
    """Who asks for debug mode wants to see something: unless the program says what becomes of the logger's lines, they
    go to stderr.
    """
    if debug_logger.level == logging.NOTSET:
        debug_logger.setLevel(logging.DEBUG)
    if not debug_logger.hasHandlers():
        debug_logger.addHandler(_Otherwise(sys.stderr))


class _Otherwise(logging.StreamHandler[TextIO]):
    """Writes what nobody else does, now that it is to be written."""

    def emit(self, record: logging.LogRecord) -> None:
        above = debug_logger.parent
        if above is None or not above.hasHandlers():
            super().emit(record)
